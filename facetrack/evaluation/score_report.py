"""Scores as JSON and as text."""

from __future__ import annotations

from typing import Any

from facetrack.evaluation.report import SUMMARY_HEADERS, summary_cells
from facetrack.evaluation.score import ScoreReport
from facetrack.reporting.tables import Table


def score_details(report: ScoreReport) -> dict[str, Any]:
    """Collect everything that the JSON file holds beyond the main numbers."""
    names = [k + 1 if isinstance(k, int) else k for k in report.keys]
    return {
        "predictions": report.predictions,
        "truth": report.truth,
        "points": report.markup,
        "without_prediction": report.without_prediction,
        "without_truth": report.without_truth,
        "unlabelled": report.unlabelled,
        "warnings": list(report.warnings),
        "errors": dict(zip(map(str, names), (100 * report.errors).tolist(), strict=True)),
    }


def score_table(report: ScoreReport) -> str:
    """Lay out the score for a terminal."""
    result = report.summary
    lines = [
        Table(["n", *SUMMARY_HEADERS], [[result.n, *summary_cells(result)]]).text(),
        f"{report.markup} points; {report.without_prediction} without a prediction (failures), "
        f"{report.without_truth} predictions without a label and {report.unlabelled} incomplete "
        "labels (both ignored)",
    ]
    return "\n".join([*lines, *(f"warning: {w}" for w in report.warnings)])
