# SPDX-License-Identifier: GPL-3.0-or-later
"""What the application remembers between two starts; a broken file costs nothing but the wishes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from facetrack.formats.atomic import write_text
from facetrack_app.model.actions import MARKUP_COUNTS, conflicts
from facetrack_app.model.marking import N_KEYS
from facetrack_app.model.recording import KINDS, LANDMARKS
from facetrack_app.model.vocabulary import MOST

MAX_BYTES: Final = 1 << 20
MOST_RECENT: Final = 20  # paths in the menu
THEMES: Final = ("system", "light", "dark")


@dataclass(slots=True)
class Settings:
    """Wishes of the person at the machine."""

    theme: str = "system"  # one of `THEMES`
    model: str = "default"  # name or file
    max_faces: int = 1  # tracked at a time
    threads: int = 1  # of OpenCV and BLAS
    source: str = ""  # camera, file or "demo" that was watched last
    mirror: bool = True
    smoothing: float = 0.3  # 0 to 1
    charts: list[str] = field(default_factory=lambda: ["pose_yaw", "mouth_opening"])  # signals
    curves: list[str] = field(default_factory=lambda: ["eye_openness"])  # signals, in the timeline
    markup: int = 68  # one of `MARKUP_COUNTS`
    keys: dict[str, str] = field(default_factory=dict)  # that differ from the table of actions
    recent: list[str] = field(default_factory=list)  # videos, the newest first
    window: str = ""  # where it lies and how large it is, as Qt writes it, in hexadecimal digits
    splits: dict[str, list[int]] = field(default_factory=dict)  # how views are divided, px, by name
    vocabulary: list[str] = field(default_factory=list)  # names of events and marks
    sound: bool = True  # while playing
    welcomed: bool = False  # knows how to teach the tracker
    subject: str = ""  # who is recorded
    session: str = ""  # and in which one
    record_kind: str = LANDMARKS  # one of `recording.KINDS`
    recordings: str = ""  # folder; empty: the standard one
    recogniser: str = ""  # file of a recogniser of actions; empty: none
    event_keys: list[str] = field(default_factory=list)  # what the keys 1 to 9 mark while live

    def remember(self, path: Path) -> None:
        """Put a path first among those that were opened."""
        known = [str(path), *(other for other in self.recent if other != str(path))]
        self.recent = known[:MOST_RECENT]


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "theme": lambda v: v in THEMES,
    "model": lambda v: isinstance(v, str) and 0 < len(v) < 4096,
    "max_faces": lambda v: type(v) is int and 1 <= v <= 16,
    "threads": lambda v: type(v) is int and 1 <= v <= 256,
    "source": lambda v: isinstance(v, str) and len(v) < 4096,
    "mirror": lambda v: type(v) is bool,
    "smoothing": lambda v: type(v) in (int, float) and 0 <= v <= 1,
    "charts": lambda v: _texts(v) and len(v) <= 8,
    "curves": lambda v: _texts(v) and len(v) <= 3,
    "markup": lambda v: type(v) is int and v in MARKUP_COUNTS,
    "keys": lambda v: (
        isinstance(v, dict) and _texts(list(v)) and _texts(list(v.values())) and not conflicts(v)
    ),
    "recent": lambda v: _texts(v) and len(v) <= MOST_RECENT,
    "window": lambda v: (
        isinstance(v, str) and re.fullmatch(r"(?:[0-9a-f]{2}){0,400}", v) is not None
    ),
    "sound": lambda v: type(v) is bool,
    "welcomed": lambda v: type(v) is bool,
    "vocabulary": lambda v: _texts(v) and len(v) <= MOST,
    "splits": lambda v: isinstance(v, dict) and all(map(_sizes, v.values())),
    "subject": lambda v: isinstance(v, str) and len(v) <= 60,
    "session": lambda v: isinstance(v, str) and len(v) <= 60,
    "record_kind": lambda v: v in KINDS,
    "event_keys": lambda v: _texts(v) and len(v) <= N_KEYS,
    "recogniser": lambda v: isinstance(v, str) and len(v) < 4096,
    "recordings": lambda v: isinstance(v, str) and len(v) < 4096,
}


def _sizes(value: Any) -> bool:
    whole = isinstance(value, list) and all(type(v) is int for v in value)
    return whole and len(value) <= 8 and all(0 <= v < 100_000 for v in value)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) and len(v) < 4096 for v in value)


def load_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read the settings."""
    settings = Settings()
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError("it is too large")
        values = json.loads(content)
        if not isinstance(values, dict):
            raise TypeError("no object inside")
    except FileNotFoundError:
        return settings, []
    except (OSError, ValueError, TypeError, RecursionError) as error:
        return settings, [f"{path}: is broken ({error!s:.60}); the standard settings are used"]
    wrong = []
    for item in fields(Settings):
        if item.name not in values:
            continue
        if _CHECKS[item.name](values[item.name]):
            setattr(settings, item.name, values[item.name])
        else:
            wrong.append(f"{path}: {item.name} makes no sense; the standard is used")
    return settings, wrong


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(asdict(settings), indent=2, allow_nan=False) + "\n")
