# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording a live session: landmarks and signals, with the picture or with a line drawing."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.corpus.signal_tables import SignalTables
from facetrack.corpus.task import Outputs
from facetrack.errors import FacetrackError
from facetrack.formats.atomic import output_error
from facetrack.formats.openface import OpenFaceWriter, write_dictionary
from facetrack.reading import Finding, Readings
from facetrack.signals import Choice
from facetrack.video.overlay import draw
from facetrack.video.sink import VideoWriter
from facetrack_app.model.live import LiveFrame

LANDMARKS, FACELESS, VIDEO = "landmarks only", "landmarks and line drawing", "landmarks and video"
KINDS: Final = (LANDMARKS, FACELESS, VIDEO)
_WAITING: Final = 30  # frames that may wait for the disk before one is left out of the video
_PAPER: Final = 32  # grey of the line drawing's ground


class Recorder:
    """Writes what tracker and signals say of every frame, in a thread of its own.

    Frames and seconds count from the recording's first frame.

    Parameters
    ----------
    folder : Path
        Where the files go; made if it is not there.
    kind : {LANDMARKS, FACELESS, VIDEO}
        Whether a video is written, too: a line drawing on grey, or the picture. A faceless
        recording never hands a frame's pixels to anything that writes.
    say : callable
        Told in words, in the recorder's thread, when something cannot be written.
    choice : Choice
        The signals that are written, which the frames bring with them.

    Attributes
    ----------
    base : Path
        The files' common path without what follows.
    frames, left_out : int
        Frames whose rows were written, and frames that the video lacks because the disk was slow.
    failed : bool
        Whether something could not be written: nothing more is.

    Raises
    ------
    OutputError
        If the files cannot be made.
    """

    def __init__(self, folder: Path, kind: str, say: Callable[[str], None], choice: Choice) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(folder, error) from error
        stamp = datetime.now(UTC).strftime("live-%Y%m%d-%H%M%S")
        self.base = folder / stamp
        number = 1
        while self.base.with_suffix(".csv").exists():
            number += 1
            self.base = folder / f"{stamp}-{number}"
        self.frames = self.left_out = 0
        self.failed = False
        self.choice = choice
        self._kind, self._say = kind, say
        self._outputs = Outputs(self.base)
        self._table = OpenFaceWriter(self._outputs.path("csv"))
        self._signals = SignalTables(self._outputs, choice)
        write_dictionary(self._outputs.path("dictionary"), self._signals.columns())
        self._video: VideoWriter | None = None
        self._first: tuple[int, float] | None = None  # index and time of the first frame
        self._left: Sequence[Finding] = ()
        self._waiting: queue.Queue[LiveFrame | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def __call__(self, live: LiveFrame) -> None:
        """Take a frame over; never waits for the disk."""
        if not self.failed:
            self._waiting.put(live)

    def close(self, left: Sequence[Finding] = ()) -> list[Path]:
        """Write what waits, and what the signals had left to say; give the files."""
        self._left = left
        self._waiting.put(None)
        self._thread.join()
        return sorted(self.base.parent.glob(f"{self.base.name}.*"))

    def _run(self) -> None:
        try:
            while (live := self._waiting.get()) is not None:
                self._write(live)
            self._signals.finish(_since(self._first, self._left))
            self._signals.close()
            self._signals.publish()
        except FacetrackError as error:
            self.failed = True
            self._say(str(error))
        finally:
            for file in (self._table, self._signals, self._video):
                try:
                    if file is not None:
                        file.close()
                except FacetrackError as error:
                    self._say(str(error))

    def _write(self, live: LiveFrame) -> None:
        if self._first is None:
            self._first = live.frame.index, live.frame.timestamp
        seconds = live.frame.timestamp - self._first[1]
        self._table.write(self.frames, seconds, live.faces)
        self._signals.write(self.frames, seconds, live.faces, _since(self._first, live.findings))
        self.frames += 1
        if self._kind == LANDMARKS:
            return
        if self._waiting.qsize() > _WAITING:
            self.left_out += 1
            return
        height, width = live.frame.grey.shape
        if self._video is None:
            self._video = VideoWriter(self.base.with_suffix(".mp4"), (width, height))
        if self._kind == FACELESS:
            self._video.write(line_drawing(live, (width, height)), seconds)
        else:
            self._video.write(live.frame.image, seconds)


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
            times = {name: getattr(said, name) - start for name in ("start", "peak", "stop")}
            shifted.append(replace(finding, result=replace(said, **times)))
    return shifted


def line_drawing(
    live: LiveFrame, size: tuple[int, int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draw the landmarks on an empty ground: no pixel of the frame is used.

    Parameters
    ----------
    live : LiveFrame
    size : (int, int)
        Width and height in pixels.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
    """
    width, height = size
    return draw(np.full((height, width, 3), _PAPER, dtype=np.uint8), live.faces)
