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
    """One system on one set of images."""

    name: str
    note: str  # what a reader must know of it
    start: str  # how its fits began
    errors: npt.NDArray[np.float64]  # (images, starts), of the outer-eye distance; inf: not found
    summary: ErrorSummary
    over12: float  # share over 12 % or not found: the measure of rough labels
    groups: dict[str, float]  # mean error of the found faces, % of the outer-eye distance


@dataclass(frozen=True, slots=True)
class LandmarkReport:
    """Systems compared on the same images."""

    data: str
    markup: int  # number of points that count
    names: tuple[str, ...]  # of the images, in the order of the rows' errors
    rows: tuple[LandmarkRow, ...]  # the first is the one that the report is about
    skipped: tuple[str, ...] = ()  # peers that could not run, each with the reason


def landmark_report(
    data: str,
    images: Sequence[LabelledImage],
    predictions: Sequence[Predictions],
    *,
    markup: int = 68,
    skipped: Sequence[str] = (),
) -> LandmarkReport:
    """Measure predictions of the same images; the report is about the first."""
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
    """Correct a system of another mark-up by maps learnt on every fourth training image."""
    # Returns it after the mean offset of every point, and after a linear map of the whole shape.
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
    """Lay out the report, whose details do not hold how many images there were."""
    rows = [
        [row["name"], row["start"], *summary_cells(read_summary(row)),
         f"{100 * row['over12']:.1f}", row["note"]]
        for row in details["rows"]
    ]  # fmt: skip
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
