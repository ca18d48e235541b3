"""The level that a person alone owns, from what the cascade leaves over (method.md, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.linalg

from facetrack.features.descriptors import DESCRIPTOR_SIZE, describe
from facetrack.regression.cascade import Level

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

NEAREST: Final = 12  # landmarks whose patches say where one of them belongs, itself the first
_NEAR: Final = 0.1  # how fast their say falls with distance: deviation, outer-eye distances
# Variances of the prior, in units of the constant part's: the constant is what two conventions of
# annotation differ by; the linear parts follow pose, expression, light and where the cascade ends.
_CONSTANT: Final = 3.0
_FACE: Final = 1.0  # per squared unit of the length of all reduced features, about 1
_PATCHES: Final = 3.0  # per squared unit of the length of a descriptor, at most 1
_NOISE: Final = 0.1  # of one sample


@dataclass(frozen=True, slots=True)
class Samples:
    """What a level reads at some shapes, and where the landmarks are.

    Attributes
    ----------
    features : ndarray, shape (N, d), float32
        The level's features, the constant 1 last.
    patches : ndarray, shape (N, 68, 128), float32
        The descriptors before the level's basis reduces them.
    missing : ndarray, shape (N, 68, 2), float64
        From the shape to the label, pixels of the reference frame.
    vouched : ndarray, shape (N, 68), bool
        The points that count.
    """

    features: Features
    patches: Features
    missing: Array
    vouched: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OwnLevel:
    """A last level that starts from nothing and learns from a person's lessons alone.

    Attributes
    ----------
    level : Level
        Reads the features: the last level of the cascade.
    weights : ndarray, shape (136, d), float32
        From the level's features to the missing displacement, pixels of the reference frame.
    near : ndarray, shape (68, q), intp
        The nearest landmarks of each, itself the first.
    patch_weights : ndarray, shape (68, 2, 128 q), float32
        From their descriptors to the missing displacement of each landmark.

    Notes
    -----
    Bayesian linear regression, or the mean of a Gaussian process whose covariance for landmark p is
    c + f z(s)^T z(s') + n sum_q g(p, q) d_q(s)^T d_q(s'), with the level's features z, descriptors
    d of the nearest landmarks q, and a Gaussian g of their distance that sums to 1. Near a lesson
    its correction is repeated, far from all of them their mean. Of the patches nearby the whole
    descriptor is read: the level's basis keeps what matters for all people, not what tells the
    looks of one face apart.
    """

    level: Level
    weights: Features
    near: Indices
    patch_weights: Features

    @classmethod
    def from_arrays(cls, level: Level, arrays: Mapping[str, npt.NDArray[Any]]) -> OwnLevel:
        """Make it of what `arrays` gave.

        Parameters
        ----------
        level : Level
        arrays : mapping of str to ndarray
            Flat ones will do.

        Returns
        -------
        OwnLevel

        Raises
        ------
        ValueError, KeyError
            If one is missing or of another size.
        """
        n = len(level.basis)
        kinds: dict[str, tuple[type, tuple[int, ...]]] = {
            "weights": (np.float32, (2 * n, level.n_features)),
            "near": (np.intp, (n, NEAREST)),
            "patch_weights": (np.float32, (n, 2, NEAREST * DESCRIPTOR_SIZE)),
        }
        own: dict[str, npt.NDArray[Any]] = {
            name: np.asarray(arrays[name], dtype=dtype).reshape(shape)
            for name, (dtype, shape) in kinds.items()
        }
        if own["near"].min() < 0 or own["near"].max() >= n:
            raise ValueError("an own level reads landmarks that are none")
        return cls(level, **own)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give what was learned, to be saved: `weights`, `near` (uint8), `patch_weights`."""
        return {
            "weights": self.weights,
            "near": self.near.astype(np.uint8),
            "patch_weights": self.patch_weights,
        }

    def finish(self, maps: list[Features], shape: Array) -> Array:
        """Add what the cascade leaves over for this person.

        Parameters
        ----------
        maps : list of ndarray
            Orientation maps of the frame.
        shape : ndarray, shape (68, 2), float64
            Where the cascade ends, pixels of the reference frame.

        Returns
        -------
        ndarray, shape (68, 2), float64
        """
        around = read_patches(self.level, maps, shape)[self.near].reshape(len(shape), -1, 1)
        missing = (self.patch_weights @ around)[..., 0]
        missing += (self.weights @ self.level.features(maps, shape)).reshape(-1, 2)
        return np.asarray(shape + missing, dtype=np.float64)


def read_patches(level: Level, maps: list[Features], shape: Array) -> Features:
    """Read a level's descriptors, before its basis reduces them.

    Parameters
    ----------
    level : Level
    maps : list of ndarray
        Orientation maps of the frame.
    shape : ndarray, shape (68, 2), float64
        Pixels of the reference frame.

    Returns
    -------
    ndarray, shape (68, 128), float32
    """
    return describe(maps[level.map_index], shape, spacing=level.spacing, shrink=level.shrink)


def learn_own_level(level: Level, samples: Samples, shape: Array) -> OwnLevel:
    """Learn what the cascade leaves over.

    Parameters
    ----------
    level : Level
        That the samples were read by.
    samples : Samples
    shape : ndarray, shape (68, 2), float64
        Of a face, pixels of any frame: says which landmarks are near each other.

    Returns
    -------
    OwnLevel
        Points that are not vouched for are left alone.
    """
    near, variances = _neighbours(shape)
    z, patches = samples.features[:, :-1], samples.patches
    everywhere = _CONSTANT + _FACE * (z @ z.T) + _NOISE * np.eye(len(z), dtype=np.float32)
    alike = np.matmul(patches.transpose(1, 0, 2), patches.transpose(1, 2, 0))  # (68, N, N)
    weights = np.zeros((len(near), 2, z.shape[1] + 1), dtype=np.float32)
    patch_weights = np.zeros((len(near), 2, NEAREST * DESCRIPTOR_SIZE), dtype=np.float32)
    for point, chosen in enumerate(samples.vouched.T):
        if not chosen.any():
            continue
        covariance = everywhere + np.tensordot(variances[point], alike[near[point]], 1)
        dual = scipy.linalg.solve(
            covariance[np.ix_(chosen, chosen)], samples.missing[chosen, point], assume_a="pos"
        ).T  # (2, n)
        weights[point, :, :-1] = _FACE * (dual @ z[chosen])
        weights[point, :, -1] = _CONSTANT * dual.sum(axis=1)
        read = patches[chosen][:, near[point]] * variances[point][:, None]
        patch_weights[point] = dual @ read.reshape(dual.shape[1], -1)
    return OwnLevel(level, weights.reshape(-1, z.shape[1] + 1), near, patch_weights)


def _neighbours(shape: Array) -> tuple[Indices, Features]:
    """List the nearest landmarks of each, and their linear parts' variances; both (68, q)."""
    eye_distance = np.linalg.norm(shape[36] - shape[45])
    distances = np.linalg.norm(shape[:, None] - shape[None], axis=2) / eye_distance
    near = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
    says = np.exp(-(np.take_along_axis(distances, near, axis=1) ** 2) / (2 * _NEAR**2))
    variances = _PATCHES * says / says.sum(axis=1, keepdims=True)
    return near, np.asarray(variances, dtype=np.float32)
