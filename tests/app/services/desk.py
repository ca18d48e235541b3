"""An annotator with a queue for a window's thread, and what a person does at it."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from pathlib import Path

from facetrack.fitting.face_model import FaceModel
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.opening import open_document

N = 40  # frames of the clip


class Desk:
    """Where a person annotates a video without a window."""

    def __init__(self, clip: Path, model: FaceModel, folder: Path) -> None:
        self.waiting: queue.Queue[Callable[[], None]] = queue.Queue()
        self.said: list[str] = []
        document = open_document(clip, model, folder=folder)
        self.annotator = Annotator(document, model, self.waiting.put)
        self.annotator.said.connect(lambda text, trouble, about: self.said.append(text))
        self.annotator.start()

    def until(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        """Do what the threads ask for until something is so."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, self.said
            try:
                self.waiting.get(timeout=0.05)()
            except queue.Empty:
                continue

    def tracked(self) -> bool:
        """Return whether the background is done and the picture is there."""
        shown = self.annotator.frame is not None and self.annotator.editor is not None
        return shown and self.annotator.session.tracked == N

    def go(self, frame: int) -> None:
        """Go to a frame and wait for its picture."""
        self.annotator.show(frame)
        self.until(lambda: self.annotator.shown == frame)

    def drag(self, point: int, dx: float, dy: float) -> None:
        """Drag a point by pixels of the frame."""
        editor = self.annotator.editor
        assert editor is not None
        editor.grab(point, (0.0, 0.0))
        editor.drag((dx, dy))
        self.annotator.release()

    def settle(self) -> None:
        """Wait until all that follows from corrections is done."""
        self.until(lambda: not self.annotator.teaching.busy)
