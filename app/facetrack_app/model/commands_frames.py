# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on frames: corrections, new tracks, imports."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack.errors import InputError
from facetrack.face import N_POINTS, Face, Fit, Source, State
from facetrack_app.model.command import Command, changed_row, check_frame, check_person, new_number
from facetrack_app.model.rows import Change, Kind, Points, TrackRow, pack_points
from facetrack_app.model.session import Session


@dataclass(frozen=True)
class Correct(Command):
    """Say where a person's points are in a frame."""

    title: ClassVar[str] = "correction"
    person: int
    frame: int
    points: list[list[float] | None]  # px; None where a point is absent
    source: list[int]  # `Source` of each point

    @classmethod
    def of(cls, person: int, frame: int, correction: Correction) -> Correct:
        """Make the command from what was said."""
        pairs: list[list[float]] = correction.points.tolist()
        points = [pair if np.isfinite(pair).all() else None for pair in pairs]
        return cls(person, frame, points, correction.source.tolist())

    def changes(self, session: Session) -> list[Change]:
        """Write one row, and a tracklet for it if the person has none in that frame.

        A shape that is a guess throughout is no correction: it becomes a row of no trust.
        """
        check_frame(session, self.frame)
        check_person(session, self.person)
        points = np.array([p if p is not None else (np.nan, np.nan) for p in self.points])
        tracklet, changes = _tracklet_for(session, self.person, self.frame)
        source = np.array(self.source, dtype=np.uint8)
        if points.shape != (N_POINTS, 2) or source.shape != (N_POINTS,):
            raise InputError(f"a correction has {N_POINTS} points, got {points.shape}")
        key = tracklet, self.frame
        if (source == Source.INTERPOLATED).all() and (tracklet < 0 or self.frame < session.tracked):
            return [*changes, *machine_rows(session, guess_row(tracklet, self.frame, points))]
        row = (pack_points(points), source.tobytes(), "person")
        return [*changes, changed_row(session, "correction", key, row)]


def guess_row(tracklet: int, frame: int, points: Points) -> TrackRow:
    """Make a row of a shape that was only put somewhere."""
    source = np.full(N_POINTS, Source.INTERPOLATED, dtype=np.uint8)
    unsaid = np.full(N_POINTS, np.nan)
    return TrackRow(tracklet, frame, Kind.GUESS, 0.0, 0.0, "", points, unsaid, source)


def machine_rows(session: Session, row: TrackRow) -> list[Change]:
    """Say that a machine's row counts from now on; what a person had said gives way to it."""
    changes = [changed_row(session, "track", row.key(), row.values())]
    if session.correction(*row.key()) is not None:
        changes.append(changed_row(session, "correction", row.key(), None))
    return changes


def _tracklet_for(session: Session, person: int, frame: int) -> tuple[int, list[Change]]:
    """Find the tracklet for a person's face in a frame; a new one if there is none."""
    tracklet = session.tracklet_at(person, frame)
    if tracklet is not None:
        return tracklet, []
    tracklet = new_number(session)
    return tracklet, [Change("assignment", (tracklet, 0), None, (person,))]


@dataclass(frozen=True)
class Fitted(Command):
    """Take over what the model found when a person asked it to fit once more."""

    title: ClassVar[str] = "fit"
    person: int
    frame: int
    points: list[list[float]]  # px
    quality: float
    confidence: list[float | None]  # of each point; None where nothing is said

    @classmethod
    def of(cls, person: int, frame: int, fit: Fit) -> Fitted:
        """Make the command from what was found."""
        confidence = [value if np.isfinite(value) else None for value in fit.confidence.tolist()]
        return cls(person, frame, fit.points.tolist(), fit.quality, confidence)

    def changes(self, session: Session) -> list[Change]:
        """Write a machine's row; what a person had said of the frame gives way to it."""
        check_frame(session, self.frame)
        check_person(session, self.person)
        tracklet, changes = _tracklet_for(session, self.person, self.frame)
        if tracklet >= 0 and self.frame >= session.tracked:
            raise InputError(f"frame {self.frame + 1} is not tracked yet: fit it once it is")
        points = np.array(self.points)
        confidence = np.array(self.confidence, dtype=np.float64)
        face = Face(tracklet, State.TRACKED, "", points, points, self.quality, None, confidence)
        return [*changes, *machine_rows(session, TrackRow.of_face(self.frame, face))]


@dataclass(frozen=True)
class Uncorrect(Command):
    """Take a frame's correction away: the track counts again."""

    title: ClassVar[str] = "removed correction"
    person: int
    frame: int

    def changes(self, session: Session) -> list[Change]:
        """Remove one row."""
        tracklet = session.tracklet_at(self.person, self.frame)
        if tracklet is None or session.correction(tracklet, self.frame) is None:
            raise InputError(f"frame {self.frame + 1} has no correction to remove")
        return [changed_row(session, "correction", (tracklet, self.frame), None)]


@dataclass(frozen=True)
class Retrack(Command):
    """Track a stretch anew on the person's wish; the rows come when it is done."""

    title: ClassVar[str] = "track anew"
    person: int
    start: int
    stop: int

    def changes(self, session: Session) -> list[Change]:
        """Change nothing yet."""
        check_person(session, self.person)
        return []


@dataclass(frozen=True)
class Import(Command):
    """Take over points of another program."""

    title: ClassVar[str] = "import"
    label: str  # where they come from
    rows: tuple[Change, ...] = field(default=(), repr=False)  # kept as this step's changes

    def changes(self, session: Session) -> list[Change]:
        """Write the rows."""
        return list(self.rows)

    def to_json(self) -> str:
        """Write the label alone."""
        return json.dumps({"label": self.label})
