"""A model and its peers on a folder of labelled images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.evaluation.conventions import learn_linear, learn_offset
from facetrack.evaluation.errors import ErrorSummary, failure_rate, summary
from facetrack.evaluation.predictions import Predictions
from facetrack.evaluation.report import SUMMARY_HEADERS, read_summary, summary_cells
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting import intervals
from facetrack.reporting.tables import Part, Table

QUARTER = 4  # one image of this many teaches a peer's convention


@dataclass(frozen=True, slots=True)
class LandmarkRow:
    """One system on one set of images.

    Attributes
    ----------
    name, note, start : str
        The system, what a reader must know of it, and how its fits began.
    errors : ndarray, shape (n, s), float64
        Fractions of the outer-eye distance for n images and s starts; inf where not found.
    summary : ErrorSummary
        Of all n s fits.
    over12 : float
        Share over 12 % or not found, 0 to 1: the measure of rough labels.
    groups : dict of str to float
        Mean error of the found faces per group of points, % of the outer-eye distance.
    """

    name: str
    note: str
    start: str
    errors: npt.NDArray[np.float64]
    summary: ErrorSummary
    over12: float
    groups: dict[str, float]


@dataclass(frozen=True, slots=True)
class LandmarkReport:
    """Systems compared on the same images.

    Attributes
    ----------
    data : str
        What was evaluated.
    markup : int
        Number of points that count.
    names : tuple of str
        The images, in the order of the rows' errors.
    rows : tuple of LandmarkRow
        The first is the one that the report is about.
    skipped : tuple of str
        Peers that could not run, each with the reason.
    """

    data: str
    markup: int
    names: tuple[str, ...]
    rows: tuple[LandmarkRow, ...]
    skipped: tuple[str, ...] = ()


def landmark_report(
    data: str,
    images: Sequence[LabelledImage],
    predictions: Sequence[Predictions],
    *,
    markup: int = 68,
    skipped: Sequence[str] = (),
) -> LandmarkReport:
    """Measure predictions.

    Parameters
    ----------
    data : str
        Name of the images for tables and pictures.
    images : sequence of LabelledImage
    predictions : sequence of Predictions
        Of the same images; the report is about the first.
    markup : {68, 66, 51, 49}
        The points that count.
    skipped : sequence of str
        Peers that could not run, with the reason.

    Returns
    -------
    LandmarkReport

    Raises
    ------
    InputError
        If there is nothing to measure.
    """
    if not predictions:
        raise InputError("there are no predictions to measure")
    rows = tuple(_row(p, markup) for p in predictions)
    return LandmarkReport(data, markup, tuple(i.name for i in images), rows, tuple(skipped))


def _row(predictions: Predictions, markup: int) -> LandmarkRow:
    errors = predictions.errors(markup)
    return LandmarkRow(
        name=predictions.name,
        note=predictions.note,
        start=predictions.start,
        errors=errors,
        summary=summary(errors),
        over12=failure_rate(errors, 0.12),
        groups=predictions.group_means(GROUPS, markup),
    )


def with_learned_conventions(
    predictions: Predictions, training: Sequence[Predictions]
) -> tuple[Predictions, Predictions]:
    """Correct a system of another mark-up by maps learnt on a quarter of training images.

    Parameters
    ----------
    predictions : Predictions
        Of the images to evaluate.
    training : sequence of Predictions
        Of the same system on one or more folders of training images; every fourth is used.

    Returns
    -------
    offset, linear : Predictions
        After the mean offset of every point, and after a linear map of the whole shape.

    Raises
    ------
    InputError
        If it found fewer than 20 of the training faces.
    """
    points = np.concatenate([t.points[::QUARTER, 0] for t in training])
    truth = np.concatenate([t.truth[::QUARTER] for t in training])
    corrected = []
    for kind, learn in (("offset", learn_offset), ("linear map", learn_linear)):
        moved = learn(points, truth).apply(predictions.points)
        name = f"{predictions.name} + {kind}"
        corrected.append(
            Predictions(name, predictions.note, predictions.start, moved, predictions.truth)
        )
    return corrected[0], corrected[1]


def landmark_details(report: LandmarkReport) -> dict[str, Any]:
    """Collect everything that the JSON file holds beyond the main numbers."""
    rows = [
        {
            "name": row.name,
            "start": row.start,
            "note": row.note,
            **asdict(row.summary),
            "over12": row.over12,
            "standard_error": standard_error(row),
            "groups": row.groups,
        }
        for row in report.rows
    ]
    worst = np.argsort(np.max(report.rows[0].errors, axis=1))[::-1][:10]
    return {
        "data": report.data,
        "points": report.markup,
        "rows": rows,
        "worst": [report.names[k] for k in worst],
        "skipped": list(report.skipped),
    }


def standard_error(row: LandmarkRow) -> float:
    """Compute the standard error of the mean over images, % of the outer-eye distance."""
    return 100 * intervals.standard_error(row.errors.mean(axis=1))


def landmark_table(details: Mapping[str, Any], *, images: int | None = None) -> list[Part]:
    """Lay out the report for a person.

    Parameters
    ----------
    details : mapping
        From `landmark_details`, or from the JSON file, where NaN is None.
    images : int, optional
        How many there were, which the details do not hold.

    Returns
    -------
    list of str or Table
        A title, one line per system, and a line per peer that was skipped.
    """
    rows = [
        [
            row["name"],
            row["start"],
            *summary_cells(read_summary(row)),
            f"{100 * row['over12']:.1f}",
            row["note"],
        ]
        for row in details["rows"]
    ]
    headers = ["system", "start", *SUMMARY_HEADERS, "over 12 %", "note"]
    count = "" if images is None else f"{images} images, "
    return [
        f"{details['data']}: {count}{details['points']} points",
        Table(headers, rows),
        *(f"skipped: {reason}" for reason in details["skipped"]),
    ]


def curves(report: LandmarkReport) -> dict[str, npt.NDArray[np.float64]]:
    """Name the errors of every row for a plot."""
    return {f"{row.name}, {row.start}": row.errors.ravel() for row in report.rows}
