"""Confidence of each point: the probability that it is within 5 % of the outer-eye distance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import N_POINTS
from facetrack.fitting import _kernels
from facetrack.landmarks.markup import REGIONS
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

WITHIN: Final = 0.05  # outer-eye distances
N_POINT_FEATURES: Final = _kernels.OWN + _kernels.COMMON

_SAMPLES: Final = 20  # per side of the maps, for their mean
# Regions are runs of points that follow each other
_REGIONS: Final = np.array([*(points[0] for points in REGIONS.values()), N_POINTS])


class End(NamedTuple):
    """Where a fit ended, and what the tracking cascade's last level reads there."""

    features: Features  # (d,), the last one is 1
    # (m,), R f: what the level would still correct, in parameters of the shape model
    step: Features
    shape: Array  # (68, 2), pixels of the reference frame
    points: Array  # (68, 2), pixels of the image
    size: tuple[int, int]  # (width, height) of the image
    scale: float  # pixels of the reference frame per pixel of the image
    contrast: float  # from `contrast_of` the level's maps


@dataclass(frozen=True, slots=True)
class PointConfidence:
    """A logistic classifier for each point; InputError if a shape is another one."""

    weights: Array  # (68, q)
    bias: Array  # (68,)
    # (68, 3), what examples do to a logit: factor, gain by their logarithm, gain
    taught: Array = field(default_factory=lambda: np.tile([1.0, 0.0, 0.0], (N_POINTS, 1)))

    def __post_init__(self) -> None:
        shapes = {
            "weights": (N_POINTS, N_POINT_FEATURES),
            "bias": (N_POINTS,),
            "taught": (N_POINTS, 3),
        }
        for name, shape in shapes.items():
            array = np.require(getattr(self, name), np.float64, ["C", "W"])
            if array.shape != shape:
                raise InputError(f"confidence needs {name} {shape}, got {array.shape}")
            object.__setattr__(self, name, array)

    def probability(self, inputs: Array, examples: npt.ArrayLike = 0) -> Array:
        """Return the probabilities (68,) of errors below 5 % of the outer-eye distance.

        `inputs` (68, q), C-contiguous, are `point_features` where the cascade ended; `examples`
        counts those of the person's own that vouch for each point. Read-only; 0 where features are
        not finite, because the shape is so broken.
        """
        probability = np.empty(N_POINTS)
        weights, bias = self.weights, self.bias
        count = np.broadcast_to(examples, (N_POINTS,))
        if count.any():
            factor, by_count, gain = self.taught.T
            after = factor * bias + by_count * np.log(np.maximum(count, 1)) + gain
            taught = count > 0
            weights = np.where(taught[:, None], factor[:, None] * weights, weights)
            bias = np.where(taught, after, bias)
        _kernels.logistic(inputs, weights, bias, probability)
        probability.setflags(write=False)
        return probability


def point_features(
    end: End, quality: float, shape_model: ShapeModel, modes: npt.NDArray[np.float32]
) -> Array:
    """Form what the classifiers see, (68, q).

    Per point: how far the last level would still move it and how unusual its patch looks, both for
    the point and for its region, and how far it lies outside the image. The same for all points:
    mean step, mean unusualness, quality (logit), size of the face, contrast, how unusual the shape
    is, and its first modes with their squares (a turned head, an open mouth). `modes` (136, m) lead
    from the cascade's parameters to points.
    """
    parameters = shape_model.parameters(end.shape)[N_RIGID:] / shape_model.deviations[N_RIGID:]
    facts = np.array([quality, end.scale, end.contrast, *end.size], dtype=np.float64)
    points = np.require(end.points, np.float64, ["C", "W"])  # the one kind that is compiled for
    inputs = np.empty((N_POINTS, N_POINT_FEATURES))
    _kernels.point_features(
        end.features, modes @ end.step, parameters, points, facts, _REGIONS, inputs
    )
    return inputs


def contrast_of(maps: npt.NDArray[np.float32]) -> float:
    """Measure how much there is to see: the mean of orientation maps, sampled on a grid."""
    step = max(1, len(maps) // _SAMPLES)
    return float(maps[step // 2 :: step, step // 2 :: step].mean())
