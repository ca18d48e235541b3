# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions as `facetrack report` reads them: an entry point of the group `facetrack.recordings`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from facetrack.summary.report import Recording
from facetrack_app.model.exporting_signals import recording_of
from facetrack_app.model.session import DATABASE, Session
from facetrack_app.services.analysing import chosen_signals
from facetrack_app.services.replay import frames_of


def session_reader(path: Path) -> Callable[[], Recording] | None:
    """Give what reads a session's folder; None if it is none."""
    return partial(_read, path) if (path / DATABASE).is_file() else None


def _read(folder: Path) -> Recording:
    """Read a session; raises InputError if another program has it open."""
    with closing(Session(folder, frames_of(folder))) as session:
        return recording_of(session, chosen_signals(session), folder.name)
