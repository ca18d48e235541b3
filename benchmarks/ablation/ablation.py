"""What each part of the method brings, beside prior art: docs/results/ablation.md.

    python -m benchmarks ablation DATA/lfpw_train DATA/helen_train DATA/afw --clips DATA/ytf/train
    facetrack results ablation.json -o docs/results

A share of the pictures and of the pairs of frames is set aside and measured on. Every arm trains a
tracking cascade on the others, on one thread, but for those of `ablation_detector`, which share a
whole model. It leaves a file in the folder `ablation` beside the JSON file; arms that have one are
not measured again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.ablation.detector import WAYS, measure_way
from benchmarks.ablation.functional import Assumed, Functional
from benchmarks.ablation.tables import BASE, ablation_table
from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.clips import still_clip
from facetrack.evaluation.errors import normalised_errors, summary
from facetrack.evaluation.jitter import jitter
from facetrack.features.crops import EYE_DISTANCE, FRAME_CENTRE, warp_to_frame
from facetrack.features.maps import MapBuilder
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from facetrack.regression.cascade import Cascade
from facetrack.regression.continuous import RegressionSums
from facetrack.reporting.envelope import write_json
from facetrack.reporting.intervals import paired_interval
from facetrack.training.frames import TrainingFrames, make_frames
from facetrack.training.methods import (
    CommonMean,
    Continuous,
    LevelStatistics,
    Method,
    Reads,
    Sampled,
)
from facetrack.training.motion import pair_motions, start_from_motion
from facetrack.training.people import still_people
from facetrack.training.pictures import Picture, read_pictures, set_aside
from facetrack.training.starts import StartNoise
from facetrack.training.trainer import TrainingSettings, train_tracking

SHARE = 0.15  # of pictures and pairs that are set aside
SEEDS = 2  # starts per picture
Points = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Still = tuple[Points, list[npt.NDArray[np.uint8]]]


@dataclass(frozen=True, slots=True)
class Arm:
    """A tracking cascade: its name, its training, and what else it sees."""

    title: str
    settings: TrainingSettings
    real_motion: bool = True
    people: bool = True  # synthetic ones


def arms() -> dict[str, Arm]:
    """Give the arms; all but `default` differ from it in one thing."""
    default = TrainingSettings(threads=1)

    def method(title: str, chosen: Method) -> Arm:
        return Arm(title, replace(default, tracking=replace(default.tracking, method=chosen)))

    short = tuple(replace(level, k=8) for level in default.tracking.levels)
    return {
        "default": method(
            "hybrid: one sampled row a frame, spread and remainder around it (default)",
            Continuous(),
        ),
        "row": method("the sampled row alone (SDM, K = 1)", Sampled(1)),
        "sdm3": method("SDM, K = 3", Sampled(3)),
        "sdm10": method("SDM, K = 10", Sampled(10)),
        "closed": method("papers' closed form (full covariance)", CommonMean(remainder=0)),
        "splines": method("functional regression, cubic B-splines", Functional("splines")),
        "fourier": method("functional regression, Fourier series", Functional("fourier")),
        "diagonal": method("closed form, diagonal covariance", Assumed(0, "diagonal")),
        "uniform": method("closed form, independent uniform", Assumed(0, "uniform")),
        "closed-remainder": method("closed form + Taylor remainder", CommonMean()),
        "row-spread": method("sampled row + spread", Continuous(remainder=0)),
        "row-remainder": method("sampled row + remainder", Continuous(spread=0)),
        "nomotion": Arm("default, without real motion", default, real_motion=False),
        "k8": Arm(
            "default, 8 dimensions a landmark, not 15",
            replace(default, tracking=replace(default.tracking, levels=short)),
        ),
        "modes20": Arm("default, 20 modes, not 60", replace(default, n_modes=20)),
        "frames2": Arm("default, 2 frames a picture, not 4", replace(default, tracking_frames=2)),
        "better": Arm("default, no picture made worse", replace(default, augmented=0.0)),
        "nopeople": Arm("default, without synthetic people", default, people=False),
    }


def main() -> int:
    """Train and measure the arms that are missing, and print the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("pictures", nargs="+", type=Path, help="folders of NAME.jpg and NAME.pts")
    parser.add_argument("--clips", type=Path, required=True, help="pairs NAME_a, NAME_b")
    parser.add_argument("--json", type=Path, default=Path("ablation.json"), metavar="FILE")
    names = [*arms(), *WAYS]
    parser.add_argument("--arms", nargs="+", choices=names, default=names)
    args = parser.parse_args()
    run(args)
    return 0


def run(args: argparse.Namespace) -> None:
    """Go through the arms; every finished one is written at once."""
    kept, aside = set_aside(
        [image for folder in args.pictures for image in load_folder(folder)], SHARE
    )
    clips, clips_aside = set_aside(load_folder(args.clips), SHARE)
    head = {
        "n_train": len(kept),
        "n": len(aside),
        "n_motions": len(clips_aside),  # of every pair two: there and back
        "seeds": SEEDS,
    }
    folder = args.json.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    places = {key: folder / f"{key}.json" for key in args.arms}
    missing = [key for key, place in places.items() if not place.exists()]
    data = kept, aside, clips
    bench = Bench(*data, clips_aside) if set(missing) & arms().keys() else None
    for key in missing:
        print(f"measuring {key}", flush=True)
        if key in WAYS:
            measured = measure_way(key, *data, folder / "whole.npz")
        else:
            assert bench is not None  # some trained arm is missing
            measured = bench.measure(arms()[key])
        write_json(places[key], {**head, "arm": measured})
    found = {key: read_arm(place, head) for key, place in places.items()}
    trained = {key: arm for key, arm in found.items() if key not in WAYS}
    details = {
        **head,
        "arms": trained,
        "differences": differences(trained),
        "detector": [arm for key, arm in found.items() if key in WAYS],
    }
    show(ablation_table(details), args.json, n=len(aside), details=details)


def read_arm(path: Path, head: dict[str, Any]) -> dict[str, Any]:
    """Read an arm that was measured on the same pictures."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        arm: dict[str, Any] = content.pop("arm")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise FormatError(path, f"no arm of this script ({error})", remedy="remove it") from error
    if content != head:
        raise InputError(f"{path}: measured on {content}, this run has {head}; choose another FILE")
    return arm


def differences(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compare every arm with the default, picture by picture."""
    if BASE not in found:
        return {}
    base = found[BASE]

    def interval(arm: dict[str, Any], start: str) -> dict[str, float]:
        rng = np.random.default_rng(0)
        return asdict(paired_interval(base[start]["errors"], arm[start]["errors"], rng))

    return {
        key: {start: interval(arm, start) for start in ("stills", "motion")}
        for key, arm in found.items()
        if key != BASE
    }


class Bench:
    """The pictures and motions, and where fits start."""

    def __init__(
        self,
        kept: list[LabelledImage],
        aside: list[LabelledImage],
        clips: list[LabelledImage],
        clips_aside: list[LabelledImage],
    ) -> None:
        self._clips, self._clips_aside = clips, clips_aside
        self._pictures = read_pictures(kept, detect=False)
        self._aside = read_pictures(aside, detect=False)[::2]
        most = max(arm.settings.n_modes for arm in arms().values())
        shape_model = self._shape_model(most)
        self._still = still_face(shape_model)
        self._people = still_people(
            self._pictures, shape_model, np.random.default_rng(0), threads=1
        )

    def _shape_model(self, n_modes: int) -> ShapeModel:
        return train_shape_model(
            np.stack([picture.points for picture in self._pictures[::2]]),
            n_modes=n_modes,
            eye_distance=EYE_DISTANCE,
            centre=FRAME_CENTRE,
        )

    def measure(self, arm: Arm) -> dict[str, Any]:
        """Train an arm's cascade and measure it."""
        shape_model = self._shape_model(arm.settings.n_modes)
        motions = pair_motions(self._clips, shape_model)
        if not arm.real_motion:
            motions = noise_motions(self._pictures, shape_model, len(motions))
        counted = Counted(arm.settings.tracking.method)
        settings = replace(arm.settings, tracking=replace(arm.settings.tracking, method=counted))
        begin = time.process_time()
        rng = np.random.default_rng(settings.seed)  # the same starts in every arm
        shown = [*self._pictures, *(self._people if arm.people else [])]
        cascade = train_tracking(shown, shape_model, motions, settings, rng)
        seconds = time.process_time() - begin
        stills = make_frames(self._moved(shape_model), shape_model)
        others = pair_motions(self._clips_aside, shape_model)
        moving = make_frames(self._before(shape_model, others), shape_model)
        by_level, times = fit_all(cascade, stills)
        return {
            "title": arm.title,
            "stills": as_details(by_level[-1]),
            "motion": as_details(fit_all(cascade, moving)[0][-1]),
            "by_level": [100 * float(errors.mean()) for errors in by_level],
            "fit_ms": times,
            "jitter": steadiness(cascade, shape_model, self._still),
            "cpu_s": seconds,
            "readings": counted.readings / (len(self._pictures) / 2 * len(cascade.levels)),
        }

    def _moved(self, shape_model: ShapeModel) -> Iterable[tuple[int, Any, Points, Points]]:
        for number, picture in enumerate(self._aside):
            for seed in range(SEEDS):
                rng = np.random.default_rng([seed, number])
                start = StartNoise().move(picture.points, shape_model, rng, projected=True)
                yield number, picture.grey, start, picture.points

    def _before(
        self, shape_model: ShapeModel, motions: Points
    ) -> Iterable[tuple[int, Any, Points, Points]]:
        for number, picture in enumerate(self._aside):
            for seed in range(SEEDS):
                rng = np.random.default_rng([seed, number])
                motion = motions[rng.integers(len(motions))]
                start = start_from_motion(picture.points, motion, shape_model)
                yield number, picture.grey, start, picture.points


@dataclass(slots=True)
class Counted:
    """A method that counts the shapes at which descriptors are read."""

    method: Method
    readings: int = field(default=0)

    def shapes(
        self, current: Points, truth: Points, statistics: LevelStatistics, rng: np.random.Generator
    ) -> tuple[Points, Points]:
        """Give the method's shapes."""
        return self.method.shapes(current, truth, statistics, rng)

    def add(
        self,
        sums: RegressionSums,
        readings: Features,
        displacements: Points,
        chosen: Indices,
        statistics: LevelStatistics,
    ) -> None:
        """Add what the method adds."""
        self.readings += readings.shape[0] * readings.shape[1]
        self.method.add(sums, readings, displacements, chosen, statistics)

    def add_around(
        self,
        sums: RegressionSums,
        around: Iterable[tuple[Indices, Features]],
        statistics: LevelStatistics,
        weight: float,
        read: Reads | None = None,
    ) -> None:
        """Add what the method adds; every method chooses its features by what is read here."""
        parts = list(around)
        self.readings += sum(part.shape[0] * part.shape[1] for _, part in parts)

        def counted(chosen: Indices, where: Any) -> Any:
            assert read is not None
            for found, readings in read(chosen, where):
                self.readings += readings.shape[0] * readings.shape[1]
                yield found, readings

        self.method.add_around(sums, parts, statistics, weight, counted)


def fit_all(cascade: Cascade, frames: TrainingFrames) -> tuple[list[Points], Points]:
    """Fit all frames.

    Returns
    -------
    errors : list of ndarray, shape (N,)
        After every level, fractions of the outer-eye distance.
    times : ndarray, shape (levels,)
        CPU time of a fit that ends after each level, maps included, ms.
    """
    builder = MapBuilder(cascade.maps)
    ends = np.empty((len(cascade.levels), len(frames), 68, 2))
    times = np.zeros(len(cascade.levels))
    for index, (patch, start) in enumerate(zip(frames.patches, frames.starts, strict=True)):
        begin = time.process_time()
        maps, shape = builder.build(patch), np.array(start)
        for k, level in enumerate(cascade.levels):
            level.correct(maps, shape, cascade.basis)
            times[k] += time.process_time() - begin
            ends[k, index] = shape
    errors = [normalised_errors(points, frames.truths) for points in ends]
    return errors, 1000 * times / len(frames)


def as_details(errors: Points) -> dict[str, Any]:
    """Sum errors up, and keep each picture's mean in %."""
    per_picture = 100 * errors.reshape(-1, SEEDS).mean(axis=1)
    return {**asdict(summary(errors)), "errors": per_picture}


def steadiness(cascade: Cascade, shape_model: ShapeModel, still: Still) -> float:
    """Follow a synthetic face that keeps still under noise; give the jitter in %."""
    builder, track = MapBuilder(cascade.maps), []
    points, greys = still
    for grey in greys:
        to_frame = shape_model.to_reference(points)
        maps = builder.build(warp_to_frame(grey, to_frame))
        points = to_frame.inverse().apply(cascade.run(maps, to_frame.apply(points)))
        track.append(points)
    return jitter(np.stack(track), [(len(track) // 5, len(track))])["all"]


def still_face(shape_model: ShapeModel) -> Still:
    """Render a synthetic face that keeps still: its landmarks, and its frames."""
    clip = still_clip(shape_model)
    with clip.open() as source:
        return clip.references["truth"][0], [frame.grey for frame in source]


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
