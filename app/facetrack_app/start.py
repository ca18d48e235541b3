# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening the window: settings, model, and what shows errors of threads and slots."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

import cv2
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication
from threadpoolctl import threadpool_limits

from facetrack.errors import FacetrackError
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model
from facetrack.video.devices import list_cameras
from facetrack_app.model.places import user_folder
from facetrack_app.model.settings import load_settings
from facetrack_app.services.recognising import use_recogniser
from facetrack_app.views import theme
from facetrack_app.views.live_recording import visible_folder
from facetrack_app.views.main_window import MainWindow, destroy

LOGGER = logging.getLogger(__name__)


def open_window(video: str | None, model_name: str | None) -> int:
    """Open the window, wait until it is closed and return the exit status."""
    QApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    application = QApplication(["facetrack"])
    application.setApplicationName("Facetrack")
    application.setDesktopFileName("facetrack")
    settings_path = user_folder("config") / "settings.json"
    settings, wrong = load_settings(settings_path)
    if settings.recogniser:
        try:
            use_recogniser(settings.recogniser)
        except FacetrackError as error:
            wrong.append(f"{error}; its actions are not looked for")
    theme.apply(application, settings.theme)
    cv2.setNumThreads(settings.threads)
    threadpool_limits(settings.threads)
    model, trouble = _load(model_name, settings.model)
    window = MainWindow(model, settings, settings_path, visible_folder())
    install_hook(window)
    for line in [*wrong, *trouble]:
        window.say(line, True)
    window.show()
    window.welcome()
    # The kernels load in the tracking thread, beside the first frame of the camera.
    QTimer.singleShot(0, lambda: _begin(window, video))
    status = int(application.exec())
    sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
    destroy(window)
    return status


def _load(asked: str | None, remembered: str) -> tuple[FaceModel, list[str]]:
    """Load the model, and say what was wrong: one that is remembered and gone is replaced."""
    if asked is not None:
        return load_model(asked), []
    try:
        return load_model(remembered), []
    except FacetrackError as error:
        return load_model(), [f"{error}; the standard model is used"]


def _begin(window: MainWindow, video: str | None) -> None:
    """Do what a person who starts the program most likely wants."""
    if video is not None:
        window.open("demo" if video == "demo" else Path(video))
        return
    if not list_cameras():
        window.live.choose("demo")
    window.live.start()


def install_hook(window: MainWindow) -> None:
    """Show what went wrong instead of ending: PyQt5 aborts on an exception in a slot.

    Threads tell of theirs, too; without this they would just be gone.
    """

    def tell(kind: type[BaseException], error: BaseException | None, text: str) -> None:
        LOGGER.error("%s", text)
        known = isinstance(error, FacetrackError)
        window.post(lambda: window.say(str(error) if known else f"{kind.__name__}: {error}", True))

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        tell(kind, error, "".join(traceback.format_exception(kind, error, trace)))

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        seen = args.exc_type, args.exc_value, args.exc_traceback
        tell(args.exc_type, args.exc_value, "".join(traceback.format_exception(*seen)))

    sys.excepthook = hook
    threading.excepthook = thread_hook
