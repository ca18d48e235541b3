# SPDX-License-Identifier: GPL-3.0-or-later
"""The live view's people: remembered in a file, used again, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QFileDialog

from facetrack.errors import FacetrackError
from facetrack_app.views.asking import ask_where

if TYPE_CHECKING:
    from facetrack_app.views.live_view import LiveView


class LivePeople:
    """Methods named as in the table of actions, for the live view.

    Parameters
    ----------
    view : LiveView

    Attributes
    ----------
    person : Path or None
        A profile of somebody who was taught before.
    """

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self.person: Path | None = None

    def forget_person(self) -> None:
        """Drop all that was learned of the faces in view."""
        if self._view.session is None:
            return
        try:
            known = self._view.session.forget()
        except FacetrackError as error:  # lost in this very frame
            self._view.said(str(error), True)
        else:
            text = "forgotten: all that was learned of this face"
            self._view.said(text if known else "there is no face to forget", False)

    def save_person(self) -> None:
        """Ask for a file and save what was learned of the face in view."""
        path = ask_where(self._view, "Save person", Path.home() / "person.npz", ".npz")
        if path is not None:
            self.save_person_to(path)

    def save_person_to(self, path: Path) -> None:
        """Save what was learned of the face in view."""
        if self._view.session is None:
            return
        try:
            self._view.session.save_person(path)
        except FacetrackError as error:
            self._view.said(str(error), True)
        else:
            self._view.said(f"saved: {path}; it holds pictures of the face: personal data", False)

    def load_person(self) -> None:
        """Ask for a file and start with what was learned before."""
        path, _ = QFileDialog.getOpenFileName(self._view, "Use somebody saved", "", "(*.npz)")
        if path:
            self.use_person(Path(path))

    def use_person(self, path: Path) -> None:
        """Start with what was learned before."""
        self.person = path
        self._view.restart()
