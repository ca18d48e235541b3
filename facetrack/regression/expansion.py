"""First-order expansions of features around a true shape (method.md, 2.5, 3.1 and 3.5)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.features.descriptors import DESCRIPTOR_SIZE, describe
from facetrack.regression.cascade import Level

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

N_SHAPES = 6  # at which a frame is read: current, truth, and four around it


def shifted(current: Array, truth: Array, step: float) -> Array:
    """List the shapes (6, 68, 2) at which continuous regression reads a frame, pixels.

    Current, truth, truth moved by +step and -step along x, then along y.
    """
    shifts = np.array([[0, 0], [step, 0], [-step, 0], [0, step], [0, -step]])
    return np.concatenate([current[None], truth + shifts[:, None]])


def differences(readings: Features, step: float) -> Features:
    """Return (N, 2, 68, k) differences per pixel of readings at `shifted` shapes (N, 6, 68, k)."""
    gradients: Features = (readings[:, 2::2] - readings[:, 3::2]) * np.float32(0.5 / step)
    return gradients


def remainders(readings: Features, gradients: Features, moves: Features) -> Features:
    """Compute Taylor remainders (N, 68, k): readings minus linear prediction (method.md, 3.5).

    `moves` (N, 68, 2) lead from the truth to the current shape, pixels.
    """
    predicted = readings[:, 1] + gradients[:, 0] * moves[..., :1] + gradients[:, 1] * moves[..., 1:]
    left_over: Features = readings[:, 0] - predicted
    return left_over


def read_frame(level: Level, maps: list[Features], shapes: Array) -> Features:
    """Read a level's reduced descriptors of one frame at shapes (S, 68, 2), (S, 68, k)."""
    flat = describe(
        maps[level.map_index], shapes.reshape(-1, 2), spacing=level.spacing, shrink=level.shrink
    )
    by_landmark = flat.reshape(len(shapes), -1, DESCRIPTOR_SIZE).transpose(1, 0, 2)
    readings: Features = (by_landmark @ level.basis).transpose(1, 0, 2) - level.offset
    return readings


def pseudo_samples(
    readings: Features, current: Array, truth: Array, basis: Features, spread: Features, step: float
) -> tuple[Features, Features]:
    """Form the columns by which continuous regression learns one frame (method.md, 3.3 and 3.5).

    `readings` (6, 68, k) are those at the `shifted` shapes; `basis` (136, m) is B, orthonormal;
    `spread` (m, r) is L with Sigma = L L^T; `step` is that of the differences, pixels. Returns E
    (68 k + 1, r + 2): the features at the current shape; their change along each column of L; the
    Taylor remainder, whose target is nought, so that directions are shunned which do not obey the
    linear model; and Y (m, r + 2): the displacement of the current shape; L; nought.
    """
    gradients = differences(readings[None], step)
    delta = (basis.T @ (current - truth).ravel()).astype(np.float32)
    moves = (basis @ delta).reshape(1, -1, 2)
    left_over = remainders(readings[None], gradients, moves)[0]
    along = (basis @ spread).reshape(len(current), 2, 1, -1)  # (68, 2, 1, r)
    change = gradients[0, 0, :, :, None] * along[:, 0] + gradients[0, 1, :, :, None] * along[:, 1]
    n_features = readings[0].size + 1
    columns = np.zeros((n_features, spread.shape[1] + 2), dtype=np.float32)
    columns[:-1, 0] = readings[0].ravel()
    columns[-1, 0] = 1
    columns[:-1, 1:-1] = change.reshape(n_features - 1, -1)
    columns[:-1, -1] = np.sqrt(np.float32(REMAINDER)) * left_over.ravel()
    targets = np.zeros((len(delta), spread.shape[1] + 2), dtype=np.float32)
    targets[:, 0] = delta
    targets[:, 1:-1] = spread
    return columns, targets


REMAINDER = 1.5  # weight of one frame's remainder: training's 3, of which half is off the diagonal
