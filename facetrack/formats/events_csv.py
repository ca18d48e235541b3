"""`NAME.events.csv`: one row for every event, with who says so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import isfinite
from typing import Final

from facetrack.errors import FormatError, InputError
from facetrack.formats.atomic import write_text
from facetrack.formats.columns import PERSON, Column
from facetrack.formats.dialect import NO_TEXT, number, table_lines
from facetrack.formats.growing import GrowingFile
from facetrack.formats.table import NO_NAMES, Names
from facetrack.formats.textfile import quoted
from facetrack.reading import HUMAN, MACHINE, Event, EventRecord, Spec

NAMES: Final = (
    "face_id", "name", "start", "peak", "stop", "score", "text", "detail", "estimator", "source",
)  # fmt: skip
HEADER: Final = ",".join(NAMES) + "\n"
_MAX_BYTES: Final = 1 << 30


def columns(specs: Sequence[Spec], people: Names = NO_NAMES) -> list[Column]:
    """Describe the columns of an events file.

    Parameters
    ----------
    specs : sequence of Spec
        The kinds of events that may be in it.
    people : mapping of int to str, optional
        If there are any, the last column names them.

    Returns
    -------
    list of Column
    """
    kinds = "; ".join(f"{spec.name}: {spec.meaning}" for spec in specs) or "none was asked for"
    never, seconds = "no row", "as the frames' timestamps"
    found = [
        Column("face_id", "%d", "1", "0 ..", "video", never, "the person, as in the tracks"),
        Column("name", "%s", "text", "names of events", "none", never, kinds),
        Column("start", "%.6f", "s", "0 ..", "zero of the file's own time", never,
               f"first frame of the event, {seconds}"),
        Column("peak", "%.6f", "s", "0 ..", "zero of the file's own time", never,
               "where the event is strongest"),
        Column("stop", "%.6f", "s", "0 ..", "zero of the file's own time", never,
               "last frame of the event"),
        Column("score", "%.6g", "of the event", "of the event", "none", never,
               "how sure or how strong; nan where nothing is said"),
        Column("text", "%s", "text", "any", "none", never, "what was said, or a person's words"),
        Column("detail", "%s", "JSON", "any", "none", never, "more numbers by name"),
        Column("estimator", "%s", "text", "names of estimators", "none", never,
               "who found it; empty for an event that a person made"),
        Column("source", "%s", "text", f"{MACHINE} or {HUMAN}", "none", never,
               "human: a person made, moved, renamed or accepted it"),
    ]  # fmt: skip
    return [*found, PERSON] if people else found


class EventWriter(GrowingFile):
    """An events file that grows event by event, in the order in which they become certain.

    Parameters
    ----------
    path : path-like
    keep : int, optional
        See `GrowingFile`.
    """

    def __init__(self, path: str | os.PathLike[str], *, keep: int | None = None) -> None:
        super().__init__(path, HEADER, keep=keep)

    def write(self, records: Iterable[EventRecord]) -> None:
        """Add events.

        Parameters
        ----------
        records : iterable of EventRecord

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        text = "".join(map(_line, records))
        if text:
            self.put(text)


def write_events(
    path: str | os.PathLike[str], records: Iterable[EventRecord], people: Names = NO_NAMES
) -> None:
    """Write a whole file, or nothing.

    Parameters
    ----------
    path : path-like
    records : iterable of EventRecord
        Written in the order of their starts.
    people : mapping of int to str, optional
        See `columns`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    ordered = sorted(records, key=lambda r: (r.event.start, r.face_id, r.event.name, r.event.stop))
    if not people:
        write_text(path, HEADER + "".join(map(_line, ordered)))
        return
    named = (f"{_line(r)[:-1]},{quoted(people.get(r.face_id, ''))}\n" for r in ordered)
    write_text(path, f"{HEADER[:-1]},{PERSON.name}\n" + "".join(named))


def _line(record: EventRecord) -> str:
    e = record.event
    detail = json.dumps(dict(e.detail), sort_keys=True) if e.detail else ""
    texts = (quoted(text) for text in (e.text, detail, record.estimator, record.source))
    times = f"{e.start:.6f},{e.peak:.6f},{e.stop:.6f},{e.score:.6g}"
    return f"{record.face_id},{quoted(e.name)},{times},{','.join(texts)}\n"


def read_events(path: str | os.PathLike[str]) -> list[EventRecord]:
    """Read an events file.

    Parameters
    ----------
    path : path-like
        Columns may be missing but for `name`, `start` and `stop`; unknown ones are left alone.

    Returns
    -------
    list of EventRecord

    Raises
    ------
    FormatError
        If it is no events file, or a row is wrong.
    """
    (header, *lines), separator = table_lines(path, limit=_MAX_BYTES)
    missing = {"name", "start", "stop"} - set(header)
    if missing:
        raise FormatError(path, f"is no events file: the column {min(missing)!r} is missing",
                          remedy="name the file that ends in .events.csv")  # fmt: skip
    records = []
    for place, cells in enumerate(lines, start=2):
        row = dict(zip(header, ("" if cell == NO_TEXT else cell for cell in cells), strict=False))
        try:
            records.append(_record(row, partial(number, separator=separator)))
        except (LookupError, ValueError, TypeError, OverflowError, InputError) as error:
            raise FormatError(path, f"an event is wrong: {error!s:.100}", line=place) from error
    return records


def _record(row: dict[str, str], read: Callable[[str], float]) -> EventRecord:
    start, stop = read(row["start"]), read(row["stop"])
    peak = read(row["peak"]) if row.get("peak") else start
    if not (isfinite(start) and isfinite(stop) and start <= stop):
        raise InputError(f"it lasts from {row['start']} to {row['stop']} s")
    detail = json.loads(row.get("detail") or "{}")
    if not isinstance(detail, dict):
        raise InputError(f"its detail is no JSON object: {row['detail']!r:.40}")
    source = row.get("source") or MACHINE
    if source not in (MACHINE, HUMAN):
        raise InputError(f"its source is {source!r:.20}, neither {MACHINE} nor {HUMAN}")
    event = Event(
        row["name"], start, peak, stop, read(row.get("score", "")),
        row.get("text") or "", detail,
    )  # fmt: skip
    return EventRecord(
        int(float(row.get("face_id") or 0)), event, row.get("estimator") or "", source
    )
