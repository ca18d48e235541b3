"""The table that all file formats of tracks are read into and written from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.face import N_POINTS, Face, Source

NO_FACE = -1

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Names = Mapping[int, str]

NO_NAMES: Names = MappingProxyType({})

_LAYOUT: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "frame": (np.int64, ()),
    "face_id": (np.int64, ()),
    "timestamp": (np.float64, ()),
    "success": (np.bool_, ()),
    "confidence": (np.float64, ()),
    "points": (np.float64, (N_POINTS, 2)),
    "raw_points": (np.float64, (N_POINTS, 2)),
    "pose": (np.float64, (6,)),
    "point_confidence": (np.float64, (N_POINTS,)),
    "source": (np.uint8, (N_POINTS,)),
}


@dataclass(frozen=True, slots=True)
class TrackTable:
    """Faces of a video, one row for every frame and face.

    A frame without any face has one row with `face_id` -1.

    Attributes
    ----------
    frame : ndarray, shape (n,), int64
        Number of the decoded frame from 0.
    face_id : ndarray, shape (n,), int64
        The person from 0; -1 where the frame shows no face.
    timestamp : ndarray, shape (n,), float64
        Seconds from the start of the video; NaN where the file does not say.
    success : ndarray, shape (n,), bool
        Whether the face is seen in this frame.
    confidence : ndarray, shape (n,), float64
        Probability in [0, 1] of a well-fitted face.
    points, raw_points : ndarray, shape (n, 68, 2), float64
        Landmarks (x, y) in pixels of the frame, pixel centres at integers from 0, after and before
        smoothing; NaN where the face is not seen.
    pose : ndarray, shape (n, 6), float64
        Tx, Ty, Tz in millimetres, Rx, Ry, Rz in radians, camera coordinates (`face.Pose`); NaN
        where unknown.
    point_confidence : ndarray, shape (n, 68), float64
        `Face.confidence`; NaN where nothing is said.
    source : ndarray, shape (n, 68), uint8
        `face.Source` of each point.
    reason : tuple of str, length n
        Why a face is lost; empty otherwise.
    people : mapping of int to str
        Names of persons by `face_id`, as far as they have any.
    pictures : mapping of int to str
        Names of the pictures' files by `frame`; empty of a video.
    notes : tuple of str
        What was left out when the file was read, in words: file, how much, the first place, why.

    Raises
    ------
    InputError
        If the columns differ in length or have another shape.
    """

    frame: Integers
    face_id: Integers
    timestamp: Floats
    success: npt.NDArray[np.bool_]
    confidence: Floats
    points: Floats
    raw_points: Floats
    pose: Floats
    point_confidence: Floats
    source: npt.NDArray[np.uint8]
    reason: tuple[str, ...]
    people: Names = field(default_factory=lambda: NO_NAMES)
    pictures: Names = field(default_factory=lambda: NO_NAMES)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.reason)
        for name, (dtype, shape) in _LAYOUT.items():
            column = np.asarray(getattr(self, name), dtype=dtype)
            if column.shape != (n, *shape):
                raise InputError(
                    f"{name} must have shape {(n, *shape)} like the other columns, "
                    f"got {column.shape}"
                )
            column = column.view()
            column.setflags(write=False)
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.reason)

    @property
    def face_ids(self) -> tuple[int, ...]:
        """The persons that occur, in ascending order."""
        return tuple(int(i) for i in np.unique(self.face_id) if i != NO_FACE)

    def select(self, rows: npt.ArrayLike) -> TrackTable:
        """Keep some rows.

        Parameters
        ----------
        rows : array_like of bool, shape (n,), or of int
            A mask, or numbers of rows in the wanted order.

        Returns
        -------
        TrackTable
        """
        wanted = np.asarray(rows)
        if wanted.dtype != np.bool_:
            wanted = wanted.astype(np.intp)  # an empty list comes as floats
        index = np.arange(len(self))[wanted]
        columns = {name: getattr(self, name)[index] for name in _LAYOUT}
        return replace(self, **columns, reason=tuple(self.reason[i] for i in index.tolist()))


def make_table(
    frame: npt.ArrayLike,
    points: npt.ArrayLike,
    *,
    face_id: npt.ArrayLike = 0,
    timestamp: npt.ArrayLike = np.nan,
    success: npt.ArrayLike | None = None,
    confidence: npt.ArrayLike | None = None,
) -> TrackTable:
    """Make a table from what a plain source of landmarks knows.

    Parameters
    ----------
    frame : array_like of int, shape (n,)
        Number of the frame from 0.
    points : array_like, shape (n, 68, 2)
        Landmarks in pixels; a point without a label is NaN.
    face_id : array_like of int, shape (n,) or ()
        The person.
    timestamp : array_like, shape (n,) or ()
        Seconds from the start of the video.
    success : array_like of bool, shape (n,), optional
        Whether the face is seen; where any point is known if not given.
    confidence : array_like, shape (n,), optional
        1 where seen if not given.

    Returns
    -------
    TrackTable
        Where the face is not seen, points are NaN; the source of a known point is `TRACKED`.
    """
    frame = np.asarray(frame, dtype=np.int64)
    points = np.array(points, dtype=np.float64).reshape(-1, N_POINTS, 2)
    n = len(frame)
    known: npt.NDArray[np.bool_] = np.isfinite(points[..., 0]) & np.isfinite(points[..., 1])
    seen: npt.NDArray[np.bool_] = known.max(axis=1, initial=False)
    if success is not None:
        seen = np.asarray(success, dtype=np.bool_)
    points[~seen] = np.nan
    return TrackTable(
        frame=frame,
        face_id=np.broadcast_to(np.asarray(face_id, dtype=np.int64), n),
        timestamp=np.broadcast_to(np.asarray(timestamp, dtype=np.float64), n),
        success=seen,
        confidence=seen.astype(float) if confidence is None else np.asarray(confidence, float),
        points=points,
        raw_points=points,
        pose=np.full((n, 6), np.nan),
        point_confidence=np.full((n, N_POINTS), np.nan),
        source=np.where(known & seen[:, None], Source.TRACKED, Source.ABSENT).astype(np.uint8),
        reason=("",) * n,
    )


def table_from_faces(
    frames: Iterable[tuple[int, float, Sequence[Face]]],
    people: Names = NO_NAMES,
    pictures: Names = NO_NAMES,
) -> TrackTable:
    """Collect what a tracker said.

    Parameters
    ----------
    frames : iterable of (int, float, sequence of Face)
        Number of the frame from 0, its timestamp in seconds, its faces.
    people, pictures : mapping of int to str, optional
        See `TrackTable`.

    Returns
    -------
    TrackTable
    """
    rows: list[tuple[object, ...]] = []
    for number, timestamp, faces in frames:
        rows.extend(_face_row(number, timestamp, face) for face in faces)
        if not faces:
            rows.append(_empty_row(number, timestamp))
    columns: dict[str, Any] = {}
    for position, (name, (dtype, shape)) in enumerate(_LAYOUT.items()):
        values = np.array([row[position] for row in rows], dtype=dtype)
        columns[name] = values.reshape(len(rows), *shape)
    reason = tuple(str(row[-1]) for row in rows)
    return TrackTable(**columns, reason=reason, people=people, pictures=pictures)


def pose_values(face: Face) -> tuple[float, ...]:
    """Return the pose of a face as numbers.

    Parameters
    ----------
    face : Face

    Returns
    -------
    tuple of float
        Tx, Ty, Tz in millimetres, Rx, Ry, Rz in radians; NaN without a pose.
    """
    return (*face.pose.translation, *face.pose.rotation) if face.pose else (np.nan,) * 6


def _face_row(number: int, timestamp: float, face: Face) -> tuple[object, ...]:
    return (
        number, face.id, timestamp, face.tracked, face.quality, face.points, face.raw_points,
        pose_values(face), face.confidence, face.source, face.reason,
    )  # fmt: skip


def _empty_row(number: int, timestamp: float) -> tuple[object, ...]:
    nothing = np.full((N_POINTS, 2), np.nan)
    absent = np.full(N_POINTS, Source.ABSENT)
    return (
        number, NO_FACE, timestamp, False, 0.0, nothing, nothing,
        (np.nan,) * 6, nothing[:, 0], absent, "",
    )  # fmt: skip
