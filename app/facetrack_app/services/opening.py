# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a video together with its session."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facetrack.corpus.fingerprint import fingerprint
from facetrack.errors import InputError
from facetrack.opening import open_seekable
from facetrack.video.seeking import SeekableVideo
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
    seconds : float
        Length of the video.
    open : callable
        Opens the video to look at any frame; every thread opens its own.
    notes : tuple of str
        What the person should know: another model, another place for the session.
    """

    source: str | Path
    session: Session
    size: tuple[int, int]
    seconds: float
    open: Callable[[], SeekableVideo]
    notes: tuple[str, ...] = ()

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

    def open_it() -> SeekableVideo:
        return open_seekable(source, shape_model=model.shape_model)

    video = open_it()
    try:
        n_frames, seconds = _length(video)
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
    return Document(source, session, size, seconds, open_it, tuple(notes))


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


def _length(video: SeekableVideo) -> tuple[int, float]:
    """Give the number of frames and the time of the last one, in seconds."""
    try:
        return video.n_frames, video.time(video.n_frames - 1)
    except InputError:  # a folder knows which pictures are broken once it has looked at all
        return video.n_frames, video.time(video.n_frames - 1)


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
