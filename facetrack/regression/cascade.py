"""The cascade: levels that read features at the current shape and correct it (method.md, 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facetrack.features import _kernels
from facetrack.features.maps import MapSpec


def _for_kernels(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Bring an array to the one kind that kernels are compiled for; copies only if it must."""
    return np.require(array, np.float32, ["C", "W"])


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a cascade.

    Attributes
    ----------
    map_index : int
        Which set of maps the level reads.
    shrink : int
        Pixels of the frame per pixel of these maps.
    spacing : float
        Distance of cell centres, pixels of the frame.
    basis : ndarray, shape (68, 128, k), float32
        Reduction per landmark.
    offset : ndarray, shape (68, k), float32
        Reduced mean descriptor.
    regressor : ndarray, shape (m, 68 k + 1), float32
        R, from features (the last one is the constant 1) to parameters of the shape model.
    """

    map_index: int
    shrink: int
    spacing: float
    basis: npt.NDArray[np.float32]
    offset: npt.NDArray[np.float32]
    regressor: npt.NDArray[np.float32]
    # The basis with each direction's 128 numbers side by side: read in a third of the time
    _directions: npt.NDArray[np.float32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("basis", "offset", "regressor"):
            object.__setattr__(self, name, _for_kernels(getattr(self, name)))
        object.__setattr__(self, "_directions", _for_kernels(self.basis.transpose(0, 2, 1)))

    @property
    def n_features(self) -> int:
        """Length of the feature vector, the constant included."""
        return int(self.regressor.shape[1])

    def features(
        self, maps: list[npt.NDArray[np.float32]], shape: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        """Read the level's features at a shape.

        Parameters
        ----------
        maps : list of ndarray
            Orientation maps of the frame, one entry per `MapSpec` of the cascade.
        shape : ndarray, shape (68, 2), float64
            Pixels of the reference frame.

        Returns
        -------
        ndarray, shape (68 k + 1,), float32
        """
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

    def reduced(self, descriptors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Reduce descriptors to the level's features.

        Parameters
        ----------
        descriptors : ndarray, shape (68, 128), float32
            Of one shape, or a mean of several.

        Returns
        -------
        ndarray, shape (68 k + 1,), float32
        """
        features = (descriptors[:, None] @ self.basis)[:, 0] - self.offset
        return np.append(features.ravel(), np.float32(1))

    def correct(
        self,
        maps: list[npt.NDArray[np.float32]],
        shape: npt.NDArray[np.float64],
        modes: npt.NDArray[np.float32],
    ) -> None:
        """Read the features at a shape and correct it in place, s <- s - B R f.

        Parameters
        ----------
        maps : list of ndarray
            Orientation maps of the frame, one entry per `MapSpec` of the cascade.
        shape : ndarray, shape (68, 2), float64, C-contiguous
            Pixels of the reference frame.
        modes : ndarray, shape (136, m), float32, C-contiguous
            The cascade's basis B.
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
    """A sequence of levels on one set of maps.

    Attributes
    ----------
    maps : tuple of MapSpec
        The sets of maps that the levels read.
    basis : ndarray, shape (136, m), float32
        Directions in which the levels move a shape, columns in the units of their parameters.
    levels : tuple of Level
    """

    maps: tuple[MapSpec, ...]
    basis: npt.NDArray[np.float32]
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "basis", _for_kernels(self.basis))

    def run(
        self, maps: list[npt.NDArray[np.float32]], start: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Fit a shape, s <- s - B R f at every level.

        Parameters
        ----------
        maps : list of ndarray
            Orientation maps of the frame, one entry per element of `self.maps`.
        start : ndarray, shape (68, 2), float64
            Pixels of the reference frame.

        Returns
        -------
        ndarray, shape (68, 2), float64
            What lies outside the span of the basis survives from the start (method.md, 1.4).
        """
        shape = np.array(start, dtype=np.float64, order="C")
        for level in self.levels:
            level.correct(maps, shape, self.basis)
        return shape
