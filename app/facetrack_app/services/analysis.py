# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals of a session: the library's pipeline over whatever of its tracks is not analysed yet.

Readings and a machine's events are functions of the rows that the session holds, of nothing else:
the background track writes rows, gestures change them, and what is missing is computed here.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.reading import Event, Finding, Row
from facetrack.signals.observation import Observation
from facetrack.signals.pipeline import in_square_pixels
from facetrack.signals.registry import Choice
from facetrack.video.frame import Frame
from facetrack.video.square import AS_STORED, Stretch
from facetrack_app.model.faces import Size, face_in, views_between
from facetrack_app.model.judged import pack_event
from facetrack_app.model.readings import cut_readings, write_readings
from facetrack_app.model.store import Store
from facetrack_app.services.analysis_run import Run
from facetrack_app.services.coverage import MEMORY, Coverage, Want

_REST: Final = 0.001  # seconds after each face: the window needs the interpreter's lock, too
PIECE: Final = 240  # frames between two transactions: what a kill costs


def checksum(choice: Choice) -> str:
    """Name what decides about results: estimators, versions, signals, in their order."""
    order = json.dumps(choice.run_key(), separators=(",", ":"))
    return hashlib.sha256(order.encode()).hexdigest()[:16]


class Analysis:
    """Brings readings and events up to a session's tracks; belongs to one thread."""

    def __init__(
        self,
        store: Store,
        choice: Choice,
        shape_model: ShapeModel,
        size: Size,
        look: Callable[[int], Frame],
        *,
        stills: bool = False,
        size_of: Callable[[int], Size] | None = None,
        stretch: Stretch = AS_STORED,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stills, self._size_of = stills, size_of or (lambda frame: size)
        self._stretch, self._ended = stretch, ended
        self.faults: dict[str, str] = {}  # estimators that were switched off, and why
        self._store, self._choice = store, choice
        self._shape_model = shape_model
        pixels = any(estimator.needs_pixels for estimator in choice.estimators)
        self._look = look if pixels else None
        self._coverage = Coverage(store, checksum(choice), choice.delay)
        self._runs: dict[tuple[int, int], Run] = {}  # by person and the next frame to be written

    def step(self, *, more: bool = False) -> bool:
        """Compute and write the next piece of what is missing."""
        self._coverage.refresh()
        known = len(self._coverage.times)  # fewer than before: tracked anew from the start
        self._runs = {key: run for key, run in self._runs.items() if run.position <= known}
        if self._store.read("SELECT 1 FROM stale LIMIT 1"):
            with self._store.transaction():
                self._forget_stale()
        want = next(filter(self._pays, self._coverage.wanted(more=more)), None)
        if want is None:
            return False
        run = self._runs.pop((want.person, want.start), None) or self._begin(want)
        end = self._end(want)
        if not self._advance(want.person, run, min(run.position + PIECE, end)):
            return False
        over = run.position >= end and not want.open
        if over:
            run.finish()
        self._commit(want, run, want.stop if over else self._settled(want, run), over)
        return True

    def _forget_stale(self) -> None:
        for person, (start, stop) in self._coverage.forget_stale():
            for key, run in list(self._runs.items()):
                if key[0] == person and start < run.position and stop > run.first:
                    del self._runs[key]

    def _pays(self, want: Want) -> bool:
        """Return whether enough frames wait at the end of what is being tracked."""
        run = self._runs.get((want.person, want.start))
        return not want.open or want.stop - (run.position if run else want.start) >= PIECE

    def _begin(self, want: Want) -> Run:
        moment = self._moment(want.start)
        first = max(self._coverage.frame(moment - MEMORY), want.reach[0])
        return Run(self._choice, -inf if want.start == want.reach[0] else moment, first,
                   stills=self._stills)  # fmt: skip

    def _moment(self, frame: int) -> float:
        """Give the time of a frame, of one that is to come: never."""
        times = self._coverage.times
        return float(times[frame]) if frame < len(times) else inf

    def _end(self, want: Want) -> int:
        """Give the frame at which a run may end: what comes late speaks of earlier frames."""
        late = self._moment(want.stop - 1) + self._choice.delay
        return max(want.stop, min(self._coverage.frame(late, "right"), want.reach[1]))

    def _settled(self, want: Want, run: Run) -> int:
        """Give the first frame of which something may still be said."""
        sure = self._coverage.frame(self._moment(run.position - 1) - self._choice.delay)
        return max(want.start, min(sure, run.complete, want.stop))

    def _advance(self, person: int, run: Run, stop: int) -> bool:
        """Look at frames; False where the end came between: a started piece is not written."""
        views = views_between(self._store, self._coverage.assignments, person, run.position, stop)
        for frame in range(run.position, stop):
            if self._ended():
                return False
            face = None
            if frame in views:
                size = self._size_of(frame)
                face = face_in(views[frame], self._shape_model, size, self._stretch)
            if face is not None:
                picture = self._look(frame).square if self._look is not None else None
                face = in_square_pixels(face, self._stretch)
                run.look(Observation(frame, self._moment(frame), face, picture))
                time.sleep(_REST)
        run.position = stop
        self.faults |= run.pipeline.faults
        return True

    def _commit(self, want: Want, run: Run, stop: int, over: bool) -> None:
        """Write a piece, unless its frames have changed meanwhile."""
        begin = -inf if want.start == want.reach[0] else self._moment(want.start)
        end = inf if over and want.last else self._moment(stop)
        rows, events = run.take(stop, end)
        rows = [row for row in rows if row.frame >= want.start]
        key = want.person, stop
        self._runs[key] = run
        with self._store.transaction():
            self._forget_stale()
            if key in self._runs:
                self._write(want, stop, rows)
                self._replace_events(want.person, begin, end, events)
                self._coverage.add(want.person, want.start, stop)
        if over:
            self._runs.pop(key, None)

    def _write(self, want: Want, stop: int, rows: list[Row]) -> None:
        for estimator in self._choice.estimators:
            write_readings(self._store, want.person, estimator, want.start, stop, rows)
            if want.last and stop == want.stop:
                cut_readings(self._store, want.person, estimator, *want.reach)

    def _replace_events(
        self, person: int, begin: float, end: float, events: Iterable[Finding]
    ) -> None:
        for estimator in self._choice.estimators:
            self._store.write(
                "DELETE FROM event WHERE person=? AND estimator=? AND start>=? AND start<?",
                (person, estimator.name, begin, end),
            )
        versions = {e.name: e.version for e in self._choice.estimators}
        for found in events:
            assert isinstance(found.result, Event)
            self._store.write(
                "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, "
                "text, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (person, found.estimator, versions[found.estimator], *pack_event(found.result)),
            )
