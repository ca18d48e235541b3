# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking where a file is to be written, what an event is, and how fast frames follow."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtWidgets import QFileDialog, QInputDialog, QWidget

from facetrack_app.model.vocabulary import Vocabulary
from facetrack_app.services.opening import rate_to_ask


def ask_where(parent: QWidget, title: str, start: Path, suffix: str = "") -> Path | None:
    """Ask for a file or folder to write."""
    dialog = QFileDialog(parent, title, str(start.parent), f"(*{suffix})" if suffix else "")
    dialog.setAcceptMode(QFileDialog.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(start.name)
    return Path(dialog.selectedFiles()[0]) if dialog.exec() else None


def ask_rate(
    parent: QWidget, source: str | Path, folder: Path | None, *, stills: bool
) -> float | None:
    """Ask how fast frames follow each other whose times no file states."""
    offered = rate_to_ask(source, folder, stills=stills)
    if offered is None:
        return 0.0
    text = f"{Path(source).name} does not say when its frames were taken.\nFrames per second:"
    rate, sure = QInputDialog.getDouble(parent, "Frame rate", text, offered, 0.01, 10_000, 3)
    return rate if sure else None


def ask_name(parent: QWidget, vocabulary: Vocabulary, old: str = "") -> str | None:
    """Ask what an event or a mark is: a known name, or any other, which is then known, too."""
    names = vocabulary.offered(old)
    name, sure = QInputDialog.getItem(parent, "Event", "Name:", names, editable=True)
    name = name.strip()
    if not sure or not name:
        return None
    vocabulary.add(name)
    return name
