"""Writing COCO key points: one category "face" with 68 points."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from facetrack.errors import InputError
from facetrack.face import Source
from facetrack.formats.atomic import write_text
from facetrack.formats.table import NO_FACE, TrackTable
from facetrack.landmarks.markup import REGIONS

CATEGORY: Final = 1
UNLABELLED, HIDDEN, VISIBLE = 0, 1, 2
SCORES: Final = "keypoint_scores"
SOURCES: Final = "keypoint_sources"
_CLOSED: Final = ("right_eye", "left_eye", "outer_mouth", "inner_mouth")


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
    size_of: Callable[[int], tuple[int, int]] | None = None,
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
        A video's frames are named STEM_000001.png, counted from 1, as if they lay as pictures.
    size_of : callable, optional
        Gives width and height of a frame by its number from 0, where they differ.

    Raises
    ------
    InputError
        If the size is not positive.
    OutputError
        If the file cannot be written.

    Notes
    -----
    Besides the format's own keys, images have `frame_index` (from 0) and `timestamp` (seconds),
    annotations `track_id` (the person), `person` (the name, if there is one), `score` (the
    confidence), `keypoint_scores` (that of each
    point, null where nothing is said) and `keypoint_sources` (numbers of `face.Source`, whose names
    stand in `info`). A point that is occluded or outside of the frame is labelled but hidden
    (v = 1).
    """
    if min(size) < 1:
        raise InputError(f"size must be positive, got {size[0]} x {size[1]}")
    frames, first = np.unique(table.frame, return_index=True)
    sizes = {f: size if size_of is None else size_of(f) for f in frames.tolist()}
    images = [
        {
            "id": int(frame) + 1,
            "file_name": table.pictures.get(frame, f"{stem}_{frame + 1:06d}.png"),
            "width": int(sizes[frame][0]),
            "height": int(sizes[frame][1]),
            "frame_index": int(frame),
            "timestamp": _number(table.timestamp[row]),
        }
        for frame, row in zip(frames.tolist(), first.tolist(), strict=True)
    ]
    rows = np.flatnonzero(table.success & (table.face_id != NO_FACE)).tolist()
    annotations = [
        _annotation(table, row, number, sizes[int(table.frame[row])])
        for number, row in enumerate(rows, 1)
    ]
    document = {
        "info": {
            "description": "68 facial landmarks, iBUG order",
            SOURCES: {str(source.value): source.name.lower() for source in Source},
        },
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
    points, face = table.points[row], int(table.face_id[row])
    labelled = np.isfinite(points).all(axis=1) & (table.source[row] != Source.ABSENT)
    inside = ((points >= -0.5) & (points <= np.asarray(size) - 0.5)).all(axis=1)
    visible = inside & (table.source[row] != Source.OCCLUDED)
    visibility = np.where(labelled, np.where(visible, VISIBLE, HIDDEN), UNLABELLED)
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
        "track_id": face,
        **({"person": table.people[face]} if face in table.people else {}),
        "score": _number(round(float(table.confidence[row]), 4)),
        SCORES: [_number(round(c, 3)) for c in table.point_confidence[row].tolist()],
        SOURCES: np.where(labelled, table.source[row], Source.ABSENT).tolist(),
    }
