"""The checks of `facetrack doctor` that concern the system: Qt's libraries and cameras (Linux)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from facetrack.cli._checks import Check, Status, run_child
from facetrack.video.devices import list_cameras

# Debian's and Ubuntu's packages of the libraries that PyQt5's wheel expects to find.
QT_PACKAGES = (
    "libgl1",
    "libglib2.0-0",
    "libfontconfig1",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-xinerama0",
    "libxcb-xkb1",
    "libxkbcommon-x11-0",
    "libdbus-1-3",
)


def check_qt_libraries() -> Iterator[Check]:
    """Check that Qt's platform plug-ins find their libraries, without starting Qt.

    A missing library makes `QApplication` abort without naming it. Loading the plug-in's file in a
    child process names the library.

    Yields
    ------
    Check
        One; none where PyQt5 is not installed or the system is not Linux.
    """
    spec = find_spec("PyQt5")
    if sys.platform != "linux" or spec is None or spec.origin is None:
        return
    platforms = Path(spec.origin).parent / "Qt5" / "plugins" / "platforms"
    for plugin in ("libqoffscreen.so", "libqxcb.so"):
        trouble = run_child(f"import ctypes; ctypes.CDLL({str(platforms / plugin)!r})")
        if trouble:
            fix = f"apt install {' '.join(QT_PACKAGES)}"
            yield Check("Qt's libraries", Status.FAIL, f"{plugin}: {trouble}", fix)
            return
    yield Check("Qt's libraries", Status.OK, "all found")


def check_cameras() -> Iterator[Check]:
    """Check that the cameras which the system lists may be opened.

    Yields
    ------
    Check
        One a camera, or one that says that there is none.
    """
    cameras = list_cameras()
    if sys.platform != "linux":
        yield Check("cameras", Status.NOTE, "are not listed on this system; try `track 0`")
    elif not cameras:
        yield Check("cameras", Status.NOTE, "none found; the demo clip works without one")
    for camera in cameras:
        label, seen = f"camera {camera.index}", f"{camera.name} ({camera.path})"
        if os.access(camera.path, os.R_OK | os.W_OK):
            yield Check(label, Status.OK, seen)
        else:
            fix = 'sudo usermod -aG video "$USER", then log in again'
            yield Check(label, Status.FAIL, f"{seen}: no permission to open it", fix)
