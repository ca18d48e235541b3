# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording a live session: landmarks and signals, with the picture or with a line drawing."""

from __future__ import annotations

import contextlib
import glob
import json
import math
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.corpus.signal_tables import SignalTables
from facetrack.corpus.task import Outputs
from facetrack.errors import FacetrackError
from facetrack.formats.atomic import write_text
from facetrack.formats.openface import OpenFaceWriter, write_dictionary
from facetrack.formats.table import NO_NAMES, Names
from facetrack.reading import HUMAN, Event, EventRecord, Finding, Readings
from facetrack.signals import Choice
from facetrack.video.overlay import draw
from facetrack.video.sink import VideoWriter
from facetrack_app.model.live import LiveFrame
from facetrack_app.model.places import make_folder
from facetrack_app.model.recording import FACELESS, LANDMARKS, NOTES, Account, Wish, notes

_WAITING: Final = 30  # frames that may wait for the disk before one is left out of the video
_PAPER: Final = 32  # grey of the line drawing's ground


class Recorder:
    """Writes what tracker and signals say of every frame, in a thread of its own.

    Frames and seconds count from the recording's first frame, as the camera gave them: a frame
    that the tracker did not see has a row that says why.
    """

    def __init__(self, wish: Wish, choice: Choice, rests: Names = NO_NAMES) -> None:
        make_folder(wish.folder)
        self.wish, self._started = wish, datetime.now().astimezone()
        stem = wish.stem(self._started)
        self.base = wish.folder / stem  # the files' common path
        number = 1
        while self._beside(".csv").exists():
            number += 1
            self.base = wish.folder / f"{stem}-{number}"
        self.account, self.files = Account(), list[Path]()
        self.failure = ""  # what could not be written: nothing more is
        self.choice, self._rests = choice, rests
        self._outputs = Outputs(self.base)
        self._table = OpenFaceWriter(self._outputs.path("csv"))
        self._signals = SignalTables(self._outputs, choice, rests=rests)
        write_dictionary(self._outputs.path("dictionary"), self._signals.columns())
        self._write_notes()
        self._video: VideoWriter | None = None
        self._first: tuple[int, float] | None = None  # index and time of the first frame
        self._left: Sequence[Finding] = ()
        self._waiting: queue.Queue[LiveFrame | EventRecord | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def __call__(self, live: LiveFrame) -> None:
        """Take a frame over; never waits for the disk."""
        if not self.failure:
            self._waiting.put(live)

    def mark(self, event: Event, face_id: int) -> None:
        """Take an event over that a person marked; times are those of the session's frames."""
        if not self.failure:
            self._waiting.put(EventRecord(face_id, event, source=HUMAN))

    def close(self, left: Sequence[Finding] = ()) -> list[Path]:
        """Write what waits, and what the signals had left to say; give the files."""
        self._left = left
        self._waiting.put(None)
        self._thread.join()
        self.files = sorted(self.base.parent.glob(f"{glob.escape(self.base.name)}.*"))
        return self.files

    def _beside(self, suffix: str) -> Path:
        return self.base.with_name(self.base.name + suffix)

    def _run(self) -> None:
        try:
            for live in self._in_order():
                self._write(live)
        except FacetrackError as error:
            self.failure = str(error)
        for end in (self._table.close, self._end_signals, self._end_video, self._write_notes):
            try:
                end()
            except FacetrackError as error:
                self.failure = self.failure or str(error)

    def _in_order(self) -> Iterator[LiveFrame]:
        """Give frames by their numbers: one that was missed may come before one being tracked."""
        pending: dict[int, LiveFrame] = {}
        due: int | None = None
        while (one := self._waiting.get()) is not None:
            if isinstance(one, EventRecord):
                self._mark(one)
                continue
            due = one.frame.index if due is None else due
            if one.frame.index >= due:  # earlier ones began before the recording
                pending[one.frame.index] = one
            while due in pending or len(pending) > _WAITING:
                due = due if due in pending else min(pending)
                yield pending.pop(due)
                due += 1
        yield from (pending[index] for index in sorted(pending))

    def _write(self, live: LiveFrame) -> None:
        if self._first is None:
            self._first = live.frame.index, live.frame.timestamp
        number, seconds = live.frame.index - self._first[0], live.frame.timestamp - self._first[1]
        self._table.write(number, seconds, live.faces)
        self._signals.write(number, seconds, live.faces, _since(self._first, live.findings))
        self.account.add(live, seconds)
        if self.wish.kind == LANDMARKS:
            return
        if self._waiting.qsize() > _WAITING:
            self.account.left_out += 1
            return
        height, width = live.frame.grey.shape
        if self._video is None:
            self._video = VideoWriter(self._beside(".mp4"), (width, height))
        if self.wish.kind == FACELESS:  # no pixel of the frame is used
            picture = draw(np.full((height, width, 3), _PAPER, dtype=np.uint8), live.faces)
        else:
            picture = live.frame.image
        self._video.write(picture, seconds)

    def _mark(self, record: EventRecord) -> None:
        """Write what a person marked; what began before the recording begins with it."""
        if self._first is not None and record.event.stop >= self._first[1]:
            event = _earlier(record.event, self._first[1])
            event = replace(event, start=max(event.start, 0.0), peak=max(event.peak, 0.0))
            self._signals.mark([replace(record, event=event)])

    def _end_signals(self) -> None:
        try:
            self._signals.finish(_since(self._first, self._left))
        finally:
            self._signals.close()
            self._signals.publish()

    def _end_video(self) -> None:
        if self._video is not None:
            self._video.close()
            with contextlib.suppress(OSError):  # after an error, it can be watched all the same
                os.replace(self._video.part, self._video.path)

    def _write_notes(self) -> None:
        content = notes(self.wish, self._started, self.account, self._rests)
        write_text(self._beside(NOTES), json.dumps(content, indent=2) + "\n")


def _since(first: tuple[int, float] | None, findings: Sequence[Finding]) -> list[Finding]:
    """Count frames and seconds from the first ones; leave out what began before them."""
    index, start = first if first is not None else (0, math.inf)
    shifted = []
    for finding in findings:
        said = finding.result
        if isinstance(said, Readings):
            if said.frame >= index:
                shifted.append(replace(finding, result=replace(said, frame=said.frame - index)))
        elif said.start >= start:
            shifted.append(replace(finding, result=_earlier(said, start)))
    return shifted


def _earlier(event: Event, seconds: float) -> Event:
    times = {name: getattr(event, name) - seconds for name in ("start", "peak", "stop")}
    return replace(event, **times)
