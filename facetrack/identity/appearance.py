"""What a face's patch looks like, described so that people differ in it and poses do not.

Gradient directions in cells say much that all faces share, and much that changes with pose and
expression. Both are taken out by what was learnt from many people: the mean of all faces is
subtracted, and what differs between two looks of one person is whitened (within-class covariance
normalisation). Of two frames of a YouTube Faces clip that it was not learnt from, the same person's
descriptions agree by 0.74 (median), different persons' by 0.02, and 0.1 % of those by more than
0.38; without the whitening 0.85, 0.26 and 0.71.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import ModelKind, register_kind

SIDE: Final = 32  # px of the aligned patch
_CELL: Final = 4
_DIRECTIONS: Final = 8
_ANGLES: Final = np.arange(_DIRECTIONS)[:, None, None] * (2 * np.pi / _DIRECTIONS)
_COS: Final = np.cos(_ANGLES).astype(np.float32)
_SIN: Final = np.sin(_ANGLES).astype(np.float32)
N_VALUES: Final = (SIDE // _CELL) ** 2 * _DIRECTIONS

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """What was learnt of how people differ; InputError if a shape or a value is wrong."""

    mean: Values  # (N_VALUES,), of `gradients` over many people
    matrix: Values  # (N_VALUES, N_VALUES), takes out what changes between looks of one person

    def __post_init__(self) -> None:
        if self.mean.shape != (N_VALUES,) or self.matrix.shape != (N_VALUES, N_VALUES):
            raise InputError(
                f"a whitening needs {N_VALUES} values, got {self.mean.shape}, {self.matrix.shape}"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.matrix).all()):
            raise InputError("a whitening must be finite")

    def apply(self, values: Values) -> Values:
        """Turn what `gradients` returned, (N_VALUES,), into a unit vector of the same size."""
        # einsum, because the order of BLAS's sums would depend on its threads
        white: Values = np.einsum("ij,j->i", self.matrix, values - self.mean)
        white /= np.sqrt(np.einsum("i,i", white, white)) + np.float32(1e-9)
        return white


def _load(arrays: Arrays, description: Mapping[str, Any]) -> Whitening:
    return Whitening(arrays["mean"].astype(np.float32), arrays["matrix"].astype(np.float32))


APPEARANCE: Final = ModelKind("facetrack appearance", "whitening of appearance", 1, _load)
register_kind(APPEARANCE)


def save_whitening(
    whitening: Whitening, path: str | os.PathLike[str], *, name: str, card: Mapping[str, Any]
) -> None:
    """Save a whitening, its matrix as float16: written beside, then renamed.

    `card`: data, terms and measures.
    """
    arrays: Arrays = {"mean": whitening.mean, "matrix": whitening.matrix.astype(np.float16)}
    APPEARANCE.write(path, arrays, {"name": name, "card": dict(card)})


@cache
def shipped_whitening() -> Whitening:
    """Read the whitening that ships, `models/appearance.npz`."""
    return APPEARANCE.read("appearance")


def gradients(patch: npt.NDArray[np.float32]) -> Values:
    """Describe a patch (SIDE, SIDE) by the directions of its gradients, cell by cell, (N_VALUES,).

    Roots of the shares of eight directions in cells of 4 x 4 pixels, which light changes little.
    """
    gradient_x, gradient_y = np.zeros_like(patch), np.zeros_like(patch)
    gradient_x[:, 1:-1] = patch[:, 2:] - patch[:, :-2]
    gradient_y[1:-1] = patch[2:] - patch[:-2]
    damping = np.sqrt(np.hypot(gradient_x, gradient_y) + 1)
    along = np.maximum(_COS * (gradient_x / damping) + _SIN * (gradient_y / damping), 0)
    size = SIDE // _CELL
    cells = along.reshape(_DIRECTIONS, size, _CELL, size, _CELL).mean((2, 4))
    energy = np.moveaxis(cells, 0, -1)
    shares: Values = np.sqrt(energy / (energy.sum(axis=-1, keepdims=True) + 0.5)).ravel()
    return shares
