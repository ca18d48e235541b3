# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking anew in the background what a correction has put into doubt."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack.annotation.residual import carry_residuals
from facetrack.annotation.retrack import STOPPED, Outcome, Refit, retrack
from facetrack.annotation.stills import Points, refit_stills
from facetrack.annotation.taught import Examples, completed, taught, worth_learning
from facetrack.errors import FacetrackError
from facetrack.face import N_POINTS, Source
from facetrack.video.frame import Frame, Image
from facetrack.video.seeking import SeekableVideo
from facetrack.video.square import stretch_of
from facetrack_app.model.assignments import read_assignments
from facetrack_app.model.faces import views_between
from facetrack_app.model.history import Retracked
from facetrack_app.model.owed import Stretch
from facetrack_app.model.parts import store_at
from facetrack_app.model.rows import Kind, TrackRow
from facetrack_app.model.session import Session
from facetrack_app.services.interpreter import give_memory_back
from facetrack_app.services.worker import Worker

REACH: Final = 150  # frames before and after a correction that are tracked anew
_APART: Final = 5.0  # trust lost per outer-eye distance between both directions


@dataclass(frozen=True, slots=True)
class Job:
    """A stretch to track anew; what it reads is read in the thread that learns."""

    step: int  # of the history, which asked for it
    stretch: Stretch
    # The person's, by frame: all, or those that count.
    corrections: Callable[[], dict[int, Correction]] = field(repr=False)
    # Where the face lies in pictures that stand each by itself; None: of a video.
    starts: Callable[[], dict[int, Points]] | None = field(default=None, repr=False)


def stretch_around(session: Session, person: int, frame: int) -> Stretch:
    """Choose what a correction puts into doubt."""
    if session.stills:
        return Stretch(person, frame, frame)
    corrected = session.summary(person).corrected
    before = np.flatnonzero(corrected[:frame])
    after = np.flatnonzero(corrected[frame + 1 :])
    start = int(before[-1]) + 1 if before.size else 0
    stop = frame + 1 + int(after[0]) if after.size else session.n_frames
    if frame < session.tracked:
        stop = min(stop, session.tracked)
    return Stretch(person, max(start, frame - REACH), min(stop, frame + REACH + 1), frame)


def that_count(frames: list[int], start: int, stop: int) -> list[int]:
    """Choose the corrected frames that say something about a stretch: `do_job` needs no others."""
    return sorted({*_borders(frames, start, stop), *worth_learning(frames, start, stop)})


def _borders(frames: list[int], start: int, stop: int) -> list[int]:
    """Choose those inside of a stretch, and its neighbours: where tracking starts from."""
    first, last = bisect.bisect_left(frames, start), bisect.bisect_left(frames, stop)
    return frames[max(first - 1, 0) : last + 1]


def starts_reader(
    session: Session, step: int, stretch: Stretch
) -> Callable[[], dict[int, Points]] | None:
    """Give what reads in another thread where a face lay in pictures after a step; None: video."""
    if not session.stills:
        return None
    path = session.store.path
    person, start, stop, _ = stretch

    def read() -> dict[int, Points]:
        with store_at(path, step) as store:
            views = views_between(store, read_assignments(store), person, start, stop)
        whole = {f: view.points for f, view in views.items() if view.correction is None}
        return {f: p for f, p in whole.items() if p is not None and np.isfinite(p).all()}

    return read


def do_job(
    job: Job,
    model: Any,
    video: SeekableVideo,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    leave: Callable[[], bool] = lambda: False,
    examples: Examples | None = None,
) -> Outcome:
    """Learn from a person's corrections and track a stretch anew."""
    stretch, span = stretch_of(video.pixel_aspect), (job.stretch.start, job.stretch.stop)
    said = {f: correction.moved(stretch.square) for f, correction in job.corrections().items()}
    frames = sorted(said)

    def see(frame: int) -> Frame:
        return video.frame(frame).square

    def look(frame: int) -> Image:
        if leave():
            raise _LeftError
        return see(frame).grey

    chosen = {frame: said[frame] for frame in worth_learning(frames, *span)}
    try:
        learned = taught(model, chosen, look, examples)
    except _LeftError:
        return Outcome([], STOPPED, 0)
    if job.starts is not None:
        starts = {f: stretch.square(points) for f, points in job.starts().items()}
        found = refit_stills(learned, see, starts, stop=stop, progress=progress)
        return found.moved(stretch.stored)
    borders = _borders(frames, *span)
    whole = {f: completed(model.shape_model, said[f]) for f in borders}
    anchors = {f: points for f, points in whole.items() if points is not None}
    outcome = retrack(learned, see, anchors, span, stop=stop, progress=progress)
    return carry_residuals(learned, see, anchors, outcome).moved(stretch.stored)


class _LeftError(Exception):
    """The job is not wanted any more."""


def rows_of(session: Session, job: Job, outcome: Outcome) -> tuple[list[TrackRow], Retracked]:
    """Turn what was found into rows of the person's tracklets; corrected frames get none."""
    person, start, stop, _ = job.stretch
    corrected = session.summary(person).corrected
    rows = [
        _row(tracklet, refit)
        for refit in outcome.refits
        if not corrected[refit.frame]
        and (tracklet := session.tracklet_at(person, refit.frame)) is not None
    ]
    return rows, Retracked(person, start, stop, len(rows), outcome.fits, outcome.reason)


def _row(tracklet: int, refit: Refit) -> TrackRow:
    agreed = 1.0 if np.isnan(refit.apart) else max(0.0, 1.0 - _APART * refit.apart)
    said = refit.confidence[np.isfinite(refit.confidence)]
    trust = min(float(said.mean()) if said.size else refit.quality, agreed)
    return TrackRow(
        tracklet, refit.frame, Kind.LEARNED, refit.quality, trust, "", refit.points,
        refit.confidence, np.full(N_POINTS, Source.LEARNED, dtype=np.uint8),
    )  # fmt: skip


class Retracking:
    """A thread that tracks anew what it is asked for; a new wish ends the one before."""

    def __init__(
        self,
        model: Any,
        open_it: Callable[[], SeekableVideo],
        done: Callable[[Job, Outcome], None],
        failed: Callable[[Job, str], None],
        progress: Callable[[int, int], None],
    ) -> None:
        self._model, self._open = model, open_it
        self._done, self._failed, self._progress = done, failed, progress
        self._enough = threading.Event()  # of the job that was asked for last
        self._video: SeekableVideo | None = None
        self._examples = Examples()
        self._worker: Worker[tuple[Job, threading.Event]] = Worker("tracking anew", self._track)

    def request(self, job: Job) -> None:
        """Track a stretch anew, instead of what is being tracked."""
        self.stop()
        self._enough = threading.Event()
        self._worker.wishes.put((job, self._enough))

    def stop(self) -> None:
        """End what is being tracked; what was found so far comes as its outcome."""
        self._enough.set()

    def close(self) -> None:
        """End for good."""
        self.stop()
        self._worker.close()

    def _track(self, wish: tuple[Job, threading.Event], stack: ExitStack) -> None:
        job, enough = wish
        try:
            self._video = self._video or stack.enter_context(closing(self._open()))
            outcome = do_job(
                job, self._model, self._video, stop=enough.is_set, progress=self._progress,
                leave=enough.is_set, examples=self._examples,
            )  # fmt: skip
        except FacetrackError as error:
            self._failed(job, str(error))
        else:
            self._done(job, outcome)
        give_memory_back()
