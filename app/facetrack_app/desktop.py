# SPDX-License-Identifier: GPL-3.0-or-later
"""Facetrack in the desktop's menu of programs (Linux)."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from facetrack.errors import InputError
from facetrack.formats.atomic import output_error, write_text

NAME: Final = "facetrack"
_ENTRY: Final = """\
[Desktop Entry]
Type=Application
Name=Facetrack
Comment=Watch a face live, annotate a video, teach the tracker
Exec={program} %f
Icon={icon}
Terminal=false
Categories=Science;AudioVideo;Video;
MimeType=video/mp4;video/x-matroska;video/x-msvideo;video/quicktime;video/webm;
"""


def install(data: Path | None = None) -> list[Path]:
    """Write the .desktop file and the icon for this user."""
    if sys.platform != "linux":
        raise InputError(
            "only desktops of Linux know .desktop files; start `facetrack-app` instead"
        )
    home = data or Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    icon = home / "icons" / "hicolor" / "scalable" / "apps" / f"{NAME}.svg"
    entry = home / "applications" / f"{NAME}.desktop"
    for path in (icon, entry):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(path, error) from error
    write_text(icon, files("facetrack_app").joinpath(f"{NAME}.svg").read_text(encoding="utf-8"))
    write_text(entry, _ENTRY.format(program=_program(), icon=NAME))
    return [icon, entry]


def _program() -> str:
    """Give the command as a desktop file wants it: a full path, quoted."""
    beside = Path(sys.executable).with_name("facetrack-app")
    found = str(beside) if beside.exists() else shutil.which("facetrack-app") or "facetrack-app"
    escaped = found.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
