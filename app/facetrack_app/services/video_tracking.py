# SPDX-License-Identifier: GPL-3.0-or-later
"""The background track of an open session, as the window's thread sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from facetrack_app.model.observable import Voice
from facetrack_app.model.session import Session
from facetrack_app.model.wording import counted
from facetrack_app.services.background import BackgroundTracking, Progress
from facetrack_app.services.opening import words_of_unreadable
from facetrack_app.services.posting import Post


class VideoTracking:
    """Begins the background tracking, ends it on wish, and takes its frames into the session."""

    def __init__(
        self,
        session: Session,
        source: str | Path,
        model: Any,
        post: Post,
        took: Callable[[Progress], None],
        keep_notes: Callable[[Sequence[str]], None],
        said: Voice,
        check: Callable[[], None],
    ) -> None:
        self._check, self._keep_notes = check, keep_notes
        self._session, self._source, self._model = session, source, model
        self._post, self._took, self._said = post, took, said
        self._background: BackgroundTracking | None = None

    @property
    def running(self) -> bool:
        """Whether frames are still coming."""
        return self._background is not None

    def begin(self) -> None:
        """Track from where it was left, if anything is left."""
        if self.running or self._session.tracked >= self._session.n_frames:
            return
        self._background = BackgroundTracking(
            self._session.store.path,
            self._source,
            self._model,
            self._session.n_frames,
            lambda progress: self._post(lambda: self._take(progress)),
            max_faces=int(self._session.setting("max_faces", 1)),
            stills=self._session.stills,
            rate=self._session.rate,
            check=self._check,
        )
        self._background.start()

    def toggle(self) -> None:
        """Stop after the frame at hand, or go on."""
        if self._background is not None:
            self._background.cancel()
        elif self._session.tracked < self._session.n_frames:
            self.begin()
        else:
            self._said("the whole video is tracked", False)

    def close(self) -> None:
        """End it and wait for that; what was tracked is kept."""
        if self._background is not None:
            self._background.stop()

    def _take(self, progress: Progress) -> None:
        self._session.absorb_tracked(progress.start, progress.done)
        if progress.finished:
            self._background = None
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
