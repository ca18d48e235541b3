"""What each part of three papers brings, on a few thousand small pictures, over seeds.

    python -m benchmarks image_arms binary cifar10_8k.npz --work WORK -o arms
    python -m benchmarks image_arms distilled cifar10_8k.npz --work WORK -o arms
    python -m benchmarks image_arms searched cifar10_8k.npz --work WORK -o arms

`binary`: real-to-binary training, the arms A to F of Martinez et al. (ICLR 2020), each with the
same number of epochs in all. `distilled`: AdaIN beside other guides, for students of two sizes and
one of another architecture; each arm's weight is chosen from the same number of tries on pictures
held out. `searched`: spaces, temperatures and what is binary in the search of BATS (ECCV 2020),
each genotype trained in two steps and beside random ones of as many multiply-adds.

Every arm and seed is one training and one small JSON as soon as it is done; what is there is not
done again. Pictures are averaged to 16 x 16. Intervals are of a bootstrap over pictures and seeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets.image_classes import Pictures, read_pictures
from facetrack.formats.archive import read_archive
from facetrack.networks.train.adain import AdaIn, adapted
from facetrack.networks.train.bats.genotype import Genotype, genotype_of, matched_genotypes
from facetrack.networks.train.bats.network import CellNetwork, CellsForm
from facetrack.networks.train.bats.search import Strategy, gap, search
from facetrack.networks.train.bats.supernet import SearchForm
from facetrack.networks.train.binary import Stage
from facetrack.networks.train.fitting import KIND, Schedule
from facetrack.networks.train.guidance import Guidance, Weights
from facetrack.networks.train.images.network import Classifier, ResidualForm
from facetrack.networks.train.images.recipe import Recipe
from facetrack.networks.train.images.task import Naming
from facetrack.networks.train.images.views import PictureBatches, View
from facetrack.networks.train.recipe import TEACHER, Step
from facetrack.networks.train.resnet import multiply_adds
from facetrack.networks.train.staged import after
from facetrack.networks.train.steps import run_steps
from facetrack.reporting.envelope import write_json
from facetrack.reporting.intervals import crossed_interval
from facetrack.reporting.tables import Quantity, Table

Right = npt.NDArray[np.bool_]

SIDE: Final = 16  # px
VIEW: Final = View("padded", SIDE, pad=2, shrink=2)
HELD: Final = 1000  # training pictures for choices and discrepancies
BATCH: Final = 100
FIRST: Final = "teacher"
WIDE: Final = ResidualForm("usual", (1, 1, 1), (24, 48, 96), (1, 2, 2), 24, "cifar")
KD: Final = Weights(classes=1.0)
# means over positions; of 16 x 16, 8 x 8 and 4 x 4 of them
ATTENTION: Final = Weights(attention=480.0)


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to train: a network, and steps as (stage, share of the epochs, guide's weights)."""

    about: str
    form: ResidualForm
    steps: tuple[tuple[Stage, float, Weights], ...]
    chained: bool = False  # each step guides the next


NOTHING: Final = Weights()


def _two(weights: Weights = NOTHING) -> tuple[tuple[Stage, float, Weights], ...]:
    return (Stage.ACTIVATIONS, 0.5, weights), (Stage.BINARY, 0.5, replace(weights, attention=0.0))


_HALF: Final = replace(WIDE, blocks="half")
_GATED: Final = replace(WIDE, blocks="gated")
_BOTH: Final = replace(KD, attention=480.0)
_ONE: Final = ((Stage.BINARY, 1.0, Weights()),)
BINARY: Final[dict[str, Arm]] = {
    "real": Arm("the real network, usual blocks", WIDE, _ONE),
    "A": Arm("XNOR-Net's blocks, one step", replace(WIDE, blocks="xnor"), _ONE),
    "B": Arm("strong baseline: half blocks, two steps", _HALF, _two()),
    "C": Arm("B and gates", _GATED, _two()),
    "D": Arm("B and attention matching", _HALF, _two(ATTENTION)),
    "E": Arm("D and class probabilities", _HALF, _two(_BOTH)),
    "F": Arm(
        "gates, attention, class probabilities, chain of teachers",
        _GATED,
        ((Stage.REAL, 1 / 3, _BOTH), (Stage.ACTIVATIONS, 1 / 3, _BOTH), (Stage.BINARY, 1 / 3, KD)),
        chained=True,
    ),
}
STUDENTS: Final = {
    "third": replace(WIDE, widths=(8, 16, 32), first=8),
    "half": replace(WIDE, widths=(16, 24, 48), first=16),
    "plain": replace(WIDE, blocks="plain", widths=(16, 24, 48), first=16),
}
GUIDES: Final = {
    "none": Weights(),
    "classes": Weights(classes=0.9, truth=0.1, temperature=4.0),
    "statistics": Weights(statistics=1.0),
    "attention": ATTENTION,
    "adain": Weights(adain=1.0),
}
TRIED: Final = (0.3, 1.0, 3.0)  # times the weights of a guide
DISTILLED: Final[dict[str, Arm]] = {
    f"{student} {guide}": Arm(f"{student} student, {guide}", form, ((Stage.BINARY, 1.0, weights),))
    for student, form in STUDENTS.items()
    for guide, weights in GUIDES.items()
}
SPACE: Final = SearchForm(cells=5, channels=12, nodes=3, groups=4)
PAPER: Final = Strategy()
SEARCHED: Final[dict[str, tuple[SearchForm, Strategy, str]]] = {
    "grouped": (SPACE, PAPER, ""),
    "separable": (replace(SPACE, space="separable"), PAPER, ""),
    "random grouped": (SPACE, PAPER, "grouped"),
    "random separable": (replace(SPACE, space="separable"), PAPER, "separable"),
    "temperature 1": (SPACE, replace(PAPER, temperature=(1.0, 1.0)), ""),
    "binary weights": (SPACE, replace(PAPER, stage=Stage.BINARY), ""),
    "all real": (SPACE, replace(PAPER, stage=Stage.REAL), ""),
}
BASES: Final = {"binary": "B", "distilled": "none", "searched": "grouped"}


@dataclass(frozen=True, slots=True)
class Data:
    """Pictures to learn from, those held out of them, and those to test on."""

    train: PictureBatches
    held: PictureBatches
    test: PictureBatches


def read_data(path: Path) -> Data:
    """Read the pictures; the last thousand of training are held out."""
    train, test = (read_pictures(path, "arrays", split) for split in ("train", "test"))
    last = len(train.labels) - HELD
    parts = [
        Pictures(train.classes, train.labels[chosen], train.pictures[chosen])
        for chosen in (slice(0, last), slice(last, None))
    ]
    return Data(*(PictureBatches(part, VIEW) for part in (*parts, test)))


def steps_of(arm: Arm, epochs: int, seed: int) -> tuple[Step, ...]:
    """Make the steps of an arm."""
    steps: list[Step] = []
    for stage, share, weights in arm.steps:
        starts = stage == Stage.BINARY and bool(steps)
        latent = stage == Stage.BINARY and arm.form.blocks not in ("usual", "plain")
        guide = steps[-1].name if arm.chained and steps else TEACHER
        schedule = Schedule(
            max(round(epochs * share), 1),
            BATCH,
            rate=1e-3 if arm.form.blocks in ("xnor", "half", "gated") else 2e-3,
            decay=0.0 if latent else 1e-4,
            seed=seed,
        )
        steps.append(
            Step(
                stage.value,
                schedule,
                stage,
                start=steps[-1].name if starts else "",
                guide=guide if weights.taught else "",
                weights=weights,
            )
        )
    return tuple(steps)


def train(arm: Arm, data: Data, work: Path, epochs: int, seed: int, teacher: Any) -> Any:
    """Train an arm; returns its network."""
    recipe = Recipe("arm", arm.about, "arrays", 10, VIEW, {"": arm.form}, ())
    done: dict[str, Any] = {} if teacher is None else {TEACHER: teacher}
    steps = steps_of(arm, epochs, seed)
    run_steps(steps, Naming(recipe, data.train), work, done)
    return done[steps[-1].name]


@torch.no_grad()
def right(network: nn.Module, batches: PictureBatches) -> Right:
    """Return which pictures a network names rightly."""
    parts = np.array_split(np.arange(batches.count), max(batches.count // 250, 1))
    found = [(network(x).argmax(dim=1) == truth).numpy() for x, truth in map(batches.plain, parts)]
    return np.concatenate(found)


@cache
def teacher_of(work: Path, data_path: Path, epochs: int) -> Any:
    """Train the one real network that guides all arms and seeds, or load it."""
    return train(Arm("", WIDE, _ONE), read_data(data_path), work / FIRST, 2 * epochs, 0, None)


def run_arm(
    job: tuple[str, int], *, which: str, path: Path, data: Data, work: Path, output: Path,
    epochs: int,
) -> None:  # fmt: skip
    """Train and measure one arm and seed, unless its file is there."""
    name, seed = job
    target = output / f"{which}.{name.replace(' ', '-')}.{seed}.json"
    if target.is_file():
        return
    folder, details = work / target.stem, dict[str, Any]()
    teacher = None if which == "searched" else teacher_of(work, path, epochs)
    begun = time.thread_time()
    if which == "searched":
        network, details = search_and_train(name, data, folder, epochs, seed, output)
    else:
        arm = (BINARY | DISTILLED)[name]
        if which == "distilled":
            arm, details = tuned(name, data, work, output, epochs, teacher)
        network = train(arm, data, folder, epochs, seed, teacher)
        if which == "distilled" and (arm.steps[-1][2].adain or arm.steps[-1][2].statistics):
            given = arm.steps[-1][2]
            assert teacher is not None
            details["discrepancy"] = discrepancy(network, teacher, given, folder, data.held)
    bits = np.packbits(right(network, data.test)).tobytes().hex()
    about = {"table": which, "arm": name, "seed": seed, "epochs": epochs, "n": data.test.count}
    seconds = time.thread_time() - begun
    write_json(target, {**about, "seconds": round(seconds, 1), "right": bits, **details})


def tuned(
    name: str, data: Data, work: Path, output: Path, epochs: int, teacher: Any
) -> tuple[Arm, dict[str, Any]]:
    """Choose the factor of an arm's weights on the pictures held out, by a seed of its own."""
    arm = DISTILLED[name]
    stage, share, weights = arm.steps[-1]
    if not weights.taught:
        return arm, {}
    path = output / f"tuned.{name.replace(' ', '-')}.json"
    arms = {factor: replace(arm, steps=((stage, share, _times(weights, factor)),))
            for factor in TRIED}  # fmt: skip
    if not path.is_file():
        found = {
            str(factor): float(
                right(
                    train(tried, data, work / f"{path.stem}.{factor}", epochs, 1000, teacher),
                    data.held,
                ).mean()
            )
            for factor, tried in arms.items()
        }
        write_json(path, {"table": "tuned", "arm": name, "held": found})
    held = json.loads(path.read_text("utf-8"))["held"]
    best = max(TRIED, key=lambda factor: held[str(factor)])
    return arms[best], {"factor": best}


def _times(weights: Weights, factor: float) -> Weights:
    names = ("classes", "statistics", "attention", "adain")
    return replace(weights, **{name: factor * getattr(weights, name) for name in names})


@torch.no_grad()
def discrepancy(
    student: Classifier, teacher: Classifier, weights: Weights, folder: Path, held: PictureBatches
) -> list[float]:
    """Return how much the teacher's last features change with the student's moments, at each tap.

    Squared distances over the variance of the features, on pictures held out.
    """
    guidance = Guidance(student, teacher, weights)
    arrays, _ = read_archive(folder / f"{Stage.BINARY.value}.npz", kind=KIND, schema=1)
    prefix = "weight/guidance."
    own = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
    guidance.load_state_dict({name: torch.from_numpy(a) for name, a in own.items()})
    compare = guidance.eval().comparisons["all"]
    assert isinstance(compare, AdaIn)
    x, _ = held.plain(np.arange(held.count))
    found = []
    taps = zip(compare.connectors, student.taps(x), teacher.taps(x), strict=True)
    for tap, (connect, theirs, own_map) in enumerate(taps):
        said = after(teacher, tap, own_map)
        judged = after(teacher, tap, adapted(connect(theirs), own_map))
        found.append(float((judged - said).square().mean() / said.var()))
    return found


def search_and_train(
    name: str, data: Data, folder: Path, epochs: int, seed: int, output: Path
) -> tuple[nn.Module, dict[str, Any]]:
    """Search a genotype, or draw one, and train its network in two steps."""
    form, strategy, control = SEARCHED[name]
    cells = CellsForm(form.cells, form.channels, form.groups)
    details: dict[str, Any] = {}
    if control:
        found = json.loads((output / f"searched.{control}.{seed}.json").read_text("utf-8"))
        like = genotype_of(found["genotype"])
        rng = np.random.default_rng(seed)
        (genotype,) = matched_genotypes(like, 1, partial(_cost, cells), rng)
    else:
        begun = time.thread_time()
        net = search(
            form, strategy, Schedule(max(epochs // 2, 2), 64, rate=1e-3, seed=seed),
            data.train.augmented, data.train.count, 10, (SIDE, SIDE),
            checkpoint=_made(folder) / "search.npz",
        )  # fmt: skip
        genotype = net.genotype()
        seconds = time.thread_time() - begun
        take: Callable[..., tuple[Tensor, Tensor]] = lambda n, rng: data.held.plain(n)  # noqa: E731
        tested, trained = np.array_split(np.arange(data.held.count), 2)
        soft, chosen = gap(net, take, tested, trained)
        details = {
            "search_seconds": round(seconds, 1),
            "soft": soft,
            "chosen": chosen,
            "free": genotype.free,
            "free_mass": net.free_mass(),
        }
    recipe = Recipe("cells", "", "arrays", 10, VIEW, {"": cells}, ())
    arm = Arm("", _HALF, _two())
    done: dict[str, Any] = {}
    steps = steps_of(arm, epochs, seed)
    run_steps(steps, Naming(recipe, data.train, genotype), folder, done)
    details |= {"genotype": asdict(genotype), "multiply_adds": _cost(cells, genotype)}
    return done[steps[-1].name], details


def _cost(form: CellsForm, genotype: Genotype) -> int:
    return multiply_adds(CellNetwork(form, genotype, 10), torch.zeros(1, 3, SIDE, SIDE))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compare(which: str, output: Path) -> list[dict[str, Any]]:
    """Put the files of all arms and seeds together, each arm beside the base of its table."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for path in sorted(output.glob(f"{which}.*.json")):
        one = json.loads(path.read_text("utf-8"))
        packed = np.frombuffer(bytes.fromhex(one["right"]), np.uint8)
        one["right"] = np.unpackbits(packed, count=one["n"])
        found.setdefault(one["arm"], {})[one["seed"]] = one
    return [_row(name, which, found) for name in arms_of(which) if name in found]


def _row(name: str, which: str, found: Mapping[str, Mapping[int, Any]]) -> dict[str, Any]:
    seeds = found[name]
    base = f"{name.split()[0]} {BASES[which]}" if which == "distilled" else BASES[which]
    row: dict[str, Any] = {
        "arm": name,
        "epochs": sorted({one["epochs"] for one in seeds.values()}),
        "seeds": len(seeds),
        "top1": 100 * float(np.mean([one["right"].mean() for one in seeds.values()])),
        "notes": dict(_means(seeds.values())),
    }
    common = sorted(seeds.keys() & found.get(base, {}).keys())
    if which == "binary" and name != "real" and "real" in found:
        real = [one["right"].mean() for one in found["real"].values()]
        row["notes"]["below real"] = 100 * float(np.mean(real)) - row["top1"]
    if name != base and common:
        first, second = (
            np.stack([100.0 * of[s]["right"] for s in common]) for of in (found[base], seeds)
        )
        row["above"] = asdict(crossed_interval(first, second, np.random.default_rng(0)))
    return row


def _means(runs: Any) -> Iterator[tuple[str, Any]]:
    """Average over seeds what else was measured."""
    runs = list(runs)
    for key in ("seconds", "search_seconds", "soft", "chosen", "free", "free_mass", "factor"):
        if values := [one[key] for one in runs if key in one]:
            yield key, float(np.mean(values))
    if values := [one["discrepancy"] for one in runs if "discrepancy" in one]:
        yield "discrepancy", np.mean(values, axis=0).tolist()


def arms_of(which: str) -> Sequence[str]:
    """Name the arms of a table; a random genotype follows the one that it is like."""
    tables: dict[str, Mapping[str, Any]] = {
        "binary": BINARY, "distilled": DISTILLED, "searched": SEARCHED
    }  # fmt: skip
    return list(tables[which])


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay the arms out."""
    cells = []
    for row in rows:
        above = row.get("above")
        shown = "-" if above is None else (
            f"{above['mean']:+.1f} ({above['low']:+.1f} to {above['high']:+.1f})"
        )  # fmt: skip
        notes = ", ".join(
            f"{key} {'/'.join(f'{v:.3g}' for v in np.atleast_1d(value))}"
            for key, value in row["notes"].items()
        )
        epochs = "/".join(map(str, row["epochs"]))
        cells.append([row["arm"], epochs, row["seeds"], Quantity(row["top1"], 1), shown, notes])
    return Table(["arm", "epochs", "seeds", "top-1, %", "above base, 95 %", "notes"], cells)


def main() -> int:
    """Train what is missing and compare."""
    parser = make_parser(__doc__)
    parser.add_argument("table", choices=("binary", "distilled", "searched"))
    parser.add_argument("pictures", type=Path, help="x_train, y_train, x_test, y_test, names: .npz")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a JSON an arm and seed")
    parser.add_argument("--arms", nargs="+", metavar="ARM", help="(default: all)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=80, help="of every arm, over all its steps")
    parser.add_argument("--json", type=Path, help="the comparison")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.output.mkdir(parents=True, exist_ok=True)
    names = [name for name in arms_of(args.table) if args.arms is None or name in args.arms]
    jobs = [(name, seed) for seed in range(args.seeds) for name in names]
    job = partial(
        run_arm,
        which=args.table,
        path=args.pictures,
        data=read_data(args.pictures),
        work=args.work / f"{args.epochs}",
        output=args.output,
        epochs=args.epochs,
    )
    for one in tqdm(jobs, desc="arms and seeds", disable=None):
        job(one)
    rows = compare(args.table, args.output)
    show([table(rows)], args.json, n=len(jobs), details={"arms": rows})
    return 0
