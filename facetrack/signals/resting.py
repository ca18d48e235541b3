"""Measuring faces at rest, before what is measured from that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.reading import Finding, Readings
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import Choice
from facetrack.signals.rest import Rest, Restable, check_span
from facetrack.video.frame import Frame

ENOUGH: Final = 10  # frames in which a value was assessed


class RestMeter:
    """Collects what is said of faces at rest."""

    def __init__(self) -> None:
        self._seen: dict[int, dict[str, list[float]]] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        """Take what was found in a frame; what could not be assessed is left out."""
        for found in findings:
            if isinstance(found.result, Readings):
                values = self._seen.setdefault(found.face_id, {})
                for name, reading in found.result.values.items():
                    if not reading.reason:
                        values.setdefault(name, []).append(reading.value)

    def rest(self, start: float, stop: float) -> Rest:
        """Return the medians of each face from `start` to `stop` seconds, of ten frames or more."""
        rest = {
            face: {name: median(v) for name, v in values.items() if len(v) >= ENOUGH}
            for face, values in self._seen.items()
        }
        known = {face: values for face, values in rest.items() if values}
        if not known:
            raise InputError(f"no face was seen well enough at rest, from {start:g} to {stop:g} s")
        return Rest(start, stop, known)


def measure_rest(
    tracked: Iterable[tuple[Frame, Sequence[Face]]], choice: Choice, span: tuple[float, float]
) -> Rest:
    """Measure the values of each face at rest; reads a stream until the span (seconds) ends."""
    check_span(span)
    start, stop = span
    asked = tuple(e for e in choice.estimators if isinstance(e, Restable))
    pipeline = Pipeline(Choice(asked, choice.names))
    meter = RestMeter()
    for frame, faces in tracked:
        if frame.timestamp > stop:
            break
        if frame.timestamp < start:
            continue
        meter.add(pipeline.update(frame, faces))
    return meter.rest(start, stop)
