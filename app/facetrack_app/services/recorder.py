# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording a live session: landmarks, with the picture or, faceless, with a line drawing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.errors import FacetrackError
from facetrack.formats.atomic import output_error
from facetrack.formats.openface import OpenFaceWriter, write_dictionary
from facetrack.video.overlay import draw
from facetrack.video.sink import VideoWriter
from facetrack_app.model.live import LiveFrame

LANDMARKS, FACELESS, VIDEO = "landmarks only", "landmarks and line drawing", "landmarks and video"
KINDS: Final = (LANDMARKS, FACELESS, VIDEO)
_WAITING: Final = 30  # frames that may wait for the disk before one is left out of the video
_PAPER: Final = 32  # grey of the line drawing's ground


class Recorder:
    """Writes what the tracker says of every frame, in a thread of its own.

    Parameters
    ----------
    folder : Path
        Where the files go; made if it is not there.
    kind : {LANDMARKS, FACELESS, VIDEO}
        Whether a video is written, too: a line drawing on grey, or the picture. A faceless
        recording never hands a frame's pixels to anything that writes.
    say : callable
        Told in words, in the recorder's thread, when something cannot be written.

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

    def __init__(self, folder: Path, kind: str, say: Callable[[str], None]) -> None:
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
        self._kind, self._say = kind, say
        self._table = OpenFaceWriter(self.base.with_suffix(".csv"))
        write_dictionary(self.base.with_suffix(".columns.csv"))
        self._video: VideoWriter | None = None
        self._start: float | None = None
        self._waiting: queue.Queue[LiveFrame | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def __call__(self, live: LiveFrame) -> None:
        """Take a frame over; never waits for the disk."""
        if not self.failed:
            self._waiting.put(live)

    def close(self) -> list[Path]:
        """Write what waits and give the files."""
        self._waiting.put(None)
        self._thread.join()
        return sorted(self.base.parent.glob(f"{self.base.name}.*"))

    def _run(self) -> None:
        try:
            while (live := self._waiting.get()) is not None:
                self._write(live)
        except FacetrackError as error:
            self.failed = True
            self._say(str(error))
        finally:
            for file in (self._table, self._video):
                try:
                    if file is not None:
                        file.close()
                except FacetrackError as error:
                    self._say(str(error))

    def _write(self, live: LiveFrame) -> None:
        if self._start is None:
            self._start = live.frame.timestamp
        seconds = live.frame.timestamp - self._start
        self._table.write(self.frames, seconds, live.faces)
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
