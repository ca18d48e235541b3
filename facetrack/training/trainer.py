"""Training a whole model: shape model, both cascades, quality (spec section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.features.alignment import EYE_DISTANCE, FRAME_CENTRE
from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from facetrack.regression.cascade import Cascade
from facetrack.tracking.face_model import BoxPlacement, FaceModel
from facetrack.training.cascade import CascadePlan, LevelPlan, train_cascade
from facetrack.training.frames import TrainingFrames, make_frames
from facetrack.training.motion import pair_motions, start_from_motion
from facetrack.training.pictures import MIRRORED_VIEW, Picture, read_pictures
from facetrack.training.quality import fit_boxes, learn_quality
from facetrack.training.starts import StartNoise

Array = npt.NDArray[np.float64]
Items = Iterator[tuple[int, npt.NDArray[np.uint8], Array, Array]]

TRACKING_LEVELS: Final = tuple(
    LevelPlan(map_index, spacing, 15)
    for map_index, spacing in ((0, 9.0), (0, 7.0), (1, 5.5), (1, 4.5), (1, 4.0))
)
START_LEVELS: Final = tuple(
    LevelPlan(map_index, spacing, 24)
    for map_index, spacing in ((0, 11.0), (0, 9.0), (0, 7.0), (1, 5.5), (1, 4.5), (1, 4.0))
)

REFINEMENT_LEVELS: Final = tuple(replace(level, k=24) for level in TRACKING_LEVELS)

_BOXES: Final = 4  # per picture, that teach the quality what is no face

# Where the refinement starts: about where the start cascade ends on people it was not trained on.
_REFINEMENT_NOISE: Final = StartNoise(translation=0.05, scale=0.04, rotation=0.04, modes=0.5)
_REFINEMENT_KEEP: Final = 0.6  # of the true form

# How detector boxes scatter around faces beyond the boxes of the training pictures themselves.
_BOX_SHIFT: Final = 0.035  # box widths
_BOX_SCALE: Final = 0.05
_BOX_ROLL: Final = 0.1  # radians
_FEWEST_OF_VIEW: Final = 20  # boxes: views seen less often start from the frontal shape


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a model is trained.

    Attributes
    ----------
    n_modes : int
        Non-rigid modes of the shape model.
    tracking, start, refinement : CascadePlan
    tracking_frames, start_frames, refinement_frames : int
        Training frames per picture and per mirrored copy.
    seed : int
    threads : int
    """

    n_modes: int = 60
    tracking: CascadePlan = field(default_factory=lambda: CascadePlan(TRACKING_LEVELS))
    start: CascadePlan = field(default_factory=lambda: CascadePlan(START_LEVELS))
    refinement: CascadePlan = field(default_factory=lambda: CascadePlan(REFINEMENT_LEVELS))
    tracking_frames: int = 2
    start_frames: int = 4
    refinement_frames: int = 3
    seed: int = 0
    threads: int = 2


def train_model(
    images: Sequence[LabelledImage],
    clips: Sequence[LabelledImage],
    *,
    name: str,
    card: dict[str, Any],
    settings: TrainingSettings | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> FaceModel:
    """Train a model.

    Parameters
    ----------
    images : sequence of LabelledImage
        Pictures that both cascades learn from.
    clips : sequence of LabelledImage
        Pairs of frames, `NAME_a` and `NAME_b`: their motion goes into the tracking cascade, their
        pictures only calibrate the fit quality.
    name : str
    card : dict
        What the model's file says about itself, JSON-able.
    settings : TrainingSettings, optional
    report : callable
        Gets one line per step.

    Returns
    -------
    FaceModel

    Raises
    ------
    InputError
        If there are too few pictures or no pairs.
    """
    settings = settings or TrainingSettings()
    rng = np.random.default_rng(settings.seed)
    report(f"reading {len(images)} pictures and searching them for faces")
    pictures = read_pictures(images, detect=True)
    shape_model = train_shape_model(
        np.stack([picture.points for picture in pictures[::2]]),
        n_modes=settings.n_modes,
        eye_distance=EYE_DISTANCE,
        centre=FRAME_CENTRE,
    )
    motions = pair_motions(clips, shape_model)
    tracking = train_tracking(pictures, shape_model, motions, settings, rng, report)
    placement = learn_placement(pictures)
    report("training the start cascade")
    starts = _box_starts(pictures, placement, settings.start_frames, rng)
    start = _train(
        make_frames(starts, shape_model), shape_model, settings.start, settings, rng, report
    )
    report("training the refinement cascade")
    starts = _refinement_starts(pictures, shape_model, settings.refinement_frames, rng)
    frames = make_frames(starts, shape_model)
    refinement = _train(frames, shape_model, settings.refinement, settings, rng, report)
    report("training the fit quality")
    calibration = read_pictures(clips, detect=False)
    quality = learn_quality(tracking, shape_model, pictures[::2], calibration, rng)
    model = FaceModel(name, shape_model, placement, start, refinement, tracking, quality, card)
    report("teaching the fit quality what is no face")
    box_fits = fit_boxes(model, pictures[::2], _BOXES, rng)
    quality = learn_quality(
        tracking, shape_model, pictures[::2], calibration, rng, box_fits=box_fits
    )
    return replace(model, quality=quality)


def train_tracking(
    pictures: Sequence[Picture],
    shape_model: ShapeModel,
    motions: Array,
    settings: TrainingSettings,
    rng: np.random.Generator,
    report: Callable[[str], None] = lambda line: None,
) -> Cascade:
    """Train the tracking cascade alone.

    Parameters
    ----------
    pictures : sequence of Picture
    shape_model : ShapeModel
    motions : ndarray, shape (n, 68, 2)
        See `motion.pair_motions`.
    settings : TrainingSettings
    rng : numpy.random.Generator
    report : callable

    Returns
    -------
    Cascade
    """
    report("training the tracking cascade")
    starts = _tracking_starts(pictures, shape_model, motions, settings.tracking_frames, rng)
    frames = make_frames(starts, shape_model)
    return _train(frames, shape_model, settings.tracking, settings, rng, report)


def learn_placement(pictures: Sequence[Picture]) -> BoxPlacement:
    """Learn where the detector's boxes lie on faces, view by view.

    Parameters
    ----------
    pictures : sequence of Picture
        With their mirrored copies.

    Returns
    -------
    BoxPlacement

    Raises
    ------
    InputError
        If the detector found too few of the faces.
    """
    relative: list[list[Array]] = [[] for _ in MIRRORED_VIEW]
    for picture in pictures:
        if picture.detection is not None:
            x0, y0, x1, y1 = picture.detection.box
            centre = np.array([x0 + x1, y0 + y1]) / 2
            relative[picture.detection.view].append((picture.points - centre) / (x1 - x0))
    if len(relative[0]) < _FEWEST_OF_VIEW:
        raise InputError(f"the detector found {len(relative[0])} frontal faces, 20 are needed")
    frontal = np.median(relative[0], axis=0)
    shapes = [np.median(r, axis=0) if len(r) >= _FEWEST_OF_VIEW else frontal for r in relative]
    return BoxPlacement(np.stack(shapes))


def _train(
    frames: TrainingFrames,
    shape_model: ShapeModel,
    plan: CascadePlan,
    settings: TrainingSettings,
    rng: np.random.Generator,
    report: Callable[[str], None],
) -> Cascade:
    cascade, _ = train_cascade(
        frames, shape_model.basis, plan, rng=rng, threads=settings.threads, report=report
    )
    return cascade


def _tracking_starts(
    pictures: Sequence[Picture],
    shape_model: ShapeModel,
    motions: Array,
    count: int,
    rng: np.random.Generator,
) -> Items:
    """Draw starts of the tracking cascade: noise around shapes, and real motion.

    A tracker's last shape is nearer to a projected truth on the first frames and nearer to the
    person's own shape later (spec 7.4), so both are trained.
    """
    for _ in range(count):
        for picture in pictures:
            kind = rng.random()
            if kind < 0.2:
                motion = motions[rng.integers(len(motions))]
                start = start_from_motion(picture.points, motion, shape_model)
            else:
                projected = kind < 0.8
                start = StartNoise().move(picture.points, shape_model, rng, projected=projected)
            yield picture.number, picture.grey, start, picture.points


def _box_starts(
    pictures: Sequence[Picture], placement: BoxPlacement, count: int, rng: np.random.Generator
) -> Items:
    """Draw starts of the start cascade: the detector's own boxes, then scattered ones."""
    for turn in range(count):
        for picture in pictures:
            if picture.detection is None:
                continue
            start = placement.start(picture.detection.box, picture.detection.view)
            if turn:
                width = picture.detection.box[2] - picture.detection.box[0]
                start = _scatter(start, width, rng)
            yield picture.number, picture.grey, start, picture.points


def _refinement_starts(
    pictures: Sequence[Picture], shape_model: ShapeModel, count: int, rng: np.random.Generator
) -> Items:
    """Draw starts of the refinement: near in place, far in form."""
    for _ in range(count):
        for picture in pictures:
            relaxed = shape_model.relax(picture.points, keep=_REFINEMENT_KEEP)
            start = _REFINEMENT_NOISE.move(relaxed, shape_model, rng, projected=True)
            yield picture.number, picture.grey, start, picture.points


def _scatter(start: Array, width: float, rng: np.random.Generator) -> Array:
    """Move a start as another run of the detector might."""
    factor = 1 + _BOX_SCALE * rng.standard_normal()
    angle = _BOX_ROLL * rng.standard_normal()
    centre = start.mean(axis=0)
    turn = Similarity(factor * np.cos(angle), factor * np.sin(angle), 0.0, 0.0)
    shift = _BOX_SHIFT * width * rng.standard_normal(2)
    scattered: Array = turn.apply(start - centre) + centre + shift
    return scattered
