"""A person at work, to be killed and to have writes fail: drags one after the other.

Run alone: `python work.py FOLDER DRAGS`. Every finished drag is said on a line of its own, trouble
as `trouble: ...`. With drags below 0 it goes on for ever.
"""

from __future__ import annotations

import itertools
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack.errors import FacetrackError
from facetrack.face import N_POINTS, Face, Source, State
from facetrack.formats.openface import OpenFaceWriter
from facetrack.signals.registry import choose
from facetrack.video.frame import Frame
from facetrack_app.model.commands import Correct, MakeEvent
from facetrack_app.model.history import History
from facetrack_app.model.rows import TrackRow
from facetrack_app.model.session import DATABASE, Session
from facetrack_app.model.settings import Settings, save_settings
from facetrack_app.model.store import Store
from facetrack_app.services.analysis import Analysis

N_FRAMES = 5000


def points_of(number: int) -> np.ndarray:
    """Give what the drag of that number says: every drag something else."""
    return np.arange(2.0 * N_POINTS).reshape(N_POINTS, 2) + number


def face_of(number: int) -> Face:
    """Give what the tracker says in that frame."""
    points = points_of(number)
    return Face(0, State.TRACKED, "", points, points, 0.9, None)


def begin(folder: Path) -> Session:
    """Make a session with one person, or go on with the one that is there."""
    session = Session(folder, N_FRAMES)
    if not session.people:
        with session.store.transaction():
            session.store.put("person", [((0,), ("Ann",))])
            session.store.put("assignment", [((0, 0), (0,))])
        session.absorb_tracked(0, 1)
    return session


HEAD: Any = SimpleNamespace(mean_3d=np.random.default_rng(0).normal(size=(N_POINTS, 3)))
"""Stands for the shape model, of which the pose asks no more: loading it would take long."""


def analysis_of(store: Store) -> Analysis:
    """Give what computes the signals of the session."""

    def look(frame: int) -> Frame:
        raise AssertionError(f"frame {frame} is not needed")

    return Analysis(store, choose(), HEAD, (640, 480), look)


def work(folder: Path, drags: int) -> None:
    """Drag, make events, analyse, save settings and record, as fast as it goes."""
    session = begin(folder)
    history = History(session)
    source = np.full(N_POINTS, Source.CORRECTED, dtype=np.uint8)
    with OpenFaceWriter(folder / "live.csv") as recorder, closing(Store(folder / DATABASE)) as own:
        analysis = analysis_of(own)
        for number in itertools.count() if drags < 0 else range(drags):
            frame = number % N_FRAMES
            try:
                history.run(Correct.of(0, frame, Correction(points_of(number), source)))
                say(f"drag {number}")
                with session.store.transaction():  # what the background does meanwhile
                    row = TrackRow.of_face(frame, face_of(number))
                    session.store.put("track", [(row.key(), row.values())])
                    if number < N_FRAMES:
                        time = np.array([number / 25], dtype="<f8").tobytes()
                        session.store.put("ledger", [((number,), (time,))])
                recorder.write(number, number / 30, [face_of(number)])
                say(f"row {number}")
                history.run(MakeEvent(0, f"event {number}", number, number + 0.5))
                say(f"event {number}")
                analysis.step()
                save_settings(folder / "settings.json", Settings(source=str(number)))
                say(f"settings {number}")
            except FacetrackError as error:
                say(f"trouble: {error}")
    session.close()


def say(text: str) -> None:
    """Say a line that arrives even if the process ends now."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        work(Path(sys.argv[1]), int(sys.argv[2]))
    except FacetrackError as error:
        say(f"trouble: {error}")
