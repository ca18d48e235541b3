# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a session's tables, and the changes that commands make to them."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.face import N_POINTS, Face

Points = npt.NDArray[np.float64]
Row = tuple[Any, ...]

_RENAMED: Final = {"claim": "assignment"}  # tables, in steps of versions 1 to 3
DOUBT: Final = 0.6  # trust below which a frame is worth a look


class Kind(IntEnum):
    """What a tracklet says of a frame. Numbers are part of the session's format."""

    NOTHING = 0
    PLAIN = 1
    LEARNED = 2
    LOST = 3
    IMPORTED = 4
    GUESS = 5  # a shape that was only put there


def weight(kind: int, corrected: bool) -> int:
    """Return what counts in a frame if several tracklets speak of it: the most counts."""
    if corrected:
        return 3
    return 0 if kind == Kind.NOTHING else 1 if kind in (Kind.LOST, Kind.GUESS) else 2


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One face in one frame as the tracker, a re-track or an import left it."""

    tracklet: int  # the tracker's own id of the face; tracklets are assigned to people
    frame: int  # from 0
    kind: Kind
    quality: float  # probability of a well-fitted face
    trust: float  # in [0, 1]: the points' mean confidence, or the quality where none is known
    reason: str  # why the face is lost
    points: Points  # px of the frame, (68, 2); NaN where lost. Kept with 32 bits
    confidence: npt.NDArray[np.float64]  # (68,); NaN where nothing is said. Kept in 254 steps
    source: npt.NDArray[np.uint8]  # `Source` of each point

    @classmethod
    def of_face(cls, frame: int, face: Face) -> TrackRow:
        """Take over what the tracker said."""
        kind = Kind.PLAIN if face.tracked else Kind.LOST
        said = face.confidence[np.isfinite(face.confidence)]
        trust = float(said.mean()) if said.size and face.tracked else face.quality
        return cls(
            face.id, frame, kind, face.quality, trust, face.reason, face.points, face.confidence,
            face.source,
        )  # fmt: skip

    @classmethod
    def from_row(cls, key: Row, values: Row) -> TrackRow:
        """Unpack what the store holds."""
        tracklet, frame = key
        kind, quality, trust, reason, points, confidence, source = values
        return cls(
            tracklet, frame, Kind(kind), quality, trust, reason, unpack_points(points),
            _unpack_confidence(confidence), np.frombuffer(source, dtype=np.uint8),
        )  # fmt: skip

    def key(self) -> Row:
        """Give the row's place in its table."""
        return self.tracklet, self.frame

    def values(self) -> Row:
        """Pack everything else."""
        points = np.asarray(self.points, dtype="<f4").tobytes()
        return (
            int(self.kind), round(self.quality, 6), round(self.trust, 6), self.reason, points,
            _pack_confidence(self.confidence), np.asarray(self.source, dtype=np.uint8).tobytes(),
        )  # fmt: skip


def known_points(points: Points) -> npt.NDArray[np.bool_]:
    """Return which points have a place, shape (68,)."""
    return np.asarray(np.isfinite(points).all(axis=-1), dtype=np.bool_)


def pack_points(points: Points) -> bytes:
    """Pack a person's own points, with 64 bits."""
    return np.asarray(points, dtype="<f8").tobytes()


def unpack_points(blob: bytes) -> Points:
    """Unpack points of either width."""
    width = "<f8" if len(blob) == 16 * N_POINTS else "<f4"
    return np.frombuffer(blob, dtype=width).reshape(N_POINTS, 2).astype(np.float64)


def _pack_confidence(confidence: npt.NDArray[np.float64]) -> bytes:
    known = np.nan_to_num(confidence, nan=0.0).clip(0, 1)
    steps = np.where(np.isfinite(confidence), np.rint(253 * known) + 1, 0)
    return steps.astype(np.uint8).tobytes()


def _unpack_confidence(blob: bytes) -> npt.NDArray[np.float64]:
    steps = np.frombuffer(blob, dtype=np.uint8).astype(np.float64)
    return np.where(steps > 0, (steps - 1) / 253, np.nan)


class Change(NamedTuple):
    """A row of a table before and after; None where there is none."""

    table: str
    key: Row
    before: Row | None
    after: Row | None

    def turned(self) -> Change:
        """Give the change that takes this one back."""
        return Change(self.table, self.key, self.after, self.before)


def encode_changes(changes: Sequence[Change]) -> bytes:
    """Pack changes for the history."""
    text = json.dumps(changes, separators=(",", ":"), allow_nan=False, default=_plain)
    return zlib.compress(text.encode(), level=1)


def decode_changes(blob: bytes) -> list[Change]:
    """Unpack what `encode_changes` packed."""
    rows = json.loads(zlib.decompress(blob), object_hook=lambda packed: b64decode(packed["b"]))
    return [
        Change(
            _RENAMED.get(table, table), tuple(key), before and tuple(before), after and tuple(after)
        )
        for table, key, before, after in rows
    ]


def _plain(value: bytes) -> dict[str, str]:
    return {"b": b64encode(value).decode()}
