# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings as the store holds them: a person's, of one estimator, a thousand frames to a row.

A row is packed arrays: values with 32 bits, and for every value a code that says whether it is
known, or which of the row's reasons there is. 200,000 frames of 16 values make 200 rows for each
estimator, 10 MB in all, and a stretch is read without the rest.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.signals_csv import Series
from facetrack.reading import Event, Kind, Reading, Row, Spec
from facetrack.signals.estimator import Estimator
from facetrack.signals.registry import owner
from facetrack.signals.rest import Restable
from facetrack.signals.resting import ENOUGH
from facetrack_app.model import rows
from facetrack_app.model.influence import influence_in_words, parts_of
from facetrack_app.model.store import Store

CHUNK: Final = 1024  # frames in a row of the store
NOT_YET: Final = "not analysed yet"
NO_REST: Final = "not seen well enough while at rest"
_UNSAID, _SAID = 0, 1  # codes; higher ones number the reasons, from 2

Values = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What is drawn of one signal over frames: arrays (n,), NaN where nothing is known."""

    value: Values
    low: Values
    high: Values
    unassessable: Mask  # a reason says why, other than `NOT_YET`


@dataclass(slots=True)
class Block:
    """Readings of one estimator of a person in `CHUNK` frames."""

    names: tuple[str, ...]  # of signals
    values: Values  # value, low, high; NaN where there is none: (3, names, CHUNK)
    codes: Codes  # (names, CHUNK)
    reasons: list[str] = field(default_factory=list)  # why values cannot be said

    @classmethod
    def empty(cls, names: Sequence[str]) -> Block:
        """Make one that says nothing."""
        values = np.full((3, len(names), CHUNK), np.nan, dtype=np.float32)
        return cls(tuple(names), values, np.zeros((len(names), CHUNK), dtype=np.uint16))

    @classmethod
    def unpack(cls, header: str, data: bytes) -> Block:
        """Take over what `pack` gave."""
        said = json.loads(header)
        block = cls.empty(said["names"])
        block.reasons = said["reasons"]
        raw = zlib.decompress(data)
        size = block.codes.nbytes
        block.codes = np.frombuffer(raw[:size], dtype="<u2").reshape(block.codes.shape).copy()
        values = np.frombuffer(raw[size:], dtype="<f4").reshape(-1, len(block.names), CHUNK)
        block.values[: len(values)] = values
        return block

    def pack(self) -> rows.Row:
        """Give header and data; intervals only if there are any."""
        header = json.dumps({"names": self.names, "reasons": self.reasons})
        parts = 3 if np.isfinite(self.values[1:]).any() else 1
        raw = self.codes.astype("<u2").tobytes() + self.values[:parts].astype("<f4").tobytes()
        return header, zlib.compress(raw, level=1)

    def clear(self, start: int, stop: int) -> None:
        """Say nothing of a range of frames any more."""
        self.codes[:, start:stop], self.values[:, :, start:stop] = _UNSAID, np.nan

    def put(self, place: int, said: Mapping[str, Reading]) -> None:
        """Say what was read in a frame."""
        for i, name in enumerate(self.names):
            reading = said.get(name)
            if reading is not None:
                self.values[:, i, place] = reading.value, reading.low, reading.high
                self.codes[i, place] = self._code(reading.reason)

    def _code(self, reason: str) -> int:
        if not reason:
            return _SAID
        if reason not in self.reasons:
            self.reasons.append(reason)
        return 2 + self.reasons.index(reason)

    def why(self, signal: int, start: int, stop: int) -> list[str]:
        """Give the reasons of a range of frames."""
        words = [NOT_YET, "", *self.reasons]
        return [words[code] for code in self.codes[signal, start:stop].tolist()]


def _load(store: Store, person: int, estimator: Estimator, chunk: int) -> Block | None:
    """Read a block; None if there is none of this version of the estimator."""
    row = store.get("reading", (person, estimator.name, chunk))
    if row is None or row[0] != estimator.version:
        return None
    return Block.unpack(*row[1:])


def _values(specs: Iterable[Spec]) -> list[str]:
    return [spec.name for spec in specs if spec.kind != Kind.EVENT]


def write_readings(
    store: Store, person: int, estimator: Estimator, start: int, stop: int, found: Sequence[Row]
) -> None:
    """Replace a stretch inside a transaction; where no row is, nothing is said."""
    names, place = _values(estimator.specs), 0
    if not names:  # it only has events
        return
    for chunk in range(start // CHUNK, (stop + CHUNK - 1) // CHUNK):
        first = chunk * CHUNK
        block = _load(store, person, estimator, chunk)
        if block is None or list(block.names) != names:
            block = Block.empty(names)
        block.clear(max(start - first, 0), min(stop - first, CHUNK))
        while place < len(found) and found[place].frame < first + CHUNK:
            block.put(found[place].frame - first, found[place].values)
            place += 1
        row = (estimator.version, *block.pack())
        store.put("reading", [((person, estimator.name, chunk), row)])


def cut_readings(store: Store, person: int, estimator: Estimator, start: int, stop: int) -> None:
    """Forget inside a transaction what is said outside of a stretch."""
    first, last = start // CHUNK, (stop - 1) // CHUNK
    store.write("DELETE FROM reading WHERE person=? AND estimator=? AND (chunk<? OR chunk>?)",
                (person, estimator.name, first, last))  # fmt: skip
    for a, b in ((first * CHUNK, start), (stop, (last + 1) * CHUNK)):
        if a < b:
            write_readings(store, person, estimator, a, b, ())


def _blocks(
    store: Store, person: int, estimator: Estimator, start: int, stop: int
) -> Iterable[tuple[int, Block]]:
    query = (
        "SELECT chunk, header, data FROM reading WHERE person=? AND estimator=? AND version=? AND "
        "chunk>=? AND chunk<=? ORDER BY chunk"
    )
    key = person, estimator.name, estimator.version, start // CHUNK, (stop - 1) // CHUNK
    for chunk, header, data in store.read(query, key):
        yield chunk * CHUNK, Block.unpack(header, data)


def read_values(
    store: Store, person: int, estimator: Estimator, name: str, start: int, stop: int
) -> Drawn:
    """Read one signal over a stretch."""
    numbers = np.full((3, stop - start), np.nan, dtype=np.float32)
    codes = np.full(stop - start, _UNSAID, dtype=np.uint16)
    for first, block in _blocks(store, person, estimator, start, stop):
        if name in block.names:
            a, b, i = max(start, first), min(stop, first + CHUNK), block.names.index(name)
            numbers[:, a - start : b - start] = block.values[:, i, a - first : b - first]
            codes[a - start : b - start] = block.codes[i, a - first : b - first]
    rest = _at_rest(store, person, estimator).get(name, 0.0)
    told = codes != _UNSAID if np.isnan(rest) else codes > _SAID
    value, low, high = numbers - np.float32(rest)
    return Drawn(value, low, high, told)


def rest_of(person: int) -> str:
    """Name the setting that holds the frames in which a person's face is at rest."""
    return f"rest/{person}"


def _rest_span(store: Store, person: int) -> Sequence[int]:
    said = store.get("setting", (rest_of(person),))
    return () if said is None else json.loads(said[0])


def _at_rest(store: Store, person: int, estimator: Estimator) -> dict[str, float]:
    """Return the signals while the face is at rest; none where no rest is named or none matters."""
    span = _rest_span(store, person) if isinstance(estimator, Restable) else ()
    if not span:
        return {}
    start, stop = span
    seen: dict[str, list[Values]] = {name: [] for name in _values(estimator.specs)}
    for first, block in _blocks(store, person, estimator, start, stop):
        for i, name in enumerate(block.names):
            part = block.values[0, i, max(start - first, 0) : stop - first]
            seen.setdefault(name, []).append(part[np.isfinite(part)])
    known = {name: np.concatenate(parts) if parts else () for name, parts in seen.items()}
    return {name: float(np.median(v)) if len(v) >= ENOUGH else np.nan for name, v in known.items()}


def rested_events(store: Store, person: int, estimator: Estimator) -> dict[str, list[Event]]:
    """Find events in values that are measured from a rest, as the store's are not; by their names.

    Empty where no rest is named: the events in the store are right then.
    """
    if not isinstance(estimator, Restable) or not _rest_span(store, person):
        return {}
    blobs = store.read("SELECT times FROM ledger ORDER BY start")
    times = np.frombuffer(b"".join(row[0] for row in blobs), dtype="<f8")
    found: dict[str, list[Event]] = {}
    for name, episodes in estimator.episodes().items():
        values = read_values(store, person, estimator, name, 0, len(times)).value
        events = found.setdefault(episodes.name, [])
        for frame in np.flatnonzero(values >= episodes.level):  # the others would change nothing
            events += episodes.update(float(times[frame]), float(values[frame]))
        events += episodes.finish()
    return found


def read_series(
    store: Store, person: int, estimator: Estimator, start: int, stop: int
) -> dict[str, Series]:
    """Read all signals of an estimator over a stretch; where nothing is known, with the reason."""
    names = _values(estimator.specs)
    numbers = np.full((len(names), 3, stop - start), np.nan)
    reasons = {name: [NOT_YET] * (stop - start) for name in names}
    for first, block in _blocks(store, person, estimator, start, stop):
        a, b = max(start, first), min(stop, first + CHUNK)
        for i, name in enumerate(names):
            if name in block.names:
                j = block.names.index(name)
                numbers[i, :, a - start : b - start] = block.values[:, j, a - first : b - first]
                reasons[name][a - start : b - start] = block.why(j, a - first, b - first)
    at_rest = _at_rest(store, person, estimator)
    for i, name in enumerate(names):
        numbers[i] -= at_rest.get(name, 0.0)
        if np.isnan(at_rest.get(name, 0.0)):
            reasons[name] = [why or NO_REST for why in reasons[name]]
    return {
        n: Series(numbers[i, 0], numbers[i, 1], numbers[i, 2], tuple(reasons[n]))
        for i, n in enumerate(names)
    }


def value_in_words(store: Store, person: int, spec: Spec, frame: int) -> str:
    """Say what a signal is in a frame, with its interval and its parts, or why nothing is known."""
    found = read_series(store, person, owner(spec.name), frame, frame + 1)
    series = found[spec.name]
    if series.reason[0]:
        return series.reason[0]
    unit = "" if spec.unit == "1" else f" {spec.unit}"
    words = f"{series.value[0]:.4g}{unit}"
    if np.isfinite(series.low[0]) and np.isfinite(series.high[0]):
        words += f" ({series.low[0]:.4g} to {series.high[0]:.4g})"
    parts = ", ".join(
        influence_in_words(part, found[part.name].value[0]) for part in parts_of(spec)
    )
    return f"{words}; influence: {parts}" if parts else words
