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
        """Return the rest of each face.

        Parameters
        ----------
        start, stop : float
            Seconds in which they were at rest.

        Returns
        -------
        Rest
            Medians, of values that were assessed in ten frames or more.

        Raises
        ------
        InputError
            If no face has one.
        """
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
    """Measure the values of each face at rest.

    Parameters
    ----------
    tracked : iterable of (Frame, sequence of Face)
        From the beginning of the stream, as they will be tracked again; read until the span ends.
    choice : Choice
        Its estimators that can measure from a rest are asked.
    span : (float, float)
        Seconds.

    Returns
    -------
    Rest
        Medians, of values that were assessed in ten frames or more.

    Raises
    ------
    InputError
        If the span is none, or no face has a rest.
    """
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
