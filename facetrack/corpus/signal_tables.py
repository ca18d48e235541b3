"""The rows and events of one stream on their way into files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, Self

from facetrack.corpus.task import Outputs
from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.formats import events_csv, signals_csv
from facetrack.formats.atomic import output_error
from facetrack.formats.columns import Column
from facetrack.formats.events_csv import EventWriter, read_events, write_events
from facetrack.formats.signals_csv import SignalWriter
from facetrack.formats.table import NO_NAMES, Names
from facetrack.reading import EventRecord, Finding
from facetrack.signals.pipeline import event_records
from facetrack.signals.registry import Choice
from facetrack.signals.rows import RowAssembler


class SignalTables:
    """`NAME.signals.csv` and `NAME.events.csv`, which have other names until they are whole.

    A `state` continues where an earlier one with the same choice stood. Methods that write raise
    OutputError; a broken state or file gives InputError or FormatError.
    """

    def __init__(
        self,
        outputs: Outputs,
        choice: Choice,
        state: dict[str, Any] | None = None,
        rests: Names | None = None,
    ) -> None:
        self._outputs, self._choice = outputs, choice
        rest = choice.rest
        self._rests = rests if rests is not None else rest.words if rest is not None else NO_NAMES
        self._rows = RowAssembler(choice.values, choice.delay)
        keep: tuple[int | None, int | None] = (None, None)
        if state is not None:
            try:
                self._rows.restore(state["rows"])
                values, events = map(int, state["bytes"])
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"the saved state of the signals is broken: {error}") from error
            keep = values, events
        with ExitStack() as stack:
            self._values = stack.enter_context(
                SignalWriter(
                    outputs.path("signals partial"), choice.values, keep=keep[0], rests=self._rests
                )
            )
            self._events = stack.enter_context(
                EventWriter(outputs.path("events partial"), keep=keep[1])
            )
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Bring everything to the disk and close the files; closing twice is harmless."""
        self._stack.close()

    @property
    def late(self) -> int:
        """Readings that are left out; see `RowAssembler`."""
        return self._rows.late

    def write(
        self, frame: int, timestamp: float, faces: Sequence[Face], findings: Iterable[Finding]
    ) -> None:
        """Write what becomes certain with a frame, its faces and what the pipeline found in it."""
        found = list(findings)
        self._values.write(self._rows.add(frame, timestamp, faces, found))
        self._events.write(event_records(found))

    def mark(self, records: Iterable[EventRecord]) -> None:
        """Write events that are known already, such as those that a person marked."""
        self._events.write(records)

    def finish(self, findings: Iterable[Finding]) -> None:
        """Write what is left, with what the pipeline still had to say."""
        found = list(findings)
        self._rows.take(found)
        self._values.write(self._rows.finish())
        self._events.write(event_records(found))

    def flush(self) -> None:
        """Bring everything to the disk."""
        self._values.flush()
        self._events.flush()

    def state(self) -> dict[str, Any]:
        """Return everything that another one needs to continue, as JSON knows it."""
        return {"rows": self._rows.state(), "bytes": [self._values.size, self._events.size]}

    def events(self) -> list[EventRecord]:
        """Read the events that were written."""
        return read_events(self._outputs.path("events partial"))

    def publish(self) -> None:
        """Give the finished files their names, with the events in the order of their starts."""
        write_events(self._outputs.path("events"), self.events())
        partial = self._outputs.path("signals partial")
        try:
            os.replace(partial, self._outputs.path("signals"))
            self._outputs.path("events partial").unlink()
        except OSError as error:
            raise output_error(partial, error) from error

    def columns(self) -> dict[str, list[Column]]:
        """Describe the columns of both files, for the data dictionary."""
        return {
            "signals": signals_csv.columns(self._choice.values, rests=self._rests),
            "events": events_csv.columns(self._choice.events),
        }
