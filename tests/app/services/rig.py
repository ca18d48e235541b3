"""An annotator without threads: pictures come and stretches are tracked when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facetrack.annotation.retrack import STOPPED, Outcome, Refit
from facetrack.face import N_POINTS, Fit
from facetrack.video.frame import ArrayPicture, Frame
from facetrack_app.model.observable import Observable
from facetrack_app.model.session import Session
from facetrack_app.services import annotator as annotating
from facetrack_app.services import retracking, teaching, viewing
from facetrack_app.services.annotator import Annotator
from facetrack_app.services.latest_value import LatestValue
from facetrack_app.services.opening import Document
from facetrack_app.services.retracking import Job
from tests.app.conftest import N_FRAMES, fill, shape

REACH = 9  # frames that are tracked anew each way
SIZE = (64, 48)
_GREY = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)


class Model:
    """Stands for the tracker's model: a fit moves every point a little, by a rule."""

    name = "rig"
    shape_model = SimpleNamespace(
        mean=shape(), mean_3d=None, relax=lambda points, keep: points.copy()
    )

    def fit(self, image: object, start: np.ndarray) -> Fit:
        """Fit from a start."""
        quality = 0.9 if start[30, 0] > shape()[30, 0] else 0.2
        confidence = np.linspace(0.1, 0.99, N_POINTS)
        return Fit(start + np.sin(np.arange(2 * N_POINTS)).reshape(-1, 2), quality, confidence)

    def fit_box(self, image: object, box: tuple[float, float, float, float]) -> Fit:
        """Fit into a box: only on the left there is a face."""
        return Fit(shape() + box[0], 0.9 if box[0] < 100 else 0.1)


class _Reader:
    def __init__(self, open_it: object, ready: Callable[[], None], say: object) -> None:
        self.frames: LatestValue[Frame] = LatestValue()
        self._ready, self._wish = ready, -1

    def request(self, index: int) -> None:
        self._wish = index

    def arrive(self) -> None:
        """Let the picture come that was wished for last."""
        if self._wish >= 0:
            self.frames.put(Frame(self._wish, self._wish / 25, ArrayPicture(_GREY)))
            self._wish = -1
            self._ready()

    def close(self) -> None:
        pass


class _Retracking:
    def __init__(
        self, model: object, open_it: object, done: Callable[[Job, Outcome], None], *rest: object
    ) -> None:
        self._done, self._stopped = done, False
        self._wish: Job | None = None

    def request(self, job: Job) -> None:
        self._wish, self._stopped = job, False

    def stop(self) -> None:
        self._stopped = True

    def finish(self) -> bool:
        """Let what was asked for last be tracked; returns whether anything was."""
        job, self._wish = self._wish, None
        if job is not None:
            self._done(job, tracked_anew(job, stopped=self._stopped))
        return job is not None

    def close(self) -> None:
        pass


class _Analysing:
    def __init__(self, *args: object) -> None:
        self.changed: Observable[[]] = Observable()
        self.busy = False

    def wake(self, *, more: bool) -> None:
        pass

    def close(self) -> None:
        pass


def tracked_anew(job: Job, *, stopped: bool = False) -> Outcome:
    """Track as the library does, as far as it matters here: from anchors next to the stretch.

    What is found in a frame follows from all corrections and its anchors; some frames are lost.
    """
    said = job.corrections()
    taught = float(sum(np.nansum(c.points[0]) * (f + 1) for f, c in said.items())) % 1.0
    _, start, stop, _ = job.stretch
    refits = []
    for frame in range(start, stop):
        before = max((f for f in said if f < frame), default=-9)
        after = min((f for f in said if f > frame), default=10**6)
        near = [f for f in (before, after) if start - 1 <= f <= stop]
        if frame not in said and near and (frame * 7 + len(said)) % 11:
            points = shape(taught) + sum(np.nan_to_num(said[f].points[:1]) / 100 for f in near)
            confidence = np.full(N_POINTS, 0.8)
            refits.append(Refit(frame, points, 0.8, float("nan"), confidence))
    refits = refits[::2] if stopped else refits
    return Outcome(refits, STOPPED if stopped else "", len(refits))


class Rig:
    """An annotator of 60 frames and two people, see `tests.app.conftest.fill`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        session = Session(folder, N_FRAMES)
        if not session.people:
            fill(session)
        self._open(session)

    def _open(self, session: Session) -> None:
        self.said: list[str] = []
        document = Document("rig", session, SIZE, N_FRAMES / 25, lambda: None)  # type: ignore[arg-type,return-value]
        self.annotator = Annotator(document, Model(), lambda function: function())
        self.annotator.said.connect(lambda text, trouble, about: self.said.append(text))
        self.annotator.start()
        self.arrive()

    @property
    def session(self) -> Session:
        """What is annotated."""
        return self.annotator.session

    def arrive(self) -> None:
        """Let the picture come that is wished for."""
        reader: Any = self.annotator._reader
        reader.arrive()

    def go(self, frame: int) -> None:
        """Go to a frame."""
        self.annotator.show(frame)
        self.arrive()

    def finish(self) -> bool:
        """Let one stretch be tracked anew; returns whether one was."""
        threads: Any = self.annotator.teaching._retracking
        return bool(threads.finish())

    def settle(self) -> None:
        """Let all be tracked anew that is owed."""
        while self.finish():
            pass
        assert not self.annotator.teaching.busy

    def reopen(self) -> None:
        """Close the window, and open the session again."""
        self.annotator.close()
        self._open(Session(self._folder, N_FRAMES))


@contextmanager
def without_threads() -> Iterator[None]:
    """Let annotators that are made inside have no threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(viewing, "FrameReader", _Reader)
        patch.setattr(teaching, "Retracking", _Retracking)
        patch.setattr(annotating, "Analysing", _Analysing)
        patch.setattr(retracking, "REACH", REACH)
        yield
