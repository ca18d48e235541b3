"""What `facetrack track` wrote, found and read again."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import entry_points
from math import nan
from pathlib import Path, PurePath
from typing import Final

import numpy as np

from facetrack.corpus.ledger import Ledger, read_ledger, read_object
from facetrack.corpus.task import Outputs
from facetrack.errors import FacetrackError, FormatError, InputError
from facetrack.formats.events_csv import read_events
from facetrack.formats.signals_csv import Series, SignalTable, read_signals
from facetrack.formats.textfile import first_line
from facetrack.signals.estimator import LOST
from facetrack.summary.report import Recording

RECORDINGS: Final = "facetrack.recordings"  # group of entry points
_TRACKS: Final = ("frame", "timestamp", "face_id", "success", "confidence", "reason")


def find_results(inputs: Iterable[str]) -> tuple[dict[str, Outputs], list[FacetrackError]]:
    """Find results by NAME.csv, NAME.signals.csv or folders, searched with everything below.

    Return them by a title of their own (the place in the folder), and an error for every input that
    means nothing.
    """
    found: dict[str, Outputs] = {}
    errors: list[FacetrackError] = []
    for path in map(Path, inputs):
        try:
            for title, outputs in _found_at(path):
                if outputs not in found.values():
                    found[title if title not in found else str(outputs.base)] = outputs
        except FacetrackError as error:
            errors.append(error)
    return found, errors


def results_in(folder: Path) -> list[Outputs]:
    """Find the results in a folder and below, by name: whatever has a ledger or signals."""
    bases = set()
    for end in (".ledger.json", ".signals.csv"):
        bases |= {Path(str(path).removesuffix(end)) for path in folder.rglob(f"*{end}")}
    return [Outputs(base) for base in sorted(bases)]


def _found_at(path: Path) -> list[tuple[str, Outputs]]:
    if path.is_dir():
        found = results_in(path)
        if not found:
            raise FormatError(path, "the folder holds no results", remedy="track videos into it")
        return [(place_of(outputs, path), outputs) for outputs in found]
    if not path.is_file():
        raise FormatError(path, "there is no such file or folder", remedy="check the name")
    name = path.name
    if not name.endswith(".csv"):
        raise FormatError(
            path, "is no result", remedy="name NAME.csv, NAME.signals.csv or a folder"
        )
    base = path.with_name(name.removesuffix(".csv").removesuffix(".signals"))
    return [(base.name, Outputs(base))]


def place_of(outputs: Outputs, folder: Path) -> str:
    """Name results by their place in a folder."""
    return outputs.base.relative_to(folder).as_posix()


def read_results(outputs: Outputs, title: str, *, tracks: bool = False) -> Recording:
    """Read the results of one video; with `tracks`, of tracks alone where there are no signals.

    Raises FormatError if files are missing, broken, or of another version.
    """
    ledger = _ledger(outputs)
    path = outputs.path("signals")
    if path.exists():
        table = read_signals(path)
        if "quality" not in table.signals and outputs.path("csv").exists():
            table = _with_quality(table, _read_tracks(outputs.path("csv")))
    elif tracks:
        table = _read_tracks(outputs.path("csv"))
    else:
        raise FormatError(outputs.path("csv"), "has no signals beside it",
                          remedy="track it again with --signals default")  # fmt: skip
    events = outputs.path("events")
    if not events.exists():
        return Recording(title, table, about=_about(outputs, ledger))
    asked = _asked(ledger)
    return Recording(title, table, read_events(events), asked, _about(outputs, ledger))


def _ledger(outputs: Outputs) -> Ledger | None:
    path = outputs.path("ledger")
    ledger = read_ledger(path)
    if ledger is None and path.exists():
        raise FormatError(path, "is broken or of another version of Facetrack",
                          remedy="track the video again")  # fmt: skip
    return ledger


def source_name(ledger: Ledger) -> str:
    """Return the name of the video that a ledger is of."""
    return PurePath(str(ledger.run_key["input"]["path"])).name


def _asked(ledger: Ledger | None) -> dict[str, list[str]] | None:
    """Read which signals of which estimators were wanted; None in ledgers that do not say."""
    asked = ledger.run_key["settings"].get("signals") if ledger is not None else None
    if not isinstance(asked, list):
        return None
    return {str(name): [str(n) for n in names] for name, _, *names in asked}


def _about(outputs: Outputs, ledger: Ledger | None) -> dict[str, str]:
    if ledger is None:
        return {"Tracked": f"nothing is known: {outputs.path('ledger').name} is missing"}
    about = {"Video": source_name(ledger)}
    finished = read_object(outputs.path("timing")).get("finished")
    if finished is not None:
        about["Tracked on"] = str(finished)[:10]
    model = ledger.run_key["model"]
    about |= {
        "Program": f"Facetrack {ledger.version}",
        "Model": str(model["name"]),
        "Checksum": str(model["checksum"]),
    }
    if ledger.notes:
        about["Notes"] = "; ".join(ledger.notes)
    return about


def _read_tracks(path: str | os.PathLike[str]) -> SignalTable:
    """Read when which face was tracked and how well, and leave the landmarks alone."""
    names = first_line(path).split(",")
    try:
        columns = [names.index(name) for name in _TRACKS]
        with warnings.catch_warnings(category=UserWarning, action="ignore"):  # no rows
            cells = np.loadtxt(
                path, dtype=str, delimiter=",", skiprows=1, usecols=columns, quotechar='"',
                encoding="utf-8", ndmin=2, comments=None,
            ).reshape(-1, len(_TRACKS))  # fmt: skip
        frame, timestamp, face_id, success, quality = cells[:, :5].astype(np.float64).T
    except ValueError as error:
        raise FormatError(path, f"is no file of tracks ({error})",
                          remedy="track the video again") from error  # fmt: skip
    value = np.where(success == 1, quality, nan)
    why = [f"{LOST}: {text}" if text else LOST for text in cells[:, 5].tolist()]
    reason = tuple("" if ok else text for ok, text in zip(success == 1, why, strict=True))
    series = {"quality": Series(value, np.full(len(value), nan), np.full(len(value), nan), reason)}
    return SignalTable(frame.astype(np.int64) - 1, timestamp, face_id.astype(np.int64), series)


def _with_quality(table: SignalTable, tracks: SignalTable) -> SignalTable:
    """Add the quality of tracks that have the same rows."""
    same = np.array_equal(table.frame, tracks.frame) and np.array_equal(
        table.face_id, tracks.face_id
    )
    return replace(table, signals={**table.signals, **tracks.signals}) if same else table


def reader_elsewhere(path: Path) -> Callable[[], Recording] | None:
    """Find what reads recordings of another package, as sessions of the application, or None.

    Packages enter by an entry point of the group `facetrack.recordings` that names a function like
    this one. Raises InputError if a package fails to look; the reader raises FacetrackError.
    """
    for point in entry_points(group=RECORDINGS):
        try:
            reader: Callable[[], Recording] | None = point.load()(path)
        except Exception as error:  # whatever a third-party package raises
            raise InputError(f"{path}: {point.value} cannot look at it: {error}") from error
        if reader is not None:
            return reader
    return None
