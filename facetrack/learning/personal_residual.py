"""The level that a person alone owns, from what the cascade leaves over (method.md, 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from facetrack.features.descriptors import DESCRIPTOR_SIZE, describe
from facetrack.learning import _kernels
from facetrack.regression.cascade import Level

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]
_Number = TypeVar("_Number", bound=np.generic)

PER_EXAMPLE: Final = 3  # samples that an example gives
NEAREST: Final = 12  # landmarks whose patches say where one of them belongs, itself the first
_NEAR: Final = 0.1  # how fast their say falls with distance: deviation, outer-eye distances
# Variances of the prior, in units of the constant part's: the constant is what two conventions of
# annotation differ by; the linear parts follow pose, expression, light and where the cascade ends.
_CONSTANT: Final = 3.0
_FACE: Final = 1.0  # per squared unit of the length of all reduced features, about 1
_PATCHES: Final = 8.0  # per squared unit of the length of a descriptor, at most 1
_NOISE: Final = 0.1  # of one sample
_ROOM: Final = 384  # samples, at first


@dataclass(frozen=True, slots=True)
class Samples:
    """What a level reads at N shapes, and where the landmarks are."""

    features: Features  # (N, d), the level's features, the constant 1 last
    patches: Features  # (N, 68, 128), descriptors before the level's basis reduces them
    missing: Array  # (N, 68, 2), from the shape to the label, pixels of the reference frame
    vouched: npt.NDArray[np.bool_]  # (N, 68), the points that count


@dataclass(frozen=True, slots=True)
class PersonalResidual:
    """A last level that starts from nothing and learns from a person's examples alone.

    Bayesian linear regression, or the mean of a Gaussian process whose covariance for landmark p is
    c + f z(s)^T z(s') + n sum_q g(p, q) d_q(s)^T d_q(s'), with the level's features z, descriptors
    d of the nearest landmarks q, and a Gaussian g of their distance that sums to 1. Near an example
    its correction is repeated, far from all of them their mean. Of the patches nearby the whole
    descriptor is read: the level's basis keeps what matters for all people, not what tells the
    looks of one face apart.
    """

    level: Level  # reads the features: the last one of the cascade
    weights: Features  # (136, d), from features to the missing displacement, pixels of the frame
    near: Indices  # (68, q), the nearest landmarks of each, itself the first
    patch_weights: Features  # (68, 2, 128 q), from their descriptors to the missing displacement
    examples: Features  # (68,), how many examples vouch for each landmark

    @classmethod
    def from_arrays(cls, level: Level, arrays: Mapping[str, npt.NDArray[Any]]) -> PersonalResidual:
        """Make it of what `arrays` gave; ValueError or KeyError if one is wrong or missing."""
        n = len(level.basis)
        kinds: dict[str, tuple[type, tuple[int, ...]]] = {
            "weights": (np.float32, (2 * n, level.n_features)),
            "near": (np.intp, (n, NEAREST)),
            "patch_weights": (np.float32, (n, 2, NEAREST * DESCRIPTOR_SIZE)),
            "lessons": (np.float32, (n,)),
        }
        own: dict[str, npt.NDArray[Any]] = {
            name: np.asarray(arrays[name], dtype=dtype).reshape(shape)
            for name, (dtype, shape) in kinds.items()
        }
        if own["near"].min() < 0 or own["near"].max() >= n:
            raise ValueError("a personal residual reads landmarks that are none")
        own["examples"] = own.pop("lessons")  # as files call them
        return cls(level, **own)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what was learned, to be saved: all by name but the level, `near` as uint8."""
        return {
            "weights": self.weights,
            "near": self.near.astype(np.uint8),
            "patch_weights": self.patch_weights,
            "lessons": self.examples,
        }

    def finish(self, maps: list[Features], shape: Array) -> Array:
        """Add to a shape (68, 2), where the cascade ends, what it leaves over for this person."""
        around = read_patches(self.level, maps, shape)[self.near].reshape(len(shape), -1, 1)
        missing = (self.patch_weights @ around)[..., 0]
        missing += (self.weights @ self.level.features(maps, shape)).reshape(-1, 2)
        return np.asarray(shape + missing, dtype=np.float64)


def read_patches(level: Level, maps: list[Features], shape: Array) -> Features:
    """Return a level's descriptors at a shape before its basis reduces them, (68, 128)."""
    return describe(maps[level.map_index], shape, spacing=level.spacing, shrink=level.shrink)


class ResidualLearner:
    """Learns a personal residual sample by sample: every landmark's Cholesky factor grows by rows.

    A `face` (68, 2), in any frame, says which landmarks are near each other. Covariances are
    float64 sums of the float32 readings: what is learned is that of solving anew from all samples
    to about 1e-12, in any order. New rows leave the old ones alone, so that forgetting the latest
    samples gives back the bytes from before them. With N samples a step reads 68 (N^2 / 2) numbers
    twice and all readings once.
    """

    def __init__(self, level: Level, face: Array) -> None:
        self._level = level
        self._near, variances = _neighbours(face)
        n = len(self._near)
        self._mixing = np.zeros((n, n))
        np.put_along_axis(self._mixing, self._near, variances, axis=1)
        # Each row (x or y of a landmark) reads the patches of several; sorted by the patch:
        patch = np.repeat(self._near, 2, axis=0).ravel()
        order = np.argsort(patch, kind="stable")
        self._rows, self._places = order // NEAREST, np.argsort(order, kind="stable")
        self._row_variances = np.repeat(variances, 2, axis=0).ravel()[order][:, None]
        self._ends = np.searchsorted(patch[order], np.arange(n + 1))
        self.count = 0
        # By samples last but one: what is added stands beside what is there
        self._features = np.empty((1, 0, level.n_features - 1), np.float32)
        self._patches = np.empty((n, 0, DESCRIPTOR_SIZE), np.float32)
        self._vouched = np.empty((n, 0), np.bool_)
        self._factors, self._solved = np.empty((n, 0)), np.empty((n, 2, 0))

    def add(self, samples: Samples) -> None:
        """Learn more samples; a landmark that is not vouched for learns nothing of them."""
        count, total = self.count, self.count + len(samples.missing)
        self._reserve(total)
        new = np.arange(total - count)
        self._features[0, count:total] = samples.features[:, :-1]
        self._patches[:, count:total] = samples.patches.transpose(1, 0, 2)
        self._vouched[:, count:total] = counts = samples.vouched.T
        everywhere = np.empty((1, len(new), total))
        alike = np.empty((len(self._near), len(new), total))
        _kernels.products(self._features, count, total, everywhere)
        _kernels.products(self._patches, count, total, alike)
        covariances = (self._mixing @ alike.reshape(len(alike), -1)).reshape(alike.shape)
        covariances += _CONSTANT + _FACE * everywhere
        # a sample that does not count is one by itself, of which nothing is missing
        covariances *= counts[:, :, None] & self._vouched[:, None, :total]
        covariances[:, new, count + new] += np.where(counts, _NOISE, 1.0)
        missing = samples.missing.transpose(1, 0, 2) * counts[:, :, None]
        _kernels.grow(
            covariances, np.ascontiguousarray(missing), count, self._factors, self._solved
        )
        self.count = total

    def keep(self, count: int) -> None:
        """Forget all but the first samples."""
        self.count = count

    def duals(self) -> Array:
        """Return the weight of every sample, K^-1 times what is missing, (68, 2, N)."""
        duals = self._solved[:, :, : self.count].copy()
        _kernels.solve_back(self._factors, duals)
        return duals

    def residual(self) -> PersonalResidual:
        """Return what the samples so far teach; landmarks never vouched for are left alone."""
        count, n = self.count, len(self._near)
        duals = self.duals()
        shares = duals.reshape(2 * n, count).astype(np.float32)
        weights = np.empty((2 * n, self._level.n_features), np.float32)
        weights[:, :-1] = np.float32(_FACE) * (shares @ self._features[0, :count])
        weights[:, -1] = _CONSTANT * duals.sum(axis=2).ravel()
        said = shares[self._rows] * self._row_variances
        read = np.empty((len(said), DESCRIPTOR_SIZE), np.float32)
        for patches, first, end in zip(
            self._patches[:, :count], self._ends[:-1], self._ends[1:], strict=True
        ):
            np.matmul(said[first:end], patches, out=read[first:end])
        examples = self._vouched[:, :count].sum(axis=1, dtype=np.float32) / np.float32(PER_EXAMPLE)
        patch_weights = read[self._places].reshape(n, 2, -1)
        return PersonalResidual(self._level, weights, self._near, patch_weights, examples)

    def _reserve(self, count: int) -> None:
        """Make room for so many samples; memory that is not written to yet takes no space."""
        room = self._patches.shape[1]
        if count <= room:
            return
        room = max(count, 2 * room, _ROOM)
        n, _, d = len(self._near), *self._features.shape[1:]
        self._features = _with_room(self._features, (1, room, d))
        self._patches = _with_room(self._patches, (n, room, DESCRIPTOR_SIZE))
        self._vouched = _with_room(self._vouched, (n, room))
        self._factors = _with_room(self._factors, (n, room * (room + 1) // 2))
        self._solved = _with_room(self._solved, (n, 2, room))


def _with_room(array: npt.NDArray[_Number], shape: tuple[int, ...]) -> npt.NDArray[_Number]:
    """Copy an array into the first places of a larger one."""
    larger = np.empty(shape, array.dtype)
    larger[tuple(slice(size) for size in array.shape)] = array
    return larger


def _neighbours(shape: Array) -> tuple[Indices, Features]:
    """List the nearest landmarks of each, and their linear parts' variances; both (68, q)."""
    eye_distance = np.linalg.norm(shape[36] - shape[45])
    distances = np.linalg.norm(shape[:, None] - shape[None], axis=2) / eye_distance
    near = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
    says = np.exp(-(np.take_along_axis(distances, near, axis=1) ** 2) / (2 * _NEAR**2))
    variances = _PATCHES * says / says.sum(axis=1, keepdims=True)
    return near, np.asarray(variances, dtype=np.float32)
