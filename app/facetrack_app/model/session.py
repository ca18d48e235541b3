# SPDX-License-Identifier: GPL-3.0-or-later
"""One video's annotation: what was tracked, what a person corrected, who is who."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.annotation.corrections import Correction
from facetrack.corpus.lock import locked
from facetrack.video.square import Stretch, stretch_of
from facetrack_app.model.assignments import read_assignments
from facetrack_app.model.corrected import correction_of, read_corrections
from facetrack_app.model.judged import Judged, shown_events
from facetrack_app.model.look import Span, View
from facetrack_app.model.observable import Observable
from facetrack_app.model.places import DATABASE as DATABASE
from facetrack_app.model.places import make_folder
from facetrack_app.model.rows import Change, Kind, Row, TrackRow
from facetrack_app.model.store import TABLES, Store
from facetrack_app.model.summary import Mask, Summary

STILLS: Final = "stills"  # settings of a session
RATE: Final = "rate"  # frames a second of what states no times
ASPECT: Final = "pixel_aspect"  # width of a pixel by its height
OTHER_MODELS: Final = "other_models"  # names by checksum, of those that went on with it
UNREADABLE: Final = "unreadable"
_ROUNDING: Final = 1e-6  # seconds


class Session:
    """An open session. It belongs to the thread that opened it."""

    def __init__(self, folder: Path, n_frames: int) -> None:
        self.folder, self.n_frames = folder, n_frames
        self.changed: Observable[[set[str]]] = Observable()  # told which tables
        self.revision = 0  # grows with all that changes in what is known of frames and people
        make_folder(folder)
        self._lock = contextlib.ExitStack()
        self._lock.enter_context(locked(folder / "session.lock"))
        try:
            self.store = Store(folder / DATABASE)
            self._load()
        except Exception:
            self._lock.close()
            raise

    def _load(self) -> None:
        read = self.store.read
        self.people: dict[int, str] = _in_order(read("SELECT id, name FROM person"))
        self.assignments = read_assignments(self.store)
        self.spans = [Span(*r) for r in read("SELECT id, kind, start, stop, label FROM span")]
        self._settings: dict[str, str] = dict(read("SELECT name, value FROM setting"))
        self.decisions = {r[0]: Judged.from_row(r[0], r[1:]) for r in read(_DECISIONS)}
        self._times: npt.NDArray[np.float64] = np.empty(0)
        self._tracklets: dict[int, Summary] = {}
        self._people: dict[int, Summary] = {}
        self._events: dict[int, list[Judged]] = {}
        self.tracked = int(self.store.read("SELECT coalesce(max(start), 0) FROM ledger")[0][0])
        last = self.store.get("ledger", (self.tracked,))
        self.tracked += len(last[0]) // 8 if last is not None else 0
        self.absorb(0, self.n_frames)
        for tracklet, frame in read("SELECT tracklet, frame FROM correction"):
            self._tracklet(tracklet).mark(frame, True)

    def absorb(self, start: int, stop: int) -> None:
        """Take notice of frames that another thread has written."""
        index = "" if start > 0 else "INDEXED BY track_summary "
        query = f"SELECT tracklet, frame, kind, trust FROM track {index}WHERE frame>=? AND frame<?"
        rows = self.store.read(query, (start, stop))
        if not rows:
            return
        table = np.array(rows, dtype=np.float64)
        table = table[np.argsort(table[:, 0], kind="stable")]
        for mine in np.split(table, np.flatnonzero(np.diff(table[:, 0])) + 1):
            tracklet, frames = int(mine[0, 0]), mine[:, 1].astype(np.int64)
            self._tracklet(tracklet).put(
                frames, mine[:, 2].astype(np.uint8), mine[:, 3].astype(np.float32)
            )
        self._people.clear()

    def absorb_tracked(self, start: int, stop: int) -> None:
        """Take notice of frames, and of people, that the background tracking has added."""
        self.revision += 1
        self.tracked = max(self.tracked, stop)
        query = "SELECT name, value FROM setting WHERE name=?"
        self._settings |= dict(self.store.read(query, (UNREADABLE,)))
        self.people = _in_order(self.store.read("SELECT id, name FROM person"))
        self.assignments = read_assignments(self.store)
        self.absorb(start, stop)

    def _tracklet(self, tracklet: int) -> Summary:
        if tracklet not in self._tracklets:
            self._tracklets[tracklet] = Summary.empty(self.n_frames)
        return self._tracklets[tracklet]

    def summary(self, person: int) -> Summary:
        """Sum up a person's frames; the arrays must not be written."""
        if person not in self._people:
            self._people[person] = Summary.empty(self.n_frames)
            self._sum_up(person, 0, self.n_frames)
        return self._people[person]

    def _sum_up(self, person: int, first: int, end: int) -> None:
        total = self._people[person]
        total.clear(first, end)
        for tracklet in self.assignments.tracklets_of(person):
            mine = self._tracklet(tracklet)
            if mine.first >= end or mine.stop <= first:  # nearly all, for a single frame
                continue
            for start, stop in self.assignments.ranges(tracklet, person, self.n_frames):
                total.take(mine, max(start, first), min(stop, end))

    def _renew_summaries(self, changes: list[Change]) -> None:
        """Sum people up anew where something changed of whom they are or were."""
        places: dict[int, list[int]] = {}
        for change in changes:
            if change.table not in (*_FRAMES, "assignment"):
                continue
            tracklet, frame = change.key
            who = {person for _, person in self.assignments.of(tracklet)}
            frames = [frame]
            if change.table == "assignment":
                who |= {row[0] for row in (change.before, change.after) if row is not None}
                first, stop = self.reach_of(tracklet)
                frames = [max(frame, first), stop - 1] if max(frame, first) < stop else []
            for person in who & self._people.keys():
                places.setdefault(person, []).extend(frames)
        for person, frames in places.items():
            if frames:
                self._sum_up(person, min(frames), max(frames) + 1)

    def reach_of(self, tracklet: int) -> tuple[int, int]:
        """Give the frames outside of which a tracklet says nothing."""
        summary = self._tracklet(tracklet)
        return summary.first, summary.stop

    def tracklet_at(self, person: int, frame: int) -> int | None:
        """Find the tracklet that holds a person's face in a frame, or would hold it."""
        tracklets = self.assignments.tracklets_of(person)
        weights = {tracklet: self._tracklet(tracklet).weight(frame) for tracklet in tracklets}
        for some in ([s for s in tracklets if weights[s]], tracklets):  # the first are few
            mine = [s for s in some if self.assignments.owner(s, frame) == person]
            if mine:
                return min(mine, key=lambda s: (-weights[s], s))
        return None

    def present(self, frame: int) -> list[int]:
        """Give the people of whom a frame says something, be it that they are lost."""
        tracklets = [s for s, summary in self._tracklets.items() if summary.weight(frame)]
        here = {self.assignments.owner(tracklet, frame) for tracklet in tracklets}
        return [person for person in self.people if person in here]

    def view(self, person: int, frame: int) -> View:
        """Look at a person in a frame."""
        tracklet = self.tracklet_at(person, frame)
        if tracklet is None:
            return View(None, None)
        row = self.store.get("track", (tracklet, frame))
        correction = self.correction(tracklet, frame)
        track = TrackRow.from_row((tracklet, frame), row) if row is not None else None
        return View(track, correction)

    def correction(self, tracklet: int, frame: int) -> Correction | None:
        """Give what a person said of a frame."""
        row = self.store.get("correction", (tracklet, frame))
        return None if row is None else correction_of(row)

    def corrections(self, person: int) -> dict[int, Correction]:
        """Give all that was said of a person, by frame."""
        return read_corrections(self.store, self.assignments, person)

    def teaches(self, person: int, besides: int | None = None) -> bool:
        """Return whether something can be learned from a person's corrections, but for one."""
        frames = np.flatnonzero(self.summary(person).corrected).tolist()
        said = (self.view(person, frame).correction for frame in frames if frame != besides)
        return any(correction is not None and correction.vouched.any() for correction in said)

    def events(self, person: int) -> list[Judged]:
        """Give a person's events by their starts; seconds, as the frames' timestamps."""
        if person not in self._events:
            self._events[person] = shown_events(self.store, self.decisions.values(), person)
        return self._events[person]

    def absorb_analysed(self) -> None:
        """Take notice of readings and machine's events that another thread has written."""
        self._events.clear()
        self.revision += 1

    def setting(self, name: str, default: Any = None) -> Any:
        """Give one of the session's own values."""
        return json.loads(self._settings[name]) if name in self._settings else default

    def put_setting(self, name: str, value: Any) -> None:
        """Keep one of the session's own values, inside a transaction; no step of the history."""
        text = json.dumps(value, allow_nan=False)
        self.store.put("setting", [((name,), (text,))])
        self._settings[name] = text

    @property
    def time_zero(self) -> int:
        """The frame at which time begins."""
        return int(self.setting("time_zero", 0))

    @property
    def stills(self) -> bool:
        """Whether its frames are pictures that stand each by itself."""
        return bool(self.setting(STILLS, False))

    @property
    def stretch(self) -> Stretch:
        """How the video's pixels, in which points are kept, become square ones."""
        return stretch_of(float(self.setting(ASPECT, 1.0)))

    @property
    def rate(self) -> float | None:
        """Frames a second as the person said of a video that states no times."""
        return self.setting(RATE) or None

    @property
    def unreadable(self) -> dict[int, str]:
        """Pictures that cannot be read, as far as they were met, and why."""
        return {int(frame): why for frame, why in self.setting(UNREADABLE, {}).items()}

    def times(self) -> npt.NDArray[np.float64]:
        """Give the ledger: the time of every frame that was tracked, in seconds."""
        if len(self._times) != self.tracked:
            blobs = self.store.read("SELECT times FROM ledger ORDER BY start")
            self._times = np.frombuffer(b"".join(row[0] for row in blobs), dtype="<f8")
        return self._times

    def seconds(self, timestamp: float) -> float:
        """Give seconds since time zero of a moment in seconds since the first frame."""
        zero, times = self.time_zero, self.times()
        return timestamp - (float(times[zero]) if zero < len(times) else 0.0)

    def frames_of(self, start: float, stop: float) -> tuple[int, int]:
        """Give the first and the last frame of a stretch of time; the nearest, if it has none."""
        times = self.times()
        first = int(np.searchsorted(times, start - _ROUNDING))
        last = int(np.searchsorted(times, stop + _ROUNDING)) - 1
        return min(first, max(last, 0)), max(last, 0)

    def events_at(self, frame: int) -> list[str]:
        """Name the events that a frame belongs to."""
        here = (span for span in self.spans if span.start <= frame < span.stop)
        return [span.label for span in here if span.kind == "event"]

    @property
    def trim(self) -> tuple[int, int]:
        """The range that is kept: from the first frame, up to but without the second."""
        first, stop = self.setting("trim", [0, self.n_frames])
        return int(first), int(stop)

    def excluded(self) -> Mask:
        """Return which frames were excluded by a range or by trimming."""
        mask = np.zeros(self.n_frames, dtype=np.bool_)
        for span in self.spans:
            if span.kind == "exclude":
                mask[span.start : span.stop] = True
        first, stop = self.trim
        mask[:first] = True
        mask[stop:] = True
        return mask

    def reflect(self, changes: list[Change]) -> None:
        """Bring what is in memory up to changes that the store has taken."""
        for change in changes:
            self._reflect(change)
        self._renew_summaries(changes)
        if any(change.table in ("decision", "person", "setting") for change in changes):
            self._events.clear()
        self.revision += 1
        self.changed({change.table for change in changes})

    def _reflect(self, change: Change) -> None:
        first, after = change.key[0], change.after
        match change.table:
            case "person":
                self.people.pop(first, None)
                if after is not None:
                    self.people = _in_order([*self.people.items(), (first, after[0])])
            case "assignment":
                person = after[0] if after is not None else None
                self.assignments.put(first, change.key[1], person)
            case "track":
                kind, trust = (after[0], after[2]) if after is not None else (Kind.NOTHING, np.nan)
                said = np.array([kind], np.uint8), np.array([trust], np.float32)
                self._tracklet(first).put(np.array([change.key[1]]), *said)
            case "correction":
                self._tracklet(first).mark(change.key[1], after is not None)
            case "span":
                self.spans = [span for span in self.spans if span.id != first]
                if after is not None:
                    self.spans = sorted([*self.spans, Span(first, *after)], key=lambda s: s.start)
            case "decision":
                self.decisions.pop(first, None)
                if after is not None:
                    self.decisions[first] = Judged.from_row(first, after)
            case "setting":
                self._settings.pop(first, None)
                if after is not None:
                    self._settings[first] = after[0]

    def reader(self) -> Session:
        """Give a copy for another thread, which only reads and closes its `store` itself."""
        twin = self._twin()
        twin.store = Store(self.store.path)
        return twin

    def after(self, changes: list[Change]) -> Session:
        """Give a copy as if changes were made, of which none is written; itself without changes."""
        if not changes:
            return self
        twin = self._twin()
        twin.changed = Observable()
        for tracklet in {change.key[0] for change in changes if change.table in _FRAMES}:
            if tracklet in twin._tracklets:
                twin._tracklets[tracklet] = copy.deepcopy(twin._tracklets[tracklet])
        twin.reflect(changes)
        return twin

    def _twin(self) -> Session:
        twin = copy.copy(self)
        twin.people, twin.assignments = dict(self.people), self.assignments.copy()
        twin._settings, twin.decisions = dict(self._settings), dict(self.decisions)
        twin._tracklets, twin._people = dict(self._tracklets), {}
        twin._events = {}
        return twin

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()
        self._lock.close()


_FRAMES: Final = ("track", "correction")  # tables whose keys begin with a tracklet
_DECISIONS: Final = f"SELECT id, {', '.join(TABLES['decision'].values)} FROM decision ORDER BY id"


def settings_in(folder: Path, *names: str) -> dict[str, Any]:
    """Read settings of a session that is not open, those that there are of these."""
    with contextlib.closing(Store(folder / DATABASE)) as store:
        rows = {name: store.get("setting", (name,)) for name in names}
    return {name: json.loads(row[0]) for name, row in rows.items() if row is not None}


def _in_order(people: Iterable[Row]) -> dict[int, str]:
    """Order people as they came: the tracker's count up from 0, a person's own down from -1."""
    return dict(sorted(people, key=lambda person: (person[0] < 0, abs(person[0]))))
