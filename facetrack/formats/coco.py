"""COCO key points: one category "face" with 68 points; COCO-WholeBody is read, too."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, InputError
from facetrack.face import N_POINTS, Source
from facetrack.formats.atomic import write_text
from facetrack.formats.table import NO_FACE, TrackTable, make_table
from facetrack.formats.textfile import read_text
from facetrack.landmarks.markup import REGIONS

MAX_BYTES: Final = 1 << 30
CATEGORY: Final = 1
UNLABELLED, HIDDEN, VISIBLE = 0, 1, 2
_WHOLE_BODY: Final = 133
_FACE_OF_WHOLE_BODY: Final = slice(23, 91)
_CLOSED: Final = ("right_eye", "left_eye", "outer_mouth", "inner_mouth")

Rows = list[tuple[int, int, float, float, npt.NDArray[np.float64]]]


def point_names() -> list[str]:
    """Name the 68 points by region, as `right_eye_0`."""
    return [f"{region}_{i}" for region, points in REGIONS.items() for i in range(len(points))]


def skeleton() -> list[list[int]]:
    """Give the pairs of points that are joined by lines, counted from 1 as the format wants."""
    pairs = []
    for region, points in REGIONS.items():
        pairs += [[a + 1, b + 1] for a, b in itertools.pairwise(points)]
        if region in _CLOSED:
            pairs.append([points[-1] + 1, points[0] + 1])
    return pairs


def write_coco(
    path: str | os.PathLike[str],
    table: TrackTable,
    *,
    size: tuple[int, int],
    stem: str = "frame",
) -> None:
    """Write the faces that are seen.

    Parameters
    ----------
    path : path-like
        The .json file to write.
    table : TrackTable
        The rows. Lost faces are left out: the format cannot say why.
    size : tuple of int
        Width and height of the frames in pixels.
    stem : str
        Frames are named STEM_000001.png, counted from 1, where they lie as pictures.

    Raises
    ------
    InputError
        If the size is not positive.
    OutputError
        If the file cannot be written.

    Notes
    -----
    Besides the format's own keys, images have `frame_index` (from 0) and `timestamp` (seconds),
    annotations `track_id` (the person) and `score` (the confidence). A point that lies outside of
    the frame is labelled but hidden (v = 1).
    """
    width, height = size
    if min(size) < 1:
        raise InputError(f"size must be positive, got {width} x {height}")
    frames, first = np.unique(table.frame, return_index=True)
    images = [
        {
            "id": int(frame) + 1,
            "file_name": f"{stem}_{frame + 1:06d}.png",
            "width": int(width),
            "height": int(height),
            "frame_index": int(frame),
            "timestamp": _number(table.timestamp[row]),
        }
        for frame, row in zip(frames.tolist(), first.tolist(), strict=True)
    ]
    rows = np.flatnonzero(table.success & (table.face_id != NO_FACE)).tolist()
    annotations = [_annotation(table, row, number, size) for number, row in enumerate(rows, 1)]
    document = {
        "info": {"description": "68 facial landmarks, iBUG order"},
        "images": images,
        "annotations": annotations,
        "categories": [
            {
                "id": CATEGORY,
                "name": "face",
                "supercategory": "person",
                "keypoints": point_names(),
                "skeleton": skeleton(),
            }
        ],
    }
    write_text(path, json.dumps(document, allow_nan=False))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _annotation(table: TrackTable, row: int, number: int, size: tuple[int, int]) -> dict[str, Any]:
    points = table.points[row]
    labelled = np.isfinite(points).all(axis=1) & (table.source[row] != Source.ABSENT)
    inside = ((points >= -0.5) & (points <= np.asarray(size) - 0.5)).all(axis=1)
    visibility = np.where(labelled, np.where(inside, VISIBLE, HIDDEN), UNLABELLED)
    xy = np.where(labelled[:, None], points, 0.0).round(3)
    keypoints: list[float] = []
    for (x, y), v in zip(xy.tolist(), visibility.tolist(), strict=True):
        keypoints += [x, y, v]
    low, high = np.zeros(2), np.zeros(2)
    if labelled.any():
        low, high = xy[labelled].min(axis=0), xy[labelled].max(axis=0)
    w, h = (high - low).round(3).tolist()
    return {
        "id": number,
        "image_id": int(table.frame[row]) + 1,
        "category_id": CATEGORY,
        "keypoints": keypoints,
        "num_keypoints": int(labelled.sum()),
        "bbox": [*low.tolist(), w, h],
        "area": round(w * h, 3),
        "iscrowd": 0,
        "track_id": int(table.face_id[row]),
        "score": _number(round(float(table.confidence[row]), 4)),
    }


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
        `track_id`, else counted within the image. Points without a label are NaN. Images without
        a face have one row.

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
        rows.append((frame, face, time, _real(path, annotation, "score", default=1.0), points))
    seen = {row[0] for row in rows}
    nothing = np.full((N_POINTS, 2), np.nan)
    rows += [(f, NO_FACE, t, 0.0, nothing) for f, t in frames.values() if f not in seen]
    return _table(sorted(rows, key=lambda row: row[:2]))


def _table(rows: Rows) -> TrackTable:
    return make_table(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[4] for row in rows], dtype=np.float64),
        face_id=np.array([row[1] for row in rows], dtype=np.int64),
        timestamp=np.array([row[2] for row in rows], dtype=np.float64),
        confidence=np.array([row[3] for row in rows], dtype=np.float64),
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


def _face_points(
    path: str | os.PathLike[str], annotation: dict[str, Any]
) -> npt.NDArray[np.float64] | None:
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
    triples = array.reshape(-1, 3)
    points = np.where(triples[:, 2:] > 0, triples[:, :2], np.nan)
    return points if np.isfinite(points).any() else None
