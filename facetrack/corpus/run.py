"""Faces of a picture, a video as a plain loop over its frames, and its signals as a table."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from facetrack.corpus.ahead import decode_ahead
from facetrack.detection.face_detector import FaceDetector
from facetrack.face import Face
from facetrack.features.pixels import checked_image
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.signals_csv import SignalTable, TableBuilder
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reading import EventRecord
from facetrack.signals.pipeline import Pipeline, event_records
from facetrack.signals.registry import choose
from facetrack.signals.rows import RowAssembler
from facetrack.tracking.stills import StillTracker
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame


def detect(
    image: npt.ArrayLike,
    *,
    model: FaceModel | str | os.PathLike[str] | None = None,
    max_faces: int = 100,
    rgb: bool = False,
) -> list[Face]:
    """Find the faces of a picture and their landmarks.

    Parameters
    ----------
    image : array_like, shape (H, W), (H, W, 3) or (H, W, 4)
        uint8 or uint16; grey or BGR, an alpha channel is dropped.
    model : FaceModel, str or path-like, optional
        A model, or what `facetrack.load_model` takes; the shipped default without it. A model that
        is named is loaded once.
    max_faces : int
        At most this many are looked for.
    rgb : bool
        Whether the channels are red, green, blue, as of Pillow, imageio and matplotlib.

    Returns
    -------
    list of Face
        From left to right; all of them tracked. `Face.id` counts them and says nothing of who
        they are.

    Raises
    ------
    InputError
        If the image has a wrong type or shape, or `max_faces` is out of range.
    ModelError
        If there is no such model.

    Examples
    --------
    >>> faces = facetrack.detect(cv2.imread("group.jpg"))  # doctest: +SKIP
    >>> [(face.box, face.points[30]) for face in faces]  # doctest: +SKIP
    """
    picture = checked_image(image)
    if rgb and picture.ndim == 3:
        picture = np.ascontiguousarray(picture[:, :, ::-1])
    if not isinstance(model, FaceModel):
        model = _model(None if model is None else os.fspath(model))
    return StillTracker(model, max_faces=max_faces, detector=_detector()).update(picture)


@lru_cache(maxsize=2)
def _model(name: str | None) -> FaceModel:
    return load_model(name)


@cache
def _detector() -> FaceDetector:
    return FaceDetector()


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


@dataclass(frozen=True, slots=True)
class Analysis:
    """The signals of a video.

    Attributes
    ----------
    signals : SignalTable
        Values, one row for every frame and face.
    events : tuple of EventRecord
        By their starts.
    faults : dict of str to str
        Estimators that were switched off, and why.
    """

    signals: SignalTable
    events: tuple[EventRecord, ...]
    faults: dict[str, str]


def analyse(
    spec: str | os.PathLike[str] | int,
    *,
    signals: str = "default",
    model: FaceModel | str | os.PathLike[str] | None = None,
    max_faces: int = 1,
    smoothing: float = 0.0,
    progress: Callable[[Frame], None] | None = None,
) -> Analysis:
    """Track the faces of a video and compute signals of them.

    Parameters
    ----------
    spec, model, max_faces, smoothing
        See `track`.
    signals : str
        `default`, `all`, or names of estimators or their values, with commas.
    progress : callable, optional
        Is told of every frame.

    Returns
    -------
    Analysis

    Raises
    ------
    InputError
        If there is no such signal, or an option is out of range.
    VideoError, CameraError, ModelError
        See `track`.

    Examples
    --------
    >>> found = facetrack.analyse("clip.mp4", signals="blinks")  # doctest: +SKIP
    >>> [(e.event.name, e.event.start) for e in found.events]  # doctest: +SKIP
    """
    choice = choose(signals)
    pipeline = Pipeline(choice)
    rows = RowAssembler(choice.values, choice.delay)
    builder = TableBuilder(spec.name for spec in choice.values)
    records: list[EventRecord] = []
    for frame, faces in track(spec, model=model, max_faces=max_faces, smoothing=smoothing):
        found = pipeline.update(frame, faces)
        builder.add(rows.add(frame.index, frame.timestamp, faces, found))
        records += event_records(found)
        if progress is not None:
            progress(frame)
    left = pipeline.finish()
    rows.take(left)
    builder.add(rows.finish())
    records += event_records(left)
    by_start = tuple(sorted(records, key=lambda r: (r.event.start, r.face_id, r.event.name)))
    return Analysis(builder.table(), by_start, dict(pipeline.faults))
