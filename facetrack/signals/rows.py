"""From findings that come early and late to whole rows, in the order of frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from facetrack.face import Face
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.formats.table import NO_FACE
from facetrack.reading import Finding, Readings, Row, Spec
from facetrack.signals.estimator import nothing

SILENT: Final = "the estimator said nothing"
NO_FACE_REASON: Final = "no face"
_PATIENCE: Final = 2.0  # times the longest delay of an estimator, and
_SPARE: Final = 10.0  # seconds more: a lost face delays its last rows


@dataclass(slots=True)
class RowAssembler(Stateful):
    """Waits until everything is said of a frame and a face.

    Parameters
    ----------
    specs : sequence of Spec
        The values that make a row.
    delay : float
        Seconds after which all of them are certain. Rows that wait much longer are completed with
        readings that say so: an estimator that stays silent stops nothing and fills no memory.
    """

    specs: Sequence[Spec] = field(metadata=NO_STATE)
    delay: float = field(default=0.0, metadata=NO_STATE)
    late: int = field(default=0, init=False)  # dropped readings of rows complete or unknown
    _waiting: dict[tuple[int, int], Row] = field(default_factory=dict, init=False)

    def add(
        self, frame: int, timestamp: float, faces: Sequence[Face], findings: Iterable[Finding]
    ) -> list[Row]:
        """Take what one step of the pipeline gave; return complete rows by frame and face."""
        for face_id in [face.id for face in faces] or [NO_FACE]:
            said = {} if faces else dict(nothing(self.specs, NO_FACE_REASON))
            self._waiting[frame, face_id] = Row(frame, timestamp, face_id, said)
        self.take(findings)
        return self._complete(timestamp)

    def take(self, findings: Iterable[Finding]) -> None:
        """Take findings alone."""
        for finding in findings:
            if isinstance(finding.result, Readings):
                row = self._waiting.get((finding.result.frame, finding.face_id))
                if row is None:
                    self.late += 1
                else:
                    assert isinstance(row.values, dict)
                    row.values.update(finding.result.values)

    def finish(self) -> list[Row]:
        """Return the rows that are left, complete or not."""
        return self._complete(float("inf"))

    def _complete(self, now: float) -> list[Row]:
        patience = _PATIENCE * self.delay + _SPARE
        done = []
        for key, row in list(self._waiting.items()):
            missing = [spec for spec in self.specs if spec.name not in row.values]
            if missing and row.timestamp >= now - patience:
                break
            del self._waiting[key]
            if missing:
                row = Row(*key[:1], row.timestamp, row.face_id,
                          {**row.values, **nothing(missing, SILENT)})  # fmt: skip
            done.append(row)
        return done
