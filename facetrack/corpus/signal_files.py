"""The signals of a run on their way into files, which can be killed and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from facetrack.corpus.signal_tables import SignalTables
from facetrack.corpus.task import Outputs
from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.formats.columns import Column
from facetrack.reading import EventRecord
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import Choice
from facetrack.video.frame import Frame


class SignalFiles:
    """Pipeline and files of one video; does nothing where no signal is chosen."""

    def __init__(self, outputs: Outputs, choice: Choice, *, stills: bool = False) -> None:
        self._outputs, self._choice, self._stills = outputs, choice, stills
        self._tables: SignalTables | None = None
        self.reset()

    def reset(self) -> None:
        """Begin with the first frame."""
        if self._tables is not None:
            self._tables.close()
        self._pipeline = Pipeline(self._choice, stills=self._stills)
        self._tables = None

    def __enter__(self) -> Self:
        if self._tables is None and self._choice.estimators:
            self._tables = SignalTables(self._outputs, self._choice)
        return self

    def __exit__(self, *error: object) -> None:
        if self._tables is not None:
            self._tables.close()

    def take(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Write what becomes certain with a tracked frame."""
        if self._tables is not None:
            found = self._pipeline.update(frame, faces)
            self._tables.write(frame.index, frame.timestamp, faces, found)

    def finish(self) -> None:
        """Write what is left."""
        if self._tables is not None:
            self._tables.finish(self._pipeline.finish())

    def flush(self) -> None:
        """Bring everything to the disk."""
        if self._tables is not None:
            self._tables.flush()

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs, as JSON knows it."""
        if self._tables is None:
            return {}
        return {"pipeline": self._pipeline.state(), **self._tables.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where an earlier run with the same choice stood."""
        if not self._choice.estimators:
            return
        try:
            self._pipeline.restore(state["pipeline"])
        except (KeyError, TypeError) as error:
            raise InputError(f"the saved state of the signals is broken: {error}") from error
        self._tables = SignalTables(self._outputs, self._choice, state)

    def events(self) -> list[EventRecord]:
        """Read the events of the finished run."""
        return self._tables.events() if self._tables is not None else []

    def publish(self) -> None:
        """Give the files of the finished run their names; raises OutputError if that fails."""
        if self._tables is not None:
            self._tables.publish()

    def columns(self) -> dict[str, list[Column]]:
        """Describe the columns of the files that are written, for the data dictionary."""
        return self._tables.columns() if self._tables is not None else {}

    def costs(self) -> dict[str, dict[str, float]]:
        """Say what each estimator cost: seconds, and milliseconds a face."""
        return {
            name: {"seconds": round(c.seconds, 3), "ms_per_face": round(1e3 * c.each, 4)}
            for name, c in self._pipeline.costs.items()
        }

    def notes(self) -> tuple[str, ...]:
        """Say what went wrong, and what has to be said of models, for the ledger."""
        notes = [f"signals of {n} are switched off: {w}" for n, w in self._pipeline.faults.items()]
        specs = (*self._choice.events, *reversed(self._choice.values))  # the first is the score
        models = {spec.model: spec.name for spec in specs if spec.model}
        notes += [f"{name}: {model}" for model, name in models.items()]
        if self._tables is not None and self._tables.late:
            notes.append(f"{self._tables.late} readings came for frames that were written or never "
                         "were; they are left out")  # fmt: skip
        return tuple(notes)
