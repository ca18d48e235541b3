"""What a run says of itself: the ledger of a finished video, the checkpoint of a running one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facetrack.errors import FormatError
from facetrack.formats.atomic import write_text
from facetrack.formats.textfile import read_bytes
from facetrack.version import installed_version

SCHEMA: Final = 1
_MAX_BYTES: Final = 1 << 26
_KEY: Final = ("input", "model", "settings")
_FRAMES: Final = ("decoded", "in_rows", "tracked", "repeated", "undecodable")  # of a ledger
_STATE: Final = ("run", "frames", "tracked", "tracker", "teacher", "signals")  # of a checkpoint


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of a finished video. The same video, model and settings give the same bytes."""

    run_key: dict[str, Any]  # see `Task.run_key`
    decoded: int  # frames
    in_rows: int  # frames that have rows, counted in the finished CSV file
    rows: int  # more than `in_rows` where several faces were tracked
    tracked: int  # frames in which a face was tracked
    repeated: int  # see `DecodeReport`
    undecodable: int
    notes: tuple[str, ...] = ()
    version: str = ""
    why_few: str = ""  # the likely reason where few frames have a face, and what helps

    @property
    def faces(self) -> str:
        """How many frames have a face, and if few, why."""
        return f"a face in {self.tracked} of {self.decoded} frames" + (
            f" ({self.why_few})" if self.why_few else ""
        )

    def summary(self) -> str:
        """Give the account in one line."""
        every = f" ({self.rows} with every face)" if self.rows != self.in_rows else ""
        return (
            f"decoded {self.decoded} = rows {self.in_rows}{every}, "
            f"repeated {self.repeated}, undecodable {self.undecodable}, {self.faces}"
        )

    def write(self, path: Path) -> None:
        """Write the ledger; raises OutputError if that fails."""
        content = {
            "schema": SCHEMA,
            "kind": "facetrack ledger",
            "status": "complete",
            "version": self.version or installed_version(),
            **self.run_key,
            "frames": {name: getattr(self, name) for name in _FRAMES},
            "rows": self.rows,
            "why_few_faces": self.why_few,
            "summary": self.summary(),
            "notes": list(self.notes),
        }
        write_json(path, content)


def read_ledger(path: Path) -> Ledger | None:
    """Read a ledger."""
    content = _of_kind(path, "facetrack ledger")
    try:
        frames = content["frames"]
        return Ledger(
            run_key={name: content[name] for name in _KEY},
            rows=int(content["rows"]),
            **{name: int(frames[name]) for name in _FRAMES},
            notes=tuple(map(str, content["notes"])),
            version=str(content["version"]),
            why_few=str(content.get("why_few_faces", "")),
        )
    except (KeyError, TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a run stood; the states are None before the first frame."""

    run_key: dict[str, Any]
    run: str  # which run it was: a task that a dying worker dropped continues by it
    frames: int = 0  # whose rows are on the disk
    tracked: int = 0  # frames of them in which a face was tracked
    tracker: dict[str, Any] | None = None
    teacher: dict[str, Any] | None = None
    signals: dict[str, Any] | None = None
    version: str = ""  # another version may compute other bytes

    def write(self, path: Path) -> None:
        """Write the checkpoint; raises OutputError if that fails."""
        content = {
            "schema": SCHEMA,
            "kind": "facetrack checkpoint",
            "version": installed_version(),
            **self.run_key,
            **{name: getattr(self, name) for name in _STATE},
        }
        write_json(path, content, indent=None)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint."""
    content = _of_kind(path, "facetrack checkpoint")
    try:
        return Checkpoint(
            run_key={name: content[name] for name in _KEY},
            run=str(content["run"]),
            frames=int(content["frames"]),
            tracked=int(content["tracked"]),
            tracker=content["tracker"],
            teacher=content["teacher"],
            signals=content["signals"],
            version=str(content["version"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def write_json(path: Path, content: dict[str, Any], *, indent: int | None = 1) -> None:
    """Write a JSON file whole or not at all; raises OutputError if that fails."""
    write_text(path, json.dumps(content, indent=indent, allow_nan=False) + "\n")


def read_object(path: Path) -> dict[str, Any]:
    """Read what we wrote; a file that is missing or broken counts as empty."""
    try:
        content = json.loads(read_bytes(path, limit=_MAX_BYTES))
    except (FormatError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _of_kind(path: Path, kind: str) -> dict[str, Any]:
    """Read a ledger or checkpoint of this schema; without one the video is tracked anew."""
    content = read_object(path)
    return content if (content.get("schema"), content.get("kind")) == (SCHEMA, kind) else {}
