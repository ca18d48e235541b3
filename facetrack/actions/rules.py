"""Smiles, raised brows and open mouths as stretches in which expression channels are raised.

They are measured from what the person's channels hardly ever were below in the last seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import fmean
from typing import Final

from facetrack.reading import Event, Kind, Readings, Spec
from facetrack.signals.baseline import Baseline
from facetrack.signals.episodes import LONGEST, Episodes
from facetrack.signals.estimator import Result, State
from facetrack.signals.expression import EXPRESSION, Expression
from facetrack.signals.observation import Observation

__all__ = ["RULES", "Rule", "Rules"]

WARM_UP: Final = 2.0  # seconds of a face until its usual channels are known
_MEMORY: Final = 10.0  # seconds
_USUAL: Final = 0.25  # the percentile that is usual: an action takes less than most of the time
_SHORTEST: Final = 0.1  # seconds: four frames of 30 a second
_JOINED: Final = 0.165  # seconds: up to three frames lie between
_EPS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Rule:
    """One action.

    Attributes
    ----------
    channels : tuple of str
        Whose mean is raised.
    level : float
        By how much at least. The encoder says less than the program that it learned from, by the
        regression of one on the other over test pictures: 0.85 of a smile, 0.71 of raised brows,
        0.54 of an open jaw; these are 0.3 of that program's.
    meaning : str
    """

    channels: tuple[str, ...]
    level: float
    meaning: str


RULES: Final = {
    "smile": Rule(("mouthSmileLeft", "mouthSmileRight"), 0.25, "corners of the mouth are raised"),
    "brow_raise": Rule(("browInnerUp",), 0.21, "inner brows are raised"),
    "mouth_open": Rule(("jawOpen",), 0.16, "the jaw is lowered"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The estimator.

    Attributes
    ----------
    expression : Expression
        Gives the channels.
    """

    expression: Expression = EXPRESSION
    name: str = "actions"
    delay: float = LONGEST + WARM_UP
    needs_pixels: bool = True
    frame_rate: float | None = None

    @property
    def version(self) -> str:
        """That of the channels, and of these rules."""
        return f"1-{self.expression.version}"

    @property
    def specs(self) -> tuple[Spec, ...]:
        """The actions whose channels are offered."""
        offered = {spec.name for spec in self.expression.specs}
        return tuple(
            Spec(name, f"{rule.meaning}; score: by how much, at most", kind=Kind.EVENT)
            for name, rule in RULES.items()
            if offered.issuperset(rule.channels)
        )

    def start(self) -> _RulesRun:
        """Begin with a face.

        Returns
        -------
        Run
            Without anything from before.
        """
        return _RulesRun(self.expression, [spec.name for spec in self.specs])


ACTIONS: Final = Rules()


class _RulesRun:
    """Actions of one face."""

    def __init__(self, expression: Expression, names: Sequence[str]) -> None:
        self._channels = expression.start()
        self._usual = {name: Baseline(_MEMORY, _USUAL) for name in names}
        self._episodes = {
            name: Episodes(name, level=RULES[name].level, shortest=_SHORTEST, joined=_JOINED)
            for name in names
        }
        # Frames until the usual channels are known: time, and the mean channels of each action.
        self._waiting: deque[tuple[float, dict[str, float]]] = deque()
        self._begin: float | None = None  # time of the first frame

    def update(self, seen: Observation) -> Sequence[Result]:
        values = self._read(seen)
        for name, value in values.items():
            self._usual[name].add(seen.timestamp, value)
        if self._begin is None:
            self._begin = seen.timestamp
        self._waiting.append((seen.timestamp, values))
        return self._warmed() if seen.timestamp - self._begin >= WARM_UP - _EPS else ()

    def finish(self) -> Sequence[Result]:
        warmed = self._warmed()
        last = [event for episodes in self._episodes.values() for event in episodes.finish()]
        return [*warmed, *last]

    def state(self) -> State:
        return {
            "begin": self._begin,
            "waiting": list(self._waiting),
            "usual": {name: usual.state() for name, usual in self._usual.items()},
            "episodes": {name: episodes.state() for name, episodes in self._episodes.items()},
        }

    def restore(self, state: State) -> None:
        self._begin = state["begin"]
        self._waiting = deque((time, values) for time, values in state["waiting"])
        for name, usual in self._usual.items():
            usual.restore(state["usual"][name])
            self._episodes[name].restore(state["episodes"][name])

    def _read(self, seen: Observation) -> dict[str, float]:
        """Return the mean channels of each action that can be assessed."""
        (found,) = self._channels.update(seen)
        assert isinstance(found, Readings)
        means = {
            name: fmean(found.values[channel].value for channel in RULES[name].channels)
            for name in self._usual
        }
        return {name: mean for name, mean in means.items() if not isnan(mean)}

    def _warmed(self) -> list[Event]:
        """Go through the frames that waited."""
        found: list[Event] = []
        while self._waiting:
            time, values = self._waiting.popleft()
            raised = {name: value - self._usual[name].value for name, value in values.items()}
            found += self._step(time, raised)
        return found

    def _step(self, time: float, raised: Mapping[str, float]) -> list[Event]:
        return [
            event
            for name, episodes in self._episodes.items()
            for event in episodes.update(time, raised.get(name, nan))
        ]
