# SPDX-License-Identifier: GPL-3.0-or-later
"""What the live view and those who act for it share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from facetrack_app.model.observable import Observable, Voice
from facetrack_app.services.live_session import LiveSession


@dataclass(slots=True)
class Watch:
    """The live session that runs now, and what is to be told."""

    session: LiveSession | None = None  # None while no camera is watched
    said: Voice = field(default_factory=Voice)
    changed: Observable[[]] = field(default_factory=Observable)  # what can be asked for
    annotate: Observable[[Path]] = field(default_factory=Observable)  # a video to show there
