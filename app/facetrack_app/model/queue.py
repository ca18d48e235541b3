# SPDX-License-Identifier: GPL-3.0-or-later
"""Videos that are tracked one after the other: what is asked of them, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from facetrack_app.model.wording import counted


class Stage(Enum):
    """How far a video is."""

    WAITING = "waiting"
    TRACKING = "tracking"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be tracked, as `facetrack track` takes it."""

    inputs: tuple[str, ...]  # files and folders
    output: str  # folder for the results
    model: str = "default"  # a model's name or file
    max_faces: int = 1
    overlay: bool = False  # videos with the landmarks are written, too
    rate: float | None = None  # frames/s of raw streams, which state no times; None: as they say


@dataclass(slots=True)
class Queued:
    """A video of the queue."""

    source: str  # its path
    stage: Stage = Stage.WAITING
    frame: int = 0  # tracked by now
    total: int | None = None  # as far as known
    line: str = ""  # the account of its frames, or why it failed

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if self.stage in (Stage.DONE, Stage.FAILED):
            return 1.0
        return min(self.frame / self.total, 1.0) if self.total else 0.0

    @property
    def words(self) -> str:
        """How far it is, in words."""
        if self.stage == Stage.TRACKING:
            of = f" of {self.total:,}" if self.total else ""
            return f"{counted(self.frame, 'frame')}{of}"
        return self.line or self.stage.value


@dataclass(slots=True)
class Queue:
    """All videos of an order, kept up to date by what the tracking process tells."""

    videos: list[Queued] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)  # what concerns no single video
    ended: bool = False  # the process has nothing more to tell

    def take(self, told: Mapping[str, Any]) -> None:
        """Take over what was told; see `services.queue_worker`."""
        match told:
            case {"planned": sources, "errors": errors}:
                self.videos = [Queued(source) for source in sources]
                self.troubles += errors
            case {"at": number, "frame": frame, "total": total}:
                video = self.videos[number]
                video.stage, video.frame, video.total = Stage.TRACKING, frame, total
            case {"done": number, "line": line, "failed": failed}:
                video = self.videos[number]
                video.stage, video.line = (Stage.FAILED if failed else Stage.DONE), line
            case {"trouble": line}:
                self.troubles.append(line)

    @property
    def summary(self) -> str:
        """What became of it, in one sentence."""
        done = sum(video.stage == Stage.DONE for video in self.videos)
        failed = sum(video.stage == Stage.FAILED for video in self.videos) + len(self.troubles)
        left = len(self.videos) - done - sum(v.stage == Stage.FAILED for v in self.videos)
        parts = [f"{counted(done, 'video')} tracked"]
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{left} left: start again to continue"] if left and self.ended else []
        return ", ".join(parts)
