"""A whole window, closed and checked for threads that were left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from facetrack.tracking.face_model import FaceModel
from facetrack_app.model.settings import Settings
from facetrack_app.views import theme
from facetrack_app.views.main_window import MainWindow

WORKERS = {
    "capture",
    "live tracking",
    "recorder",
    "background tracking",
    "reading",
    "tracking anew",
}


@pytest.fixture
def window(
    qtbot: QtBot, qapp: QApplication, shipped_model: FaceModel, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MainWindow]:  # fmt: skip
    """Give a window whose files lie in a temporary folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    theme.apply(qapp, "dark")
    made = MainWindow(
        shipped_model, Settings(source="demo", mirror=False), tmp_path / "settings.json",
        tmp_path / "recordings",
    )  # fmt: skip
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()
    left = {thread.name for thread in threading.enumerate()} & WORKERS
    assert not left
