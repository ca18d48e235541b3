"""Smiles, raised brows and open mouths as stretches in which expression channels are raised.

They are measured from the median of the person's channels around the moment at which one begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from statistics import fmean
from typing import Any, Final

from facetrack.reading import Event, Kind, Readings, Spec
from facetrack.signals.baseline import Baseline
from facetrack.signals.episodes import LONGEST, Episodes
from facetrack.signals.estimator import Result, State
from facetrack.signals.expression import EXPRESSION, Expression
from facetrack.signals.observation import Observation

__all__ = ["RULES", "Raised", "Rule", "Rules"]

_PAST: Final = 10.0  # seconds before a moment, and after it, whose median is usual:
AHEAD: Final = 9.0  # fewer, so that what lasts has a beginning
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
    delay: float = LONGEST + AHEAD
    needs_pixels: bool = True
    frame_rate: float | None = None

    @property
    def version(self) -> str:
        """That of the channels, and of these rules."""
        return f"2-{self.expression.version}"

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


class Raised:
    """Finds the stretches in which one face's channels are raised.

    Parameters
    ----------
    levels : mapping of str to float
        How far above their median the channels of each action are, at least.
    """

    def __init__(self, levels: Mapping[str, float]) -> None:
        self._levels = dict(levels)
        self._usual = {name: Baseline(_PAST + AHEAD, 0.5) for name in levels}
        self._episodes = {
            name: Episodes(name, level=level, shortest=_SHORTEST, joined=_JOINED)
            for name, level in levels.items()
        }
        # Of actions that last: when they began, the last moment, and what was usual then.
        self._lasting: dict[str, tuple[float, float, float]] = {}
        # Frames until the usual channels are known: time, and the mean channels of each action.
        self._waiting: deque[tuple[float, dict[str, float]]] = deque()

    def update(self, time: float, values: Mapping[str, float]) -> list[Event]:
        """Take the next frame.

        Parameters
        ----------
        time : float
            Seconds; grows.
        values : mapping of str to float
            The mean channels of each action; NaN, or left out, where nothing is said.

        Returns
        -------
        list of Event
            Those that became certain.
        """
        known = {name: value for name, value in values.items() if not isnan(value)}
        for name, value in known.items():
            self._usual[name].add(time, value)
        self._waiting.append((time, known))
        return self._settled(time - AHEAD + _EPS)

    def finish(self) -> list[Event]:
        """End, when no further frame comes.

        Returns
        -------
        list of Event
            Those that were not certain yet.
        """
        settled = self._settled(inf)
        last = [event for episodes in self._episodes.values() for event in episodes.finish()]
        return [*settled, *last]

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs.

        Returns
        -------
        dict
            As JSON knows it.
        """
        return {
            "waiting": list(self._waiting),
            "lasting": self._lasting,
            "usual": {name: usual.state() for name, usual in self._usual.items()},
            "episodes": {name: episodes.state() for name, episodes in self._episodes.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where another one stood.

        Parameters
        ----------
        state : mapping
            What `state` gave.
        """
        self._waiting = deque((time, values) for time, values in state["waiting"])
        self._lasting = {name: (b, last, u) for name, (b, last, u) in state["lasting"].items()}
        for name, usual in self._usual.items():
            usual.restore(state["usual"][name])
            self._episodes[name].restore(state["episodes"][name])

    def _settled(self, until: float) -> list[Event]:
        """Go through the frames that waited, as far as a time."""
        found: list[Event] = []
        while self._waiting and self._waiting[0][0] <= until:
            time, values = self._waiting.popleft()
            for name, episodes in self._episodes.items():
                found += episodes.update(time, self._raised(name, time, values.get(name, nan)))
        return found

    def _raised(self, name: str, time: float, value: float) -> float:
        """Return how far the channels are raised; what is usual stays while they are."""
        begin, last, usual = self._lasting.get(name, (time, -inf, nan))
        if time - last > _JOINED + _EPS or time - begin >= LONGEST:
            begin, usual = time, self._usual[name].value
        if value - usual >= self._levels[name]:
            self._lasting[name] = (begin, time, usual)
        return value - usual


class _RulesRun:
    """Actions of one face."""

    def __init__(self, expression: Expression, names: Sequence[str]) -> None:
        self._channels = expression.start()
        self._names = names
        self._raised = Raised({name: RULES[name].level for name in names})

    def update(self, seen: Observation) -> Sequence[Result]:
        (found,) = self._channels.update(seen)
        assert isinstance(found, Readings)
        means = {
            name: fmean(found.values[channel].value for channel in RULES[name].channels)
            for name in self._names
        }
        return self._raised.update(seen.timestamp, means)

    def finish(self) -> Sequence[Result]:
        return self._raised.finish()

    def state(self) -> State:
        return self._raised.state()

    def restore(self, state: State) -> None:
        self._raised.restore(state)
