"""What benchmarks have in common: their tables on the terminal, and the JSON of their page."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.command import command_line
from facetrack.reporting.envelope import document, write_json
from facetrack.reporting.tables import Part, as_data, as_text


def show(
    parts: Iterable[Part],
    json: Path | None,
    *,
    n: int,
    model: str = "",
    details: Mapping[str, Any] | None = None,
    measures: Mapping[str, float] | None = None,
) -> None:
    """Print tables, and write the report that `facetrack results` lays out, where one is asked."""
    parts = list(parts)
    sys.stdout.write(f"{as_text(parts)}\n")
    if json is None:
        return
    content = {**(details or {}), "parts": as_data(parts)}
    report = document(command=command_line(), model=model, n=n, details=content, measures=measures)
    write_json(json, report)
