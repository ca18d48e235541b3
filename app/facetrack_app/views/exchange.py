# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking what to import or export, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from facetrack.errors import FacetrackError, InputError
from facetrack_app.model.command import new_number
from facetrack_app.model.commands import Import
from facetrack_app.model.exporting import EXPORTS
from facetrack_app.model.importing import changes_of_import, events_of, read_tracks
from facetrack_app.model.rows import Change
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.exporting import export_document
from facetrack_app.services.posting import run_beside
from facetrack_app.views.asking import ask_where

if TYPE_CHECKING:
    from facetrack_app.views.annotate_view import AnnotateView


def ask_export(view: AnnotateView, annotator: Annotator) -> None:
    """Ask for a format and a place, then write beside the window."""
    names = {form.name: kind for kind, form in EXPORTS.items()}
    name, sure = QInputDialog.getItem(view, "Export", "Format:", list(names), editable=False)
    if not sure:
        return
    suffix = EXPORTS[names[name]].suffix
    source = annotator.document.source
    folder = source.parent if isinstance(source, Path) else Path.home()
    start = folder / f"{Path(annotator.document.name).stem}{suffix or '-pts'}"
    path = ask_where(view, "Export", start, suffix)
    if path is not None:
        export_to(view, annotator, names[name], path)


def export_to(view: AnnotateView, annotator: Annotator, kind: str, path: Path) -> None:
    """Write beside the window; says when it is done. A closed window does not end it."""
    document, model = annotator.document, annotator.model
    try:
        session = annotator.session.reader()
    except FacetrackError as error:
        view.said(str(error), True)
        return

    def progress(share: float) -> None:
        view.post(lambda: annotator.progressed(f"writing {path.name}", share))

    def end(text: str, trouble: bool) -> None:
        annotator.progressed("", 0.0)
        view.said(text, trouble)

    progress(0.0)
    run_beside(
        lambda: export_document(document, session, kind, path, model, progress),
        view.post,
        lambda text: end(text, False),
        lambda text: end(text, True),
        lasting=True,
    )


def ask_import(view: AnnotateView, annotator: Annotator) -> None:
    """Ask for a file or folder and take it over."""
    box = QMessageBox(QMessageBox.Question, "Import", "What do you import?", parent=view)
    file = box.addButton("A file (CSV, COCO; events: ELAN, WebVTT)", QMessageBox.AcceptRole)
    folder = box.addButton("A folder of .pts", QMessageBox.AcceptRole)
    box.addButton(QMessageBox.Cancel)
    box.exec()
    path = ""
    if box.clickedButton() is file:
        path, _ = QFileDialog.getOpenFileName(view, "Import", "", "(*.csv *.json *.eaf *.vtt)")
    elif box.clickedButton() is folder:
        path = QFileDialog.getExistingDirectory(view, "Import")
    if path:
        import_from(view, annotator, Path(path))


def import_from(view: AnnotateView, annotator: Annotator, path: Path) -> None:
    """Take a file or folder over as one step of the history; points are read beside the window."""
    session = annotator.session
    if path.suffix.lower() in (".eaf", ".vtt"):
        try:
            _take(view, annotator, path, events_of(session, path))
        except FacetrackError as error:
            view.said(str(error), True)
        return
    first = new_number(session)

    def read() -> list[Change]:
        table = read_tracks(path)
        try:
            return changes_of_import(table, session.n_frames, first)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    def take(rows: list[Change]) -> None:
        if view.annotator is not annotator:
            view.said(f"{path.name} is not imported: its video was closed", True)
        elif new_number(session) != first:  # somebody new has taken the number meanwhile
            import_from(view, annotator, path)
        else:
            _take(view, annotator, path, rows)

    view.said(f"reading {path.name} ...", False)
    run_beside(read, view.post, take, lambda text: view.said(text, True))


def _take(view: AnnotateView, annotator: Annotator, path: Path, rows: list[Change]) -> None:
    if annotator.run(Import(path.name, tuple(rows))) is not None:
        view.said(f"imported: {path.name}", False)
