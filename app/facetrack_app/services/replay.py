# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing a session over again: the same video, model and gestures give the same bytes."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from facetrack.annotation.retrack import STOPPED
from facetrack.corpus.fingerprint import fingerprint
from facetrack.errors import InputError
from facetrack.opening import open_seekable
from facetrack.video.seeking import SeekableVideo
from facetrack_app.model.commands import Import
from facetrack_app.model.history import History, Retracked, Step
from facetrack_app.model.owed import Stretch
from facetrack_app.model.session import DATABASE, STILLS, Session, settings_in
from facetrack_app.model.store import TABLES, Store
from facetrack_app.services.background import track_into
from facetrack_app.services.opening import video_of
from facetrack_app.services.retracking import Job, do_job, rows_of, starts_reader

# What the gestures make. `setting` also holds what is no gesture's: the window's place, the model.
# Readings and a machine's events are left out: functions of the rest and of what is installed.
COMPARED: Final = ("person", "assignment", "track", "correction", "span", "decision", "ledger")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What doing a session over again gave."""

    steps: int  # done again
    frames: int  # tracked
    different: tuple[str, ...]  # tables whose rows differ, with the first row that does


def replay(
    folder: Path,
    model: Any,
    *,
    video: str | Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Replayed:
    """Do a session over again, beside it, and compare."""
    if not (folder / DATABASE).is_file():
        raise InputError(f"{folder}: holds no session")
    with closing(Session(folder, frames_of(folder))) as known:
        if known.setting("model_checksum") != fingerprint(model):
            raise InputError(
                f"{folder}: was made with the model {known.setting('model')!r}, this one is "
                "another; choose it with --model"
            )
        source = video or video_of(folder)
        with (
            TemporaryDirectory(prefix="facetrack-replay-") as place,
            closing(_again(known, source, model, Path(place), progress)) as again,
        ):
            different = tuple(_differences(known, again))
        done = [step for step in History(known).steps() if not step.undone]
        return Replayed(len(done), known.tracked, different)


def frames_of(folder: Path) -> int:
    """Read how many frames the video of a session has; raises InputError if there is none."""
    known = settings_in(folder, "n_frames")
    if not known:
        raise InputError(f"{folder}: holds no session that was ever opened")
    return int(known["n_frames"])


def _again(
    known: Session, source: str | Path, model: Any, place: Path, progress: Callable[[str], None]
) -> Session:
    """Track the video and do all steps again in a session of its own."""
    store = Store(place / DATABASE)
    faces = int(known.setting("max_faces", 1))
    stills, rate = known.stills, known.rate
    for done in track_into(
        store, source, model, known.tracked, max_faces=faces, stills=stills, rate=rate
    ):
        progress(f"tracked {done.done} of {known.tracked} frames")
    with store.transaction():
        store.put("setting", [((STILLS,), (json.dumps(stills),))])
    store.close()
    session = Session(place, known.n_frames)
    video = open_seekable(source, shape_model=model.shape_model, rate=rate, stills=stills)
    history, original = History(session), History(known)
    steps = [step for step in original.steps() if not step.undone]
    for number, step in enumerate(steps, start=1):
        progress(f"step {number} of {len(steps)}: {step.command.title}")
        _do(step, session, history, original, model, video)
    video.close()
    return session


def _do(
    step: Step,
    session: Session,
    history: History,
    original: History,
    model: Any,
    video: SeekableVideo,
) -> None:
    command = step.command
    if isinstance(command, Import):  # what another program found is no gesture: taken over
        command = Import(command.label, tuple(original.changes(step.id)))
    number = history.run(command)
    for stretch in step.retracks:
        said = functools.partial(session.corrections, stretch.person)
        wanted = Stretch(stretch.person, stretch.start, stretch.stop)
        job = Job(number, wanted, said, starts_reader(session, number, wanted))
        outcome = do_job(job, model, video, stop=_stopper(stretch))
        history.amend(number, *rows_of(session, job, outcome))


def _stopper(stretch: Retracked) -> Callable[[], bool]:
    """Stop where the person did: after as many fits."""
    if stretch.reason != STOPPED:
        return lambda: False
    asked = itertools.count()
    return lambda: next(asked) >= stretch.fits


def _differences(one: Session, other: Session) -> list[str]:
    found = []
    for name in COMPARED:
        columns = ", ".join((*TABLES[name].key, *TABLES[name].values))
        order = ", ".join(TABLES[name].key)
        query = f"SELECT {columns} FROM {name} ORDER BY {order}"
        rows, again = one.store.read(query), other.store.read(query)
        if name == "ledger":  # in how many pieces it was written is chance
            rows, again = _joined(rows), _joined(again)
        for mine, its in itertools.zip_longest(rows, again):
            if mine != its:
                key = (mine or its)[: len(TABLES[name].key)]
                found.append(f"{name} {', '.join(map(str, key))}")
                break
    return found


def _joined(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(0, b"".join(row[-1] for row in rows))]
