# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole shapes in the frame that is shown: new people, fits, copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from facetrack.annotation.taught import completed
from facetrack.errors import InputError
from facetrack.face import N_POINTS, Fit, Source
from facetrack.tracking.track import KEEP, WELL_FITTED
from facetrack_app.model.command import free_name
from facetrack_app.model.commands import Command, Fitted, NewPerson, Retrack
from facetrack_app.model.editing import Editor, Points
from facetrack_app.model.handles import Box, Place, box_around, in_box, square
from facetrack_app.model.owed import Stretch
from facetrack_app.services.viewing import Viewing

_USUAL: Final = 0.25  # of the picture's height: a face of whose size nothing is known
_DRAWN: Final = 8.0  # px of the frame: what is smaller is a click, not a box


class Placing:
    """Puts whole shapes into the frame that is shown."""

    def __init__(
        self,
        viewing: Viewing,
        model: Any,
        run: Callable[[Command, Stretch | None], int | None],
        correct: Callable[[], None],
    ) -> None:
        self._viewing, self._model, self._run, self._correct = viewing, model, run, correct
        self.waiting = False  # for a box around a new person's face
        self._corners: tuple[Place, Place] | None = None

    def place(self, points: Points) -> None:
        """Put a whole shape here, as a correction."""
        viewing = self._viewing
        if viewing.person is None:
            viewing.said("no person is chosen; choose a person first", True)
            return
        if viewing.editor is None:
            absent = np.full(N_POINTS, Source.ABSENT, dtype=np.uint8)
            viewing.editor = Editor.of(np.full((N_POINTS, 2), np.nan), absent)
        viewing.editor.place_shape(points)
        self._correct()

    def toggle_absent(self) -> bool:
        """Say that the selected point is absent, or, if it is, bring it back where it should be."""
        editor = self._viewing.editor
        if editor is None or self._viewing.person is None or editor.selected is None:
            return False
        if not editor.mark_absent():
            whole = completed(self._model.shape_model, editor.correction())
            if whole is not None:
                editor.bring_back(whole)
        self._correct()
        return True

    def fit_here(self) -> None:
        """Fit the model from the points as they stand; the result is the model's until accepted."""
        viewing = self._viewing
        if viewing.editor is None or viewing.frame is None:
            return
        if viewing.session.stills and self._fit_taught():
            return
        start = completed(self._model.shape_model, viewing.editor.correction())
        try:
            if start is None:
                raise InputError("fewer than half of the points have a place")
            start = self._model.shape_model.relax(start, keep=KEEP)
            fit = self._model.fit(viewing.frame.grey, start)
        except InputError as error:
            viewing.said(f"the model cannot fit here: {error}", True)
            return
        if self._take_over(fit):
            viewing.said("fitted by the model: it teaches nothing until you accept (Return)", False)

    def _fit_taught(self) -> bool:
        """Fit a picture's face with what corrections of others taught; returns whether any did."""
        person, frame, session = self._viewing.person, self._viewing.shown, self._viewing.session
        if person is None or session.summary(person).corrected[frame]:
            return False
        if not session.teaches(person):
            return False
        stretch = Stretch(person, frame, frame + 1)
        return self._run(Retrack(person, frame, frame + 1), stretch) is not None

    def _take_over(self, fit: Fit) -> bool:
        viewing = self._viewing
        if viewing.person is None:
            return False
        before = viewing.points_of(viewing.person)
        fit = replace(fit, points=viewing.stretch.stored(fit.points))
        if self._run(Fitted.of(viewing.person, viewing.shown, fit), None) is None:
            return False
        viewing.keep_ghost(before)
        return True

    # A new person

    def ask(self) -> None:
        """Wait for a box around a new person's face; asked once more, take the picture's middle."""
        if self._viewing.frame is None:
            return
        if self.waiting:
            height, width = self._viewing.frame.grey.shape
            self.press((width / 2, height / 2))
            self.release()
            return
        self.waiting = True
        self._viewing.said(
            "draw a box around the face; a click puts one of usual size (Esc: not)", False
        )
        self._viewing.changed()

    def cancel(self) -> None:
        """Wait no more."""
        self.waiting, self._corners = False, None

    @property
    def box(self) -> Box | None:
        """The box as it is being drawn, in pixels of the frame."""
        if self._corners is None:
            return None
        (x0, x1), (y0, y1) = (sorted(axis) for axis in zip(*self._corners, strict=True))
        return x0, y0, x1, y1

    def press(self, place: Place) -> None:
        """Begin the box."""
        self._corners = place, place

    def move(self, place: Place) -> None:
        """Draw it on."""
        if self._corners is not None:
            self._corners = self._corners[0], place

    def release(self) -> None:
        """End it: a new person is there, as a guess, or fitted where the model sees a face."""
        box, viewing = self.box, self._viewing
        self.cancel()
        if box is None:
            return
        x0, y0, x1, y1 = box
        if max(x1 - x0, y1 - y0) < _DRAWN:
            box = square((x0, y0), self._usual_size())
        points = viewing.stretch.stored(in_box(self._model.shape_model.mean, box))
        name = free_name(viewing.session)
        if self._run(NewPerson(name, viewing.shown, points.tolist()), None) is None:
            return
        viewing.choose(min(viewing.session.people))
        fit = self._seen_in(box)
        if fit is not None and self._take_over(fit):
            viewing.said("fitted by the model: it teaches nothing until you accept (Return)", False)
        else:
            viewing.said("put it on the face by its handles, then R fits and Return accepts", False)

    def _usual_size(self) -> float:
        """Give the side of a face's box: as the others here, else a share of the picture."""
        viewing, frame = self._viewing, self._viewing.frame
        faces = map(viewing.points_of, viewing.session.present(viewing.shown))
        boxes = [box_around(face) for face in faces if face is not None and np.isfinite(face).any()]
        if not boxes:
            return _USUAL * (frame.grey.shape[0] if frame is not None else 0)
        return float(np.mean([(x1 - x0 + y1 - y0) / 2 for x0, y0, x1, y1 in boxes]))

    def _seen_in(self, box: Box) -> Fit | None:
        """Fit a face into a box; None where the model does not see one."""
        x0, y0, x1, y1 = box
        side = (x1 - x0 + y1 - y0) / 2
        frame = self._viewing.frame
        if frame is None:
            return None
        try:
            fit = self._model.fit_box(frame.grey, square(((x0 + x1) / 2, (y0 + y1) / 2), side))
        except InputError:
            return None
        return fit if fit.quality >= WELL_FITTED else None
