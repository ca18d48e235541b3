"""The estimator of facial actions: events of a filter bank over the looks of a face."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from math import floor
from typing import Final

import numpy as np

from facetrack.actions.classes import SYNTHETIC_ONLY
from facetrack.actions.cues import CUES
from facetrack.actions.looks import LOOK, RATE, Floats, look
from facetrack.actions.recogniser import (
    ACTION_RECOGNISER,
    DEFAULT,
    WINDOW,
    Recogniser,
    load_recogniser,
)
from facetrack.actions.timeline import HOP, Action, Timeline
from facetrack.errors import FacetrackError, InputError
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.networks.expression import ExpressionEncoder, load_encoder
from facetrack.reading import Event, Kind, Spec
from facetrack.signals.estimator import Result
from facetrack.signals.observation import Observation
from facetrack.signals.registry import Choice, signals

BANK: Final = "action_bank"
LOGGER = logging.getLogger(__name__)
_GAP: Final = 0.2  # seconds without the face that are bridged
_EPS: Final = 1e-6
_UNTESTED: Final = "synthetic only"


@dataclass(frozen=True, slots=True)
class FilterBank:
    """The estimator; its model is loaded when it is first asked for."""

    model: str = DEFAULT  # name or file of the recogniser
    leave: frozenset[str] = frozenset()  # actions that are left to others
    checksum: str = ""  # of the file, which may be written anew while a program runs
    name: str = BANK
    delay: float = (WINDOW + 2 * HOP) / RATE + _GAP
    needs_pixels: bool = True
    frame_rate: float | None = RATE

    @property
    def version(self) -> str:
        """The checksum of the model."""
        return "2-" + str(ACTION_RECOGNISER.describe(self.model)["checksum"])[:16]

    @property
    def specs(self) -> tuple[Spec, ...]:
        """The actions that the model is worth offering for."""
        return tuple(
            spec for spec in _specs(self.model, self.checksum) if spec.name not in self.leave
        )

    def start(self) -> _ActionRun:
        """Begin with a face, without anything from before."""
        return _ActionRun(
            Timeline(_recogniser(self.model, self.checksum)),
            _encoder(),
            frozenset(s.name for s in self.specs),
        )


def with_actions(choice: Choice, model: str) -> Choice:
    """Return a choice of signals that also names what a recogniser (name or file) sees.

    Errors are those of `bank_of`.
    """
    bank = bank_of(model)
    return Choice((*choice.estimators, bank), choice.names | {spec.name for spec in bank.specs})


def bank_of(model: str) -> FilterBank:
    """Return the estimator of a recogniser (name or file) for what no other estimator says.

    A `FacetrackError` says that the file is none, or that nothing is left.
    """
    checksum = str(ACTION_RECOGNISER.describe(model)["checksum"])
    _recogniser(model, checksum)
    _specs.cache_clear()  # what the same arrays offer may have been written anew, too
    bank = FilterBank(model, frozenset(signals()), checksum)
    if not bank.specs:
        raise InputError(
            f"{model}: offers no action that no other signal has; choose some with "
            "`facetrack actions learn --offer`"
        )
    return bank


@dataclass
class _ActionRun(Stateful):
    """Actions of one face: its looks, brought to 25 frames per second, and their timeline."""

    timeline: Timeline
    encoder: ExpressionEncoder = field(metadata=NO_STATE)
    offered: frozenset[str] = field(metadata=NO_STATE)
    _begin: float | None = field(default=None, init=False)  # time of frame 0 of the timeline
    _count: int = field(default=0, init=False)  # frames of the timeline
    _last: tuple[float, Floats] | None = field(default=None, init=False)  # the last look
    # Of each frame of the timeline: the time of the nearest frame of the stream.
    _times: dict[int, float] = field(default_factory=dict, init=False)

    def update(self, seen: Observation) -> Sequence[Result]:
        values, _ = look(seen, self.encoder)
        now = seen.timestamp
        if self._begin is None:
            if values is None:
                return ()
            self._begin = now
        if values is None and self._last is not None and now - self._last[0] < _GAP:
            return ()  # it may come back
        found: list[Action] = []
        begin, until = self._begin, floor((now - self._begin) * RATE + _EPS)
        for frame in range(self._count, until + 1):
            found += self.timeline.add(self._between(begin + frame / RATE, now, values))
            before = now if self._last is None else self._last[0]
            time = begin + frame / RATE
            self._times[frame] = before if time - before < now - time else now
            self._count = frame + 1
        self._last = None if values is None else (now, values)
        return self._events(found)

    def _between(self, time: float, now: float, values: Floats | None) -> Floats | None:
        """Return the look at a time between the last frame and this one."""
        if values is None or now - time < _EPS:
            return values
        if self._last is None or now - self._last[0] >= _GAP:
            return None
        before, earlier = self._last
        return np.asarray(earlier + (time - before) / (now - before) * (values - earlier))

    def finish(self) -> Sequence[Result]:
        return self._events(self.timeline.finish())

    def _events(self, actions: Sequence[Action]) -> list[Result]:
        events: list[Result] = [
            Event(
                a.name, self._times[a.start], self._times[a.peak], self._times[a.stop], a.score,
                detail={CUES: a.cues, **({"model": _UNTESTED} if a.name in SYNTHETIC_ONLY else {})},
            )
            for a in actions
            if a.name in self.offered
        ]  # fmt: skip
        first = min([self._count - WINDOW, *self.timeline.begun()])
        self._times = {frame: time for frame, time in self._times.items() if frame >= first}
        return events


@lru_cache(maxsize=2)
def _recogniser(name: str, checksum: str) -> Recogniser:
    recogniser = load_recogniser(name)
    if recogniser.inputs != LOOK:
        raise FacetrackError(f"the recogniser {name} reads other values than this version sees")
    return recogniser


@cache
def _encoder() -> ExpressionEncoder:
    return load_encoder()


@lru_cache(maxsize=2)
def _specs(name: str, checksum: str) -> tuple[Spec, ...]:
    try:
        card = ACTION_RECOGNISER.describe(name)["card"]
    except FacetrackError as error:  # whatever became of this model, the other signals stay
        LOGGER.warning("actions of a filter bank are left out: %s", error)
        return ()
    return tuple(_spec(action) for action in card.get("offered", []))


def _spec(action: str) -> Spec:
    untested = action in SYNTHETIC_ONLY
    meaning = f"{action.replace('_', ' ')}, by a filter bank; score: probability"
    if untested:
        meaning += f"; {_UNTESTED}: no real clip was tested"
    return Spec(action, meaning, kind=Kind.EVENT, model=_UNTESTED if untested else "")
