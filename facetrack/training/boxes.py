"""Starts in detectors' boxes and on their points: where they lie on faces, and how they scatter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.fitting.box_fit import BoxPlacement, FivePlacement
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.procrustes import Similarity, fit_similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.lids import blinking
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

# How five points scatter around those of the training pictures, on worse ones: all together, and
# each by itself. Outer-eye distances, a factor, radians.
_FIVE_SHIFT: Final = 0.03
_FIVE_SCALE: Final = 0.04
_FIVE_ROLL: Final = 0.04
_FIVE_EACH: Final = 0.02
_RIDGE: Final = 0.01  # of five points' variance


def learn_placement(pictures: Sequence[Picture]) -> BoxPlacement:
    """Learn where the detectors' boxes and points lie on faces."""
    relative: list[list[Array]] = [[] for _ in MIRRORED_VIEW]
    for picture in pictures:
        if picture.box is not None:
            x0, y0, x1, y1 = picture.box.box
            centre = np.array([x0 + x1, y0 + y1]) / 2
            relative[picture.box.view].append((picture.points - centre) / (x1 - x0))
    if len(relative[0]) < _FEWEST_OF_VIEW:
        raise InputError(f"the detector found {len(relative[0])} frontal faces, 20 are needed")
    frontal = np.median(relative[0], axis=0)
    shapes = [np.median(r, axis=0) if len(r) >= _FEWEST_OF_VIEW else frontal for r in relative]
    return BoxPlacement(np.stack(shapes), _learn_five(pictures))


def _learn_five(pictures: Sequence[Picture]) -> FivePlacement | None:
    """Learn the map from five points to all landmarks, by ridge regression."""
    found = [
        (np.array(picture.five.five), picture.points)
        for picture in pictures
        if picture.five is not None
    ]
    if len(found) < _FEWEST_OF_VIEW:
        return None
    fives = np.stack([five for five, _ in found])
    size = float(np.median(np.linalg.norm(fives[:, 1] - fives[:, 0], axis=1)))
    mean = fives[0]
    for _ in range(8):
        aligned = np.stack([fit_similarity(five, mean).apply(five) for five in fives])
        mean = aligned.mean(axis=0)
        mean = (mean - mean.mean(axis=0)) * size / np.linalg.norm(mean[1] - mean[0])
    to_mean = [fit_similarity(five, mean) for five in fives]
    x = np.stack([t.apply(five) - mean for t, five in zip(to_mean, fives, strict=True)])
    y = np.stack([t.apply(points) for t, (_, points) in zip(to_mean, found, strict=True)])
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    middle = y.mean(axis=0)
    moments = x.T @ x + _RIDGE * np.trace(x.T @ x) / 10 * np.eye(10)
    weights = np.linalg.solve(moments, x.T @ (y - middle)).T
    return FivePlacement(mean, np.column_stack([weights, middle - weights @ x.mean(axis=0)]))


def box_starts(
    pictures: Sequence[Picture], placement: BoxPlacement, count: int, rng: np.random.Generator
) -> Items:
    """Draw starts of the start cascade: the detectors' own ones, then scattered ones."""
    for turn in range(count):
        for picture in pictures:
            box, five = picture.box, picture.five
            if placement.five is None or five is None or (turn % 4 == 1 and box is not None):
                if box is None:
                    continue
                start = placement.start(box.box, box.view)
                if turn > 1:
                    shift = _BOX_SHIFT * (box.box[2] - box.box[0])
                    start = _moved(start, shift, _BOX_SCALE, _BOX_ROLL, rng)
            else:
                size = float(outer_eye_distance(picture.points))
                points = np.array(five.five)
                start = placement.five.start(_scatter_five(points, size, rng) if turn else points)
            yield picture.number, picture.grey, start, picture.points


def refinement_starts(
    pictures: Sequence[Picture], shape_model: ShapeModel, count: int, rng: np.random.Generator
) -> Items:
    """Draw starts of the refinement: near in place, far in form."""
    for _ in range(count):
        for picture in pictures:
            seen, before = blinking(picture, rng)
            relaxed = shape_model.relax(before, keep=_REFINEMENT_KEEP)
            start = _REFINEMENT_NOISE.move(relaxed, shape_model, rng, projected=True)
            yield seen.number, seen.grey, start, seen.points


def _scatter_five(five: Array, size: float, rng: np.random.Generator) -> Array:
    """Move five points as the networks do on a worse picture."""
    moved = _moved(five, _FIVE_SHIFT * size, _FIVE_SCALE, _FIVE_ROLL, rng)
    return moved + _FIVE_EACH * size * rng.standard_normal(five.shape)


def _moved(
    points: Array, shift: float, scale: float, roll: float, rng: np.random.Generator
) -> Array:
    """Move, grow and turn points around their centre at random."""
    factor = 1 + scale * rng.standard_normal()
    angle = roll * rng.standard_normal()
    centre = points.mean(axis=0)
    turn = Similarity(factor * np.cos(angle), factor * np.sin(angle), 0.0, 0.0)
    moved: Array = turn.apply(points - centre) + centre + shift * rng.standard_normal(2)
    return moved
