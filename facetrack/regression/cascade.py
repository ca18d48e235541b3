"""The cascade: levels that read features at the current shape and correct it (method.md, 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facetrack.features import _kernels
from facetrack.features.maps import MapSpec

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]


def _for_kernels(array: Features) -> Features:
    """Bring an array to the one kind that kernels are compiled for; copies only if it must."""
    return np.require(array, np.float32, ["C", "W"])


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a cascade."""

    map_index: int  # which set of maps the level reads
    shrink: int  # pixels of the frame per pixel of these maps
    spacing: float  # distance of cell centres, pixels of the frame
    basis: Features  # (68, 128, k), reduction per landmark
    offset: Features  # (68, k), reduced mean descriptor
    regressor: Features  # (m, 68 k + 1), R, features (the last is 1) -> shape parameters
    # The basis with each direction's 128 numbers side by side: read in a third of the time
    _directions: Features = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("basis", "offset", "regressor"):
            object.__setattr__(self, name, _for_kernels(getattr(self, name)))
        object.__setattr__(self, "_directions", _for_kernels(self.basis.transpose(0, 2, 1)))

    @property
    def n_features(self) -> int:
        """Length of the feature vector, the constant included."""
        return int(self.regressor.shape[1])

    def features(self, maps: list[Features], shape: Array) -> Features:
        """Read the level's features at a shape (68, 2) of the reference frame, (68 k + 1,)."""
        features = np.empty(self.n_features, dtype=np.float32)
        _kernels.features(
            maps[self.map_index],
            np.ascontiguousarray(shape),
            self.shrink,
            self.spacing / self.shrink,
            self._directions,
            self.offset,
            features,
        )
        return features

    def reduced(self, descriptors: Features) -> Features:
        """Reduce descriptors (68, 128), of one shape or a mean, to features (68 k + 1,)."""
        features = (descriptors[:, None] @ self.basis)[:, 0] - self.offset
        return np.append(features.ravel(), np.float32(1))

    def correct(self, maps: list[Features], shape: Array, modes: Features) -> None:
        """Read the features at a shape (68, 2) and correct it in place, s <- s - B R f.

        `maps` holds one entry per `MapSpec`; `modes` is the cascade's basis B, (136, m). Shape
        (float64) and modes are C-contiguous.
        """
        _kernels.correct(
            maps[self.map_index],
            shape,
            self.shrink,
            self.spacing / self.shrink,
            self._directions,
            self.offset,
            self.regressor,
            modes,
        )


@dataclass(frozen=True, slots=True)
class Cascade:
    """A sequence of levels on one set of maps."""

    maps: tuple[MapSpec, ...]  # the sets of maps that the levels read
    basis: Features  # (136, m), B: directions that levels move a shape in, per parameter
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "basis", _for_kernels(self.basis))

    def run(self, maps: list[Features], start: Array) -> Array:
        """Fit a shape (68, 2) in pixels of the reference frame, s <- s - B R f at every level.

        What lies outside the span of the basis survives from the start (method.md, 1.4).
        """
        shape = np.array(start, dtype=np.float64, order="C")
        for level in self.levels:
            level.correct(maps, shape, self.basis)
        return shape
