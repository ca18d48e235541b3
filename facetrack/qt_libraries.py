"""The system libraries that PyQt5's wheel expects to find (Linux): which one lacks, what brings it.

A missing library makes `QApplication` abort without naming it; loading the plug-in's file in a
child process names the library.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

# Debian's and Ubuntu's names.
PACKAGES: Final = (
    "libgl1", "libglib2.0-0", "libfontconfig1", "libxcb-icccm4", "libxcb-image0",
    "libxcb-keysyms1", "libxcb-render-util0", "libxcb-shape0", "libxcb-xinerama0",
    "libxcb-xkb1", "libxkbcommon-x11-0", "libdbus-1-3",
)  # fmt: skip
_PROBE: Final = """
import ctypes, sys
try: import PyQt5.QtWidgets; ctypes.CDLL(sys.argv[1])
except (ImportError, OSError) as error: print(error)
"""


def missing_library(plugin: str) -> str:
    """Name the first system library that a plug-in of Qt, "qxcb" or "qoffscreen", lacks.

    What the loader says; empty if nothing is missing, PyQt5 is not installed, or this is not Linux.
    """
    spec = find_spec("PyQt5")
    if spec is None or spec.origin is None or sys.platform != "linux":
        return ""
    path = Path(spec.origin).parent / "Qt5" / "plugins" / "platforms" / f"lib{plugin}.so"
    command = [sys.executable, "-c", _PROBE, str(path)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (child.stdout.strip() or child.stderr.strip()).splitlines()
    return lines[-1] if lines else ""
