"""A session on a real display: opens the window, tracks the demo clip, drags a point. Run alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2  # noqa: F401  (before Qt, as in real life)

from facetrack_app.qt_guard import check_qt

check_qt()

import gestures  # type: ignore[import-not-found]  # noqa: E402  (beside this file)
from PyQt5.QtCore import QPoint  # noqa: E402
from PyQt5.QtWidgets import QApplication  # noqa: E402

from facetrack.model import load_model  # noqa: E402
from facetrack_app.model.settings import Settings  # noqa: E402
from facetrack_app.views.main_window import MainWindow, destroy  # noqa: E402


def main(folder: Path) -> None:
    application = QApplication(["facetrack"])
    print(application.platformName())
    window = MainWindow(load_model(), Settings(source="demo"), folder / "s.json", folder / "r")
    window.show()

    def until(reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not reached():
            assert time.monotonic() < deadline
            application.processEvents()
            time.sleep(0.005)

    window.live.start()
    until(lambda: window.live.panel.state.text() == "tracking")
    window.live.stop()
    print("tracked")
    window.open("demo")
    view = window.annotate
    until(lambda: view.annotator is not None and view.annotator.editor is not None)
    assert view.annotator is not None
    assert view.annotator.editor is not None
    x, y = view.canvas.to_screen(view.annotator.editor.points[8]).tolist()
    start = QPoint(round(x), round(y))
    gestures.drag(view.canvas, start, QPoint(0, 12))
    until(lambda: bool(view.annotator and view.annotator.session.summary(0).corrected.any()))
    print("corrected")
    window.grab().save(str(folder / "window.png"))
    destroy(window)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
