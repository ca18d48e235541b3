"""The numbers as data: nested for JSON, one number a row for CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any, Final

from facetrack.summary.numbers import Summary
from facetrack.summary.times import Times, ratio

HEADER: Final = (
    "video", "face_id", "person", "interval", "start", "stop", "kind", "name", "measure", "value",
    "unit",
)  # fmt: skip
_SECONDS: Final = ("covered_seconds", "assessed_seconds", "mean_seconds", "longest_seconds",
                   "peak_at")  # fmt: skip
_PLAIN: Final = ("share", "assessable", "above_level", "below_level", "count", "by_human",
                 "reasons")  # fmt: skip
_STILL: Final = "head_speed"  # at or below its level, the head is still


def details(summary: Summary) -> dict[str, Any]:
    """Lay numbers out for JSON; shares are of covered time, but of assessed for events, levels."""
    q = summary.quality
    quality = {
        **_times(q.times, "tracked"),
        "doubtful": ratio(q.doubtful, q.times.covered),
        "lost": ratio(q.lost, q.times.covered),
    }
    return {
        **{key: value for key, value in asdict(summary.span).items() if value != ()},
        "quality": quality,
        "values": {name: _value(v) for name, v in summary.values.items()},
        "events": {name: _numbers(v) for name, v in summary.events.items()},
    }


def _times(times: Times, share: str = "assessable") -> dict[str, Any]:
    return {
        "covered_seconds": times.covered,
        "assessed_seconds": times.assessed,
        share: times.share,
        "reasons": times.shares,
    }


def _numbers(numbers: Any) -> dict[str, Any]:
    left_out = ("name", "times") if numbers.model else ("name", "times", "model")
    content = {k: v for k, v in asdict(numbers).items() if k not in left_out}
    return {**content, **_times(numbers.times)}


def _value(numbers: Any) -> dict[str, Any]:
    content = _numbers(numbers)
    content["range"] = numbers.maximum - numbers.minimum
    content["above_level"] = content.pop("above")
    content["below_level"] = 1 - content["above_level"]
    if numbers.name == _STILL:
        content["stillness"] = content["below_level"]
    return content


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Write a report's rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([HEADER, *rows])
    return text.getvalue()


def csv_rows(
    video: str, person: Mapping[str, Any], content: Mapping[str, Any]
) -> Iterator[list[Any]]:
    """Lay numbers out as rows under `HEADER`; an empty value is not assessable (`reasons`)."""
    whose = [video, person["face_id"], person["name"], content["name"]]
    whose += map(shown, (content["start"], content["stop"]))
    blocks = [("quality", "", content["quality"])]
    for kind, found in (("value", content["values"]), ("event", content["events"])):
        blocks += [(kind, name, numbers) for name, numbers in found.items()]
    for kind, name, numbers in blocks:
        own = numbers.get("unit", "1")
        for measure, value in numbers.items():
            if isinstance(value, Mapping):
                for key, number in value.items():
                    label = f"not assessable: {key}" if measure == "reasons" else f"mean {key}"
                    unit = "1" if measure == "reasons" else ""
                    yield [*whose, kind, name, label, shown(number), unit]
            elif measure == "model":
                yield [*whose, kind, name, measure, value, ""]
            elif measure != "unit":
                yield [*whose, kind, name, measure, shown(value), _unit(measure, own)]


def _unit(measure: str, own: str) -> str:
    if measure in _SECONDS:
        return "s"
    if measure == "per_minute":
        return "1/min"
    return "1" if measure in _PLAIN or measure == "stillness" else own


def shown(value: float | None) -> str:
    """Write a number as JSON reports do, with six digits; nothing for one that is not known."""
    return "" if value is None or not isfinite(value) else f"{value:.6g}"
