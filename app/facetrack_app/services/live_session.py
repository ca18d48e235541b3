# SPDX-License-Identifier: GPL-3.0-or-later
"""A running live session: camera, tracker and recorder together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

from facetrack.detection.face_detector import FaceDetector
from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.learning.profile import Profile
from facetrack.signals.rest import Rest
from facetrack.tracking.tracker import Tracker
from facetrack_app.model.editing import Editor
from facetrack_app.model.live import BUSY, FROZEN, Heard, LatencyMeter, LiveFrame, live_choice
from facetrack_app.model.marking import LiveMarks
from facetrack_app.model.recording import Wish
from facetrack_app.services.capture import Capture, Captured, source_of
from facetrack_app.services.latest_value import LatestValue
from facetrack_app.services.live_tracking import LiveTracking
from facetrack_app.services.posting import Post
from facetrack_app.services.recorder import Recorder


@dataclass(frozen=True, slots=True)
class LiveWish:
    """What a live session is to be."""

    source: str  # a camera's number or device file, "demo", or a path
    size: tuple[int, int] = (640, 480)  # width and height to ask a camera for
    smoothing: float = 0.3  # 0 to 1
    max_faces: int = 1
    person: Path | None = None  # profile of a person who was taught before
    charts: tuple[str, ...] = ()  # signals that are drawn


class LiveSession:
    """A camera that is watched and a tracker that follows."""

    def __init__(
        self,
        model: Any,
        wish: LiveWish,
        post: Post,
        show: Callable[[], None],
        say: Callable[[str], None],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self.meter = LatencyMeter()
        self.editor: Editor | None = None  # of the face under the person's hand
        self.adapting = False
        self.paused = False  # the camera is let go, what was learned is kept
        self.marks = LiveMarks()  # events that the person marked
        self.recorder: Recorder | None = None
        self.taught: Face | None = None  # the same face as it was tracked
        self.holding = False  # frozen until the person says so, not just for a drag
        self.rest: Rest | None = None  # see `set_rest`
        self._post, self._say, self._open = post, say, True
        self._frames: LatestValue[Captured] = LatestValue()
        source = source_of(wish.source, model.shape_model, wish.size)
        self.name, self._ends = source.name, source.ends
        self._capture = Capture(source, self._frames, self._tell, lambda: self._end(ended))
        tracker = Tracker(
            model, max_faces=wish.max_faces, smoothing=wish.smoothing,
            detector=FaceDetector(live=True), profile=wish.person,
        )  # fmt: skip
        self.can_adapt = bool(getattr(model, "priors", ()))  # old models cannot learn at all
        self._charts: Sequence[str] = wish.charts
        self.tracking = LiveTracking(
            tracker, self._frames, lambda: post(show), self._tell, live_choice(wish.charts)
        )

    def start(self) -> None:
        """Begin; a file waits at its first frame until it can be tracked."""
        if self._ends:
            self._capture.pause()
            self.tracking.prepared = lambda: None if self.paused else self._capture.go_on()
        self.tracking.start()
        self._capture.start()

    def pause(self) -> None:
        """Let go of the camera for a while."""
        self.paused = True
        self._capture.pause()

    def go_on(self) -> None:
        """Take the camera up again."""
        self.paused = False
        self.meter.clear()
        self._capture.go_on()

    def stop(self) -> Recorder | None:
        """End; returns the recording that was going on."""
        self._open = False
        self._capture.stop()
        self.tracking.stop()
        return self.stop_recording()

    def take(self) -> LiveFrame | None:
        """Take the newest tracked frame; None if it was taken already."""
        return self.tracking.results.take(timeout=0)

    def hear(self) -> list[Heard]:
        """Take what the signals said with every tracked frame since the last time."""
        return self.tracking.heard.take()

    @property
    def dropped(self) -> int:
        """Frames that the tracker never saw or that were never shown; none of a correction."""
        return self.untracked + self.tracking.results.dropped

    @property
    def untracked(self) -> int:
        """Frames that the tracker, and so the signals, never saw: it was too slow."""
        return self.tracking.missed[BUSY]

    @property
    def stood_still(self) -> int:
        """Frames that came while a person corrected one."""
        return self.tracking.missed[FROZEN]

    @property
    def unheard(self) -> int:
        """Tracked frames that the charts lack, because the window stood still for long."""
        return self.tracking.heard.dropped

    @property
    def frozen(self) -> bool:
        """Whether a person corrects a frame."""
        return self.editor is not None

    def freeze(self, place: tuple[float, float], within: float) -> LiveFrame | None:
        """Stand still and take hold of the point under the pointer; what was moved stays so."""
        live = self.tracking.freeze()
        for editor, face in self._editable(live):
            point = editor.nearest(place, within)
            if point is not None:
                editor.grab(point, place)
                self.editor, self.taught = editor, face
                return live
        if not self.holding:
            self.resume()
        return None

    def _editable(self, live: LiveFrame | None) -> Iterator[tuple[Editor, Face]]:
        """Give the face that is being corrected; as long as nothing was moved, any other, too."""
        if self.editor is not None and self.taught is not None:
            yield self.editor, self.taught
            if self.editor.correction().vouched.any():
                return
        for face in live.faces if live is not None else ():
            if face.tracked and face is not self.taught:
                yield Editor.of(face.points, face.source), face

    def hold(self) -> LiveFrame | None:
        """Stand still with the first face in view under the person's keys; see `freeze`."""
        live = self.tracking.freeze()
        face = next((f for f in live.faces if f.tracked), None) if live is not None else None
        if face is None:
            self.resume()
            return None
        self.editor, self.taught, self.holding = Editor.of(face.points, face.source), face, True
        return live

    def release(self) -> int:
        """Let go: the tracker learns what was moved, live goes on."""
        try:
            if self.editor is None or self.taught is None:
                return 0
            self.editor.release()
            mask = self.editor.correction().vouched
            if not mask.any():
                return 0
            return self.tracking.teach(self.taught, self.editor.points, mask)
        finally:
            self.resume()

    def resume(self) -> None:
        """Go on without a correction."""
        self.editor, self.taught, self.holding = None, None, False
        self.tracking.resume()

    def set_smoothing(self, dial: float) -> None:
        """Turn the dial, 0 to 1."""
        self.tracking.change(lambda tracker, _: tracker.set_smoothing(dial))

    def chart(self, names: Sequence[str]) -> None:
        """Draw other signals; a recording that is going on keeps its own."""
        self._charts = names
        also = self.recorder.choice if self.recorder is not None else None
        choice = live_choice(names, also)
        self.tracking.choice = choice if self.rest is None else choice.with_rest(self.rest)

    def set_rest(self, rest: Rest | None) -> None:
        """Measure from faces at rest, or from none; raises InputError during a recording.

        What was heard by then is dropped: nothing is drawn as what it is not.
        """
        if self.recorder is not None:
            raise InputError("end the recording first: all of its rows are measured from one rest")
        self.rest = rest
        self.tracking.change(lambda *_: self.chart(self._charts))
        self.tracking.heard.take()

    def set_adapt(self, on: bool) -> None:
        """Let the tracker learn from its own tracks, or not."""
        self.adapting = on

        def act(tracker: Tracker, _: list[Face]) -> None:
            tracker.adapt = on

        self.tracking.change(act)

    def forget(self) -> int:
        """Drop all that was learned of the faces in view; returns how many there are."""
        forgotten: list[int] = []

        def act(tracker: Tracker, faces: list[Face]) -> None:
            for face in faces:
                tracker.forget(face.id)
                forgotten.append(face.id)

        self.tracking.change(act)
        return len(forgotten)

    def save_person(self, path: Path) -> None:
        """Save what was learned of the first face in view."""
        profiles: list[Profile] = []
        self.tracking.change(
            lambda tracker, faces: profiles.extend(tracker.profile(face.id) for face in faces[:1])
        )
        if not profiles:
            raise InputError("there is no face in view")
        profiles[0].save(path)

    def record(self, wish: Wish) -> None:
        """Begin a recording; raises OutputError if its files cannot be made."""
        self.recorder = Recorder(wish, self.tracking.choice, self._rests())
        self.tracking.sinks.append(self.recorder)

    def _rests(self) -> dict[int, str]:
        """Say of each face, on a recording's own clock, when it was at rest."""
        if self.rest is None:
            return {}
        seconds, ago = self.rest.stop - self.rest.start, self.tracking.now - self.rest.stop
        words = f"{seconds:.0f} s at rest, until {ago:.0f} s before the recording"
        return dict.fromkeys(self.rest.values, words)

    def stop_recording(self) -> Recorder | None:
        """End the recording; returns it."""
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            for event in self.marks.end(self.tracking.now):
                recorder.mark(event, self.tracking.charted)
            left = self.tracking.detach(recorder)
            self.chart(self._charts)
            recorder.close(left)
        return recorder

    def mark(self, name: str) -> bool:
        """Mark an event at this moment; returns whether there is a picture yet."""
        now = self.tracking.now
        if isnan(now):
            return False
        event = self.marks.press(name, now)
        if event is not None and self.recorder is not None:
            self.recorder.mark(event, self.tracking.charted)
        return True

    def _end(self, ended: Callable[[], None]) -> None:
        """Say that a file has come to its end, once its last frame is tracked; not in turn."""
        self.tracking.settle()
        self._in_turn(ended)

    def _tell(self, message: str) -> None:
        self._in_turn(lambda: self._say(message))

    def _in_turn(self, act: Callable[[], None]) -> None:
        """Do something in this object's thread, unless the session has ended by then."""
        self._post(lambda: act() if self._open else None)
