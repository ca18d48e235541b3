# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking a whole video in the background of the annotate view."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.opening import open_source
from facetrack.tracking.stills import StillTracker
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame
from facetrack.video.images import ImageFolder
from facetrack.video.source import VideoSource
from facetrack_app.model.rows import TrackRow
from facetrack_app.model.session import UNREADABLE
from facetrack_app.model.store import Store
from facetrack_app.model.stretches import mark_stale

BATCH: Final = 60  # frames that become durable together: what a kill costs the background
_STATE: Final = "tracker"

AnyTracker = Tracker | StillTracker


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the background is."""

    start: int  # frames that are new in the session, up to but without `done`
    done: int
    total: int  # frames of the video
    seconds_left: float  # estimated; NaN at first
    finished: bool = False  # nothing more comes: all is tracked, it was ended, or there is trouble
    trouble: str = ""  # why it ended early, in words
    notes: tuple[str, ...] = ()  # what decoding showed: an end that lacks, broken pictures

    @property
    def time_left(self) -> str:
        """The time left in words."""
        if not self.seconds_left < 1e7:
            return "time left unknown"
        minutes, rest = divmod(round(self.seconds_left), 60)
        return f"{minutes} min {rest} s left" if minutes else f"{rest} s left"


def track_into(
    store: Store,
    source: str | Path,
    model: Any,
    total: int,
    *,
    max_faces: int = 4,
    stills: bool = False,
    rate: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Progress]:
    """Track a video into a session's store, batch by batch."""
    kind: type[StillTracker] | type[Tracker] = StillTracker if stills else Tracker
    tracker = kind(model, max_faces=max_faces)
    done = _restore(store, tracker)
    with store.transaction():  # the last frames were analysed as if no more came
        mark_stale(store, [(None, (max(done - 1, 0), done))])
    batch = _Batch(store, tracker, done, stills=stills)
    begin, first = time.perf_counter(), done
    with open_source(source, shape_model=model.shape_model, rate=rate, stills=stills) as video:
        for frame in video.since(done) if isinstance(video, ImageFolder) else video:
            if frame.index < done or frame.index >= total:
                continue
            if stop():
                break
            batch.fill(frame.index, video)
            batch.add(frame, tracker.update(frame))
            if len(batch) >= BATCH:
                check()
                start, now = batch.start, batch.flush()
                rate = (now - first) / (time.perf_counter() - begin)
                yield Progress(start, now, total, (total - now) / rate)
        else:
            batch.fill(total, video)
    check()
    start, now = batch.start, batch.flush()
    yield Progress(start, now, total, 0.0, finished=True, notes=tuple(video.report.notes))


class _Batch:
    """Frames on their way into the store."""

    def __init__(self, store: Store, tracker: AnyTracker, start: int, *, stills: bool) -> None:
        self._store, self._tracker, self._stills = store, tracker, stills
        self.start = start
        self._unreadable = _unreadable(store)
        self._rows: list[TrackRow] = []
        self._times: list[float] = []

    def __len__(self) -> int:
        return len(self._times)

    def add(self, frame: Frame, faces: list[Face]) -> None:
        """Take a frame over."""
        self._rows += [TrackRow.of_face(frame.index, face) for face in faces]
        self._times.append(frame.index if self._stills else frame.timestamp)

    def fill(self, stop: int, video: VideoSource) -> None:
        """Keep the places of the pictures up to one, which cannot be read; note why."""
        notes = dict(zip(range(stop - 1, -1, -1), reversed(video.report.notes), strict=False))
        while isinstance(video, ImageFolder) and (index := self.start + len(self._times)) < stop:
            self._times.append(index if self._stills else video.time(index))
            self._unreadable[str(index)] = notes.get(index, "cannot be read")

    def flush(self) -> int:
        """Make the frames durable, with the tracker's state behind them; returns how many are."""
        done = self.start + len(self._times)
        if self._times:
            with self._store.transaction():
                for tracklet in sorted({row.tracklet for row in self._rows}):
                    self._introduce(tracklet)
                self._store.put("track", [(row.key(), row.values()) for row in self._rows])
                times = np.array(self._times, dtype="<f8").tobytes()
                self._store.put("ledger", [((self.start,), (times,))])
                state = json.dumps(self._tracker.state(), allow_nan=False)
                settings = {_STATE: state}
                if self._unreadable:
                    settings[UNREADABLE] = json.dumps(self._unreadable)
                self._store.put("setting", [((name,), (text,)) for name, text in settings.items()])
        self.start, self._rows, self._times = done, [], []
        return done

    def _introduce(self, tracklet: int) -> None:
        """Make a person of a tracklet that is assigned to no person yet."""
        if not self._store.read("SELECT 1 FROM assignment WHERE tracklet = ? LIMIT 1", (tracklet,)):
            # The same number for both: it can never be that of a person whom the history knows.
            name = f"{'Face' if self._stills else 'Person'} {tracklet + 1}"
            self._store.put("person", [((tracklet,), (name,))])
            self._store.put("assignment", [((tracklet, 0), (tracklet,))])


def _unreadable(store: Store) -> dict[str, str]:
    row = store.get("setting", (UNREADABLE,))
    return json.loads(row[0]) if row is not None else {}


def _restore(store: Store, tracker: AnyTracker) -> int:
    """Go on where an earlier run came to; returns how many frames are there."""
    rows = store.read("SELECT start, times FROM ledger ORDER BY start DESC LIMIT 1")
    state = store.get("setting", (_STATE,))
    if not rows or state is None:
        return 0
    try:
        tracker.restore(json.loads(state[0]))
    except (InputError, ValueError):  # of another version of the tracker: begin anew
        with store.transaction():
            store.write("DELETE FROM ledger")
            store.write("DELETE FROM analysed")
        return 0
    return int(rows[0][0]) + len(rows[0][1]) // 8
