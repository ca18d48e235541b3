# SPDX-License-Identifier: GPL-3.0-or-later
"""The curve of a signal over the part of the video that the timeline shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.signals import SIGNALS
from facetrack_app.model.faces import face_of
from facetrack_app.model.session import Session
from facetrack_app.services.posting import Post, run_beside

SAMPLES: Final = 400  # frames that are looked at, whatever length is shown

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drawn: a signal of a person, from a frame up to but without another one."""

    name: str
    person: int
    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Curve:
    """A signal's values.

    Attributes
    ----------
    wish : Wish
    frames, values : ndarray, shape (n,), float64
        NaN where the face is not seen.
    """

    wish: Wish
    frames: Floats
    values: Floats


class SignalCurve:
    """Computes curves beside the window; of several wishes the last is fulfilled.

    Parameters
    ----------
    session : Session
    shape_model : ShapeModel
    size : (int, int)
        Width and height of the frames.
    post : Post
    ready : callable
        Told in the window's thread that `curve` is another one.

    Attributes
    ----------
    curve : Curve or None
    """

    def __init__(
        self,
        session: Session,
        shape_model: ShapeModel,
        size: tuple[int, int],
        post: Post,
        ready: Callable[[], None],
    ) -> None:
        self.curve: Curve | None = None
        self._session, self._shape_model, self._size = session, shape_model, size
        self._post, self._ready = post, ready
        self._next: Wish | None = None
        self._running = False

    def ask(self, wish: Wish | None) -> None:
        """Ask for a curve; None: for none."""
        self._next = wish
        if wish is None:
            self.curve = None
            self._ready()
        elif not self._running:
            self._begin(wish)

    def _begin(self, wish: Wish) -> None:
        self._running = True
        reader = self._session.reader()

        def work() -> Curve:
            try:
                return sample(reader, wish, self._shape_model, self._size)
            finally:
                reader.store.close()

        run_beside(work, self._post, self._done, lambda message: self._done(None))

    def _done(self, curve: Curve | None) -> None:
        self._running = False
        wanted = self._next
        if wanted is not None and (curve is None or curve.wish == wanted):
            self.curve = curve
            self._ready()
        elif wanted is not None:
            self._begin(wanted)


def sample(session: Session, wish: Wish, shape_model: ShapeModel, size: tuple[int, int]) -> Curve:
    """Compute a signal at up to 400 frames.

    Parameters
    ----------
    session : Session
    wish : Wish
    shape_model : ShapeModel
        Its mean head gives the pose.
    size : (int, int)
        Width and height of the frames.

    Returns
    -------
    Curve
    """
    count = min(SAMPLES, wish.stop - wish.first)
    frames = np.linspace(wish.first, wish.stop - 1, count).round()
    signal = SIGNALS[wish.name]
    values = np.full(count, np.nan)
    for i, frame in enumerate(frames.astype(int).tolist()):
        face = face_of(session, wish.person, frame, shape_model, size)
        if face is not None:
            values[i] = signal(face)
    return Curve(wish, frames, values)
