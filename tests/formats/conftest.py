"""A table with everything in it: two faces, a loss, a frame without a face."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from facetrack.face import Face, Pose, Source, State, read_only_points
from facetrack.formats.table import TrackTable, table_from_faces

Frames = list[tuple[int, float, Sequence[Face]]]


def _face(rng: np.random.Generator, number: int) -> Face:
    raw = rng.uniform(-20, 660, (68, 2)).round(3)
    confidence = rng.random(68).round(3)
    source = rng.integers(1, len(Source), 68).astype(np.uint8)
    turn = tuple(rng.uniform(-1, 1, 3).round(5).tolist())
    place = tuple(rng.uniform(-500, 500, 3).round(2).tolist())
    return Face(
        number, State.TRACKED, "", read_only_points((raw + 0.125).round(3)),
        read_only_points(raw), round(rng.random(), 4), Pose(turn, place), confidence, source,
    )  # fmt: skip


def _lost(number: int, reason: str) -> Face:
    nothing = read_only_points(np.full((68, 2), np.nan))
    absent = np.zeros(68, np.uint8)
    unknown = np.full(68, np.nan)
    return Face(number, State.LOST, reason, nothing, nothing, 0.0, None, unknown, absent)


@pytest.fixture(scope="session")
def frames() -> Frames:
    rng = np.random.default_rng(7)
    return [
        (0, 0.0, [_face(rng, 0)]),
        (1, 0.04, [_face(rng, 0), _face(rng, 1)]),
        (2, 0.08, [_lost(0, 'hidden by a hand, "maybe"'), _face(rng, 1)]),
        (3, 0.12, []),
        (4, 0.2, [_face(rng, 1)]),
    ]


@pytest.fixture(scope="session")
def table(frames: Frames) -> TrackTable:
    return table_from_faces(frames)
