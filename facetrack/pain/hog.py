"""Histograms of oriented gradients of a registered face, from the tracker's orientation maps.

Dalal and Triggs, CVPR 2005, on maps whose eight directions share each gradient smoothly.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.features.crops import Crop
from facetrack.features.maps import MapBuilder, MapSpec

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

FACE: Final = Crop("face", (112, 112))  # outer eye corners 56 px apart, in row 40
CELLS: Final = 14  # along each side
_MAPS: Final = MapSpec(shrink=2, radius=1)
_SIDE: Final = 112 // _MAPS.shrink // CELLS  # of a cell, in pixels of the maps
_CLIP: Final = 0.2
_LEAST: Final = 0.1  # what a flat block is divided by
_ROOM: Final = 1.1  # of the face's hull; what lies outside is hair and background


class FaceHog:
    """Describes faces that are registered to a mean shape; belongs to one thread."""

    # `size` counts the values; `rows` (size / 32,) tells how far down each block's centre lies, in
    # outer-eye distances from the eyes.

    def __init__(self, mean: Points) -> None:
        placed = FACE.transform(mean, mean).apply(mean)
        centre = placed.mean(axis=0)
        hull = cv2.convexHull(((placed - centre) * _ROOM + centre).astype(np.float32))
        cell = FACE.size[0] / CELLS
        at = (np.arange(CELLS - 1) + 1) * cell - 0.5
        self._kept = np.array(
            [[cv2.pointPolygonTest(hull, (x, y), False) >= 0 for x in at] for y in at.tolist()]
        )
        self._builder = MapBuilder((_MAPS,), size=FACE.size[0])
        eyes = placed[[36, 45]]
        down = (at - eyes[:, 1].mean()) / float(np.hypot(*(eyes[1] - eyes[0])))
        self.rows = np.repeat(down, self._kept.sum(axis=1))
        self.size = int(self._kept.sum()) * 32

    def cells(self, face: npt.NDArray[np.uint8]) -> Floats:
        """Average orientations of a face, cut by `FACE`, over (14, 14) cells of 8 x 8 pixels."""
        # Direction k points to k times 45 degrees, y down.
        (maps,) = self._builder.build(face)
        rows = maps.reshape(CELLS, _SIDE, -1).sum(axis=1)  # whole rows first: much faster
        sums = rows.reshape(CELLS, CELLS, _SIDE, 8).sum(axis=2)
        return np.asarray(sums * np.float32(1 / _SIDE**2))

    def describe(self, cells: Floats) -> Floats:
        """Describe a face by blocks of 2 x 2 cells inside it, (size,)."""
        # Each is of length 1 where it is not flat, clipped at 0.2 and scaled again.
        c = cells
        blocks = np.concatenate([c[:-1, :-1], c[:-1, 1:], c[1:, :-1], c[1:, 1:]], axis=2)
        found = blocks[self._kept]
        return _scaled(np.minimum(_scaled(found), _CLIP)).ravel()


def _scaled(blocks: Floats) -> Floats:
    squares = np.einsum("bk,bk->b", blocks, blocks)
    return np.asarray(blocks / np.sqrt(squares + np.float32(_LEAST**2))[:, None])
