"""One video to track: where it lies, with what it is tracked, where the results go."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from facetrack.actions.signal import with_actions
from facetrack.corpus.teaching import NOTHING, Teaching
from facetrack.detection.detections import SMALLEST_FACE, check_smallest
from facetrack.errors import InputError, VideoError
from facetrack.formats.picture import SUFFIXES
from facetrack.lips.signal import with_words
from facetrack.signals.registry import Choice, choose
from facetrack.signals.rest import check_span
from facetrack.video.images import holds_pictures, is_stack
from facetrack.video.source import checked_rate

FORMATS: Final = ("csv", "pts", "coco", "elan", "vtt")
_SUFFIXES: Final = {
    "csv": ".csv",
    "pts": "-pts",  # a folder
    "coco": ".coco.json",
    "elan": ".eaf",
    "vtt": ".vtt",
    "overlay": ".overlay.mp4",
    "signals": ".signals.csv",
    "events": ".events.csv",
    "dictionary": ".columns.csv",
    "ledger": ".ledger.json",
    "timing": ".timing.json",
    "partial": ".partial.csv",
    "signals partial": ".signals.partial.csv",
    "events partial": ".events.partial.csv",
    "checkpoint": ".checkpoint.json",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides about the bytes of the results, besides the video and the model."""

    max_faces: int = 1
    smoothing: float = 0.0  # from 0 (off) to 1 (much)
    overlay: bool = False
    formats: tuple[str, ...] = ("csv",)  # out of `FORMATS`, in their order
    signals: str = "default"  # see `facetrack.signals.choose`
    stills: bool = False  # pictures of a folder stand by themselves; a single one always does
    smallest_face: float = SMALLEST_FACE  # pixels
    rest: tuple[float, float] | None = None  # seconds; expressions are measured from it
    rate: float | None = None  # frames per second of what states no times: folders, raw streams
    words: str | None = None  # see `lips.signal.lips_with`
    actions: str | None = None  # a recogniser, see `actions.signal.with_actions`

    def __post_init__(self) -> None:
        if self.max_faces < 1:
            raise InputError(f"the number of faces must be at least 1, got {self.max_faces}")
        if not 0 <= self.smoothing <= 1:
            raise InputError(f"smoothing must lie between 0 and 1, got {self.smoothing}")
        check_smallest(self.smallest_face)
        checked_rate(self.rate)
        if self.rest is not None:
            check_span(self.rest)
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown:
            raise InputError(f"unknown format {unknown[0]!r}; choose from {', '.join(FORMATS)}")
        self.choice()
        wanted = {"csv", *self.formats}
        object.__setattr__(self, "formats", tuple(name for name in FORMATS if name in wanted))

    def choice(self) -> Choice:
        """Return the estimators that run, as they are known at this moment."""
        choice = choose(self.signals)
        if self.words is not None:
            choice = with_words(choice, self.words)
        return choice if self.actions is None else with_actions(choice, self.actions)


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which model a result was made with; the checksum is its `fingerprint`."""

    name: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that belong to one video; `base` is their common path up to the video's name."""

    base: Path

    def path(self, kind: str) -> Path:
        """Give the path of one of them: a format, or one of the run's own records."""
        return self.base.with_name(self.base.name + _SUFFIXES[kind])

    def all_paths(self) -> list[Path]:
        """Give the paths of all that could be there."""
        return [self.path(kind) for kind in _SUFFIXES]


@dataclass(frozen=True, slots=True)
class Task:
    """One video to track."""

    source: str | Path  # for `open_source`: file or folder as Path; a camera or "demo" as text
    outputs: Outputs
    settings: Settings
    model: ModelId
    teaching: Teaching = NOTHING

    @property
    def live(self) -> bool:
        """Whether the source is a camera, which cannot be read a second time."""
        return is_live(self.source)

    @property
    def stills(self) -> bool:
        """Whether pictures are looked at, each by itself."""
        if not isinstance(self.source, Path) or not holds_pictures(self.source):
            return False
        return self.settings.stills or not (self.source.is_dir() or is_stack(self.source))

    def run_key(self) -> dict[str, Any]:
        """Say what decides about the results, as JSON knows it; equal keys mean equal bytes.

        The input with its size and time of change, the model, the settings, what is taught. Raises
        VideoError or FormatError if a file cannot be read.
        """
        settings = {**asdict(self.settings), **self.teaching.run_key()}
        settings["stills"] = self.stills
        settings["formats"] = list(self.settings.formats)
        for name in ("rest", "rate", "words", "actions"):
            if settings[name] is None:
                del settings[name]  # as in runs of before there was any
        settings["signals"] = self.settings.choice().run_key()
        return {"input": _stamp(self.source), "model": asdict(self.model), "settings": settings}


def is_live(source: str | Path) -> bool:
    """Return whether a source is a camera."""
    return isinstance(source, str) and source != "demo"


def identity(source: str | Path) -> str:
    """Name a source in the same way wherever the program was started."""
    return os.path.abspath(source) if isinstance(source, Path) else source


def _stamp(source: str | Path) -> dict[str, Any]:
    if isinstance(source, str):
        return {"path": source}
    try:
        if source.is_dir():
            return {"path": identity(source), **_folder_stamp(source)}
        status = source.stat()
    except OSError as error:
        raise VideoError(source, f"cannot be read ({error.strerror})") from error
    return {"path": identity(source), "bytes": status.st_size, "modified_ns": status.st_mtime_ns}


def _folder_stamp(folder: Path) -> dict[str, Any]:
    """Sum up the pictures of a folder: names, sizes and times."""
    digest, size, newest = hashlib.sha256(), 0, 0
    with os.scandir(folder) as entries:
        pictures = [e for e in entries if Path(e.name).suffix.lower() in SUFFIXES]
    for entry in sorted(pictures, key=lambda e: e.name):
        status = entry.stat()
        size, newest = size + status.st_size, max(newest, status.st_mtime_ns)
        digest.update(os.fsencode(f"{entry.name}/{status.st_size}/{status.st_mtime_ns}/"))
    return {"bytes": size, "modified_ns": newest, "pictures": digest.hexdigest()}
