# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point of the application: `facetrack-app`, `facetrack app`."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from facetrack.errors import FacetrackError
from facetrack_app.qt_guard import check_qt

if TYPE_CHECKING:
    from facetrack.tracking.face_model import FaceModel
    from facetrack_app.views.main_window import MainWindow

LOGGER = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "video", nargs="?", metavar="VIDEO", help="annotate it: a file, a folder, or demo"
    )
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")
    parser.add_argument(
        "--install-desktop",
        action="store_true",
        help="put Facetrack into this user's menu of programs, then end",
    )


def run(args: argparse.Namespace) -> int:
    """Open the window and wait until it is closed.

    Parameters
    ----------
    args : Namespace
        The parsed arguments.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    FacetrackError
        If Qt, the model or the desktop file cannot be had.
    """
    if args.install_desktop:
        from facetrack_app.desktop import install

        for path in install():
            sys.stdout.write(f"{path}\n")
        return 0
    check_qt()
    return _open_window(args)


def _open_window(args: argparse.Namespace) -> int:
    begin = time.perf_counter()
    from PyQt5.QtCore import Qt, QTimer
    from PyQt5.QtWidgets import QApplication

    from facetrack_app.model.places import user_folder
    from facetrack_app.model.settings import load_settings
    from facetrack_app.views import theme
    from facetrack_app.views.main_window import MainWindow, destroy

    QApplication.setAttribute(Qt.AA_EnableHighDpiScaling)
    QApplication.setAttribute(Qt.AA_UseHighDpiPixmaps)
    application = QApplication(["facetrack"])
    application.setApplicationName("Facetrack")
    application.setDesktopFileName("facetrack")
    settings_path = user_folder("config") / "settings.json"
    settings, wrong = load_settings(settings_path)
    theme.apply(application, settings.theme)
    _limit_threads(settings.threads)
    model, trouble = _load(args.model, settings.model)
    window = MainWindow(model, settings, settings_path, user_folder("data") / "recordings")
    install_hook(window)
    for line in [*wrong, *trouble]:
        window.say(line, True)
    window.show()
    # The kernels load in the tracking thread, beside the first frame of the camera.
    QTimer.singleShot(0, lambda: _begin(window, args.video))
    LOGGER.info("window after %.2f s", time.perf_counter() - begin)
    status = int(application.exec())
    sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
    destroy(window)
    return status


def _load(asked: str | None, remembered: str) -> tuple[FaceModel, list[str]]:
    """Load the model; one that is only remembered and gone must not keep the program from starting.

    Returns
    -------
    FaceModel
    list of str
        What was wrong, for the person.

    Raises
    ------
    FacetrackError
        If the model that was asked for, or the one that is shipped, cannot be had.
    """
    from facetrack.model import load_model

    if asked is not None:
        return load_model(asked), []
    try:
        return load_model(remembered), []
    except FacetrackError as error:
        return load_model(), [f"{error}; the standard model is used"]


def _begin(window: MainWindow, video: str | None) -> None:
    """Do what a person who starts the program most likely wants."""
    from facetrack.video.devices import list_cameras

    if video is not None:
        window.open("demo" if video == "demo" else Path(video))
        return
    if not list_cameras():
        window.live.choose("demo")
    window.live.start()


def _limit_threads(count: int) -> None:
    import cv2
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(count)
    threadpool_limits(count)


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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the application.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit status; 1 with one line on stderr if it cannot start.
    """
    parser = argparse.ArgumentParser(prog="facetrack-app", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except FacetrackError as error:
        sys.stderr.write(f"facetrack: {error}\n")
        return 1
