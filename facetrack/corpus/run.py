"""Tracking a video as a plain loop over its frames."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing, nullcontext

from facetrack.corpus.ahead import decode_ahead
from facetrack.face import Face
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame


def track(
    spec: str | os.PathLike[str] | int,
    *,
    model: FaceModel | str | os.PathLike[str] | None = None,
    max_faces: int = 1,
    smoothing: float = 0.0,
) -> Generator[tuple[Frame, list[Face]], None, None]:
    """Track the faces of a video.

    Parameters
    ----------
    spec : str, path-like or int
        A video file, a folder of pictures, a camera or "demo"; see `facetrack.opening.open_source`.
    model : FaceModel, str or path-like, optional
        A model, or what `facetrack.load_model` takes; the shipped default without it.
    max_faces : int
        At most this many faces are tracked at a time.
    smoothing : float
        From 0 (off) to 1 (much).

    Yields
    ------
    frame : Frame
    faces : list of Face
        See `Tracker.update`.

    Raises
    ------
    VideoError, CameraError
        If the source cannot be read.
    ModelError
        If there is no such model.
    InputError
        If an option is out of range.

    Examples
    --------
    >>> for frame, faces in facetrack.track("clip.mp4"):  # doctest: +SKIP
    ...     print(frame.timestamp, [face.id for face in faces])
    """
    if not isinstance(model, FaceModel):
        model = load_model(model)
    tracker = Tracker(model, max_faces=max_faces, smoothing=smoothing)
    with open_source(spec, shape_model=model.shape_model) as source:
        # A camera gives its newest frame when asked; frames that wait in a queue would be old.
        live = source.n_frames is None and source.duration is None
        with nullcontext(source) if live else closing(decode_ahead(source)) as frames:
            for frame in frames:
                yield frame, tracker.update(frame)
