"""Measuring faces at rest, before what is measured from that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.reading import Readings
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import Choice
from facetrack.signals.rest import Rest, Restable, check_span
from facetrack.video.frame import Frame

ENOUGH: Final = 10  # frames in which a value was assessed


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
    seen: dict[int, dict[str, list[float]]] = {}
    for frame, faces in tracked:
        if frame.timestamp > stop:
            break
        if frame.timestamp < start:
            continue
        for found in pipeline.update(frame, faces):
            if isinstance(found.result, Readings):
                values = seen.setdefault(found.face_id, {})
                for name, reading in found.result.values.items():
                    if not reading.reason:
                        values.setdefault(name, []).append(reading.value)
    rest = {
        face: {name: median(v) for name, v in values.items() if len(v) >= ENOUGH}
        for face, values in seen.items()
    }
    known = {face: values for face, values in rest.items() if values}
    if not known:
        raise InputError(f"no face was seen well enough at rest, from {start:g} to {stop:g} s")
    return Rest(start, stop, known)
