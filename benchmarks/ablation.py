"""What each ingredient of the method brings: the tables of docs/results/ablation.md.

    python benchmarks/ablation.py lfpw_train helen_train afw --clips ytf/train --json ablation.json

A share of the pictures is set aside and measured on. One whole model is trained first and kept
beside the JSON file. The rows of the first table train a tracking cascade each and start from the
projected truth, moved; those of the second use the whole model's cascades and start from the
detector. Rows that are in the JSON file already are not measured again.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import facetrack
from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.errors import FacetrackError, FormatError, InputError
from facetrack.evaluation.errors import ErrorSummary, summary
from facetrack.evaluation.protocols import Model, from_detector, from_tracking_starts
from facetrack.face import Fit
from facetrack.features.crops import warp_to_frame
from facetrack.features.maps import MapBuilder
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.model import load_model, save_model
from facetrack.regression.cascade import Cascade
from facetrack.reporting.envelope import write_json
from facetrack.reporting.tables import Table
from facetrack.tracking.box_fit import Box
from facetrack.tracking.face_detector import FaceDetector
from facetrack.tracking.face_model import FaceModel
from facetrack.training.methods import CommonMean, Continuous, Method, Sampled
from facetrack.training.motion import pair_motions
from facetrack.training.pictures import Picture, read_pictures, set_aside
from facetrack.training.starts import StartNoise
from facetrack.training.trainer import TrainingSettings, train_model, train_tracking

SHARE = 0.15  # of the pictures that are set aside
SEEDS = 2  # tracking starts per picture
Points = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Variant:
    """A tracking cascade: its name, its training, and whether real motion is among the starts."""

    title: str
    settings: TrainingSettings
    real_motion: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What one row measured; `seconds` are CPU time of its training, if it was trained."""

    title: str
    errors: ErrorSummary
    seconds: float | None = None


def variants() -> dict[str, Variant]:
    """Give the rows that are trained; what follows `default` differs from it in one thing."""
    default = TrainingSettings()

    def method(chosen: Method) -> TrainingSettings:
        return replace(default, tracking=replace(default.tracking, method=chosen))

    short = tuple(replace(level, k=8) for level in default.tracking.levels)
    return {
        "plain": Variant("papers' plain form, one mean", method(CommonMean(remainder=0))),
        "remainder": Variant("+ Taylor remainder", method(CommonMean())),
        "default": Variant("+ around own shapes (default)", method(Continuous())),
        "sdm": Variant("SDM, K = 10, same features", method(Sampled())),
        "k8": Variant(
            "8 dimensions a landmark, not 15",
            replace(default, tracking=replace(default.tracking, levels=short)),
        ),
        "modes20": Variant("20 modes, not 60", replace(default, n_modes=20)),
        "frames1": Variant("1 frame a picture, not 2", replace(default, tracking_frames=1)),
        "nomotion": Variant("without real motion", default, real_motion=False),
    }


# Ways from the detector's box to the landmarks, by cascades of the whole model.
DETECTED: dict[str, Callable[[FaceModel], Model]] = {
    "start": lambda model: Staged(model, (model.start,), "start cascade alone"),
    "start-tracking": lambda model: Staged(
        model, (model.start, model.tracking), "start, then tracking cascade"
    ),
    "whole": lambda model: replace(model, name="whole model: refinement, mirror images (default)"),
}


ROWS = [*variants(), *DETECTED]


def main(argv: Sequence[str] | None = None) -> int:
    """Train and measure the rows that are missing, and print the table."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path, help="folders of NAME.jpg and NAME.pts")
    parser.add_argument("--clips", type=Path, required=True, help="pairs NAME_a, NAME_b")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    args = parser.parse_args(arguments)
    try:
        run(args, shlex.join([Path(__file__).name, *arguments]))
    except FacetrackError as error:
        print(f"ablation: {error}", file=sys.stderr)
        return 1
    return 0


def run(args: argparse.Namespace, command: str) -> None:
    """Go through the rows; every finished one is written at once."""
    images = [image for folder in args.pictures for image in load_folder(folder)]
    kept, aside = set_aside(images, SHARE)
    clips = load_folder(args.clips)
    head = {"version": facetrack.__version__, "n_train": len(kept), "n": len(aside)}
    results = read_results(args.json, head)
    missing = [key for key in args.rows if key not in results]
    if missing:
        bench = Bench(kept, aside, clips, args.json.with_suffix(".npz"))
        for key in missing:
            print(f"measuring {key}", flush=True)
            results[key] = bench.detect(key) if key in DETECTED else bench.train(key)
            rows = {k: asdict(results[k]) for k in ROWS if k in results}
            write_json(args.json, {"command": command, **head, "rows": rows})
    print(as_tables({k: results[k] for k in ROWS if k in results}, head))


def read_results(path: Path, head: dict[str, Any]) -> dict[str, Result]:
    """Read the rows of an earlier run on the same pictures."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = {key: content[key] for key in head}
        rows = {
            key: Result(row["title"], ErrorSummary(**row["errors"]), row["seconds"])
            for key, row in content["rows"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(path, f"no results of this script ({error})") from error
    if found != head:
        raise InputError(f"{path}: holds results of {found}, this run has {head}; choose another")
    return rows


class Bench:
    """The pictures, and the parts that all rows share.

    Parameters
    ----------
    kept, aside, clips : list of LabelledImage
        To train on, to measure on, and pairs for real motion.
    path : Path
        Where the whole model is kept.
    """

    def __init__(
        self,
        kept: list[LabelledImage],
        aside: list[LabelledImage],
        clips: list[LabelledImage],
        path: Path,
    ) -> None:
        self._aside, self._clips = aside, clips
        if not path.exists():
            print("training the whole model", flush=True)
            save_model(train_model(kept, clips, name=path.stem, card={}), path)
        self._whole = load_model(path)
        self._pictures = read_pictures(kept, detect=False)

    def train(self, key: str) -> Result:
        """Train one row's tracking cascade and measure it from tracking starts."""
        variant = variants()[key]
        settings = variant.settings
        shape_model = self._shape_model(settings.n_modes)
        motions = pair_motions(self._clips, shape_model)
        if not variant.real_motion:
            motions = noise_motions(self._pictures, shape_model, len(motions))
        begin = time.process_time()
        rng = np.random.default_rng(settings.seed)  # the same starts in every row
        tracking = train_tracking(self._pictures, shape_model, motions, settings, rng)
        seconds = time.process_time() - begin
        model = replace(self._whole, shape_model=shape_model, tracking=tracking)
        found = from_tracking_starts(model, self._aside, seeds=SEEDS, projected=True)
        return Result(variant.title, summary(found.errors()), seconds)

    def detect(self, key: str) -> Result:
        """Measure one row from the detector."""
        model = DETECTED[key](self._whole)
        found = from_detector(model, self._aside, detector=FaceDetector())
        return Result(model.name, summary(found.errors()))

    def _shape_model(self, n_modes: int) -> ShapeModel:
        """Leave out the last modes: they are sorted by their deviation."""
        whole = self._whole.shape_model
        n = N_RIGID + n_modes
        basis = np.ascontiguousarray(whole.basis[:, :n])
        return replace(whole, basis=basis, deviations=whole.deviations[:n])


@dataclass(frozen=True, slots=True)
class Staged:
    """A model that runs cascades one after the other from the box, each in a frame of its own."""

    whole: FaceModel
    cascades: tuple[Cascade, ...]
    name: str

    @property
    def shape_model(self) -> ShapeModel:
        """The whole model's."""
        return self.whole.shape_model

    def fit(self, image: Image, start: Points) -> Fit:
        """Fit as the whole model does."""
        return self.whole.fit(image, start)

    def fit_box(
        self, image: Image, box: Box, *, view: int = 0, five: npt.ArrayLike | None = None
    ) -> Fit:
        """Fit from a detector's box; see `FaceModel.fit_box`."""
        placement = self.whole.placement
        if five is not None and placement.five is not None:
            points = placement.five.start(five)
        else:
            points = placement.start(box, view)
        for cascade in self.cascades:
            to_frame = self.shape_model.to_reference(points)
            maps = MapBuilder(cascade.maps).build(warp_to_frame(image, to_frame))
            points = to_frame.inverse().apply(cascade.run(maps, to_frame.apply(points)))
        return self.whole.judge(image, points)


def noise_motions(pictures: Sequence[Picture], shape_model: ShapeModel, count: int) -> Points:
    """Draw motions as the start noise has them: what replaces real motion, at the same share."""
    rng = np.random.default_rng(1)
    motions = []
    for index in rng.integers(len(pictures), size=count):
        projected = shape_model.project(pictures[index].points, limit=np.inf)
        to_frame = shape_model.to_reference(projected)
        start = StartNoise().move(projected, shape_model, rng, projected=True)
        motions.append(to_frame.apply(projected) - to_frame.apply(start))
    return np.stack(motions)


def as_tables(results: dict[str, Result], head: dict[str, Any]) -> str:
    """Lay out both tables, and the line of continuous against sampled regression."""
    measures = ("found %", "mean %", "AUC 8 %", "over 8 %")
    trained = [r for k, r in results.items() if k not in DETECTED]
    detected = [r for k, r in results.items() if k in DETECTED]
    parts = [f"{head['n']} pictures set aside, {head['n_train']} trained on"]
    if trained:
        rows = [[*_cells(r), round(r.seconds or 0)] for r in trained]
        headers = [f"tracking start, projected truth, {SEEDS} seeds", *measures, "training CPU s"]
        parts.append(Table(headers, rows).text())
    if {"default", "sdm"} <= results.keys():
        parts.append(against_sdm(results["default"], results["sdm"]))
    if detected:
        parts.append(Table(["detector start", *measures], [_cells(r) for r in detected]).text())
    return "\n\n".join(parts)


def against_sdm(ours: Result, sdm: Result) -> str:
    """Compare continuous with sampled regression on the same frames."""
    ratio = (sdm.seconds or 0) / (ours.seconds or np.nan)
    return (
        "continuous regression against SDM on the same frames: AUC "
        f"{ours.errors.auc08 - sdm.errors.auc08:+.3f}, {ratio:.1f} times less training time"
    )


def _cells(result: Result) -> list[object]:
    e = result.errors
    shares = f"{100 * e.found:.1f}", f"{e.mean:.2f}", f"{e.auc08:.3f}", f"{100 * e.over08:.1f}"
    return [result.title, *shares]


if __name__ == "__main__":
    sys.exit(main())
