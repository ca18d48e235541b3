# SPDX-License-Identifier: GPL-3.0-or-later
"""Teaching live: a drag freezes the picture for its time, F until Return teaches all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partialmethod
from typing import Final

from facetrack.errors import FacetrackError
from facetrack.face import Face
from facetrack_app.model.live import LiveFrame
from facetrack_app.model.wording import counted
from facetrack_app.services.live_session import LiveSession
from facetrack_app.services.watch import Watch
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.drawing import DrawnFace
from facetrack_app.views.theme import person_colour

GRAB: Final = 14.0  # px of the screen around a point in which it can be grabbed


class LiveCorrecting:
    """Gestures on the live picture, and methods named as in the table of actions."""

    def __init__(
        self, watch: Watch, canvas: Canvas, show_frozen: Callable[[LiveFrame], None]
    ) -> None:
        self._watch, self._canvas, self._show_frozen = watch, canvas, show_frozen
        self._faces: tuple[Face, ...] = ()  # of the frame that stands still
        canvas.pressed.connect(self._press)
        canvas.moved.connect(self._move)
        canvas.released.connect(self._release)

    @property
    def _session(self) -> LiveSession | None:
        return self._watch.session

    def cancel_freeze(self) -> None:
        """Go on without a correction."""
        if self._session is not None and self._session.frozen:
            moved = self._moved
            self._session.resume()
            if moved:
                self._watch.said("continued without the correction: nothing was learned", False)
            self._watch.changed()

    @property
    def _moved(self) -> bool:
        editor = self._session.editor if self._session is not None else None
        return editor is not None and bool(editor.correction().vouched.any())

    def freeze(self) -> None:
        """Stand still, to correct by keys."""
        live = self._session.hold() if self._session is not None else None
        if live is None:
            self._watch.said("there is no face in view", False)
        else:
            self._freeze_at(live)

    def teach(self) -> None:
        """Teach what was moved, and go on."""
        if self._session is None or not self._session.frozen:
            return
        begin = time.perf_counter()
        try:
            examples = self._session.release()
        except FacetrackError as error:
            self._watch.said(f"not learned: {error}", True)
        else:
            took = 1000 * (time.perf_counter() - begin)
            by_now = f"{counted(examples, 'correction')} of this face by now"
            learned = f"learned in {took:.0f} ms; {by_now}"
            self._watch.said(learned if examples else "nothing was moved, nothing learned", False)
        self._watch.changed()

    def _select(self, step: int) -> None:
        if self._session is not None and self._session.editor is not None:
            self._session.editor.select_next(step)
            self._show_edited()

    live_next_point, live_previous_point = partialmethod(_select, 1), partialmethod(_select, -1)

    def _nudge(self, dx: float, dy: float) -> None:
        if self._session is not None and self._session.editor is not None:
            self._session.editor.nudge(-dx if self._canvas.mirrored else dx, dy)
            self._show_edited()

    live_left, live_right = partialmethod(_nudge, -1, 0), partialmethod(_nudge, 1, 0)
    live_up, live_down = partialmethod(_nudge, 0, -1), partialmethod(_nudge, 0, 1)

    def _press(self, x: float, y: float, modifiers: int) -> None:
        if self._session is None:
            return
        live = self._session.freeze((x, y), GRAB / self._canvas.scale)
        if live is not None:
            self._freeze_at(live)

    def _move(self, x: float, y: float) -> None:
        if self._session is not None and self._session.editor is not None:
            self._session.editor.drag((x, y))
            self._show_edited()

    def _release(self) -> None:
        session = self._session
        if session is None or session.editor is None:
            return
        if session.holding:
            session.editor.release()
            self._show_edited()
        else:
            self.teach()

    def _freeze_at(self, live: LiveFrame) -> None:
        self._faces = live.faces
        self._show_frozen(live)
        self._show_edited()
        self._watch.changed()

    def _show_edited(self) -> None:
        session = self._session
        if session is None or session.editor is None or session.taught is None:
            return
        editor, taught = session.editor, session.taught
        edited = DrawnFace(editor.points, person_colour(taught.id), editor.source,
                           taught.confidence, editor.selected)  # fmt: skip
        others = [face for face in self._faces if face is not taught]
        self._canvas.set_faces([*drawn(others), edited])


def drawn(faces: Iterable[Face]) -> list[DrawnFace]:
    """Give tracked faces as they are drawn live."""
    return [
        DrawnFace(face.points, person_colour(face.id), face.source, face.confidence)
        for face in faces
        if face.tracked
    ]
