"""Orientation maps: the image seen through eight directions of its gradient (method.md, 2.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.features import _kernels
from facetrack.features.crops import FRAME_SIZE

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MapSpec:
    """One blurred set of maps."""

    shrink: int  # 1, or 2: every second pixel in each direction, after averaging
    radius: int  # of the box blur in pixels of the (shrunken) map, at least 1


# Coarse maps for the first levels at half resolution cost nothing in accuracy (method.md, 2.2).
DEFAULT_MAPS = (MapSpec(shrink=2, radius=2), MapSpec(shrink=1, radius=1))


class MapBuilder:
    """Computes the maps of a frame (size, size), even, into buffers used again and again.

    One builder belongs to one thread: `build` returns its own buffers, valid until the next call.
    """

    def __init__(
        self, specs: tuple[MapSpec, ...] = DEFAULT_MAPS, *, size: int = FRAME_SIZE
    ) -> None:
        if size % 2 or any(spec.shrink not in (1, 2) or spec.radius < 1 for spec in specs):
            raise InputError(f"maps need an even size, shrink 1 or 2, radius >= 1: {size}, {specs}")
        self.specs, self.size = specs, size
        # rows flattened: the compiler uses vector registers better on two dimensions
        self._raw = np.empty((size, size * 8), dtype=np.float32)
        self._half = np.empty((size // 2, size // 2 * 8), dtype=np.float32)
        self._row = np.empty(size * 8, dtype=np.float32)
        self._gradient = np.empty((2, size), dtype=np.float32)
        self._scratch = [
            np.empty(size // spec.shrink * 8 + 16 * spec.radius, dtype=np.float32) for spec in specs
        ]
        self._outputs = [
            np.empty((size // spec.shrink, size // spec.shrink, 8), dtype=np.float32)
            for spec in specs
        ]

    def build(self, patch: npt.NDArray[np.uint8]) -> list[Maps]:
        """Compute all sets of maps of one grey patch, each (size / shrink, size / shrink, 8).

        o_k = max(0, g . (cos t_k, sin t_k)) / sqrt(|g| + 1), box-blurred; g is the central
        difference in grey levels per pixel.
        """
        raw, half = self._raw, self._half
        _kernels.orientation_maps(np.ascontiguousarray(patch), self._gradient, raw)
        if any(spec.shrink == 2 for spec in self.specs):
            _kernels.halve(raw, self._row, half)
        for spec, scratch, out in zip(self.specs, self._scratch, self._outputs, strict=True):
            source = half if spec.shrink == 2 else raw
            _kernels.box_blur(source, spec.radius, scratch, out.reshape(source.shape))
        return self._outputs
