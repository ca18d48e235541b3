"""The cascade: levels that read features at the current shape and correct it (spec section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.features import _kernels
from facetrack.features.descriptors import describe
from facetrack.features.maps import MapSpec


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
        descriptors = describe(
            maps[self.map_index], shape, spacing=self.spacing, shrink=self.shrink
        )
        n, _, k = self.basis.shape
        features = np.empty(n * k + 1, dtype=np.float32)
        features[-1] = 1
        _kernels.reduce(descriptors, self.basis, self.offset, features[:-1].reshape(n, k))
        return features


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
            What lies outside the span of the basis survives from the start (spec 1.4).
        """
        shape = start
        for level in self.levels:
            step = self.basis @ (level.regressor @ level.features(maps, shape))
            shape = shape - step.reshape(-1, 2)
        return shape
