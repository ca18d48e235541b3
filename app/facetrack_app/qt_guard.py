# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be right before Qt starts, because Qt itself would abort without a reason."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from facetrack.errors import MissingDependencyError
from facetrack.qt_libraries import PACKAGES, missing_library

# What opencv-python (not the headless one) sets at import: Qt would load OpenCV's own plug-ins.
QT_VARIABLES: Final = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")


def guard_against_opencv(environment: MutableMapping[str, str] = os.environ) -> None:
    """Import OpenCV and take back what it tells Qt; what the user told Qt stays."""
    before = {name: environment.get(name) for name in QT_VARIABLES}
    cv2 = importlib.import_module("cv2")
    inside = str(Path(cv2.__file__ or "").parent)
    for name, value in before.items():
        if environment.get(name, "").startswith(inside):
            del environment[name]
            if value is not None and not value.startswith(inside):
                environment[name] = value


def display_missing(environment: MutableMapping[str, str] = os.environ) -> bool:
    """Return whether a window could not be shown because there is no display (Linux)."""
    if sys.platform != "linux" or environment.get("QT_QPA_PLATFORM"):
        return False
    return not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def check_qt() -> None:
    """Make sure that a window can be opened."""
    for name in ("PyQt5", "pyqtgraph"):
        if find_spec(name) is None:
            raise MissingDependencyError(
                f"{name} is not installed; run: pip install 'facetrack[app]'"
            )
    if display_missing():
        raise MissingDependencyError(
            "there is no display for a window; `facetrack demo` works without one"
        )
    wanted = os.environ.get("QT_QPA_PLATFORM", "xcb").partition(":")[0]
    with ThreadPoolExecutor() as beside:  # the answer comes from a process of its own
        trouble = beside.submit(missing_library, "qoffscreen" if wanted == "offscreen" else "qxcb")
        guard_against_opencv()
    if trouble.result():
        raise MissingDependencyError(f"{trouble.result()}; run: apt install {' '.join(PACKAGES)}")
