# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a live recording besides its rows: whose it is, when, and what it lacks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import facetrack
from facetrack.formats.table import Names
from facetrack_app.model.live import FROZEN, LiveFrame
from facetrack_app.model.wording import counted

LANDMARKS, FACELESS, VIDEO = "landmarks only", "landmarks and line drawing", "landmarks and video"
KINDS: Final = (LANDMARKS, FACELESS, VIDEO)
AWAY: Final = "the camera gave no picture"
NOTES: Final = ".recording.json"  # what follows the recording's name
_LONG: Final = 0.9  # seconds between two frames of a camera that was away
_NAME: Final = 60  # letters of a subject or session that a file's name holds


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be recorded."""

    folder: Path  # made if it is not there
    kind: str = LANDMARKS  # one of `KINDS`: with the picture, a drawing, or none
    subject: str = ""  # as typed; may be empty
    session: str = ""
    source: str = ""  # what is watched, for the notes

    def stem(self, now: datetime) -> str:
        """Give the name of a recording that begins now, without what follows it."""
        names = [_for_file(text) for text in (self.subject, self.session)]
        return "-".join([*filter(None, names), f"{now:%Y-%m-%d-%H%M}"] if any(names)
                        else ["live", f"{now:%Y-%m-%d-%H%M}"])  # fmt: skip


def _for_file(text: str) -> str:
    """Leave letters, digits and hyphens: what every file system takes."""
    return re.sub(r"[^\w]+", "-", text).strip("-_")[:_NAME].rstrip("-_")


@dataclass(slots=True)
class Account:
    """What became of the frames of a recording."""

    seconds: float = 0.0  # from the first frame to the last
    frames: int = 0  # rows that were written, one for each frame of the camera
    missed: Counter[str] = field(default_factory=Counter)  # by the reason
    left_out: int = 0  # frames that the video lacks because the disk was slow
    gaps: list[tuple[float, float, str]] = field(default_factory=list)  # first, last second, reason
    _still: str = ""  # why the frame before was missed

    def add(self, live: LiveFrame, seconds: float) -> None:
        """Take note of a frame."""
        if self.frames and seconds - self.seconds > _LONG:
            self.gaps.append((self.seconds, seconds, AWAY))
        if live.missed == FROZEN:
            begin = self.gaps.pop()[0] if live.missed == self._still else seconds
            self.gaps.append((begin, seconds, live.missed))
        self._still = live.missed
        self.missed.update([live.missed] if live.missed else [])
        self.frames, self.seconds = self.frames + 1, seconds

    def lines(self) -> list[str]:
        """Say what the recording lacks, one line each."""
        lines = [f"{begin:.1f} to {stop:.1f} s: {why}" for begin, stop, why in self.gaps]
        if self.left_out:
            lines.append(f"the video lacks {counted(self.left_out, 'frame')}: the disk was slow")
        return lines


def notes(wish: Wish, started: datetime, account: Account, rests: Names) -> dict[str, Any]:
    """Give what stands in the notes beside a recording, as JSON knows it."""
    return {
        "facetrack": facetrack.__version__,
        "subject": wish.subject,
        "session": wish.session,
        "started": started.isoformat(timespec="seconds"),
        "source": wish.source,
        "kind": wish.kind,
        **({"measured from": {str(face): words for face, words in rests.items()}} if rests else {}),
        "seconds": round(account.seconds, 3),
        "frames": account.frames,
        "not tracked": dict(account.missed),
        "left out of the video": account.left_out,
        "gaps": [
            {"start": round(a, 3), "stop": round(b, 3), "reason": why} for a, b, why in account.gaps
        ],
    }


def in_words(name: str, account: Account, files: Sequence[Path]) -> str:
    """Say what was recorded, and what it lacks."""
    known = {"csv": "table", "signals.csv": "signals", "events.csv": "events", "mp4": "video"}
    ends = [file.name.removeprefix(f"{name}.") for file in files]
    parts = ", ".join(word for end, word in known.items() if end in ends)
    lacks = "".join(f"\n{line}" for line in account.lines())
    return f"recorded {account.seconds:.0f} s: {name} ({parts}){lacks}"


def lasting(seconds: float) -> str:
    """Write a duration as clocks do."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
