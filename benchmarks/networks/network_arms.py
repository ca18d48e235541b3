"""What each part of the trainings brings to the binary expression encoder, over seeds.

    python -m benchmarks network_arms lfpw_train helen_train afw ytf/train --channels blendshapes
        --videos videos --skip stage_cuts --teacher expression --work WORK -o arms

Every arm and seed is one training, and one small JSON in the output folder as soon as it is done:
what is there is not done again. All arms have half the shipped encoder's widths, the same samples,
the same number of epochs in all, and per seed the same start and the same batches. Measured is the
mean, over the ten channels of `networks evaluate`, of the median correlation in time over the
clips; what is compared is paired by seed and clip.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets.channels import read_clip_channels
from facetrack.evaluation.expression import (
    TEN,
    ClipPatches,
    correlations,
    encode_clip,
    median,
    take_clip,
)
from facetrack.model import load_model
from facetrack.networks.expression import ExpressionEncoder
from facetrack.networks.samples import CHANNELS, TARGETS, Samples, load_samples
from facetrack.networks.train.binary import Stage
from facetrack.networks.train.chain import run_recipe
from facetrack.networks.train.devices import Place
from facetrack.networks.train.encoder import Architecture, Encoder
from facetrack.networks.train.fitting import Schedule
from facetrack.networks.train.guidance import Weights
from facetrack.networks.train.model_file import TorchForm, form_of
from facetrack.networks.train.recipe import TEACHER, Recipe, Step
from facetrack.networks.train.run import load_teacher
from facetrack.networks.train.standard import Standard
from facetrack.parallel import open_map
from facetrack.reporting.envelope import write_json
from facetrack.reporting.intervals import paired_interval
from facetrack.reporting.tables import Quantity, Table

BASE: Final = "two steps"
EPOCHS: Final = 12  # of every arm, over all of its steps
COPIES: Final = 2
PLACE: Final = Place(compiled=True)  # takes a C++ compiler, and then half the time
HALF: Final = Architecture("half", (32, 32, 64, 64), 64, dropout=0.1)
OUTPUTS: Final = Weights(outputs=1.0)
ATTENTION: Final = Weights(attention=5.0)
ADAIN: Final = Weights(adain=0.1)
STATISTICS: Final = Weights(statistics=0.1)


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to train: blocks, and steps as (stage, share of the epochs, guide's weights)."""

    about: str
    steps: tuple[tuple[Stage, float, Weights], ...]
    blocks: str = "half"


def _two(weights: Weights) -> tuple[tuple[Stage, float, Weights], ...]:
    return (Stage.ACTIVATIONS, 0.5, weights), (Stage.BINARY, 0.5, weights)


ARMS: Final[dict[str, Arm]] = {
    "real": Arm("the real network of the same shape", ((Stage.BINARY, 1.0, Weights()),), "real"),
    "xnor": Arm("XNOR-Net's blocks", ((Stage.BINARY, 1.0, Weights()),), "xnor"),
    "direct": Arm("half blocks, binary from the start", ((Stage.BINARY, 1.0, Weights()),)),
    "two steps": Arm("real weights first (the strong baseline)", _two(Weights())),
    "gate": Arm("two steps, gated", _two(Weights()), "gated"),
    "outputs": Arm("two steps, the teacher's outputs (Hinton)", _two(OUTPUTS)),
    "attention": Arm("two steps, attention transfer", _two(ATTENTION)),
    "statistics": Arm("two steps, plain statistics", _two(STATISTICS)),
    "adain": Arm("two steps, AdaIN", _two(ADAIN)),
    "outputs, attention": Arm(
        "two steps, outputs and attention", _two(replace(OUTPUTS, attention=5.0))
    ),
    "outputs, adain": Arm("two steps, outputs and AdaIN", _two(replace(OUTPUTS, adain=0.1))),
    "chain": Arm(
        "gated; tanh, signs of activations, signs of both; outputs and attention",
        (
            (Stage.REAL, 1 / 3, replace(OUTPUTS, attention=5.0)),
            (Stage.ACTIVATIONS, 1 / 3, replace(OUTPUTS, attention=5.0)),
            (Stage.BINARY, 1 / 3, OUTPUTS),
        ),
        "gated",
    ),
}


def recipe_of(name: str, seed: int) -> Recipe:
    """Make the recipe of an arm; the chain's steps guide each other."""
    arm = ARMS[name]
    steps: list[Step] = []
    for stage, share, weights in arm.steps:
        chained = len(arm.steps) > 2 and bool(steps)
        last = stage == Stage.BINARY and bool(steps)
        latent = stage == Stage.BINARY and arm.blocks != "real"  # decay would hold them at 0
        steps.append(
            Step(
                stage.value,
                Schedule(
                    round(EPOCHS * share),
                    rate=1e-3 if last else 2e-3,
                    decay=0.0 if latent else 0.02,
                    seed=seed,
                ),
                stage,
                start=steps[-1].name if last else "",
                guide="" if not weights.taught else steps[-1].name if chained else TEACHER,
                weights=weights,
            )
        )
    return Recipe(name, arm.about, replace(HALF, blocks=arm.blocks), tuple(steps), COPIES)


def train_arm(
    job: tuple[str, int],
    *,
    samples: Samples,
    clips: Sequence[ClipPatches],
    standard: Standard,
    teacher: Encoder,
    work: Path,
    output: Path,
) -> None:
    """Train and measure one arm and seed, unless its file is there."""
    name, seed = job
    target = output / f"{name.replace(', ', '+').replace(' ', '-')}.{seed}.json"
    if target.is_file():
        return
    encoder = run_recipe(
        recipe_of(name, seed), samples, work / target.stem, teacher=teacher, place=PLACE
    )
    runs = ExpressionEncoder(
        name,
        TARGETS,
        standard.mean_shape,
        standard.centre,
        standard.deviation,
        TorchForm(encoder) if ARMS[name].blocks == "xnor" else form_of(encoder),
        {},
    )
    found = correlations([encode_clip(clip, runs) for clip in clips], CHANNELS)
    write_json(target, {"arm": name, "seed": seed, "clips": {n: found[n] for n in TEN}})


def compare(output: Path) -> list[dict[str, Any]]:
    """Put the files of all arms and seeds together, each arm beside the strong baseline."""
    found: dict[str, dict[int, dict[str, dict[str, float]]]] = {}
    for path in sorted(output.glob("*.json")):
        one = json.loads(path.read_text("utf-8"))
        found.setdefault(one["arm"], {})[one["seed"]] = one["clips"]
    rows = []
    for name in (arm for arm in ARMS if arm in found):
        seeds = found[name]
        scores = [np.nanmean([median(c) for c in one.values()]) for one in seeds.values()]
        row: dict[str, Any] = {
            "arm": name,
            "about": ARMS[name].about,
            "seeds": len(seeds),
            "mean": float(np.mean(scores)),
            "spread": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        }
        base = found.get(BASE, {})
        common = sorted(seeds.keys() & base.keys())
        if name != BASE and common:
            first, second = (
                np.concatenate([_by_clip(of[seed]) for seed in common]) for of in (base, seeds)
            )
            row["above"] = asdict(paired_interval(first, second, np.random.default_rng(0)))
        rows.append(row)
    return rows


def _by_clip(channels: dict[str, dict[str, float]]) -> np.ndarray:
    """Average the channels of each clip."""
    clips = sorted({clip for by_clip in channels.values() for clip in by_clip})
    return np.array([np.mean([c[clip] for c in channels.values() if clip in c]) for clip in clips])


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay the arms out."""
    cells = [
        [
            row["arm"],
            row["about"],
            row["seeds"],
            Quantity(row["mean"]),
            Quantity(row["spread"] if row["spread"] is not None else float("nan")),
            _interval(row.get("above")),
        ]
        for row in rows
    ]
    return Table(["arm", "what", "seeds", "mean", "spread", f"above {BASE!r}, 95 %"], cells)


def _interval(interval: Any) -> str:
    if interval is None:
        return "-"
    return f"{interval['mean']:+.3f} ({interval['low']:+.3f} to {interval['high']:+.3f})"


def main() -> int:
    """Train what is missing and compare."""
    parser = make_parser(__doc__)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--channels", type=Path, required=True)
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--skip", nargs="+", default=[], metavar="CLIP", help="clips with cuts")
    parser.add_argument("--teacher", type=Path, required=True, help="see `networks distil`")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="a JSON for each arm, seed"
    )
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--json", type=Path, help="the comparison")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    jobs = [(arm, seed) for seed in range(args.seeds) for arm in args.arms]
    with open_map(workers=args.workers) as map_:
        door = map_(_job(args), jobs)
        for _ in tqdm(door, total=len(jobs), desc="arms and seeds", disable=None):
            pass
    rows = compare(args.output)
    show([table(rows)], args.json, n=len(jobs), details={"arms": rows})
    return 0


def _job(args: argparse.Namespace) -> partial[None]:
    """Load what all trainings share."""
    torch.set_num_threads(1)
    model = load_model()
    shape_model = model.shape_model
    samples = load_samples(args.pictures, args.channels, shape_model, copies=COPIES, seed=0)
    theirs = read_clip_channels(args.channels / "videos.npz", CHANNELS)
    paths = {name: args.videos / f"{name}.mp4" for name in theirs if name not in args.skip}
    clips = [
        take_clip((path, theirs[name]), mean_shape=shape_model.mean, model=model)
        for name, path in paths.items()
        if path.is_file()
    ]
    return partial(
        train_arm,
        samples=samples,
        clips=clips,
        standard=Standard.of(samples, shape_model.mean),
        teacher=load_teacher(args.teacher),
        work=args.work,
        output=args.output,
    )
