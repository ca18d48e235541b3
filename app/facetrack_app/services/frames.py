# SPDX-License-Identifier: GPL-3.0-or-later
"""The reading thread of the annotate view: the frame that was asked for last."""

from __future__ import annotations

import threading
from collections.abc import Callable

from facetrack.errors import FacetrackError
from facetrack.video.frame import Frame
from facetrack.video.seeking import SeekableVideo
from facetrack_app.services.latest_value import LatestValue


class FrameReader:
    """Reads single frames of a video; of several wishes only the last is fulfilled.

    Attributes
    ----------
    frames : LatestValue of Frame
        In square pixels, with colours converted: whoever takes it only paints.
    """

    def __init__(
        self,
        open_it: Callable[[], SeekableVideo],
        ready: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self.frames: LatestValue[Frame] = LatestValue()
        self._open, self._ready, self._say = open_it, ready, say
        self._wishes: LatestValue[tuple[int]] = LatestValue()
        self._thread = threading.Thread(target=self._run, name="reading", daemon=True)
        self._thread.start()

    def request(self, index: int) -> None:
        """Ask for a frame; earlier wishes that are not yet fulfilled are forgotten."""
        self._wishes.put((index,))

    def close(self) -> None:
        """End."""
        self._wishes.close()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        video: SeekableVideo | None = None
        while not self._wishes.closed:
            wish = self._wishes.take(timeout=1.0)
            if wish is None:
                continue
            try:
                video = video or self._open()
                frame = video.frame(wish[0]).square
                frame.image  # noqa: B018  (converted here, not where it is painted)
            except FacetrackError as error:
                self._say(str(error))
                continue
            self.frames.put(frame)
            self._ready()
        if video is not None:
            video.close()
