"""Pages of results in Markdown, made of the JSON reports of commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from facetrack.reporting.tables import Part, as_markdown, escape


def results_page(
    report: Mapping[str, Any], parts: Iterable[Part], *, title: str, written: str
) -> str:
    """Lay out a page: what was measured, how it can be measured again, and the tables."""
    # `written` is the date of the report's file; the report itself says nothing of time.
    model = f", model {escape(report['model'])}" if report["model"] else ""
    if "checksum" in report:
        model += f" ({escape(str(report['checksum'])[:16])})"
    return (
        f"# {escape(title)}\n\n"
        f"    {' '.join(report['command'].split())}\n\n"
        f"Facetrack {escape(report['version'])}{model}, n = {report['n']}; "
        f"the report's file is of {written}.\n\n"
        f"{as_markdown(parts)}"
    )
