"""Reports of 300-VW: the details of the JSON file, and from these the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from facetrack.evaluation.errors import summary
from facetrack.evaluation.report import SUMMARY_HEADERS, read_summary, summary_cells
from facetrack.evaluation.w300vw import ALL, ClipScore, W300vwReport
from facetrack.reporting.envelope import number
from facetrack.reporting.tables import Part, Table


def w300vw_details(report: W300vwReport, *, start: str, skipped: Iterable[str]) -> dict[str, Any]:
    """Collect everything that the JSON file holds beyond the pooled numbers."""
    # Frames are numbered from 1, as the data set does.
    by_clip = zip(*(system.clips for system in report.systems), strict=True)
    names = [system.name for system in report.systems]
    return {
        "points": report.markup,
        "start": start,
        "systems": [
            {
                "name": system.name,
                "note": system.note,
                "categories": {
                    name: {**asdict(s), "losses": system.losses[name]}
                    for name, s in system.categories.items()
                },
            }
            for system in report.systems
        ],
        "differences": [asdict(difference) for difference in report.differences],
        "clips": [_clip_details(dict(zip(names, scores, strict=True))) for scores in by_clip],
        "missing_clips": list(report.missing),
        "skipped": list(skipped),
    }


def _clip_details(scores: Mapping[str, ClipScore]) -> dict[str, Any]:
    clip = next(iter(scores.values()))
    return {
        "id": clip.id,
        "category": clip.category,
        "decoded": clip.decoded,
        "excluded_frames": [k + 1 for k in clip.excluded],
        "labels_without_frame": [k + 1 for k in clip.labels_without_frame],
        "frames_without_label": [k + 1 for k in clip.frames_without_label],
        "systems": {
            name: {
                **(asdict(summary(score.errors)) if len(score.errors) else {"n": 0}),
                "losses": score.losses,
            }
            for name, score in scores.items()
        },
    }


def w300vw_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out a report for a person."""
    rows: list[list[object]] = []
    for system in details["systems"]:
        for name, found in system["categories"].items():
            errors = read_summary(found)
            cells = [system["name"], _frames_of(name), errors.n, *summary_cells(errors)]
            rows.append([*cells, found["losses"], system["note"]])
    headers = ["system", "frames of", "n", *SUMMARY_HEADERS, "losses", ""]
    parts: list[Part] = [
        f"300-VW, {details['points']} points, {len(details['clips'])} clips, frames pooled; "
        f"{details['start']}",
        Table(headers, rows),
    ]
    if details["differences"]:
        parts += _difference_table(details)
    parts += [line for clip in details["clips"] if (line := _left_out(clip))]
    if missing := details["missing_clips"]:
        total = len(missing) + len(details["clips"])
        parts.append(f"{len(missing)} of {total} clips are not there: {' '.join(missing)}")
    return parts + [f"skipped: {line}" for line in details["skipped"]]


def _frames_of(category: str) -> str:
    return "all" if category == ALL else f"category {category}"


def _difference_table(details: Mapping[str, Any]) -> list[Part]:
    rows: list[list[object]] = []
    for found in details["differences"]:
        area, failures = found["auc08"], found["over08"]
        cells = [found["system"], _frames_of(found["category"]), found["clips"]]
        cells += [f"{area['mean']:+.3f}", _ends(area, 1, 3)]
        rows.append([*cells, f"{100 * failures['mean']:+.1f}", _ends(failures, 100, 1)])
    headers = ["system", "clips of", "clips", "AUC 8 %", "95 %", "over 8 %", "95 %"]
    first = details["systems"][0]["name"]
    return [f"paired by clip, less {first}: each clip's own AUC and failures", Table(headers, rows)]


def _ends(interval: Mapping[str, Any], factor: float, digits: int) -> str:
    low, high = (factor * number(interval[end]) for end in ("low", "high"))
    return f"{low:+.{digits}f} to {high:+.{digits}f}" if low == low else "-"


def _left_out(clip: Mapping[str, Any]) -> str:
    parts = [
        f"{len(clip[key])} {words}"
        for key, words in (
            ("excluded_frames", "frames excluded as unreliable"),
            ("labels_without_frame", "labels without a frame"),
            ("frames_without_label", "frames without a label"),
        )
        if clip[key]
    ]
    return f"clip {clip['id']}: {', '.join(parts)}" if parts else ""
