"""Smooth warps of a face by its landmarks: thin-plate splines, and their inverse on a grid.

Lengths are outer-eye distances in the head's frame: origin between the outer eye corners, x along
them to the image's right, y down.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

LOW: Final = (-1.1, -1.0)  # the part of the picture that moves
HIGH: Final = (1.1, 2.0)
STEP: Final = 0.04
_SMOOTHING: Final = 1e-4  # landmarks may lie on each other
_EDGE: Final = 7  # points that hold each side of the border
_ROUNDS: Final = 8


def grid() -> Points:
    """Return the places of a field's cells, (rows, columns, 2)."""
    rows, columns = _shape()
    x, y = LOW[0] + STEP * np.arange(columns), LOW[1] + STEP * np.arange(rows)
    return np.stack(np.meshgrid(x, y), axis=-1)


class Spline:
    """Carries displacements of control points, (n, 2), to every place around them.

    They need not differ from each other; `fixed` points, (m, 2), stay, besides those of the border.
    The values are linear in the displacements, so one product with a matrix gives them. Bookstein,
    Principal warps: thin-plate splines and the decomposition of deformations, 1989.
    """

    def __init__(self, control: Points, fixed: Points) -> None:
        from scipy.interpolate import RBFInterpolator  # loads slowly; the demo needs none

        held = np.concatenate([control, fixed, border()])
        moves = np.eye(len(held))[:, : len(control)]
        self._values: Any = RBFInterpolator(
            held, moves, smoothing=_SMOOTHING, kernel="thin_plate_spline"
        )

    def weights(self, places: Points) -> Points:
        """Return how far places, (m, 2), follow each of the n control points, (m, n)."""
        return np.asarray(self._values(places), dtype=np.float64)

    @cached_property
    def _on_grid(self) -> npt.NDArray[np.float32]:
        return self.weights(grid().reshape(-1, 2)).astype(np.float32)

    def field(self, shifts: Points) -> Field:
        """Compute where each cell of `grid` goes, relative to itself: (rows, columns, 2).

        `shifts`, (n, 2), are those of the control points.
        """
        moved = self._on_grid @ shifts.astype(np.float32)
        return moved.reshape(*_shape(), 2)


def sample(field: Field, places: npt.NDArray[np.floating]) -> Field:
    """Interpolate a field, (rows, columns, 2), at places (h, w, 2); 0 outside of the grid."""
    cells = ((places - LOW) / STEP).astype(np.float32)
    return look_up(field, cells, beyond=cv2.BORDER_CONSTANT)


def inverse(field: Field) -> Field:
    """Compute where what arrives at a cell has come from, relative to the cell.

    Both are fields, (rows, columns, 2). Found by iterating x = y - u(x), which converges where the
    warp stretches nothing to more than double its length.
    """
    places = grid()
    back = -field
    for _ in range(_ROUNDS):
        back = -sample(field, places + back)
    return back


def stretch(field: Field) -> Points:
    """Return the determinant of a warp's Jacobian on the grid, (rows, columns).

    1 where areas stay, 0 or less where the warp folds.
    """
    dy, dx = (np.gradient(field.astype(np.float64), STEP, axis=axis) for axis in (0, 1))
    return np.asarray(
        (1 + dx[..., 0]) * (1 + dy[..., 1]) - dx[..., 1] * dy[..., 0], dtype=np.float64
    )


def _shape() -> tuple[int, int]:
    columns, rows = (round((b - a) / STEP) + 1 for a, b in zip(LOW, HIGH, strict=True))
    return rows, columns


def border() -> Points:
    """Return the points that hold the border, (24, 2)."""
    return rim(*(np.linspace(low, high, _EDGE) for low, high in zip(LOW, HIGH, strict=True)))


def rim(x: Points, y: Points) -> Points:
    """Return the outermost points, (n, 2), of the grid that these columns and rows span."""
    edge = np.ones((len(y), len(x)), dtype=bool)
    edge[1:-1, 1:-1] = False
    return np.asarray(np.stack(np.meshgrid(x, y), axis=-1)[edge], dtype=np.float64)


def look_up(
    image: npt.NDArray[Any],
    places: npt.NDArray[np.floating],
    *,
    how: int = cv2.INTER_LINEAR,
    beyond: int = cv2.BORDER_REPLICATE,
) -> npt.NDArray[Any]:
    """Interpolate an image at places (h, w, 2) in its pixels."""
    found: npt.NDArray[Any] = cv2.remap(  # type: ignore[call-overload]  # None: x, y in one map
        image, places, None, how, borderMode=beyond
    )
    return found
