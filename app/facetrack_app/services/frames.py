# SPDX-License-Identifier: GPL-3.0-or-later
"""The reading thread of the annotate view: the frame that was asked for last."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing

from facetrack.errors import FacetrackError
from facetrack.video.frame import Frame
from facetrack.video.seeking import SeekableVideo
from facetrack_app.services.latest_value import LatestValue
from facetrack_app.services.worker import Worker


class FrameReader:
    """Reads single frames of a video; of several wishes only the last is fulfilled."""

    def __init__(
        self,
        open_it: Callable[[], SeekableVideo],
        ready: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self.frames: LatestValue[Frame] = LatestValue()  # in square pixels, with colours converted
        self._open, self._ready, self._say = open_it, ready, say
        self._video: SeekableVideo | None = None
        self._worker: Worker[tuple[int]] = Worker("reading", self._read, patience=5.0)

    def request(self, index: int) -> None:
        """Ask for a frame; earlier wishes that are not yet fulfilled are forgotten."""
        self._worker.wishes.put((index,))

    def close(self) -> None:
        """End."""
        self._worker.close()

    def _read(self, wish: tuple[int], stack: ExitStack) -> None:
        try:
            self._video = self._video or stack.enter_context(closing(self._open()))
            frame = self._video.frame(wish[0]).square
            frame.image  # noqa: B018  (converted here, not where it is painted)
        except FacetrackError as error:
            self._say(str(error))
            return
        self.frames.put(frame)
        self._ready()
