"""COCO key points: one category "face" with 68 points; COCO-WholeBody is read, too."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PureWindowsPath
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
_NUMBERED: Final = re.compile(r"(.*?)(\d+)(\.\w+)", re.DOTALL)
_CVAT: Final = re.compile(r"frame_\d{6}\.\w+", re.IGNORECASE)
_UPLOADED: Final = re.compile(r"^[0-9a-f]{8}-(?=.)", re.DOTALL)  # of Label Studio, to be unique
_WHOLE_BODY: Final = 133
_FACE_OF_WHOLE_BODY: Final = slice(23, 91)


class _Points(NamedTuple):
    """What an annotation says of the points: places, confidence, source."""

    places: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    source: npt.NDArray[np.uint8]


Rows = list[tuple[int, int, float, float, _Points]]


def read_coco(path: str | os.PathLike[str], *, pictures: Sequence[str] = ()) -> TrackTable:
    """Read the faces of a file of plain COCO or COCO-WholeBody key points.

    Parameters
    ----------
    path : path-like
        A .json file. Annotations have 68 key points, or 133 of a whole body, or `face_kpts`.
    pictures : sequence of str
        Names of the pictures that are the frames, where they are pictures.

    Returns
    -------
    TrackTable
        The frame is the image's `frame_index`, else the place of its name among the pictures,
        else the number in its name where all images have one (CVAT's `frame_000010.PNG` counts
        from 0, others from their first, if there are no gaps), else its place in the file. The
        face is the
        annotation's `track_id`, else that of its `attributes` (CVAT), else counted within the
        image. Points without a label are NaN, those that are labelled but hidden (v = 1) are
        occluded if the file does not name their source. Images without a face have one row.
        Annotations of other things (boxes, other categories, no key points) are left out; broken
        ones are left out with one warning.

    Raises
    ------
    FormatError
        If the file is missing or broken, no annotation holds a face, two faces of an image claim
        one track, or nothing says which frames the images are.
    """
    document = _load(path)
    frames = _frames(path, _dicts(path, document, "images"), pictures)
    annotations = _dicts(path, document, "annotations")
    rows: Rows = []
    people: dict[int, str] = {}
    counted = _Counted(path, annotations)
    broken: dict[int, FormatError] = {}
    for number, annotation in enumerate(annotations, start=1):
        try:
            key = _identity(path, annotation, "image_id")
            if key not in frames:
                raise FormatError(path, f"an annotation is on image {key}, which is not there")
            points = _face_points(path, annotation)
            score = _real(path, annotation, "score", default=1.0)
        except FormatError as error:
            broken[number] = error
            continue
        if points is None:
            continue
        frame, time = frames[key]
        face = counted.face(key, annotation)
        if isinstance(annotation.get("person"), str):
            people[face] = annotation["person"]
        rows.append((frame, face, time, score, points))
    notes = []
    if broken:
        first, trouble = next(iter(broken.items()))
        if not rows:
            raise trouble
        what = f"{len(broken)} of {len(annotations)} annotations are left out"
        notes = [f"{path}: {what}, the first is number {first}: {trouble.cause}"]
        warnings.warn(notes[0], stacklevel=2)
    seen = {row[0] for row in rows}
    nothing = _points(np.zeros((N_POINTS, 3)))
    rows += [(f, NO_FACE, t, 0.0, nothing) for f, t in frames.values() if f not in seen]
    table = _table(sorted(rows, key=lambda row: row[:2]))
    return replace(table, people=people, notes=tuple(notes))


def _frames(
    path: str | os.PathLike[str], images: list[dict[str, Any]], pictures: Sequence[str]
) -> dict[int, tuple[int, float]]:
    """Find the frame and the time of each image, by its id."""
    names = [_name(str(image.get("file_name", ""))) for image in images]
    stated = all("frame_index" in image for image in images)
    numbers = range(len(images)) if stated else _numbers(path, names, pictures)
    frames: dict[int, tuple[int, float]] = {}
    for number, image in zip(numbers, images, strict=True):
        key = _identity(path, image, "id")
        if key in frames:
            raise FormatError(path, f"two images have the id {key}")
        frame = _identity(path, image, "frame_index", default=number)
        frames[key] = frame, _real(path, image, "timestamp")
    return frames


def _name(place: str) -> str:
    """Return a picture's own name: without folders, Windows' too, and what Label Studio adds."""
    return _UPLOADED.sub("", PureWindowsPath(place).name)


def _numbers(
    path: str | os.PathLike[str], names: Sequence[str], pictures: Sequence[str]
) -> Sequence[int]:
    """Tell frames by the names of images; their places where names say nothing of an order."""
    known = {name: place for place, name in enumerate(pictures)}
    if known and all(name in known for name in names):
        return [known[name] for name in names]
    found = [_NUMBERED.fullmatch(name) for name in names]
    parts = [match.groups() for match in found if match]
    if len(set(parts)) < len(names) or len({(before, end) for before, _, end in parts}) != 1:
        return range(len(names))
    numbers = [int(number) for _, number, _ in parts]
    if _CVAT.fullmatch(names[0]):
        return numbers  # CVAT counts frames from 0 and leaves out what is not annotated
    first = min(numbers)
    if first > 1 or max(numbers) - first + 1 > len(numbers):
        cause = f"the images are numbered {first} to {max(numbers)}, with or after gaps: nothing "
        remedy = "export all frames, or add frame_index to each image"
        raise FormatError(path, cause + "says which frames they are", remedy=remedy)
    return [number - first for number in numbers]


class _Counted:
    """Says of which face an annotation is."""

    def __init__(self, path: str | os.PathLike[str], annotations: list[dict[str, Any]]) -> None:
        self._path = path
        named = [self._named(annotation) for annotation in annotations]
        self._first = max((n for n in named if n is not None), default=-1) + 1
        self._taken: dict[int, set[int]] = {}

    def face(self, image: int, annotation: dict[str, Any]) -> int:
        """Return the number of a face: what the file says, else the next one of its image."""
        taken, face = self._taken.setdefault(image, set()), self._named(annotation)
        if face is None:
            face = self._first + sum(number >= self._first for number in taken)
        elif face in taken:
            raise FormatError(self._path, f"two faces of image {image} have the track_id {face}")
        taken.add(face)
        return face

    def _named(self, annotation: dict[str, Any]) -> int | None:
        attributes = annotation.get("attributes")
        for place in (annotation, attributes if isinstance(attributes, dict) else {}):
            if place.get("track_id") is not None:
                return _identity(self._path, place, "track_id")
        return None


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
    if annotation.get("num_keypoints") == 0 or not (whole_body or "keypoints" in annotation):
        return None  # an empty one, or a box or outline of something
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
