# SPDX-License-Identifier: GPL-3.0-or-later
"""Predictions against the truth for the evaluate view: errors, reliability, worst frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.errors import LIMIT, OUTER_EYES, cumulative_curve, point_errors, summary
from facetrack.evaluation.report import SUMMARY_HEADERS, summary_cells
from facetrack.evaluation.score import Landmarks, ScoreReport, load_landmarks, score
from facetrack.formats.openface import read_openface
from facetrack.landmarks.markup import GROUPS, MARKUPS
from facetrack_app.model.pairing import Pair, common_pairs

if TYPE_CHECKING:
    from facetrack.evaluation.reliability import Reliability

NEAR: Final = 0.05  # of the outer-eye distance: what a point's confidence speaks of
WORST: Final = 50
HEADERS: Final = ("what", "predictions", "n", *SUMMARY_HEADERS, *(f"{g} %" for g in GROUPS))

Floats = npt.NDArray[np.float64]
Stated = tuple[Floats, npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison."""

    path: Path  # a CSV file, a track or a folder of .pts files; or a folder of such
    face: int | None = None  # to take from CSV files with several


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured."""

    predictions: tuple[Side, ...]  # one, or two to compare
    truth: Side
    markup: int = 68  # 68, 66, 51 or 49
    by: str = OUTER_EYES  # what errors are fractions of, one of `NORMALISATIONS`
    first_pixel: int = 1  # 1 or 0: the first pixel's centre in .pts files of the predictions

    @property
    def sides(self) -> tuple[Side, ...]:
        """Predictions and truth."""
        return (*self.predictions, self.truth)

    @property
    def names(self) -> tuple[str, ...]:
        """The predictions' names, each another one."""
        names = [side.path.name for side in self.predictions]
        if len(set(names)) < len(names):
            names = [f"{side.path.parent.name}/{side.path.name}" for side in self.predictions]
        if len(set(names)) < len(names):
            names = [f"{n} ({k})" for k, n in enumerate(names, start=1)]
        return tuple(names)


@dataclass(frozen=True, slots=True)
class Worst:
    """A frame with a large error."""

    pair: Pair  # of the first predictions
    key: str | int  # name of the picture, or number of the frame from 0
    errors: tuple[float, ...]  # of each prediction, in %; inf where nothing was predicted
    predicted: tuple[Floats, ...]  # (68, 2) each
    truth: Floats  # (68, 2)

    @property
    def error(self) -> float:
        """The largest error."""
        return max(self.errors)

    @property
    def frame(self) -> str:
        """The picture's name, or the frame's number from 1."""
        return str(self.key + 1 if isinstance(self.key, int) else self.key)


@dataclass(frozen=True, slots=True)
class System:
    """What was found of one of the predictions."""

    name: str
    points: dict[str, Floats]  # by what was measured: errors as fractions, (frames, 68)
    reliability: Reliability | None  # of confidence to be within `NEAR`; None where none is stated

    def errors(self, markup: int, what: str | None = None) -> Floats:
        """Give the mean errors of frames, of all that was measured or of one part."""
        chosen = [self.points[what]] if what is not None else list(self.points.values())
        mean: Floats = np.concatenate(chosen)[:, list(MARKUPS[markup])].mean(axis=1)
        return mean


@dataclass(frozen=True, slots=True)
class Measured:
    """What an evaluation found."""

    wish: Wish
    when: datetime
    keys: dict[str, tuple[str | int, ...]]  # by what was measured: pictures' names, or frames
    systems: tuple[System, ...]  # in the order of the wish
    warnings: tuple[str, ...]
    worst: tuple[Worst, ...]  # largest errors first

    @property
    def n_frames(self) -> int:
        """Number of labelled frames."""
        return sum(map(len, self.keys.values()))

    def rows(self) -> list[tuple[str, ...]]:
        """Give the table: rows for each part and for all of it, one of each of the predictions."""
        parts: list[str | None] = [*self.keys]
        if len(parts) > 1:
            parts.append(None)
        return [self._row(part, system) for part in parts for system in self.systems]

    def _row(self, part: str | None, system: System) -> tuple[str, ...]:
        errors = system.errors(self.wish.markup, part)
        points = [system.points[part]] if part is not None else list(system.points.values())
        cells = region_cells(np.concatenate(points), self.wish.markup)
        return (
            part or "all",
            system.name,
            str(len(errors)),
            *summary_cells(summary(errors)),
            *cells,
        )

    def curve(self, system: System) -> tuple[Floats, Floats]:
        """Give the cumulative error curve of all: errors in %, and share in %."""
        grid = np.linspace(0, LIMIT, 201)
        return 100 * grid, 100 * cumulative_curve(system.errors(self.wish.markup), grid)


def regions(markup: int) -> dict[str, list[int]]:
    """Give the points of each region that count in a mark-up."""
    return {name: [i for i in points if i in MARKUPS[markup]] for name, points in GROUPS.items()}


def region_cells(points: Floats, markup: int) -> tuple[str, ...]:
    """Write the mean errors of regions in % of the found faces, in the order of `GROUPS`."""
    found = points[np.isfinite(points).all(axis=1)]
    return tuple(
        f"{100 * found[:, list(members)].mean():.2f}" if len(found) and members else "-"
        for members in regions(markup).values()
    )


def measure(wish: Wish) -> Measured:
    """Measure predictions against the truth."""
    pairs, warnings = common_pairs([side.path for side in wish.predictions], wish.truth.path)
    names = wish.names
    points: list[dict[str, Floats]] = [{} for _ in names]
    stated: list[list[Stated]] = [[] for _ in names]
    keys: dict[str, tuple[str | int, ...]] = {}
    worst: list[Worst] = []
    for together in pairs:
        labels = load_landmarks(together[0].truth, face=wish.truth.face)
        predicted, reports = [], []
        for number, (side, pair) in enumerate(zip(wish.predictions, together, strict=True)):
            found = load_landmarks(pair.predictions, first_pixel=wish.first_pixel, face=side.face)
            report = score(found, labels, markup=wish.markup, by=wish.by)
            warnings += [f"{names[number]}, {pair.name}: {text}" for text in report.warnings]
            points[number][pair.name] = report.point_errors
            stated[number].append(_stated(pair, side, labels, wish.markup))
            predicted.append(found)
            reports.append(report)
        keys[together[0].name] = reports[0].keys
        worst += _worst(together[0], reports, predicted, labels)
    worst.sort(key=lambda w: -w.error)
    systems = tuple(
        System(name, found, _reliability(said))
        for name, found, said in zip(names, points, stated, strict=True)
    )
    when = datetime.now().astimezone()
    return Measured(wish, when, keys, systems, tuple(warnings), tuple(worst[:WORST]))


def _worst(
    pair: Pair, reports: Sequence[ScoreReport], predicted: Sequence[Landmarks], labels: Landmarks
) -> list[Worst]:
    keys = reports[0].keys
    errors = np.stack([report.errors for report in reports])
    known = {key: i for i, key in enumerate(labels.keys)}
    there = [{key: i for i, key in enumerate(found.keys)} for found in predicted]
    nothing = np.full((68, 2), np.nan)
    return [
        Worst(
            pair, keys[i], tuple((100 * errors[:, i]).tolist()),
            tuple(
                found.points[place[keys[i]]] if keys[i] in place else nothing
                for found, place in zip(predicted, there, strict=True)
            ),
            labels.points[known[keys[i]]],
        )
        for i in np.argsort(-errors.max(axis=0), kind="stable")[:WORST].tolist()
    ]  # fmt: skip


def _stated(pair: Pair, side: Side, labels: Landmarks, markup: int) -> Stated:
    """Collect stated confidences, and whether each point was within 5 %."""
    nothing = np.empty(0), np.empty(0, dtype=np.bool_)
    if pair.predictions.suffix.lower() != ".csv" or not labels.numbered:
        return nothing
    table = read_openface(pair.predictions)
    wanted = table.success if side.face is None else table.success & (table.face_id == side.face)
    known = {key: i for i, key in enumerate(labels.keys)}
    rows = [i for i in np.flatnonzero(wanted).tolist() if int(table.frame[i]) in known]
    if not rows:
        return nothing
    truth = labels.points[[known[int(table.frame[i])] for i in rows]]
    hits = point_errors(table.points[rows], truth) < NEAR
    said = table.point_confidence[rows]
    use = np.isfinite(said)
    use[:, [i for i in range(68) if i not in MARKUPS[markup]]] = False
    return said[use], hits[use]


def _reliability(stated: Sequence[Stated]) -> Reliability | None:
    from facetrack.evaluation.reliability import reliability  # loads scipy.stats: half a second

    said = np.concatenate([confidence for confidence, _ in stated])
    hits = np.concatenate([near for _, near in stated])
    return reliability(said, hits) if said.size else None


def faces_in(path: Path) -> list[int]:
    """List the faces of a CSV file."""
    table = read_openface(path)
    return [int(face) for face in table.select(table.success).face_ids]
