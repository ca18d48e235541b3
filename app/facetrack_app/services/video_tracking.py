# SPDX-License-Identifier: GPL-3.0-or-later
"""The background track of an open session, as the window's thread sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from facetrack.errors import FacetrackError
from facetrack_app.model.observable import Voice
from facetrack_app.model.store import Store
from facetrack_app.model.wording import counted
from facetrack_app.services.background import Progress, track_into
from facetrack_app.services.interpreter import spare_what_is_loaded
from facetrack_app.services.opening import Document, words_of_unreadable
from facetrack_app.services.posting import Post


class VideoTracking:
    """Begins the background tracking, ends it on wish, and takes its frames into the session."""

    def __init__(
        self,
        document: Document,
        model: Any,
        post: Post,
        took: Callable[[Progress], None],
        keep_notes: Callable[[Sequence[str]], None],
        said: Voice,
    ) -> None:
        self._document, self._session, self._model = document, document.session, model
        self._keep_notes = keep_notes
        self._post, self._took, self._said = post, took, said
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def running(self) -> bool:
        """Whether frames are still coming."""
        return self._thread is not None

    def begin(self) -> None:
        """Track from where it was left, if anything is left."""
        session, total = self._session, self._session.n_frames
        if self.running or session.tracked >= total:
            return
        self._stop = threading.Event()
        track = partial(
            track_into, source=self._document.source, model=self._model, total=total,
            max_faces=int(session.setting("max_faces", 1)), stills=session.stills,
            rate=session.rate, stop=self._stop.is_set, check=self._document.check,
        )  # fmt: skip
        what = session.store.path, total, track
        self._thread = threading.Thread(
            target=self._run, args=what, name="background tracking", daemon=True
        )
        self._thread.start()

    def toggle(self) -> None:
        """Stop after the frame at hand, or go on."""
        if self.running:
            self._stop.set()
        elif self._session.tracked < self._session.n_frames:
            self.begin()
        else:
            self._said("the whole video is tracked", False)

    def close(self) -> None:
        """End it and wait for that; what was tracked is kept."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()

    def _run(
        self, database: Path, total: int, track: Callable[[Store], Iterator[Progress]]
    ) -> None:
        done = 0
        try:
            with closing(Store(database)) as store:
                for progress in track(store):
                    if not done:
                        spare_what_is_loaded()
                    done = progress.done
                    self._tell(progress)
        except FacetrackError as error:
            self._tell(Progress(done, done, total, float("nan"), True, str(error)))

    def _tell(self, progress: Progress) -> None:
        self._post(lambda: self._take(progress))

    def _take(self, progress: Progress) -> None:
        self._session.absorb_tracked(progress.start, progress.done)
        if progress.finished:
            self._thread = None
            self._keep_notes(progress.notes)
        if progress.trouble:
            self._said(progress.trouble, True, "track")
        elif progress.finished and self._session.unreadable:
            self._said(words_of_unreadable(self._session), True, "track")
        elif progress.finished and progress.done < progress.total:
            total = counted(progress.total, "frame")
            self._said(f"tracked {progress.done} of {total}", False, "track")
        else:
            self._said("", False, "track")
        self._took(progress)
