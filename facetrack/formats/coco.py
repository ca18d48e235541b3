"""COCO key points: one category "face" with 68 points; COCO-WholeBody is read, too."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.face import N_POINTS, Source
from facetrack.formats.coco_writer import HIDDEN, SCORES, SOURCES, point_names, skeleton, write_coco
from facetrack.formats.table import NO_FACE, TrackTable, make_table
from facetrack.formats.textfile import read_text

__all__ = ["point_names", "read_coco", "skeleton", "write_coco"]

MAX_BYTES: Final = 1 << 30
_WHOLE_BODY: Final = 133
_FACE_OF_WHOLE_BODY: Final = slice(23, 91)


class _Points(NamedTuple):
    """What an annotation says of the points: places, confidence, source."""

    places: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    source: npt.NDArray[np.uint8]


Rows = list[tuple[int, int, float, float, _Points]]


def read_coco(path: str | os.PathLike[str]) -> TrackTable:
    """Read the faces of a file of plain COCO or COCO-WholeBody key points.

    Parameters
    ----------
    path : path-like
        A .json file. Annotations have 68 key points, or 133 of a whole body, or `face_kpts`.

    Returns
    -------
    TrackTable
        The frame is the image's `frame_index`, else its place in the file; the face is the
        `track_id`, else counted within the image. Points without a label are NaN, those that are
        labelled but hidden (v = 1) are occluded if the file does not name their source. Images
        without a face have one row.

    Raises
    ------
    FormatError
        If the file is missing, broken or holds other key points.
    """
    document = _load(path)
    frames: dict[Any, tuple[int, float]] = {}
    for place, image in enumerate(_dicts(path, document, "images")):
        key = _identity(path, image, "id")
        if key in frames:
            raise FormatError(path, f"two images have the id {key}")
        frame = _identity(path, image, "frame_index", default=place)
        frames[key] = frame, _real(path, image, "timestamp")
    rows: Rows = []
    people: dict[int, str] = {}
    counted: dict[int, int] = {}
    for annotation in _dicts(path, document, "annotations"):
        key = _identity(path, annotation, "image_id")
        if key not in frames:
            raise FormatError(path, f"an annotation is on image {key}, which is not there")
        points = _face_points(path, annotation)
        if points is None:
            continue
        frame, time = frames[key]
        face = _identity(path, annotation, "track_id", default=counted.get(key, 0))
        counted[key] = counted.get(key, 0) + 1
        if isinstance(annotation.get("person"), str):
            people[face] = annotation["person"]
        rows.append((frame, face, time, _real(path, annotation, "score", default=1.0), points))
    seen = {row[0] for row in rows}
    nothing = _points(np.zeros((N_POINTS, 3)))
    rows += [(f, NO_FACE, t, 0.0, nothing) for f, t in frames.values() if f not in seen]
    return replace(_table(sorted(rows, key=lambda row: row[:2])), people=people)


def _table(rows: Rows) -> TrackTable:
    table = make_table(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[4].places for row in rows], dtype=np.float64),
        face_id=np.array([row[1] for row in rows], dtype=np.int64),
        timestamp=np.array([row[2] for row in rows], dtype=np.float64),
        confidence=np.array([row[3] for row in rows], dtype=np.float64),
    )
    return replace(
        table,
        point_confidence=np.array([row[4].confidence for row in rows]).reshape(-1, N_POINTS),
        source=np.array([row[4].source for row in rows], dtype=np.uint8).reshape(-1, N_POINTS),
    )


def _load(path: str | os.PathLike[str]) -> dict[str, Any]:
    text = read_text(path, limit=MAX_BYTES)
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise FormatError(path, f"no readable JSON ({message:.80})", line=line) from error
    if not isinstance(document, dict):
        raise FormatError(path, "no COCO file: the outermost value is no object")
    return document


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")


def _dicts(path: str | os.PathLike[str], document: dict[str, Any], key: str) -> list[Any]:
    values = document.get(key)
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise FormatError(path, f"no COCO file: {key!r} is no list of objects")
    return values


def _identity(
    path: str | os.PathLike[str], item: dict[str, Any], key: str, *, default: int | None = None
) -> int:
    value = item.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise FormatError(path, f"{key} is {value!r:.40}, a whole number from 0 is expected")
    return value


def _real(
    path: str | os.PathLike[str], item: dict[str, Any], key: str, *, default: float = np.nan
) -> float:
    value = item.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise FormatError(path, f"{key} is {value!r:.40}, a number is expected")
    return float(value)


def _face_points(path: str | os.PathLike[str], annotation: dict[str, Any]) -> _Points | None:
    """Find the 68 points of an annotation; None if it shows no face."""
    whole_body = "face_kpts" in annotation
    if whole_body and not annotation.get("face_valid", True):
        return None
    values = annotation.get("face_kpts" if whole_body else "keypoints")
    if not isinstance(values, list) or not all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in values
    ):
        raise FormatError(path, "an annotation's key points are no list of numbers")
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise FormatError(path, "a coordinate is too large") from error
    if len(array) == 3 * _WHOLE_BODY:
        array = array.reshape(-1, 3)[_FACE_OF_WHOLE_BODY].ravel()
    if len(array) != 3 * N_POINTS:
        raise FormatError(path, f"{len(array)} numbers of key points, {3 * N_POINTS} expected")
    if not np.isfinite(array).all():
        raise FormatError(path, "a coordinate is infinite")
    points = _points(array.reshape(-1, 3))
    if not np.isfinite(points.places).any():
        return None
    if SCORES in annotation:
        points = points._replace(confidence=_per_point(path, annotation, SCORES, 0.0, 1.0))
    if SOURCES in annotation:
        source = _per_point(path, annotation, SOURCES, min(Source), max(Source))
        if (source != np.rint(source)).any():
            raise FormatError(path, f"{SOURCES} are no numbers of sources")
        points = points._replace(source=source.astype(np.uint8))
    return points


def _points(triples: npt.NDArray[np.float64]) -> _Points:
    """Take x, y, v apart."""
    visibility = triples[:, 2:]
    source = np.where(visibility == HIDDEN, Source.OCCLUDED, Source.TRACKED)
    return _Points(
        np.where(visibility > 0, triples[:, :2], np.nan),
        np.full(N_POINTS, np.nan),
        np.where(visibility > 0, source, Source.ABSENT)[:, 0].astype(np.uint8),
    )


def _per_point(
    path: str | os.PathLike[str], annotation: dict[str, Any], key: str, low: float, high: float
) -> npt.NDArray[np.float64]:
    """Read a number for each point; null is NaN."""
    values = annotation[key]
    if not isinstance(values, list) or len(values) != N_POINTS:
        raise FormatError(path, f"{key} is no list of {N_POINTS} values")
    numbers = [_real(path, {key: value}, key) for value in values]
    array = np.array(numbers)
    if ((array < low) | (array > high)).any():
        raise FormatError(path, f"{key} has a value that is not from {low:g} to {high:g}")
    return array
