"""Starts in a detector's boxes: where they lie on faces, and how they scatter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.box_fit import BoxPlacement
from facetrack.training.pictures import MIRRORED_VIEW, Picture
from facetrack.training.starts import StartNoise

Array = npt.NDArray[np.float64]
Items = Iterator[tuple[int, npt.NDArray[np.uint8], Array, Array]]

# Where the refinement starts: about where the start cascade ends on people it was not trained on.
_REFINEMENT_NOISE: Final = StartNoise(translation=0.05, scale=0.04, rotation=0.04, modes=0.5)
_REFINEMENT_KEEP: Final = 0.6  # of the true form

# How detector boxes scatter around faces beyond the boxes of the training pictures themselves.
_BOX_SHIFT: Final = 0.035  # box widths
_BOX_SCALE: Final = 0.05
_BOX_ROLL: Final = 0.1  # radians
_FEWEST_OF_VIEW: Final = 20  # boxes: views seen less often start from the frontal shape


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


def box_starts(
    pictures: Sequence[Picture], placement: BoxPlacement, count: int, rng: np.random.Generator
) -> Items:
    """Draw starts of the start cascade: the detector's own boxes, then scattered ones.

    Parameters
    ----------
    pictures : sequence of Picture
    placement : BoxPlacement
    count : int
        Starts per picture with a detection.
    rng : numpy.random.Generator

    Yields
    ------
    (number, grey, start, truth)
        See `frames.make_frames`.
    """
    for turn in range(count):
        for picture in pictures:
            if picture.detection is None:
                continue
            start = placement.start(picture.detection.box, picture.detection.view)
            if turn:
                width = picture.detection.box[2] - picture.detection.box[0]
                start = _scatter(start, width, rng)
            yield picture.number, picture.grey, start, picture.points


def refinement_starts(
    pictures: Sequence[Picture], shape_model: ShapeModel, count: int, rng: np.random.Generator
) -> Items:
    """Draw starts of the refinement: near in place, far in form.

    Parameters
    ----------
    pictures : sequence of Picture
    shape_model : ShapeModel
    count : int
        Starts per picture.
    rng : numpy.random.Generator

    Yields
    ------
    (number, grey, start, truth)
        See `frames.make_frames`.
    """
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
