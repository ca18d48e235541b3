"""Training a whole model: shape model, cascades, quality, confidence (method.md, 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.detection.face_detector import without_networks
from facetrack.features.crops import EYE_DISTANCE, FRAME_CENTRE
from facetrack.fitting.box_fit import BoxFitter
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from facetrack.regression.cascade import Cascade, Level
from facetrack.training.augmentation import augment
from facetrack.training.boxes import Items, box_starts, learn_placement, refinement_starts
from facetrack.training.cascade import CascadePlan, LevelPlan, TrainedCascade, train_cascade
from facetrack.training.confidence import learn_confidence
from facetrack.training.frames import TrainingFrames, make_frames
from facetrack.training.held_out import FOLDS, fit_held_out, fit_taught, train_held_out
from facetrack.training.lids import blinking
from facetrack.training.motion import draw_motion, pair_motions, start_from_motion
from facetrack.training.people import moving_people, still_people
from facetrack.training.pictures import Labelled, Picture, read_pictures
from facetrack.training.quality import fit_boxes, learn_quality
from facetrack.training.starts import StartNoise

Array = npt.NDArray[np.float64]

# The first levels read from afar: real motion between frames goes farther than noise does.
TRACKING_LEVELS: Final = tuple(
    LevelPlan(map_index, spacing, 15)
    for map_index, spacing in (
        *((0, spacing) for spacing in (18.0, 14.0, 11.0, 8.5, 7.0)),
        *((1, spacing) for spacing in (5.5, 4.5, 4.0)),
    )
)
START_LEVELS: Final = (
    *(LevelPlan(0, spacing, 16) for spacing in (11.0, 9.0, 7.0)),
    *(LevelPlan(1, spacing, 24) for spacing in (5.5, 4.5, 4.0)),
)

REFINEMENT_LEVELS: Final = tuple(
    LevelPlan(map_index, spacing, 24)
    for map_index, spacing in ((0, 9.0), (0, 7.0), (1, 5.5), (1, 4.5), (1, 4.0))
)

LEARNING_LEVELS: Final = 3  # the last ones of the tracking cascade: more learn hardly more
_OF_MOTION: Final = 0.5  # share of starts; with more the small motions are fitted worse
_PROJECTED: Final = 0.35  # of the others the truth itself is moved
_BOXES: Final = 4  # per picture, that teach the quality what is no face


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a model is trained; frames are per picture and per mirrored copy."""

    n_modes: int = 60  # non-rigid modes of the shape model
    tracking: CascadePlan = field(default_factory=lambda: CascadePlan(TRACKING_LEVELS))
    start: CascadePlan = field(default_factory=lambda: CascadePlan(START_LEVELS))
    refinement: CascadePlan = field(default_factory=lambda: CascadePlan(REFINEMENT_LEVELS))
    tracking_frames: int = 4
    start_frames: int = 4
    refinement_frames: int = 3
    augmented: float = 0.3  # share of the tracking frames made as bad as video can be
    seed: int = 0
    threads: int = 2


def train_model(
    images: Sequence[Labelled],
    clips: Sequence[Labelled],
    *,
    name: str,
    card: dict[str, Any],
    calibration: Sequence[Labelled] | None = None,
    settings: TrainingSettings | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> FaceModel:
    """Train a model of pictures, and of the motion between pairs NAME_a and NAME_b.

    The fit quality is calibrated by `calibration`, or by the clips. Raises InputError if there are
    too few pictures or no pairs.
    """
    settings = settings or TrainingSettings()
    rng = np.random.default_rng(settings.seed)
    report(f"reading {len(images)} pictures and searching them for faces")
    pictures = read_pictures(images, detect=True)
    shape_model = train_shape_model(
        np.stack([picture.points for picture in pictures[::2]]),
        n_modes=settings.n_modes, eye_distance=EYE_DISTANCE, centre=FRAME_CENTRE,
    )  # fmt: skip
    training = _Training(shape_model, settings, rng, report)
    motions = pair_motions(clips, shape_model)
    report("filming synthetic people of the pictures")
    own = np.random.default_rng(settings.seed)
    people = still_people(pictures, shape_model, own, threads=settings.threads)
    shown = [*pictures, *people]
    tracking, held_out = training.tracking_twice(shown, motions)
    boxes = training.box_fitter(pictures)
    report("training the fit quality")
    fits = fit_boxes(boxes, pictures[::2], _BOXES, rng)
    unseen = read_pictures(clips if calibration is None else calibration, detect=False)
    cascade = tracking.cascade
    quality = learn_quality(cascade, shape_model, pictures[::2], unseen, rng, box_fits=fits)
    report("training the confidence of points")
    own, threads = np.random.default_rng(settings.seed), settings.threads
    unknown = fit_held_out(held_out, shape_model, shown, own, threads=threads)
    films = moving_people(pictures, shape_model, own, threads=threads)
    taught = fit_taught(held_out, shape_model, films, threads=threads)
    confidence = learn_confidence(unknown, quality, shape_model, cascade.basis, taught=taught)
    return FaceModel(
        name=name,
        shape_model=shape_model,
        placement=boxes.placement,
        start=boxes.start,
        refinement=boxes.refinement,
        tracking=cascade,
        quality=quality,
        card=card,
        confidence=confidence,
        priors=tracking.priors[-LEARNING_LEVELS:],
    )


def train_tracking(
    pictures: Sequence[Picture],
    shape_model: ShapeModel,
    motions: Array,
    settings: TrainingSettings,
    rng: np.random.Generator,
) -> Cascade:
    """Train the tracking cascade alone."""
    training = _Training(shape_model, settings, rng, lambda line: None)
    starts = training.tracking_starts(pictures, motions)
    return training.cascade(starts, settings.tracking)[1].cascade


@dataclass(frozen=True, slots=True)
class _Training:
    """The cascades of a model whose shape model is known."""

    shape_model: ShapeModel
    settings: TrainingSettings
    rng: np.random.Generator
    report: Callable[[str], None]

    def cascade(self, starts: Items, plan: CascadePlan) -> tuple[TrainingFrames, TrainedCascade]:
        """Train a cascade, and return the frames as well."""
        frames, threads = make_frames(starts, self.shape_model), self.settings.threads
        basis = self.shape_model.basis
        return frames, train_cascade(
            frames, basis, plan, rng=self.rng, threads=threads, report=self.report
        )

    def tracking_twice(
        self, pictures: Sequence[Picture], motions: Array
    ) -> tuple[TrainedCascade, list[Cascade]]:
        """Train the tracking cascade, and again without one part of the people after the other."""
        plan, threads = self.settings.tracking, self.settings.threads
        self.report("training the tracking cascade")
        frames, tracking = self.cascade(self.tracking_starts(pictures, motions), plan)
        self.report(f"training it again on {FOLDS} parts of the pictures, to try it on the others")
        own, basis = np.random.default_rng(self.settings.seed), self.shape_model.basis
        fewer = frames.select(np.arange(len(frames)) < len(frames) // 2)  # of everyone: see starts
        return tracking, train_held_out(fewer, tracking.cascade, basis, plan, own, threads=threads)

    def box_fitter(self, pictures: Sequence[Picture]) -> BoxFitter:
        """Train what leads from a detector's box to landmarks."""
        settings, shape_model = self.settings, self.shape_model
        placement = learn_placement(pictures)
        if placement.five is None:
            why = without_networks() or "few faces were found"
            self.report(f"faces are placed by boxes alone: {why}")
        self.report("training the start cascade")
        starts = box_starts(pictures, placement, settings.start_frames, self.rng)
        start = self.cascade(starts, settings.start)[1].cascade
        self.report("training the refinement cascade")
        starts = refinement_starts(pictures, shape_model, settings.refinement_frames, self.rng)
        refinement = self.cascade(starts, settings.refinement)[1].cascade
        return BoxFitter(shape_model, placement, _rounded(start), _rounded(refinement))

    def tracking_starts(self, pictures: Sequence[Picture], motions: Array) -> Items:
        """Draw starts of the tracking cascade: noise around shapes, and real motion.

        A tracker's last shape is nearer to a projected truth on the first frames and nearer to the
        person's own shape later (method.md, 1.4), so both are trained.
        """
        rng, shape_model = self.rng, self.shape_model
        for _ in range(self.settings.tracking_frames):
            for picture in pictures:
                shown = augment(picture, rng) if rng.random() < self.settings.augmented else picture
                seen, before = blinking(shown, rng)
                kind = rng.random()
                if kind < _OF_MOTION:
                    start = start_from_motion(before, draw_motion(motions, rng), shape_model)
                else:
                    projected = kind < _OF_MOTION + _PROJECTED
                    start = StartNoise().move(before, shape_model, rng, projected=projected)
                yield seen.number, seen.grey, start, seen.points


def _rounded(cascade: Cascade) -> Cascade:
    """Round the regressors to half precision: 0.01 px of the frame, and half the space in a file.

    The tracking cascade keeps its own, because learning continues from them.
    """

    def rounded(level: Level) -> Level:
        return replace(level, regressor=level.regressor.astype(np.float16).astype(np.float32))

    return replace(cascade, levels=tuple(rounded(level) for level in cascade.levels))
