# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotate view's exchange with other programs: what to import or export, and where."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from facetrack.errors import FacetrackError, InputError
from facetrack_app.model.command import new_number
from facetrack_app.model.commands import Import
from facetrack_app.model.exporting import EXPORTS, file_name
from facetrack_app.model.importing import (
    Taken,
    changes_of_import,
    events_of,
    marks_of_recording,
    read_tracks,
)
from facetrack_app.model.rows import Change
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.exporting import export_document
from facetrack_app.services.posting import Post, run_beside
from facetrack_app.views.asking import ask_where


class Exchange:
    """Methods named as in the table of actions, for an open video."""

    def __init__(self, annotator: Annotator, post: Post, parent: QWidget) -> None:
        self._annotator, self._post, self._parent = annotator, post, parent

    def export_tracks(self) -> None:
        """Ask for a format and a place, then write beside the window."""
        names = {form.name: kind for kind, form in EXPORTS.items()}
        name, sure = QInputDialog.getItem(
            self._parent, "Export", "Format:", list(names), editable=False
        )
        if not sure:
            return
        self._export(names[name])

    def _export(self, kind: str) -> None:
        suffix = EXPORTS[kind].suffix
        source = self._annotator.document.source
        folder = source.parent if isinstance(source, Path) else Path.home()
        start = folder / file_name(Path(self._annotator.document.name).stem, kind)
        path = ask_where(self._parent, EXPORTS[kind].name, start, suffix)
        if path is not None:
            self.export_to(kind, path)

    def export_to(self, kind: str, path: Path) -> None:
        """Write beside the window; says when it is done. A closed window does not end it."""
        document, model = self._annotator.document, self._annotator.model
        try:
            session = self._annotator.session.reader()
        except FacetrackError as error:
            self._annotator.said(str(error), True)
            return

        def progress(share: float) -> None:
            self._post(lambda: self._annotator.progressed(f"writing {path.name}", share))

        def end(text: str, trouble: bool) -> None:
            self._annotator.progressed("", 0.0)
            self._annotator.said(text, trouble, "export")

        progress(0.0)
        run_beside(
            lambda: export_document(document, session, kind, path, model, progress),
            self._post,
            lambda text: end(text, False),
            lambda text: end(text, True),
            lasting=True,
        )

    def import_tracks(self) -> None:
        """Ask for a file or folder and take it over."""
        box = QMessageBox(
            QMessageBox.Question, "Import", "What do you import?", parent=self._parent
        )
        file = box.addButton("A file (CSV, COCO; events: ELAN, WebVTT)", QMessageBox.AcceptRole)
        folder = box.addButton("A folder of .pts", QMessageBox.AcceptRole)
        box.addButton(QMessageBox.Cancel)
        box.exec()
        path = ""
        if box.clickedButton() is file:
            path, _ = QFileDialog.getOpenFileName(
                self._parent, "Import", "", "(*.csv *.json *.eaf *.vtt)"
            )
        elif box.clickedButton() is folder:
            path = QFileDialog.getExistingDirectory(self._parent, "Import")
        if path:
            self.import_from(Path(path))

    def import_from(self, path: Path) -> None:
        """Take over as one step of the history; points are read beside the window."""
        session = self._annotator.session
        if path.suffix.lower() in (".eaf", ".vtt"):
            try:
                self._take(path, *events_of(session, path, self._annotator.document.name))
            except FacetrackError as error:
                self._annotator.said(str(error), True)
            return
        first = new_number(session)

        def read() -> Taken:
            table = read_tracks(path, self._annotator.document.pictures)
            try:
                rows = changes_of_import(table, session.n_frames, first)
            except InputError as error:
                raise InputError(f"{path}: {error}") from error
            return Taken(rows, table.notes)

        def take(taken: Taken) -> None:
            if self._annotator.closed:
                self._annotator.said(
                    f"{path.name} is not imported: its video was closed", True, "import"
                )
            elif new_number(session) != first:  # a new person has taken the number meanwhile
                self.import_from(path)
            else:
                self._take(path, *taken)

        self._annotator.said(f"reading {path.name} ...", False, "import")
        run_beside(read, self._post, take, lambda text: self._annotator.said(text, True, "import"))

    def take_marks(self) -> None:
        """Take over what was marked while the video was recorded, when it is opened first."""
        document, session = self._annotator.document, self._annotator.session
        if session.tracked or session.spans or not isinstance(document.source, Path):
            return
        try:
            marks = marks_of_recording(document.source, document.times)
        except FacetrackError as error:
            self._annotator.said(str(error), True, "import")
            return
        if marks:
            self._take(Path(f"marks of {document.name}"), marks)

    def _take(self, path: Path, rows: list[Change], notes: tuple[str, ...] = ()) -> None:
        if self._annotator.run(Import(path.name, tuple(rows))) is not None:
            self._annotator.keep_notes(notes)
            said = "; ".join([f"imported: {path.name}", *notes])
            self._annotator.said(said, bool(notes), "import")
