"""The checks of `facetrack doctor` that concern the system: Qt's libraries and cameras (Linux)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from facetrack.cli._checks import Check, Status
from facetrack.qt_libraries import PACKAGES, missing_library
from facetrack.video.devices import list_cameras


def check_qt_libraries() -> Iterator[Check]:
    """Check that Qt's platform plug-ins find their libraries, without starting Qt."""
    if sys.platform != "linux" or find_spec("PyQt5") is None:
        return
    for plugin in ("qoffscreen", "qxcb"):
        trouble = missing_library(plugin)
        if trouble:
            fix = f"apt install {' '.join(PACKAGES)}"
            yield Check("Qt's libraries", Status.FAIL, f"{plugin}: {trouble}", fix)
            return
    yield Check("Qt's libraries", Status.OK, "all found")


def check_cameras() -> Iterator[Check]:
    """Check that the cameras which the system lists may be opened."""
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
