"""The overlay video of a run, with the same pictures whether the run was interrupted or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from facetrack.face import Face, Pose, State
from facetrack.formats.table import NO_FACE, TrackTable
from facetrack.video.frame import Frame, Image
from facetrack.video.overlay import draw
from facetrack.video.sink import VideoWriter


class Overlay:
    """A video with the landmarks drawn in.

    Frames of another size, which folders of pictures hold, are cut off or filled up with black.
    `known` are the rows of an interrupted run, `aspect` is a pixel's width by its height.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], known: TrackTable | None, *, aspect: float = 1.0
    ) -> None:
        self._writer = VideoWriter(path, size, aspect=aspect)
        self._size, self._known = size, known

    def draw(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Append a frame that has just been tracked."""
        # Rounded as in the CSV file, so that frames redrawn from there have the same pixels.
        self._append(frame, [_as_written(face) for face in faces])

    def redraw(self, frame: Frame) -> None:
        """Append a frame that an earlier run has tracked."""
        if self._known is None:
            raise AssertionError("redraw() needs the rows of the earlier run")
        rows = np.flatnonzero(self._known.frame == frame.index).tolist()
        self._append(frame, [f for f in (face_of_row(self._known, i) for i in rows) if f])

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.__exit__(*error)

    def _append(self, frame: Frame, faces: Sequence[Face]) -> None:
        self._writer.write(_fitted(draw(frame.image, faces), self._size), frame.timestamp)


def face_of_row(table: TrackTable, row: int) -> Face | None:
    """Make a face of what a table says."""
    if table.face_id[row] == NO_FACE:
        return None
    values = [float(v) for v in table.pose[row]]
    known = bool(np.isfinite(values).all())
    return Face(
        id=int(table.face_id[row]),
        state=State.TRACKED if table.success[row] else State.LOST,
        reason=table.reason[row],
        points=table.points[row],
        raw_points=table.raw_points[row],
        quality=float(table.confidence[row]),
        pose=Pose((values[3], values[4], values[5]), (values[0], values[1], values[2]))
        if known
        else None,
        confidence=table.point_confidence[row],
        source=table.source[row],
    )


def _as_written(face: Face) -> Face:
    points = np.array([float(f"{v:.3f}") for v in face.points.ravel().tolist()]).reshape(-1, 2)
    return replace(face, points=points, quality=float(f"{face.quality:.4f}"))


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    width, height = size
    if image.shape[:2] == (height, width):
        return image
    canvas = np.zeros((height, width, 3), dtype=np.uint8)
    part = image[:height, :width]
    canvas[: part.shape[0], : part.shape[1]] = part
    return canvas
