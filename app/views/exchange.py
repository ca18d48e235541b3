# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking what to import or export, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from facetrack.errors import FacetrackError
from facetrack_app.model.commands import Import
from facetrack_app.model.exporting import EXPORTS
from facetrack_app.model.importing import changes_of_import, events_of, read_tracks
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.exporting import export_document
from facetrack_app.services.posting import run_beside

if TYPE_CHECKING:
    from facetrack_app.views.annotate_view import AnnotateView


def ask_export(view: AnnotateView, annotator: Annotator) -> None:
    """Ask for a format and a place, then write beside the window."""
    names = {form.name: kind for kind, form in EXPORTS.items()}
    name, sure = QInputDialog.getItem(view, "Export", "Format:", list(names), editable=False)
    if not sure:
        return
    suffix = EXPORTS[names[name]].suffix
    stem = Path(annotator.document.name).stem
    path, _ = QFileDialog.getSaveFileName(view, "Export", f"{stem}{suffix or '-pts'}")
    if path:
        export_to(view, annotator, names[name], Path(path))


def export_to(view: AnnotateView, annotator: Annotator, kind: str, path: Path) -> None:
    """Write beside the window; says when it is done."""
    session = annotator.session.reader()
    run_beside(
        lambda: export_document(annotator.document, session, kind, path, annotator.model),
        view.post,
        lambda text: view.said(text, False),
        lambda text: view.said(text, True),
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
    """Take a file or folder over as one step of the history."""
    try:
        if path.suffix.lower() in (".eaf", ".vtt"):
            rows = events_of(annotator.session, path)
        else:
            rows = changes_of_import(annotator.session, read_tracks(path))
    except FacetrackError as error:
        view.said(str(error), True)
        return
    if annotator.run(Import(path.name, tuple(rows))) is not None:
        view.said(f"imported: {path.name}", False)
