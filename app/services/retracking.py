# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking anew in the background what a correction has put into doubt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack.annotation.residual import carry_residuals
from facetrack.annotation.retrack import Outcome, Refit, retrack
from facetrack.annotation.taught import completed
from facetrack.errors import FacetrackError
from facetrack.face import N_POINTS, Source
from facetrack.video.seeking import SeekableVideo
from facetrack_app.model.engine import taught_from
from facetrack_app.model.history import Retracked
from facetrack_app.model.rows import Change, Kind, TrackRow
from facetrack_app.model.session import Session
from facetrack_app.services.slot import Slot

REACH: Final = 150  # frames before and after a correction that are tracked anew
_APART: Final = 5.0  # trust lost per outer-eye distance between both directions


@dataclass(frozen=True, slots=True)
class Job:
    """A stretch to track anew.

    Attributes
    ----------
    step : int
        The step of the history that asked for it.
    person : int
    start, stop : int
        Frames, up to but without the second.
    corrections : dict of int to Correction
        All of the person's: what is learned.
    """

    step: int
    person: int
    start: int
    stop: int
    corrections: dict[int, Correction] = field(repr=False)


def stretch_around(session: Session, person: int, frame: int) -> tuple[int, int]:
    """Choose what a correction puts into doubt.

    Parameters
    ----------
    session : Session
    person, frame : int

    Returns
    -------
    (int, int)
        From the corrected frame before, which is left untouched, to the one after; at most
        `REACH` frames each way, and only where the video was tracked.
    """
    corrected = session.summary(person).corrected
    before = np.flatnonzero(corrected[:frame])
    after = np.flatnonzero(corrected[frame + 1 :])
    start = int(before[-1]) + 1 if before.size else 0
    stop = frame + 1 + int(after[0]) if after.size else session.n_frames
    stop = min(stop, frame + REACH + 1, max(session.tracked, frame + 1))
    return max(start, frame - REACH), stop


def do_job(
    job: Job,
    model: Any,
    video: SeekableVideo,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Learn from a person's corrections and track a stretch anew.

    Parameters
    ----------
    job : Job
    model : FaceModel
    video : SeekableVideo
    stop : callable
        Asked before every fit.
    progress : callable
        Told of fits done and to do.

    Returns
    -------
    Outcome
        The same for the same job, whenever and wherever it runs.
    """
    learned = taught_from(model, job.corrections, video.frame)
    whole = {f: completed(model.shape_model, c) for f, c in job.corrections.items()}
    anchors = {f: points for f, points in whole.items() if points is not None}
    span = job.start, job.stop
    outcome = retrack(learned, video.frame, anchors, span, stop=stop, progress=progress)
    return carry_residuals(learned, video.frame, anchors, outcome)


def changes_of(session: Session, job: Job, outcome: Outcome) -> tuple[list[Change], Retracked]:
    """Turn what was found into changes of the session.

    Parameters
    ----------
    session : Session
    job : Job
    outcome : Outcome

    Returns
    -------
    list of Change
    Retracked
        For the history.
    """
    changes = []
    for refit in outcome.refits:
        strand = session.strand_at(job.person, refit.frame)
        if strand is None or session.summary(job.person).corrected[refit.frame]:
            continue
        row = _row(strand, refit)
        changes.append(
            Change("track", row.key(), session.store.get("track", row.key()), row.values())
        )
    found = Retracked(job.person, job.start, job.stop, len(changes), outcome.fits, outcome.reason)
    return changes, found


def _row(strand: int, refit: Refit) -> TrackRow:
    agreed = 1.0 if np.isnan(refit.apart) else max(0.0, 1.0 - _APART * refit.apart)
    said = refit.confidence[np.isfinite(refit.confidence)]
    trust = min(float(said.mean()) if said.size else refit.quality, agreed)
    return TrackRow(
        strand, refit.frame, Kind.LEARNED, refit.quality, trust, "", refit.points,
        refit.confidence, np.full(N_POINTS, Source.LEARNED, dtype=np.uint8),
    )  # fmt: skip


class Retracking:
    """A thread that tracks anew what it is asked for; a new wish ends the one before.

    Parameters
    ----------
    model : FaceModel
    open_it : callable
        Opens the video, in this thread.
    done : callable
        Given job and outcome, in this thread.
    progress : callable
        Told of fits done and to do, in this thread.
    say : callable
        Told in words what went wrong.
    """

    def __init__(
        self,
        model: Any,
        open_it: Callable[[], SeekableVideo],
        done: Callable[[Job, Outcome], None],
        progress: Callable[[int, int], None],
        say: Callable[[str], None],
    ) -> None:
        self._model, self._open = model, open_it
        self._done, self._progress, self._say = done, progress, say
        self._jobs: Slot[Job] = Slot()
        self._wanted: Job | None = None  # whatever else is tracked is given up
        self._thread = threading.Thread(target=self._run, name="tracking anew", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether something is being tracked anew."""
        return self._wanted is not None

    def request(self, job: Job) -> None:
        """Track a stretch anew, instead of what is being tracked."""
        self._wanted = job
        self._jobs.put(job)

    def stop(self) -> bool:
        """End what is being tracked; returns whether anything was."""
        was, self._wanted = self.busy, None
        return was

    def close(self) -> None:
        """End for good."""
        self._wanted = None
        self._jobs.close()
        self._thread.join(timeout=10.0)

    def _run(self) -> None:
        video: SeekableVideo | None = None
        while not self._jobs.closed:
            job = self._jobs.take(timeout=1.0)
            if job is None:
                continue
            try:
                video = video or self._open()
                self._track(job, video)
            except FacetrackError as error:
                self._wanted = None
                self._say(str(error))
        if video is not None:
            video.close()

    def _track(self, job: Job, video: SeekableVideo) -> None:
        outcome = do_job(
            job,
            self._model,
            video,
            stop=lambda: self._wanted is not job,
            progress=self._progress,
        )
        if self._wanted is job:
            self._wanted = None
        self._done(job, outcome)
