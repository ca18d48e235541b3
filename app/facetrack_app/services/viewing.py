# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of an open video: a picture, a person's face in it, and the shape before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from facetrack.landmarks.markup import MARKUPS
from facetrack.video.frame import Frame
from facetrack_app.model.editing import Editor, Points, Reach
from facetrack_app.model.look import View
from facetrack_app.model.observable import Observable, Voice
from facetrack_app.model.playback import Playback
from facetrack_app.services.frames import FrameReader
from facetrack_app.services.interpreter import give_memory_back
from facetrack_app.services.opening import Document
from facetrack_app.services.posting import Post


class Viewing:
    """An open video that is looked at, with the thread that reads its frames."""

    def __init__(self, document: Document, post: Post) -> None:
        self.document, self.session = document, document.session
        self.stretch = self.session.stretch  # to square pixels, which are shown
        self.changed: Observable[[]] = Observable()  # what is shown
        self.said = Voice()
        self.playback = Playback(self.session.n_frames, int(self.session.setting("frame", 0)))
        self.frame: Frame | None = None  # the picture that is shown
        self.trouble = ""  # why there is none, of a broken picture
        self.person = self._first_person()  # whose face is edited
        self.editor: Editor | None = None
        self._edited: tuple[int | None, int] | None = None  # person and frame of the editor
        self.markup = 68  # points that are shown and can be moved: 68, 51 or 49
        self.reach = Reach.POINT
        # Person, frame, and the shape before the correction that was made there last.
        self._before: tuple[int | None, int, Points] | None = None
        self._views: dict[tuple[int, int, int], View] = {}  # by person, frame, session's revision
        self.closed, self._window = False, post
        self._reader = FrameReader(
            document.open,
            lambda: self._post(self._show_newest),
            lambda message: self._post(lambda: self._not_read(message)),
        )

    def close(self) -> None:
        """End the thread and let go of the session; what threads still bring is not wanted."""
        self.closed = True
        self._reader.close()
        self.session.close()
        give_memory_back()

    def _post(self, function: Callable[[], None]) -> None:
        self._window(lambda: None if self.closed else function())

    def show(self, index: int) -> None:
        """Go to a frame; a point that is selected belongs to the one that is left."""
        self.playback.go(index)
        if self.editor is not None and self.playback.frame != self.shown:
            self.editor.let_go()
        self._reader.request(self.playback.frame)

    def _show_newest(self) -> None:
        # What is dragged belongs to the picture that is shown: the new one waits for the release.
        if self.editor is not None and self.editor.holding:
            return
        frame = self._reader.frames.take(timeout=0)
        if frame is not None:
            self.frame, self.trouble = frame, ""
            self.said("", False, "picture")
            self.reload()

    def _not_read(self, message: str) -> None:
        """Say what cannot be read; a broken picture shows nothing instead of the one before."""
        self.said(message, True, "picture")
        if self.document.pictures and not (self.editor is not None and self.editor.holding):
            self.frame, self.trouble = None, message
            self.reload()

    @property
    def shown(self) -> int:
        """Number of the frame that is shown; that of the picture, not of the wish."""
        return self.playback.frame if self.frame is None else self.frame.index

    @property
    def ghost(self) -> Points | None:
        """The shape before the last correction of this frame."""
        if self._before is None or self._before[:2] != (self.person, self.shown):
            return None
        return self._before[2]

    def keep_ghost(self, points: Points | None) -> None:
        """Show the shape that was there before; None: there was none."""
        self._before = self._ghost(points)
        self.changed()

    def _ghost(self, points: Points | None) -> tuple[int | None, int, Points] | None:
        return (self.person, self.shown, points) if points is not None else None

    def choose(self, person: int | None) -> None:
        """Choose whose face is edited."""
        self.person = person
        self.reload()

    def choose_reach(self, reach: Reach) -> None:
        """Choose what a drag takes along."""
        self.reach = reach
        self.reload()

    def choose_markup(self, count: int) -> None:
        """Choose which points are shown and can be moved."""
        self.markup = count
        self.reload()

    def _first_person(self) -> int | None:
        return next(iter(self.session.people), None)

    def view(self, person: int) -> View:
        """Look at a person in the frame that is shown."""
        at = self.shown, self.session.revision
        if (person, *at) not in self._views:  # asked a dozen times for each edit
            self._views = {key: view for key, view in self._views.items() if key[1:] == at}
            self._views[person, *at] = self.session.view(person, self.shown)
        return self._views[person, *at]

    def points_of(self, person: int) -> Points | None:
        """Give a person's points in the picture that is shown, whose pixels are square."""
        points = self.view(person).points
        return None if points is None else self.stretch.square(points)

    def reload(self) -> None:
        """Take the face up again from the session; a drag that goes on is not disturbed.

        Without a picture there is no face to edit: it would belong to another frame by the time
        the picture comes.
        """
        if self.editor is not None and self.editor.holding:
            return
        if self.person not in self.session.people:
            self.person = self._first_person()
        same = self._edited == (self.person, self.shown)
        selected = self.editor.selected if self.editor is not None and same else None
        self._edited = self.person, self.shown
        view = View(None, None)
        if self.person is not None and self.frame is not None:
            view = self.view(self.person)
        points, source = view.points, view.source
        self.editor = None
        if points is not None and source is not None:
            self.editor = Editor.of(self.stretch.square(points), source)
            self.editor.visible = MARKUPS[self.markup]
            self.editor.selected = selected
            self.editor.reach = self.reach
        self.changed()

    def grab(self, place: tuple[float, float], within: float, *, whole: bool) -> bool:
        """Take hold of the point under the pointer, of whoever it is; else let go of all."""
        if self.editor is not None:
            point = self.editor.nearest(place, within)
            if point is not None:
                self.editor.grab(point, place, Reach.SHAPE if whole else None)
                return True
            if self.editor.grab_handle(place, within):
                return True
        for person in self.session.present(self.shown):
            points = self.points_of(person)
            if person != self.person and points is not None:
                apart = np.linalg.norm(points - place, axis=1)
                if (apart <= within).any():
                    self.choose(person)
                    return True
        if self.editor is not None and self.editor.selected is not None:
            self.editor.selected = None
            return True
        return False

    def cancel(self) -> None:
        """Put back what is held, and select nothing."""
        if self.editor is not None:
            self.editor.cancel()
            self.editor.let_go()
            self._show_newest()
