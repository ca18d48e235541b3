"""Opening what the user named: a video, a folder of pictures, a camera or the demo clip."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from facetrack.errors import InputError, VideoError
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.video.camera import CameraSource
from facetrack.video.images import ImageFolder, holds_pictures, is_stack
from facetrack.video.seeking import FrameCache, SeekableFolder, SeekableVideo
from facetrack.video.source import FALLBACK_RATE, VideoSource
from facetrack.video.stack import PictureStack

if TYPE_CHECKING:
    from facetrack.synthetic.video import SyntheticVideo

# PyAV and the synthetic heads are loaded when they are asked for: they cost a tenth of a second.


def open_source(
    spec: str | os.PathLike[str] | int,
    *,
    shape_model: ShapeModel | None = None,
    rate: float | None = None,
    stills: bool = False,
) -> VideoSource:
    """Open a video, a folder of pictures, a camera or the demo clip.

    Parameters
    ----------
    spec : str, path-like or int
        A video file; a folder of pictures or a single picture; a camera as its number, "0" or
        "/dev/video0"; or "demo", the synthetic clip. A `Path` is always a file or folder.
    shape_model : ShapeModel, optional
        Moves the head of "demo".
    rate : float, optional
        Frames per second of what states no times: a folder of pictures (default: 25), a raw stream
        (default: what its header says, else 25).
    stills : bool
        Whether the pictures of a folder stand each by itself; see `ImageFolder`.

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
    if spec == "demo":
        return _demo(shape_model)
    if isinstance(spec, int) or (isinstance(spec, str) and _is_camera(spec)):
        return CameraSource(int(spec) if str(spec).isdecimal() else str(spec))
    path = Path(spec)
    if is_stack(path):
        return PictureStack(path, rate=rate, stills=stills)
    if holds_pictures(path):
        return ImageFolder(path, rate=rate, stills=stills)
    from facetrack.video.file import FileSource

    return FileSource(path, rate=rate)


def open_seekable(
    spec: str | os.PathLike[str],
    *,
    shape_model: ShapeModel | None = None,
    rate: float | None = None,
    stills: bool = False,
    cache: FrameCache | None = None,
) -> SeekableVideo:
    """Open a video to look at any of its frames.

    Parameters
    ----------
    spec : str or path-like
        A video file, a folder of pictures or a single one, or "demo", the synthetic clip.
    shape_model : ShapeModel, optional
        Moves the head of "demo".
    rate : float, optional
        Frames per second of what states no times: a folder of pictures (default: 25), a raw stream
        (default: what its header says, else 25).
    stills : bool
        Whether the pictures of a folder stand each by itself; see `ImageFolder`.
    cache : FrameCache, optional
        Of decoded frames, shared with other readers of the same video; else one of its own.

    Returns
    -------
    SeekableVideo

    Raises
    ------
    VideoError
        If a file is missing or nothing in it can be decoded.
    InputError
        If "demo" is asked for without a shape model.
    """
    if spec == "demo":
        return _demo(shape_model)
    path = Path(spec)
    if is_stack(path):
        return PictureStack(path, rate=rate, stills=stills, cache=cache)
    if holds_pictures(path):
        return SeekableFolder(path, rate=rate, stills=stills, cache=cache)
    from facetrack.video.seekable_file import SeekableFile

    return SeekableFile(path, rate=rate, cache=cache)


def unstated_rate(path: str | os.PathLike[str], *, stills: bool = False) -> float | None:
    """Say at which rate frames are taken whose times no file states.

    Parameters
    ----------
    path : path-like
        A video file, a folder of pictures or a single one.
    stills : bool
        Whether the pictures of a folder stand each by itself.

    Returns
    -------
    float or None
        Frames per second, as `open_source` takes them without a `rate`; None of what states its
        times, has none, or cannot be opened.
    """
    path = Path(path)
    if holds_pictures(path):
        paged = path.is_dir() or path.suffix.lower() in (".tif", ".tiff")
        return float(FALLBACK_RATE) if paged and not stills else None
    from facetrack.video.decoding import open_container, video_stream
    from facetrack.video.timeline import is_timeless, rate_of

    try:
        with contextlib.closing(open_container(path)) as container:
            stream = video_stream(path, container)
            return float(rate_of(container, stream)) if is_timeless(container) else None
    except VideoError:
        return None


def _demo(shape_model: ShapeModel | None) -> SyntheticVideo:
    if shape_model is None:
        raise InputError('"demo" is moved by a shape model; pass shape_model=model.shape_model')
    from facetrack.synthetic.clips import demo_video

    return demo_video(shape_model)


def _is_camera(spec: str) -> bool:
    return (spec.isascii() and spec.isdecimal()) or spec.startswith("/dev/video")
