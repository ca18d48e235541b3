# SPDX-License-Identifier: GPL-3.0-or-later
"""The live view's people: remembered in a file, used again, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtWidgets import QFileDialog, QWidget

from facetrack.errors import FacetrackError
from facetrack_app.services.watch import Watch
from facetrack_app.views.asking import ask_where


class LivePeople:
    """Methods named as in the table of actions, for the live view."""

    def __init__(self, watch: Watch, restart: Callable[[], None], parent: QWidget) -> None:
        self._watch, self._restart, self._parent = watch, restart, parent
        self.person: Path | None = None  # profile of a person who was taught before

    def forget_person(self) -> None:
        """Drop all that was learned of the faces in view."""
        if self._watch.session is None:
            return
        try:
            known = self._watch.session.forget()
        except FacetrackError as error:  # lost in this very frame
            self._watch.said(str(error), True)
        else:
            text = "forgotten: all that was learned of this face"
            self._watch.said(text if known else "there is no face to forget", False)

    def save_person(self) -> None:
        """Ask for a file and save what was learned of the face in view."""
        path = ask_where(self._parent, "Save person", Path.home() / "person.npz", ".npz")
        if path is not None:
            self.save_person_to(path)

    def save_person_to(self, path: Path) -> None:
        """Save what was learned of the face in view."""
        if self._watch.session is None:
            return
        try:
            self._watch.session.save_person(path)
        except FacetrackError as error:
            self._watch.said(str(error), True)
        else:
            self._watch.said(f"saved: {path}; it holds pictures of the face: personal data", False)

    def load_person(self) -> None:
        """Ask for a file and start with what was learned before."""
        path, _ = QFileDialog.getOpenFileName(self._parent, "Use a saved person", "", "(*.npz)")
        if path:
            self.use_person(Path(path))

    def use_person(self, path: Path) -> None:
        """Start with what was learned before."""
        self.person = path
        self._restart()
