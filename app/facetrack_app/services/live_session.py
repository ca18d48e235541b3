# SPDX-License-Identifier: GPL-3.0-or-later
"""A running live session: camera, tracker and recorder together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.learning.profile import Profile
from facetrack.tracking.tracker import Tracker
from facetrack_app.model.editing import Editor
from facetrack_app.model.engine import (
    can_adapt,
    forget,
    make_tracker,
    set_adapt,
    set_smoothing,
)
from facetrack_app.model.live import Heard, LatencyMeter, LiveFrame, SignalHealth, live_choice
from facetrack_app.services.capture import Capture, Captured, opener
from facetrack_app.services.live_tracking import LiveTracking
from facetrack_app.services.posting import Post
from facetrack_app.services.recorder import Recorder
from facetrack_app.services.slot import Slot


@dataclass(frozen=True, slots=True)
class LiveWish:
    """What a live session is to be.

    Attributes
    ----------
    source : str
        A camera's number or device file, "demo", or a path.
    size : (int, int)
        Width and height to ask a camera for.
    smoothing : float
        0 to 1.
    max_faces : int
    person : Path or None
        A profile of a person who was taught before.
    charts : tuple of str
        Signals that are drawn.
    """

    source: str
    size: tuple[int, int] = (640, 480)
    smoothing: float = 0.3
    max_faces: int = 1
    person: Path | None = None
    charts: tuple[str, ...] = ()


class LiveSession:
    """A camera that is watched and a tracker that follows.

    Parameters
    ----------
    model : FaceModel
    wish : LiveWish
    post : Post
        Runs a function in this object's thread.
    show : callable
        Told in that thread that there is a new frame; see `take`.
    say : callable
        Given a sentence in that thread; empty when all is well again.

    Attributes
    ----------
    meter : LatencyMeter
    editor : Editor or None
        The face under the person's hand while the session is frozen.
    adapting : bool
    """

    def __init__(
        self,
        model: Any,
        wish: LiveWish,
        post: Post,
        show: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self.meter = LatencyMeter()
        self.editor: Editor | None = None
        self.adapting = False
        self.recorder: Recorder | None = None
        self._taught: Face | None = None
        self._post, self._say, self._open = post, say, True
        self._frames: Slot[Captured] = Slot()
        open_it, paced = opener(wish.source, model.shape_model, wish.size)
        self._capture = Capture(open_it, self._frames, self._tell, paced=paced)
        tracker = make_tracker(
            model, max_faces=wish.max_faces, smoothing=wish.smoothing, person=wish.person
        )
        self.can_adapt = can_adapt(tracker)
        self._charts: Sequence[str] = wish.charts
        self._tracking = LiveTracking(
            tracker, self._frames, lambda: post(show), self._tell, live_choice(wish.charts)
        )

    def start(self) -> None:
        """Begin."""
        self._tracking.start()
        self._capture.start()

    def stop(self) -> list[Path]:
        """End; returns the files of a recording that was going on."""
        self._open = False
        self._capture.stop()
        self._tracking.stop()
        return self.stop_recording()

    def take(self) -> LiveFrame | None:
        """Take the newest tracked frame; None if it was taken already."""
        return self._tracking.results.take(timeout=0)

    def hear(self) -> list[Heard]:
        """Take what the signals said with every tracked frame since the last time."""
        return self._tracking.heard.take()

    @property
    def dropped(self) -> int:
        """Frames that the tracker never saw or that were never shown."""
        return self._frames.dropped + self._tracking.results.dropped

    @property
    def untracked(self) -> int:
        """Frames that the tracker, and so the signals, never saw."""
        return self._frames.dropped

    @property
    def unheard(self) -> int:
        """Tracked frames that the charts lack, because the window stood still for long."""
        return self._tracking.heard.dropped

    @property
    def health(self) -> SignalHealth:
        """How the signals get on."""
        return self._tracking.health

    @property
    def steadiness(self) -> tuple[float, float, float]:
        """Jitter before and after smoothing in % of the eye distance, and lag in ms."""
        return self._tracking.steadiness

    @property
    def frozen(self) -> bool:
        """Whether a person corrects a frame."""
        return self.editor is not None

    def freeze(self, place: tuple[float, float], within: float) -> LiveFrame | None:
        """Stand still and take hold of the point under the pointer.

        Parameters
        ----------
        place : (float, float)
            x, y in pixels of the frame.
        within : float
            Farthest distance in pixels.

        Returns
        -------
        LiveFrame or None
            The frame at which everything stands still; None where no point is near.
        """
        live = self._tracking.freeze()
        for face in live.faces if live is not None else ():
            if face.tracked:
                editor = Editor.of(face.points, face.source)
                point = editor.nearest(place, within)
                if point is not None:
                    editor.grab(point, place)
                    self.editor, self._taught = editor, face
                    return live
        self.resume()
        return None

    def hold(self) -> LiveFrame | None:
        """Stand still with the first face in view under the person's keys; see `freeze`."""
        live = self._tracking.freeze()
        face = next((f for f in live.faces if f.tracked), None) if live is not None else None
        if face is None:
            self.resume()
            return None
        self.editor, self._taught = Editor.of(face.points, face.source), face
        return live

    def release(self) -> int:
        """Let go: the tracker learns what was moved, live goes on.

        Returns
        -------
        int
            How many lessons the person has by now; 0 if nothing was moved.

        Raises
        ------
        FacetrackError
            If the correction is broken or the model cannot learn; live goes on all the same.
        """
        try:
            if self.editor is None or self._taught is None:
                return 0
            self.editor.release()
            mask = self.editor.correction().vouched
            if not mask.any():
                return 0
            return self._tracking.teach(self._taught, self.editor.points, mask)
        finally:
            self.resume()

    def resume(self) -> None:
        """Go on without a correction."""
        self.editor = self._taught = None
        self._tracking.resume()

    def set_smoothing(self, dial: float) -> None:
        """Turn the dial, 0 to 1."""
        self._tracking.change(lambda tracker, _: set_smoothing(tracker, dial))

    def chart(self, names: Sequence[str]) -> None:
        """Draw other signals; a recording that is going on keeps its own."""
        self._charts = names
        also = self.recorder.choice if self.recorder is not None else None
        self._tracking.choice = live_choice(names, also)

    def set_adapt(self, on: bool) -> None:
        """Let the tracker learn from its own tracks, or not."""
        self.adapting = on
        self._tracking.change(lambda tracker, _: set_adapt(tracker, on))

    def forget(self) -> int:
        """Drop all that was learned of the faces in view; returns how many there are."""
        forgotten: list[int] = []

        def act(tracker: Tracker, faces: list[Face]) -> None:
            for face in faces:
                forget(tracker, face.id)
                forgotten.append(face.id)

        self._tracking.change(act)
        return len(forgotten)

    def save_person(self, path: Path) -> None:
        """Save what was learned of the first face in view.

        Raises
        ------
        InputError
            If there is none.
        OutputError
            If the file cannot be written.
        """
        profiles: list[Profile] = []
        self._tracking.change(
            lambda tracker, faces: profiles.extend(tracker.person(face.id) for face in faces[:1])
        )
        if not profiles:
            raise InputError("there is no face in view")
        profiles[0].save(path)

    def record(self, folder: Path, kind: str) -> None:
        """Begin a recording; see `Recorder`."""
        self.recorder = Recorder(folder, kind, self._tell, self._tracking.choice)
        self._tracking.sinks.append(self.recorder)

    def stop_recording(self) -> list[Path]:
        """End the recording; returns its files."""
        recorder, self.recorder = self.recorder, None
        if recorder is None:
            return []
        left = self._tracking.detach(recorder)
        self.chart(self._charts)
        return recorder.close(left)

    def _tell(self, message: str) -> None:
        self._post(lambda: self._say(message) if self._open else None)
