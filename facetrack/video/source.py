"""What every source of frames has in common, and opening one by what the user typed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from facetrack.errors import InputError, VideoError
from facetrack.formats.picture import SUFFIXES
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.video.frame import Frame


@dataclass(slots=True)
class DecodeReport:
    """What became of a video's frames; complete when the iteration has ended.

    Attributes
    ----------
    decoded : int
        Frames that came out; equal to ffprobe's count (`ffprobe -count_frames`).
    repeated : int
        Decoded frames without a time of their own: the file's time stamp was not later than that
        of the frame before.
    undecodable : int
        Packets, pictures or grabs that gave an error instead of a frame.
    notes : list of str
        What else was seen, in words, each once: a file that ends too early, times that are missing.
    """

    decoded: int = 0
    repeated: int = 0
    undecodable: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> bool:
        """Add a note if it is new; return whether it was."""
        if text in self.notes:
            return False
        self.notes.append(text)
        return True


class VideoSource(Protocol):
    """An iterable of frames, in the order in which they are to be shown."""

    @property
    def name(self) -> str:
        """Name for messages and output files: the file's name, the camera's path."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the frames as displayed (after rotation)."""

    @property
    def n_frames(self) -> int | None:
        """Number of frames as far as known beforehand: an estimate, for progress only."""

    @property
    def duration(self) -> float | None:
        """Length in seconds as far as known beforehand."""

    @property
    def report(self) -> DecodeReport:
        """What became of the frames in the current or last iteration."""

    def __iter__(self) -> Iterator[Frame]:
        """Start from the first frame (a camera: from now)."""

    def close(self) -> None:
        """Let go of files and devices; a running iteration ends."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class ClosesItself:
    """The context manager that all sources share."""

    def close(self) -> None:
        """Let go of files and devices; a running iteration ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_source(
    spec: str | os.PathLike[str] | int,
    *,
    shape_model: ShapeModel | None = None,
    image_rate: float = 25.0,
) -> VideoSource:
    """Open a video, a folder of pictures, a camera or the demo clip.

    Parameters
    ----------
    spec : str, path-like or int
        A video file; a folder of pictures or a single picture; a camera as its number, "0" or
        "/dev/video0"; or "demo", the synthetic clip. A `Path` is always a file or folder.
    shape_model : ShapeModel, optional
        Moves the head of "demo".
    image_rate : float
        Pictures per second of a folder of pictures.

    Returns
    -------
    VideoSource

    Raises
    ------
    VideoError
        If a file is missing or nothing in it can be decoded.
    CameraError
        If a camera is missing or busy, or may not be used.
    InputError
        If "demo" is asked for without a shape model.
    """
    # Each source loads its own libraries: a user of files does not pay for cameras.
    if spec == "demo":
        from facetrack.video.clips import demo_video

        if shape_model is None:
            raise InputError('"demo" is moved by a shape model; pass shape_model=model.shape_model')
        return demo_video(shape_model)
    if isinstance(spec, int) or (isinstance(spec, str) and _is_camera(spec)):
        from facetrack.video.camera import CameraSource

        return CameraSource(int(spec) if str(spec).isdecimal() else str(spec))
    path = Path(spec)
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        from facetrack.video.images import ImageFolder

        return ImageFolder(path, rate=image_rate)
    if not path.exists():
        raise VideoError(path, "there is no such file", remedy="check the name")
    from facetrack.video.file import FileSource

    return FileSource(path)


def _is_camera(spec: str) -> bool:
    return (spec.isascii() and spec.isdecimal()) or spec.startswith("/dev/video")
