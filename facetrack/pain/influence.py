"""Which region of the face drives a score: what the score would be with that region at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.networks.expression import ExpressionEncoder
from facetrack.pain.geometry import CHAINS, GEOMETRY, MOTION, POINTS
from facetrack.pain.history import Usual
from facetrack.pain.hog import FaceHog
from facetrack.pain.sets import FeatureSet

Floats = npt.NDArray[np.float64]
Float32s = npt.NDArray[np.float32]
Region = Mapping[str, npt.NDArray[np.bool_]]

_UPPER_LIP: Final = (49, 50, 51, 52, 53, 61, 62, 63)
REGIONS: Final[dict[str, tuple[int, ...]]] = {
    "brows": tuple(range(17, 27)),
    "eyes": tuple(range(36, 48)),
    "nose": (*range(27, 36), *_UPPER_LIP),
    "mouth": tuple(i for i in range(48, 68) if i not in _UPPER_LIP),
}  # by landmarks; the nose with the upper lip, which move together in AU9 and AU10
_ROWS: Final = {"brows": -0.12, "eyes": 0.18, "nose": 0.72, "mouth": np.inf}  # down to
_PARTS: Final = {"brows": ("brow",), "eyes": ("eye",), "nose": ("mouthUpper",),
                 "mouth": ("jaw", "mouth", "opening_mouth")}  # fmt: skip
_UPPER: Final = ("brows", "eyes")  # seen in the first of the encoder's two patches


def regions_of(encoder: ExpressionEncoder, hog: FaceHog, features: int) -> dict[str, Region]:
    """Say by region and set which values a region has a part in."""
    # `features` counts the encoder's, half of them of the eyes' patch.
    top = -np.inf
    found: dict[str, Region] = {}
    for name, bottom in _ROWS.items():
        rows = (hog.rows >= top) & (hog.rows < bottom)
        top = bottom
        half = np.arange(features) < features // 2
        said = np.array([n.startswith(_PARTS[name]) for n in encoder.names])
        found[name] = {
            "geometry": _geometry(REGIONS[name]),
            "appearance": np.repeat(rows, hog.size // len(rows)),
            "deep": np.concatenate([half if name in _UPPER else ~half, said]),
        }
    return found


class Influence:
    """Takes regions out of the features of one set, each by itself; belongs to one face."""

    # `usual` is of the regions' parts, where the set is measured from what is usual.

    def __init__(self, one: FeatureSet, regions: Mapping[str, Region]) -> None:
        self.usual = Usual() if one.form == "usual" and one.projection is not None else None
        self._count = len(regions)
        self._rest: Floats | None = None
        self._parts: list[tuple[npt.NDArray[np.intp], Float32s, Float32s]] = []
        chosen = [region[one.kind] for region in regions.values() if one.kind in region]
        if not chosen or one.standard is None:
            return
        if one.projection is not None:
            mean, components = one.projection.mean, one.projection.components
            for places in map(np.flatnonzero, chosen):
                self._parts.append((places, mean[places], components[places]))
        elif one.form == "usual":  # points and their motion, see `FeatureSet.features`
            self._rest = np.where(np.tile(np.array(chosen)[:, :MOTION], 2), 0.0, nan)
        else:
            size = len(one.standard.mean)
            self._rest = np.where(np.array(chosen)[:, :size], one.standard.mean, nan)

    def without(self, time: float, features: Floats, values: npt.NDArray[np.floating]) -> Floats:
        """Return features (regions, f) with each region at rest: as usual, or as trained."""
        # The kind `tuned` is not taken apart: its features stay.
        if self._rest is not None:
            return np.where(np.isnan(self._rest), features, self._rest)
        changed = np.repeat(features, self._count, axis=0)
        if self._parts:
            v = np.asarray(values, dtype=np.float32)  # as `Projection` computes
            parts = [(v[places] - mean) @ components for places, mean, components in self._parts]
            moved = np.array(parts, dtype=np.float64)
            if self.usual is not None:
                moved = self.usual.update(time, moved)
            changed[:, : moved.shape[1]] -= moved
        return changed


def _geometry(points: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Say of each feature of geometry whether one of the points has a part in it."""
    inside = np.array([i in points for i in POINTS])
    both = np.repeat(inside, 2)
    chains = [np.array([i in points for i in chain]) for chain in CHAINS]
    distances = [c[:-1] | c[1:] for c in chains]
    angles = [c[:-2] | c[1:-1] | c[2:] for c in chains]
    found = np.concatenate([both, *distances, *angles, inside, both])
    assert len(found) == GEOMETRY
    return found
