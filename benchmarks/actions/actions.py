"""What each part of the filter banks brings where small events decide, over seeds.

    python -m benchmarks actions --work WORK -o arms --json actions.json

Every arm and seed of a setting is one small JSON in the output folder as soon as it is done: what
is there is not done again. As in the paper, the arms of a seed start from one backbone that knows
something: trained with global pooling, on events that are larger and stronger. They go on for the
same number of steps on the same clips; wider ones start from one of their own, trained likewise.
Test clips are the same for all, and never trained on; what is compared is paired by seed and clip.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks.actions.made_events import Made, make, share
from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.actions.train.bank import ActionNetwork, HeadForm
from facetrack.actions.train.network import build
from facetrack.networks.train.fitting import Fitting, Schedule
from facetrack.networks.train.resnet import BackboneForm, multiply_adds
from facetrack.reporting.envelope import write_json
from facetrack.reporting.intervals import paired_interval
from facetrack.reporting.tables import Part, Quantity, Table

BASE: Final = "mean"
CONTROL: Final = "wide"
BATCH: Final = 32
START: Final = (2.5, 2.5)  # size and strength of the events that backbones start with,
STARTED: Final = 150  # and steps
TESTED: Final = 1000  # clips
SPEEDS: Final = {"bank": 3.0}
DEEP: Final = BackboneForm(
    False, (1, 1), (24, 32), (2, 2), deep=3, channels=1, stem=16, stem_kernel=(3, 3), pooled=False
)
FLAT: Final = replace(DEEP, deep=1, stem_kernel=(1, 3))
POOLED: Final = HeadForm(8, read="mean", local=0, dropout=0.0)
BANK: Final = HeadForm(8, local=0, dropout=0.0, top=3)
FULL: Final = replace(BANK, local=1)


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to build the last layers; channels of the backbone's stem and two stages."""

    about: str
    head: HeadForm
    widths: tuple[int, int, int] = (16, 24, 32)


@dataclass(frozen=True, slots=True)
class Setting:
    """Clips of one kind, the backbone, and its arms; steps of each arm."""

    about: str
    backbone: BackboneForm
    size: float
    strength: float
    arms: tuple[str, ...]
    steps: int = 200

    @property
    def moving(self) -> bool:
        """Whether classes are kinds of motion."""
        return self.backbone.deep > 1


ARMS: Final[dict[str, Arm]] = {
    BASE: Arm("global average pooling", POOLED),
    "near": Arm("the same, wider: more of both than the bank", POOLED, (24, 24, 32)),
    "deep": Arm("the same, a wider last stage: the full head's parameters", POOLED, (16, 24, 48)),
    "wide": Arm("the same, wider: its parameters and multiply-adds", POOLED, (24, 40, 32)),
    "fine": Arm("average pooling of the local branch", replace(POOLED, local=1)),
    "bank": Arm("filter bank without cross-channel supervision", replace(BANK, cross=0.0)),
    "cross": Arm("filter bank with cross-channel supervision", BANK),
    "copy": Arm("the same on a copy of the last stage, not enlarged", replace(FULL, upsampled=1)),
    "full": Arm("the same on the local branch", FULL),
}
FEW: Final = (BASE, "cross", "full")
CONTROLLED: Final = (BASE, CONTROL, "cross", "full")
LAST: Final = ("deep", "fine", "copy")  # trained when all others are
SETTINGS: Final[dict[str, Setting]] = {
    "2-D": Setting("shapes, 2-D network", FLAT, 1.75, 1.0, tuple(ARMS)),
    "global": Setting("shapes that fill the frame, 2-D network", FLAT, 10.0, 0.2, FEW),
    "smaller": Setting("smaller shapes, 2-D network", FLAT, 1.25, 1.2, CONTROLLED),
    "3-D": Setting("motions, 3-D network", DEEP, 1.75, 1.6, CONTROLLED, 150),
}


def train_arm(name: str, arm: str, seed: int, work: Path, output: Path) -> None:
    """Train and measure one arm and seed of a setting, unless its file is there."""
    target = output / f"{name}.{arm}.{seed}.json"
    if target.is_file():
        return
    setting, made = SETTINGS[name], ARMS[arm]
    stem, *widths = made.widths
    backbone = replace(setting.backbone, stem=stem, widths=tuple(widths))
    torch.manual_seed(seed)
    start = build(backbone, POOLED)
    checkpoint = "-".join(map(str, (backbone.deep, *made.widths, f"{seed}.npz")))
    _fit(start, setting, START, STARTED, seed, work / checkpoint)
    torch.manual_seed(seed)
    network = build(backbone, made.head)
    network.stages.load_state_dict(start.stages.state_dict())
    network.classifier.load_state_dict(start.classifier.state_dict())
    network.start_local()
    _fit(network, setting, (setting.size, setting.strength), setting.steps, seed + 1000, None)
    tested = make(TESTED, np.random.default_rng([9, seed]), moving=setting.moving,
                  size=setting.size, strength=setting.strength)  # fmt: skip
    write_json(target, {"setting": name, "arm": arm, "seed": seed, **measure(network, tested)})


def measure(network: ActionNetwork, tested: Made) -> dict[str, Any]:
    """Test a network: which clips it gets right, and where the winning filter's peak lies."""
    right, inside, chance = [], [], []
    for at in range(0, len(tested.labels), 100):
        part = slice(at, at + 100)
        with torch.no_grad():
            scores = network(_tensor(tested.clips[part]))
        labels, boxes = tested.labels[part], tested.boxes[part]
        hits = scores.probabilities().argmax(dim=1).numpy() == labels
        right += hits.tolist()
        if scores.responses is None:
            continue
        of_class = scores.responses[torch.arange(len(labels)), torch.from_numpy(labels)]
        in_box = _cells_inside(boxes, of_class.shape[-1], tested.clips.shape[-1])
        places = of_class.amax(dim=(1, 2)).flatten(start_dim=1).argmax(dim=1).numpy()
        inside += in_box.reshape(len(labels), -1)[np.arange(len(labels)), places][hits].tolist()
        chance += in_box.mean(axis=(1, 2)).tolist()
    return {
        "right": [int(hit) for hit in right],
        "inside": float(np.mean(inside)) if inside else None,
        "chance": float(np.mean(chance)) if chance else None,
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "multiply_adds": multiply_adds(network, _tensor(tested.clips[:1])),
    }


def compare(output: Path) -> dict[str, list[dict[str, Any]]]:
    """Put the files of all arms and seeds together, by setting, each arm beside pooling."""
    found: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
    for path in sorted(output.glob("*.json")):
        one = json.loads(path.read_text("utf-8"))
        found.setdefault(one["setting"], {}).setdefault(one["arm"], {})[one["seed"]] = one
    return {
        name: [_row(arm, found[name]) for arm in SETTINGS[name].arms if arm in found[name]]
        for name in SETTINGS
        if name in found
    }


def report(settings: dict[str, list[dict[str, Any]]]) -> list[Part]:
    """Lay the settings out, a table each."""
    parts: list[Part] = []
    for name, rows in settings.items():
        setting = SETTINGS[name]
        of_frame = f"{100 * share(setting.size):.1f} % of the frame at a time"
        parts += ["", f"{setting.about}; an event fills {of_frame}", ""]
        parts.append(Table(
            ["arm", "what", "seeds", "correct, %", "spread", "above mean, points, 95 %",
             "above wide", "peak in box, %", "chance, %", "parameters", "million multiply-adds"],
            [_cells(row) for row in rows],
        ))  # fmt: skip
    return parts


def _fit(
    network: ActionNetwork,
    setting: Setting,
    event: tuple[float, float],
    steps: int,
    seed: int,
    checkpoint: Path | None,
) -> None:
    """Train on clips that are made as they are needed, with events of a size and a strength."""
    size, strength = event

    def loss(batch: npt.NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        made = make(len(batch), rng, moving=setting.moving, size=size, strength=strength)
        return network.loss(_tensor(made.clips), torch.from_numpy(made.labels))

    network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    rate = 5e-3 if checkpoint is not None else 3e-3
    schedule = Schedule(1, batch=BATCH, rate=rate, seed=seed)
    Fitting(network, schedule, checkpoint, speeds=SPEEDS).run(steps * BATCH, loss)


def _tensor(clips: npt.NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(clips).contiguous(memory_format=torch.channels_last_3d)


def _cells_inside(boxes: npt.NDArray[np.float64], cells: int, side: int) -> npt.NDArray[np.bool_]:
    """Return which cells' centres lie in the boxes, enlarged by half a cell; (n, cells, cells)."""
    step = side / cells
    centres = (np.arange(cells) + 0.5) * step - 0.5
    left, top, right, bottom = (boxes[:, i, None] for i in range(4))
    across = (centres >= left - step / 2) & (centres <= right + step / 2)
    down = (centres >= top - step / 2) & (centres <= bottom + step / 2)
    return np.asarray(down[:, :, None] & across[:, None, :])


def _row(arm: str, arms: dict[str, dict[int, dict[str, Any]]]) -> dict[str, Any]:
    """Measure one arm over its seeds, and beside the base."""
    seeds = arms[arm]
    scores = [100 * float(np.mean(one["right"])) for one in seeds.values()]
    first = next(iter(seeds.values()))
    row: dict[str, Any] = {
        "arm": arm,
        "about": ARMS[arm].about,
        "seeds": len(seeds),
        "correct": float(np.mean(scores)),
        "spread": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        **{name: first[name] for name in ("parameters", "multiply_adds")},
    }
    for name in ("inside", "chance"):
        measured = [one[name] for one in seeds.values() if one[name] is not None]
        row[name] = 100 * float(np.mean(measured)) if measured else None
    row["above"] = {}
    for base in (BASE, CONTROL):
        common = sorted(seeds.keys() & arms.get(base, {}).keys())
        if arm != base and common:
            pair = (arms[base], seeds)
            other, own = (np.concatenate([of[s]["right"] for s in common]) for of in pair)
            interval = paired_interval(100 * other, 100 * own, np.random.default_rng(0))
            row["above"][base] = asdict(interval)
    return row


def _cells(row: dict[str, Any]) -> list[object]:
    quantities = [
        Quantity(float("nan") if row[name] is None else row[name], 1)
        for name in ("correct", "spread", "inside", "chance")
    ]
    correct, spread, inside, chance = quantities
    said = [
        "{mean:+.1f} ({low:+.1f} to {high:+.1f})".format(**row["above"][base])
        if base in row["above"]
        else "-"
        for base in (BASE, CONTROL)
    ]
    adds = Quantity(row["multiply_adds"] / 1e6, 1)
    return [row["arm"], row["about"], row["seeds"], correct, spread, *said, inside, chance,
            row["parameters"], adds]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is missing and compare."""
    parser = make_parser(__doc__)
    parser.add_argument("--work", type=Path, required=True, help="the starts' checkpoints")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a JSON for each arm")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="the comparison")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    for folder in (args.work, args.output):
        folder.mkdir(parents=True, exist_ok=True)
    jobs = [(name, arm, seed) for name in args.settings for seed in range(args.seeds)
            for arm in SETTINGS[name].arms]  # fmt: skip
    jobs.sort(key=lambda job: job[1] in LAST)
    for name, arm, seed in tqdm(jobs, desc="arms and seeds", disable=None):
        train_arm(name, arm, seed, args.work, args.output)
    settings = compare(args.output)
    show(report(settings), args.json, n=TESTED, details={"settings": settings})
    return 0
