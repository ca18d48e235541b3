"""The signals of a run on their way into files, so that it can be killed and go on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from facetrack.corpus.task import Outputs
from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.formats import events_csv, signals_csv
from facetrack.formats.atomic import output_error
from facetrack.formats.columns import Column
from facetrack.formats.events_csv import EventWriter, read_events, write_events
from facetrack.formats.signals_csv import SignalWriter
from facetrack.reading import EventRecord
from facetrack.signals.pipeline import Pipeline, event_records
from facetrack.signals.registry import Choice
from facetrack.signals.rows import RowAssembler
from facetrack.video.frame import Frame


class SignalFiles:
    """Pipeline, rows and files of one video; does nothing where no signal is chosen.

    Parameters
    ----------
    outputs : Outputs
    choice : Choice
    """

    def __init__(self, outputs: Outputs, choice: Choice) -> None:
        self._outputs, self._choice = outputs, choice
        self._stack = ExitStack()
        self.reset()

    def reset(self) -> None:
        """Begin with the first frame."""
        self._stack.close()
        self._pipeline = Pipeline(self._choice)
        self._rows = RowAssembler(self._choice.values, self._choice.delay)
        self._values: SignalWriter | None = None
        self._events: EventWriter | None = None

    def _open(self, keep: tuple[int | None, int | None]) -> None:
        if not self._choice.estimators:
            return
        values, events = (self._outputs.path(f"{kind} partial") for kind in ("signals", "events"))
        self._values = SignalWriter(values, self._choice.values, keep=keep[0])
        self._stack.enter_context(self._values)
        self._events = self._stack.enter_context(EventWriter(events, keep=keep[1]))

    def __enter__(self) -> Self:
        if self._values is None:
            self._open((None, None))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def take(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Write what becomes certain with a tracked frame."""
        if self._values is not None and self._events is not None:
            found = self._pipeline.update(frame, faces)
            self._values.write(self._rows.add(frame.index, frame.timestamp, faces, found))
            self._events.write(event_records(found))

    def finish(self) -> None:
        """Write what is left."""
        if self._values is not None and self._events is not None:
            found = self._pipeline.finish()
            self._rows.take(found)
            self._values.write(self._rows.finish())
            self._events.write(event_records(found))

    def flush(self) -> None:
        """Bring everything to the disk."""
        if self._values is not None and self._events is not None:
            self._values.flush()
            self._events.flush()

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs, as JSON knows it."""
        if self._values is None or self._events is None:
            return {}
        return {
            "pipeline": self._pipeline.state(),
            "rows": self._rows.state(),
            "bytes": [self._values.size, self._events.size],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where an earlier run with the same choice stood.

        Parameters
        ----------
        state : dict
            From `state`.

        Raises
        ------
        FormatError, InputError
            If the state or a file is broken; `reset` is needed then.
        """
        if not self._choice.estimators:
            return
        try:
            self._pipeline.restore(state["pipeline"])
            self._rows.restore(state["rows"])
            values, events = map(int, state["bytes"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"the saved state of the signals is broken: {error}") from error
        self._open((values, events))

    def events(self) -> list[EventRecord]:
        """Read the events of the finished run."""
        return read_events(self._outputs.path("events partial")) if self._events else []

    def publish(self) -> None:
        """Give the files of the finished run their names; raises OutputError if that fails."""
        if self._events is None:
            return
        write_events(self._outputs.path("events"), self.events())
        partial = self._outputs.path("signals partial")
        try:
            os.replace(partial, self._outputs.path("signals"))
            self._outputs.path("events partial").unlink()
        except OSError as error:
            raise output_error(partial, error) from error

    def columns(self) -> dict[str, list[Column]]:
        """Describe the columns of the files that are written, for the data dictionary."""
        if self._events is None:
            return {}
        return {
            "signals": signals_csv.columns(self._choice.values),
            "events": events_csv.columns(self._choice.events),
        }

    def costs(self) -> dict[str, dict[str, float]]:
        """Say what each estimator cost: seconds, and milliseconds a face."""
        return {
            name: {"seconds": round(c.seconds, 3), "ms_per_face": round(1e3 * c.each, 4)}
            for name, c in self._pipeline.costs.items()
        }

    def notes(self) -> tuple[str, ...]:
        """Say what went wrong, for the ledger."""
        notes = [f"signals of {n} are switched off: {w}" for n, w in self._pipeline.faults.items()]
        if self._rows.late:
            notes.append(f"{self._rows.late} readings came for frames that were written or never "
                         "were; they are left out")  # fmt: skip
        return tuple(notes)
