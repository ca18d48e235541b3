# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a video together with its session."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.corpus.fingerprint import fingerprint
from facetrack.errors import InputError
from facetrack.opening import open_seekable
from facetrack.video.seeking import FrameCache, SeekableVideo
from facetrack_app.model.places import folder_for, user_folder
from facetrack_app.model.session import DATABASE, Session
from facetrack_app.model.store import Store

DEMO: Final = "demo"


@dataclass(frozen=True, slots=True)
class Document:
    """A video and its session.

    Attributes
    ----------
    source : str or Path
        For `open_source`.
    session : Session
    size : (int, int)
        Width and height of the frames.
    times : ndarray, shape (n_frames,), float64
        Seconds of every frame since the first one.
    open : callable
        Opens the video to look at any frame; every thread opens its own.
    notes : tuple of str
        What the person should know: another model, another place for the session.
    """

    source: str | Path
    session: Session
    size: tuple[int, int]
    times: npt.NDArray[np.float64] = field(repr=False, compare=False)
    open: Callable[[], SeekableVideo]
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the video."""
        return float(self.times[-1])

    @property
    def name(self) -> str:
        """The video's name."""
        return self.source if isinstance(self.source, str) else self.source.name


def open_document(
    source: str | Path, model: Any, *, folder: Path | None = None, max_faces: int = 1
) -> Document:
    """Open a video and its session; what there is of it goes on.

    Parameters
    ----------
    source : str or Path
        A file or a folder of pictures; "demo".
    model : FaceModel
    folder : Path, optional
        Where the session lives; else beside the video.
    max_faces : int
        At most this many people are tracked at a time, if the session is new.

    Returns
    -------
    Document
        Its session belongs to no thread yet: the first that uses it keeps it.

    Raises
    ------
    FacetrackError
        If the video or the session cannot be opened.
    """
    cache = FrameCache()  # one for all threads: memory does not grow with them

    def open_it() -> SeekableVideo:
        return open_seekable(source, shape_model=model.shape_model, cache=cache)

    video = open_it()
    try:
        times = _times(video)
        n_frames = len(times)
        size = video.size
    finally:
        video.close()
    if folder is None:
        sessions = user_folder("data") / "sessions"
        folder = sessions / DEMO if source == DEMO else folder_for(Path(source), sessions)
    session = Session(folder, n_frames)
    try:
        if session.setting("max_faces") is None:
            with session.store.transaction():
                session.put_setting("max_faces", max_faces)
        notes = _identify(session, source, model, n_frames, size)
        if isinstance(source, Path) and folder.is_relative_to(user_folder("data")):
            notes.append(f"this place may not be written: the session lies in {folder}")
    except Exception:
        session.close()
        raise
    return Document(source, session, size, times, open_it, tuple(notes))


def video_of(folder: Path) -> str | Path:
    """Return the video that a session's folder belongs to; raises InputError if it holds none."""
    if not (folder / DATABASE).is_file():
        raise InputError(f"{folder}: holds no session; open its video instead")
    store = Store(folder / DATABASE)
    try:
        rows = store.read("SELECT value FROM setting WHERE name='video'")
    finally:
        store.close()
    if not rows:
        raise InputError(f"{folder}: does not say of which video it is; open the video instead")
    noted = str(json.loads(rows[0][0]))
    return noted if noted == DEMO else (folder / noted).resolve()


def _times(video: SeekableVideo) -> npt.NDArray[np.float64]:
    """Give the time of every frame in seconds."""
    with contextlib.suppress(InputError):  # a folder knows which are broken once it has read all
        video.time(video.n_frames - 1)
    return np.array([video.time(i) for i in range(video.n_frames)])


def _identify(
    session: Session, source: str | Path, model: Any, n_frames: int, size: tuple[int, int]
) -> list[str]:
    """Note whose session this is, or compare with what was noted."""
    # Relative, so that a folder which was moved as a whole is found again.
    where = source if isinstance(source, str) else os.path.relpath(source, session.folder)
    mine = {
        "video": where,
        "n_frames": n_frames,
        "size": list(size),
        "model": model.name,
        "model_checksum": fingerprint(model),
    }
    notes = []
    known = {name: session.setting(name) for name in mine}
    for name, unit in (("n_frames", "frames"), ("size", "pixels")):
        if known[name] not in (None, mine[name]):
            raise InputError(
                f"{session.folder}: belongs to a video of {known[name]} {unit}, this one has "
                f"{mine[name]}; move the session's folder away to begin anew"
            )
    if known["model_checksum"] not in (None, mine["model_checksum"]):
        notes.append(
            f"this session was made with another model ({known['model']}); what is tracked anew "
            "now comes from the present one"
        )
    if known != mine:
        with session.store.transaction():
            for name, value in mine.items():
                session.put_setting(name, value)
    return notes
