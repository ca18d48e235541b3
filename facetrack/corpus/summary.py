"""`summary.csv`: one row for every video and person in a folder of results."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from facetrack.corpus.batch import Failure
from facetrack.corpus.inputs import SUMMARY
from facetrack.corpus.ledger import read_ledger
from facetrack.corpus.results import place_of, read_results, results_in, source_name
from facetrack.corpus.task import Outputs
from facetrack.errors import FacetrackError
from facetrack.formats.atomic import write_text
from facetrack.summary.details import details, shown
from facetrack.summary.numbers import Summary, summarise
from facetrack.summary.times import DIFFERENCE

_FIRST: Final = (
    "results", "video", "face_id", "person", "frames", "seconds", "tracked", "doubtful", "lost",
)  # fmt: skip
_LAST: Final = "note"
_NO_FACE_FOUND: Final = "no face was found"
_Cells = dict[str, str]


def write_summary(folder: Path, failures: Iterable[Failure] = ()) -> Path:
    """Sum up all results in a folder, also of earlier runs; a failure gets a row that says why."""
    failed = {failure.task.outputs.base: failure for failure in failures}
    rows = [
        {"results": place_of(failure.task.outputs, folder.absolute()),
         "video": Path(failure.task.source).name, _LAST: failure.message}
        for failure in failed.values()
    ]  # fmt: skip
    for outputs in results_in(folder.absolute()):
        if outputs.base not in failed:
            rows += _rows(outputs, folder.absolute())
    rows.sort(key=lambda row: row["results"])
    names = dict.fromkeys(name for row in rows for name in row)
    middle = [name for name in names if name not in (*_FIRST, _LAST)]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_FIRST, *middle, _LAST], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = folder / SUMMARY
    write_text(path, text.getvalue())
    return path


def _rows(outputs: Outputs, folder: Path) -> Iterator[_Cells]:
    """Give the rows of one video; what is wrong with its files stands in the note."""
    place = place_of(outputs, folder)
    ledger = read_ledger(outputs.path("ledger"))
    known = {"results": place, "video": source_name(ledger) if ledger is not None else ""}
    try:
        recording = read_results(outputs, place, tracks=True)
        people = recording.timelines()
    except FacetrackError as error:
        yield {**known, _LAST: str(error)}
        return
    known["frames"] = str(len(set(recording.table.frame.tolist())))
    if not people:
        times = recording.table.timestamp
        seconds = float(times[-1] - times[0]) if len(times) else 0.0
        why = ledger.why_few if ledger is not None else ""
        note = f"{_NO_FACE_FOUND}: {why}" if why else _NO_FACE_FOUND
        yield {**known, "seconds": shown(seconds), "tracked": "0", _LAST: note}
    for person in people:
        whose = {"face_id": str(person.face_id), "person": person.name}
        few = {_LAST: ledger.faces} if ledger is not None and ledger.why_few else {}
        yield {**known, **whose, **_cells(summarise(person)), **few}


def _cells(summary: Summary) -> _Cells:
    content = details(summary)
    quality = content["quality"]
    cells = {"seconds": shown(quality["covered_seconds"])}
    cells |= {name: shown(quality[name]) for name in ("tracked", "doubtful", "lost")}
    for name, numbers in content["values"].items():
        if not name.endswith(DIFFERENCE):
            cells[f"{name}_mean"] = shown(numbers["mean"])
            cells[f"{name}_assessable"] = shown(numbers["assessable"])
    for name, numbers in content["events"].items():
        cells[f"{name}_count"] = shown(numbers["count"])
        cells[f"{name}_per_minute"] = shown(numbers["per_minute"])
    return cells
