"""A whole window, closed and checked for threads that were left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from facetrack.fitting.face_model import FaceModel
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import write_video
from facetrack_app.model.settings import Settings
from facetrack_app.views import theme
from facetrack_app.views.main_window import MainWindow
from tests.app.views.hands import Hands, N

WORKERS = {
    "capture",
    "live tracking",
    "recorder",
    "background tracking",
    "reading",
    "tracking anew",
    "analysing",
    "sound",
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
    made.resize(1280, 720)
    made.show()
    yield made
    made.close()
    left = {thread.name for thread in threading.enumerate()} & WORKERS
    assert not left


@pytest.fixture(scope="session")
def clip(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a short clip of the moving head."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_video(
        SyntheticVideo(shipped_model.shape_model, n_frames=N, size=(320, 240), seed=1), path
    )
    return path


@pytest.fixture
def hands(window: MainWindow, qtbot: QtBot, clip: Path, tmp_path: Path) -> Hands:
    """Give a window with a tracked clip."""
    window.show_annotate()
    window.annotate.open(clip, folder=tmp_path / "session")
    made = Hands(window, qtbot)
    made.until(
        lambda: (
            window.annotate.annotator is not None
            and window.annotate.annotator.session.tracked == N
            and window.annotate.annotator.frame is not None
            and window.annotate.annotator.editor is not None
        )
    )
    return made
