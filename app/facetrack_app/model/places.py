# SPDX-License-Identifier: GPL-3.0-or-later
"""Where sessions, settings and recordings live."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Final

from facetrack.errors import OutputError
from facetrack.formats.atomic import output_error

SUFFIX: Final = ".facetrack"
DATABASE: Final = "session.db"  # in the session's folder


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error


def user_folder(kind: str) -> Path:
    """Give this user's own folder."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home())) / "Facetrack"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Facetrack"
    variable, place = {
        "config": ("XDG_CONFIG_HOME", ".config"),
        "data": ("XDG_DATA_HOME", ".local/share"),
    }[kind]
    return Path(os.environ.get(variable) or Path.home() / place) / "facetrack"


def folder_for(video: Path, fallback: Path) -> Path:
    """Choose where a video's session lives."""
    beside, other = _places(video, fallback)
    for folder in (beside, other):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".probe"
            probe.touch()
            probe.unlink()
        except OSError:
            continue
        return folder
    raise OutputError(f"{beside}: cannot be written, nor {fallback}; choose another folder")


def session_of(video: Path, fallback: Path) -> Path | None:
    """Find the session that a video has already; see `folder_for`."""
    return next((p for p in _places(video, fallback) if (p / DATABASE).is_file()), None)


def _places(video: Path, fallback: Path) -> tuple[Path, Path]:
    place = hashlib.sha256(str(video.resolve()).encode()).hexdigest()[:8]
    beside = video.with_name(video.name + SUFFIX)
    return beside, fallback / f"{video.name}-{place}{SUFFIX}"
