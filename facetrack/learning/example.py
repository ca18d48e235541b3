"""One labelled picture of a person's face: what a correction leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import N_POINTS
from facetrack.features.crops import FRAME_SIZE, warp_to_frame
from facetrack.features.pixels import Image
from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel

Array = npt.NDArray[np.float64]

KEEP: Final = 0.5  # of a shape's own form in a start, as the tracker starts from the last shape
# Of a start's own form, one entry per start of an example. The last start knows nothing of the
# label: if all of them were displaced towards theirs, a larger correction would look like more of a
# displacement, and that is what would be learned.
_KEEPS: Final = (KEEP, KEEP, KEEP, 0.0)
STARTS: Final = len(_KEEPS)
# How far from its end the tracker starts in the next frame: centre in outer-eye distances of the
# mean shape, factor of size, angle in radians, modes in their standard deviations.
_SHIFT: Final = 0.03
_SCALE: Final = 0.02
_ANGLE: Final = 0.02
_MODES: Final = 0.2

NO_KEY: Final = -1


@dataclass(frozen=True, slots=True)
class Example:
    """A face as J starts see it, grey, and where its landmarks are, pixels of each reference frame.

    `key` is the frame it comes from, by which a later correction of that frame replaces it;
    `NO_KEY` for an example of another video.
    """

    key: int
    patches: Annotated[Image, (STARTS, FRAME_SIZE, FRAME_SIZE)]
    starts: Annotated[Array, (STARTS, N_POINTS, 2)]
    labels: Annotated[Array, (STARTS, N_POINTS, 2)]  # of a point without a voucher: what was fitted
    mask: Annotated[npt.NDArray[np.bool_], (N_POINTS,)]  # the points that the person vouches for


def make_example(
    image: Image,
    points: Array,
    mask: npt.NDArray[np.bool_],
    shape_model: ShapeModel,
    *,
    key: int = NO_KEY,
) -> Example:
    """Make an example of a corrected face: the same for the same arguments, its seed is its own.

    `points` are in pixels of the image: the correction, and the fit where `mask` is False.
    """
    if not mask.any():
        raise InputError("a correction must vouch for at least one point, its mask has none")
    rng = np.random.default_rng(0)
    patches, starts, labels = [], [], []
    for keep in _KEEPS:
        start = shape_model.relax(_moved(points, shape_model, rng), keep=keep)
        to_frame = shape_model.to_reference(start)
        patches.append(warp_to_frame(image, to_frame))
        starts.append(to_frame.apply(start))
        labels.append(to_frame.apply(points))
    return Example(key, np.stack(patches), np.stack(starts), np.stack(labels), np.array(mask))


def _moved(points: Array, shape_model: ShapeModel, rng: np.random.Generator) -> Array:
    """Move a shape as a face moves between two frames."""
    to_reference = shape_model.to_reference(points)
    shape = to_reference.apply(points)
    noise = np.zeros(shape_model.n_parameters)
    deviations = _MODES * shape_model.deviations[N_RIGID:]
    noise[N_RIGID:] = deviations * rng.standard_normal(len(deviations))
    shape = shape + (shape_model.basis @ noise).reshape(N_POINTS, 2)
    eye_distance = float(np.linalg.norm(shape_model.mean[36] - shape_model.mean[45]))
    factor, angle = 1 + _SCALE * rng.standard_normal(), _ANGLE * rng.standard_normal()
    turn = Similarity(factor * np.cos(angle), factor * np.sin(angle), 0.0, 0.0)
    centre = shape.mean(axis=0)
    shift = _SHIFT * eye_distance * rng.standard_normal(2)
    moved: Array = to_reference.inverse().apply(turn.apply(shape - centre) + centre + shift)
    return moved
