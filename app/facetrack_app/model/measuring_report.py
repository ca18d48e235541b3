# SPDX-License-Identifier: GPL-3.0-or-later
"""What an evaluation found, as a page and as a table of every frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.formats.atomic import write_text
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.html import Picture, Section, page
from facetrack.reporting.tables import Table
from facetrack.version import installed_version
from facetrack_app.model.measuring import HEADERS, Measured, Side, System, regions

CSV_HEADERS: Final = ("what", "frame", "predictions", "error", *GROUPS)


def described(measured: Measured) -> dict[str, str]:
    """Say what was measured, of which files, when and by which version."""
    wish = measured.wish
    terms = {
        f"predictions: {name}": _place(side)
        for name, side in zip(wish.names, wish.predictions, strict=True)
    }
    return {
        **terms,
        "truth": _place(wish.truth),
        "points": str(wish.markup),
        "errors in": f"% of the distance of the {wish.by}",
        "labelled frames": f"{measured.n_frames:,}",
        "measured": measured.when.strftime("%Y-%m-%d %H:%M:%S %z"),
        "Facetrack": installed_version(),
    }


def _place(side: Side) -> str:
    return str(side.path.absolute()) + (f", face {side.face}" if side.face is not None else "")


def save_html(path: Path, measured: Measured) -> None:
    """Write the report as one page with its pictures inside, and the curve as PNG beside it."""
    from facetrack.evaluation.plots import plot_cumulative  # loads matplotlib

    wish, picture = measured.wish, path.with_suffix(".png")
    curves = {system.name: system.errors(wish.markup) for system in measured.systems}
    plot_cumulative(picture, curves, title=f"{wish.markup} points", by=wish.by)
    errors = [f"error of {name} %" for name in wish.names]
    worst = [
        (w.pair.name, w.frame, *(f"{e:.2f}" if np.isfinite(e) else "not found" for e in w.errors))
        for w in measured.worst
    ]
    curves_shown = Picture(picture.read_bytes(), "cumulative errors")
    sections = [
        Section("", [described(measured), *measured.warnings]),
        Section("Errors", [Table(HEADERS, measured.rows()), curves_shown]),
        *(section for system in measured.systems for section in _confidence(system)),
        Section("Worst frames", [Table(("where", "frame", *errors), worst)]),
    ]
    write_text(path, page("Facetrack: evaluation", sections))


def _confidence(system: System) -> list[Section]:
    found = system.reliability
    if found is None:
        return []
    bins = zip(found.predicted, found.observed, found.counts, strict=True)
    rows = [(f"{s:.2f}", f"{h:.2f}", f"{n:.0f}") for s, h, n in bins if n]
    table = Table(("predicted", "within 5 %", "points"), rows)
    error = f"Expected calibration error {found.error:.3f}"
    return [Section(f"Confidence of {system.name}", [error, table])]


def save_csv(path: Path, measured: Measured) -> None:
    """Write the errors of every labelled frame, in %: a row for each of the predictions."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADERS)
    writer.writerows(_csv_rows(measured))
    write_text(path, text.getvalue())


def _csv_rows(measured: Measured) -> Iterator[tuple[str, ...]]:
    markup = measured.wish.markup
    members = regions(markup).values()
    for what, keys in measured.keys.items():
        for system in measured.systems:
            errors, points = system.errors(markup, what), system.points[what]
            parts = [
                points[:, m].mean(axis=1) if m else np.full(len(keys), np.nan) for m in members
            ]
            for key, *values in zip(keys, errors, *parts, strict=True):
                frame = str(key + 1 if isinstance(key, int) else key)
                cells = (f"{100 * v:.4f}" if np.isfinite(v) else "" for v in values)
                yield what, frame, system.name, *cells
