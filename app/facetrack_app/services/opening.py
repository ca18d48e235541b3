# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a video together with its session."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.corpus.fingerprint import fingerprint
from facetrack.errors import InputError, VideoError
from facetrack.opening import open_seekable, unstated_rate
from facetrack.video.images import holds_pictures
from facetrack.video.seeking import FrameCache, SeekableFolder, SeekableVideo
from facetrack.video.unchanged import Unchanged
from facetrack_app.model.faces import Size
from facetrack_app.model.places import folder_for, session_of, user_folder
from facetrack_app.model.session import (
    ASPECT,
    DATABASE,
    OTHER_MODELS,
    RATE,
    STILLS,
    Session,
    settings_in,
)
from facetrack_app.services.sound import has_sound

DEMO: Final = "demo"
_FILE: Final = "file"  # setting of a session: the identity of its video's file
_NAMED: Final = 3  # broken pictures in a sentence
_MODES: Final = {True: "single pictures", False: "a picture sequence"}


@dataclass(frozen=True, slots=True)
class Document:
    """A video and its session."""

    source: str | Path  # for `open_source`
    session: Session
    size: tuple[int, int]  # of the frames
    # Seconds since the first frame; numbers of pictures, which have no time.
    times: npt.NDArray[np.float64] = field(repr=False, compare=False)
    open: Callable[[], SeekableVideo]  # every thread opens its own
    notes: tuple[str, ...] = ()  # on another model, another place for the session, and the like
    pictures: tuple[str, ...] = ()  # their names; empty of a video
    size_of: Callable[[int], Size] = lambda frame: (0, 0)  # of a frame by its number
    sound: Path | None = None  # the file, if it has sound
    check: Callable[[], None] = lambda: None  # raises VideoError if the file is not as it was

    @property
    def seconds(self) -> float:
        """Length of the video."""
        return float(self.times[-1])

    @property
    def name(self) -> str:
        """The video's name."""
        return self.source if isinstance(self.source, str) else self.source.name


def open_document(
    source: str | Path,
    model: Any,
    *,
    folder: Path | None = None,
    max_faces: int = 1,
    stills: bool = True,
    rate: float | None = None,
) -> Document:
    """Open a video and its session; what there is of it goes on."""
    if folder is None:
        sessions = user_folder("data") / "sessions"
        folder = sessions / DEMO if source == DEMO else folder_for(Path(source), sessions)
    asked = stills and isinstance(source, Path) and holds_pictures(source)
    stills, rate = _as_before(folder, asked, rate)
    cache = FrameCache()  # one for all threads: memory does not grow with them

    file = Unchanged(source) if isinstance(source, Path) and source.is_file() else None

    def check() -> None:
        if file is not None:
            file.check()

    def open_it() -> SeekableVideo:
        check()
        return open_seekable(
            source, shape_model=model.shape_model, rate=rate, stills=stills, cache=cache
        )

    with contextlib.closing(open_it()) as video:
        places = range(video.n_frames)
        times = np.array([i if stills else video.time(i) for i in places], dtype=np.float64)
        size, size_of = video.size, _sizes(video)
        pictures = video.names if isinstance(video, SeekableFolder) else ()
        frames = {ASPECT: video.pixel_aspect, STILLS: stills, RATE: rate}
    session = Session(folder, len(times))
    try:
        if session.setting("max_faces") is None:
            with session.store.transaction():
                session.put_setting("max_faces", max_faces)
        notes = _identify(session, source, model, size, frames, pictures)
        if file is not None:
            notes += _recognise(session, file)
        notes += _about_mode(folder, asked, stills) + _about_files(session, source, folder)
    except Exception:
        session.close()
        raise
    sound = source if isinstance(source, Path) and not pictures and has_sound(source) else None
    return Document(
        source, session, size, times, open_it, tuple(notes), pictures, size_of, sound, check
    )


def _about_mode(folder: Path, asked: bool, stills: bool) -> list[str]:
    """Say where a session continues in another way than asked for."""
    if stills == asked:
        return []
    return [
        f"continues as {_MODES[stills]}, as it was begun; for {_MODES[asked]}, move the session "
        f"away first: {folder}"
    ]


def _about_files(session: Session, source: str | Path, folder: Path) -> list[str]:
    """Say which pictures cannot be read, and where the session lies if not beside the video."""
    notes = [words_of_unreadable(session)] if session.unreadable else []
    if isinstance(source, Path) and folder.is_relative_to(user_folder("data")):
        notes.append(f"this place may not be written: the session lies in {folder}")
    return notes


def video_of(folder: Path) -> str | Path:
    """Return the video that a session's folder belongs to; raises InputError if it holds none."""
    if not (folder / DATABASE).is_file():
        raise InputError(f"{folder}: holds no session; open its video instead")
    noted = settings_in(folder, "video").get("video")
    if noted is None:
        raise InputError(f"{folder}: does not say of which video it is; open the video instead")
    return DEMO if noted == DEMO else (folder / noted).resolve()


def words_of_unreadable(session: Session) -> str:
    """Say in one sentence how many pictures cannot be read, and which."""
    whys = [why for _, why in sorted(session.unreadable.items())]
    more = f"; and {len(whys) - _NAMED} more" if len(whys) > _NAMED else ""
    one = f"{len(whys)} of {session.n_frames} pictures cannot be read"
    return f"{one}: {'; '.join(whys[:_NAMED])}{more}"


def rate_to_ask(source: str | Path, folder: Path | None, *, stills: bool) -> float | None:
    """Give the rate to offer for what states no times; None where it states them or is known."""
    sessions = user_folder("data") / "sessions"
    if folder is not None or not isinstance(source, Path) or session_of(source, sessions):
        return None
    return unstated_rate(source, stills=stills)


def _as_before(folder: Path, stills: bool, rate: float | None) -> tuple[bool, float | None]:
    """Return whether pictures stand each by itself, and the rate: of a session, as it was begun."""
    there = (folder / DATABASE).is_file()
    before = settings_in(folder, "video", STILLS, RATE) if there else {}
    return (bool(before.get(STILLS)), before.get(RATE)) if "video" in before else (stills, rate)


def _sizes(video: SeekableVideo) -> Callable[[int], Size]:
    """Give what says how large a frame is; of pictures, their headers are read when asked."""
    size = video.size
    if not isinstance(video, SeekableFolder):
        return lambda frame: size

    @lru_cache(maxsize=1 << 16)
    def size_of(frame: int) -> Size:
        try:
            return video.size_of(frame)
        except VideoError:  # it is broken, or has gone: nothing lies in it
            return size

    return size_of


def _recognise(session: Session, file: Unchanged) -> list[str]:
    """Note which file the session was begun with, or compare with that."""
    known = session.setting(_FILE)
    if known is None:
        with session.store.transaction():
            session.put_setting(_FILE, file.identity)
    if known in (None, file.identity):
        return []
    return [
        "the video is another file than the one this session was begun with: check whether "
        "corrections lie where they belong; if not, put the old file back, or move the session "
        f"away to begin anew: {session.folder}"
    ]


def _identify(
    session: Session,
    source: str | Path,
    model: Any,
    size: Size,
    frames: dict[str, Any],
    pictures: tuple[str, ...],
) -> list[str]:
    """Note whose session this is, or compare with what was noted."""
    # Relative, so that a folder which was moved as a whole is found again.
    where = source if isinstance(source, str) else os.path.relpath(source, session.folder)
    mine = {
        "video": where,
        "n_frames": session.n_frames,
        "size": list(size),
        "model": model.name,
        "model_checksum": fingerprint(model),
        **frames,
        "pictures": hashlib.sha256(
            "/".join(pictures).encode("utf-8", "surrogateescape")
        ).hexdigest(),
    }
    notes = []
    known = {name: session.setting(name) for name in mine}
    for name, unit in (("n_frames", "frames"), ("size", "pixels")):
        if known[name] not in (None, mine[name]):
            raise InputError(
                f"{session.folder}: belongs to a video of {known[name]} {unit}, this one has "
                f"{mine[name]}; move the session's folder away to begin anew"
            )
    if known["pictures"] not in (None, mine["pictures"]):
        raise InputError(
            f"{session.folder}: belongs to pictures of other names; put them back, or move the "
            "session's folder away to begin anew"
        )
    if known["model_checksum"] not in (None, mine["model_checksum"]) and session.tracked:
        notes.append(
            f"this session was made with another model ({known['model']}); what is tracked anew "
            "now comes from the present one"
        )
        others = {**session.setting(OTHER_MODELS, {}), mine["model_checksum"]: mine["model"]}
        mine |= {name: known[name] for name in ("model", "model_checksum")}
        mine[OTHER_MODELS], known[OTHER_MODELS] = others, session.setting(OTHER_MODELS)
    if known != mine:
        with session.store.transaction():
            for name, value in mine.items():
                session.put_setting(name, value)
    return notes
