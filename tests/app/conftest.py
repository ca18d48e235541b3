"""Sessions without a video, and windows without a screen."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from facetrack.face import N_POINTS, Source
from facetrack.synthetic.portrait import astronaut
from facetrack_app.model.readings import Drawn
from facetrack_app.model.rows import Kind, TrackRow
from facetrack_app.model.session import Session
from tests.app.aching import Aching, aching

# Before Qt starts; a run against a real display sets its own.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if "XDG_RUNTIME_DIR" not in os.environ:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="facetrack-")

N_FRAMES = 60


def shape(shift: float = 0.0) -> np.ndarray:
    """Give a plausible face, 68 points in pixels."""
    return astronaut().points + shift


def row(tracklet: int, frame: int, kind: Kind = Kind.PLAIN, trust: float = 0.95) -> TrackRow:
    """Give a row of a track."""
    lost = kind == Kind.LOST
    points = np.full((N_POINTS, 2), np.nan) if lost else shape(frame)
    source = np.full(N_POINTS, Source.ABSENT if lost else Source.TRACKED, dtype=np.uint8)
    return TrackRow(
        tracklet, frame, kind, trust, trust, "covered" if lost else "", points,
        np.full(N_POINTS, np.nan), source,
    )  # fmt: skip


def drawn(values: np.ndarray) -> Drawn:
    """Give values without intervals; what is NaN has no reason."""
    nothing = np.full_like(values, np.nan)
    return Drawn(values, nothing, nothing, np.zeros(len(values), np.bool_))


def fill(session: Session) -> None:
    """Track two people: the first everywhere, lost in 20..24; the second from 30 on, doubtful."""
    rows = [row(0, f, Kind.LOST if 20 <= f < 25 else Kind.PLAIN) for f in range(N_FRAMES)]
    rows += [row(1, f, trust=0.4) for f in range(30, N_FRAMES)]
    with session.store.transaction():
        session.store.put("track", [(r.key(), r.values()) for r in rows])
        session.store.put("person", [((0,), ("Person 1",)), ((1,), ("Person 2",))])
        session.store.put("assignment", [((0, 0), (0,)), ((1, 0), (1,))])
        times = (np.arange(N_FRAMES) / 25).astype("<f8").tobytes()
        session.store.put("ledger", [((0,), (times,))])
    session.absorb_tracked(0, N_FRAMES)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Give a session of 60 frames and two people."""
    made = Session(tmp_path / "clip.mp4.facetrack", N_FRAMES)
    fill(made)
    yield made
    made.close()


@pytest.fixture
def ache() -> Iterator[Aching]:
    """Let an estimator be known that has an interval, a model, parts, reasons and a rest."""
    with aching() as made:
        yield made


Dump = Callable[[Session], list[tuple[object, ...]]]


@pytest.fixture(scope="session")
def dump() -> Dump:
    """Give all that a session holds, apart from its history, as comparable rows."""

    def read(session: Session) -> list[tuple[object, ...]]:
        return [
            (table, *row)
            for table in (
                "person",
                "assignment",
                "track",
                "correction",
                "span",
                "setting",
                "decision",
            )
            for row in session.store.read(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]

    return read
