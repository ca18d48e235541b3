# SPDX-License-Identifier: GPL-3.0-or-later
"""Predictions against the truth for the evaluate view: errors, reliability, worst frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.evaluation.errors import LIMIT, cumulative_curve, point_errors, summary
from facetrack.evaluation.report import SUMMARY_HEADERS, summary_cells
from facetrack.evaluation.score import Landmarks, load_landmarks, score
from facetrack.formats.atomic import write_text
from facetrack.formats.openface import read_openface
from facetrack.landmarks.markup import MARKUPS
from facetrack.reporting.html import Picture, Section, page
from facetrack.reporting.tables import Table

if TYPE_CHECKING:
    from facetrack.evaluation.reliability import Reliability

NEAR: Final = 0.05  # of the outer-eye distance: what a point's confidence speaks of
WORST: Final = 50
VIDEO_SUFFIXES: Final = (".avi", ".mp4", ".mkv", ".mov", ".webm")

Floats = npt.NDArray[np.float64]
Stated = tuple[Floats, npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Predictions and truth of one video or folder of pictures."""

    name: str
    predictions: Path
    truth: Path


@dataclass(frozen=True, slots=True)
class Worst:
    """A frame with a large error.

    Attributes
    ----------
    pair : Pair
    key : str or int
        Name of the picture, or number of the frame from 0.
    error : float
        In % of the outer-eye distance; inf where nothing was predicted.
    predicted, truth : ndarray, shape (68, 2), float64
    """

    pair: Pair
    key: str | int
    error: float
    predicted: Floats
    truth: Floats


@dataclass(frozen=True, slots=True)
class Measured:
    """What an evaluation found.

    Attributes
    ----------
    markup : int
    errors : dict of str to ndarray
        By pair: errors of all labelled frames as fractions.
    warnings : tuple of str
    reliability : Reliability or None
        Of the points' confidence to be within 5 % of the outer-eye distance; None where no
        confidence is stated.
    worst : tuple of Worst
        The largest errors first.
    """

    markup: int
    errors: dict[str, Floats]
    warnings: tuple[str, ...]
    reliability: Reliability | None
    worst: tuple[Worst, ...]

    @property
    def all_errors(self) -> Floats:
        """Errors of all pairs together."""
        return np.concatenate(list(self.errors.values()))

    def rows(self) -> list[tuple[str, ...]]:
        """Give the table: a row for each pair and one for all."""
        listed = [*self.errors.items()]
        if len(listed) > 1:
            listed.append(("all", self.all_errors))
        return [(name, str(len(e)), *summary_cells(summary(e))) for name, e in listed]

    def curve(self) -> tuple[Floats, Floats]:
        """Give the cumulative error curve of all: errors in %, and share in %."""
        grid = np.linspace(0, LIMIT, 201)
        return 100 * grid, 100 * cumulative_curve(self.all_errors, grid)


HEADERS: Final = ("what", "n", *SUMMARY_HEADERS)


def find_pairs(predictions: Path, truth: Path) -> list[Pair]:
    """Pair predictions with truths.

    Parameters
    ----------
    predictions : Path
        A file, a folder of .pts, or a folder with one file or folder for each video.
    truth : Path
        A file, a folder of .pts, or the layout of 300-VW: `NNN/annot/000001.pts`.

    Returns
    -------
    list of Pair

    Raises
    ------
    InputError
        If nothing pairs.
    """
    annotated = sorted(truth.glob("*/annot")) if truth.is_dir() else []
    if not annotated:
        return [Pair(truth.stem, predictions, truth)]
    pairs = []
    for folder in annotated:
        name = folder.parent.name
        candidates = (f"{name}.csv", f"{name}.npz", f"{name}/annot", name, f"{name}-pts/face_0")
        found = [predictions / c for c in candidates if (predictions / c).exists()]
        if found:
            pairs.append(Pair(name, found[0], folder))
    if not pairs:
        raise InputError(
            f"nothing pairs: {predictions} holds nothing named as the folders of {truth}, such as "
            f"{annotated[0].parent.name}.csv"
        )
    return pairs


def measure(
    predictions: Path, truth: Path, *, markup: int = 68, face: int | None = None
) -> Measured:
    """Measure predictions against the truth.

    Parameters
    ----------
    predictions, truth : Path
        See `find_pairs`.
    markup : {68, 66, 51, 49}
    face : int, optional
        The face to take from a CSV file with several.

    Returns
    -------
    Measured

    Raises
    ------
    FacetrackError
        If nothing can be read or nothing pairs.
    """
    from facetrack.evaluation.reliability import reliability  # loads scipy.stats: half a second

    errors: dict[str, Floats] = {}
    warnings: list[str] = []
    worst: list[Worst] = []
    stated: list[Stated] = []
    for pair in find_pairs(predictions, truth):
        predicted, labels = load_landmarks(pair.predictions, face=face), load_landmarks(pair.truth)
        report = score(predicted, labels, markup=markup)
        errors[pair.name] = report.errors
        warnings += [f"{pair.name}: {warning}" for warning in report.warnings]
        worst += _worst(pair, report.keys, report.errors, predicted, labels)
        stated.append(_stated(pair, labels, markup))
    said = np.concatenate([confidence for confidence, _ in stated])
    hits = np.concatenate([near for _, near in stated])
    worst.sort(key=lambda w: -w.error)
    return Measured(
        markup, errors, tuple(warnings), reliability(said, hits) if said.size else None,
        tuple(worst[:WORST]),
    )  # fmt: skip


def _worst(
    pair: Pair, keys: Sequence[str | int], errors: Floats, predicted: Landmarks, labels: Landmarks
) -> list[Worst]:
    there = {key: i for i, key in enumerate(predicted.keys)}
    known = {key: i for i, key in enumerate(labels.keys)}
    nothing = np.full((68, 2), np.nan)
    return [
        Worst(
            pair, keys[i], 100 * float(errors[i]),
            predicted.points[there[keys[i]]] if keys[i] in there else nothing,
            labels.points[known[keys[i]]],
        )
        for i in np.argsort(-errors, kind="stable")[:WORST].tolist()
    ]  # fmt: skip


def _stated(pair: Pair, labels: Landmarks, markup: int) -> Stated:
    """Collect stated confidences, and whether each point was within 5 %."""
    nothing = np.empty(0), np.empty(0, dtype=np.bool_)
    if pair.predictions.suffix.lower() != ".csv" or not labels.numbered:
        return nothing
    table = read_openface(pair.predictions)
    known = {key: i for i, key in enumerate(labels.keys)}
    rows = [i for i in np.flatnonzero(table.success).tolist() if int(table.frame[i]) in known]
    if not rows:
        return nothing
    truth = labels.points[[known[int(table.frame[i])] for i in rows]]
    hits = point_errors(table.points[rows], truth) < NEAR
    said = table.point_confidence[rows]
    use = np.isfinite(said)
    use[:, [i for i in range(68) if i not in MARKUPS[markup]]] = False
    return said[use], hits[use]


def picture_of(worst: Worst) -> tuple[Path, int | None] | None:
    """Find the picture, or the video and the frame's number, that a worst frame belongs to."""
    truth = worst.pair.truth
    if isinstance(worst.key, str):
        found = [p for p in truth.glob(f"{worst.key}.*") if p.suffix.lower() != ".pts"]
        return (found[0], None) if found else None
    folder = truth.parent
    stems = ("vid", worst.pair.name, truth.stem)
    for stem in stems:
        for suffix in VIDEO_SUFFIXES:
            if (folder / f"{stem}{suffix}").exists():
                return folder / f"{stem}{suffix}", worst.key
    return None


def save_html(path: Path, measured: Measured) -> None:
    """Write the report as one page with its pictures inside, and the curve as PNG beside it.

    Parameters
    ----------
    path : Path
        The .html file.
    measured : Measured

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    from facetrack.evaluation.plots import plot_cumulative  # loads matplotlib

    picture = path.with_suffix(".png")
    plot_cumulative(picture, measured.errors, title=f"{measured.markup} points")
    worst = [
        (w.pair.name, str(w.key + 1 if isinstance(w.key, int) else w.key), f"{w.error:.2f}")
        for w in measured.worst
    ]
    sections = [
        Section(
            "",
            [
                f"Errors in % of the outer-eye distance, {measured.markup} points.",
                *measured.warnings,
                Table(HEADERS, measured.rows()),
                Picture(picture.read_bytes(), "cumulative errors"),
            ],
        ),
        *_confidence_section(measured.reliability),
        Section("Worst frames", [Table(("where", "frame", "error"), worst)]),
    ]
    write_text(path, page("Facetrack: evaluation", sections))


def _confidence_section(found: Reliability | None) -> list[Section]:
    if found is None:
        return []
    bins = zip(found.said, found.seen, found.counts, strict=True)
    rows = [(f"{s:.2f}", f"{h:.2f}", f"{n:.0f}") for s, h, n in bins if n]
    table = Table(("said", "within 5 %", "points"), rows)
    return [Section("Confidence", [f"Expected calibration error {found.error:.3f}", table])]
