"""Smiles, raised brows and open mouths as stretches in which expression channels are raised.

They are measured from the median of the person's channels around the moment at which one begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isnan, nan
from statistics import fmean
from typing import Final

from facetrack.actions.cues import CUES
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.reading import Event, Kind, Readings, Spec
from facetrack.signals.baseline import Baseline
from facetrack.signals.episodes import LONGEST, Episodes
from facetrack.signals.estimator import Result, Run
from facetrack.signals.expression import EXPRESSION, Expression
from facetrack.signals.observation import Observation

_PAST: Final = 10.0  # seconds before a moment, and after it, whose median is usual:
AHEAD: Final = 9.0  # fewer, so that what lasts has a beginning
_SHORTEST: Final = 0.1  # seconds: four frames of 30 a second
_JOINED: Final = 0.165  # seconds: up to three frames lie between
_EPS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Rule:
    """One action.

    `level` is by how much the mean of the channels is raised at least. The encoder says less than
    the program that it learned from, by the regression of one on the other over test pictures: 0.85
    of a smile, 0.71 of raised brows, 0.54 of an open jaw; these are 0.3 of that program's.
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
    """The estimator; `expression` gives the channels."""

    expression: Expression = EXPRESSION
    name: str = "actions"
    delay: float = LONGEST + AHEAD
    needs_pixels: bool = True
    frame_rate: float | None = None

    @property
    def version(self) -> str:
        """That of the channels, and of these rules."""
        return f"3-{self.expression.version}"

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
        """Begin with a face, without anything from before."""
        levels = {spec.name: RULES[spec.name].level for spec in self.specs}
        return _RulesRun(self.expression.start(), Raised(levels))


ACTIONS: Final = Rules()


@dataclass(slots=True)
class Raised:
    """Finds the stretches in which one face's channels are raised."""

    levels: Mapping[str, float]  # least height above their median, by action
    _usual: dict[str, Baseline] = field(init=False)
    _episodes: dict[str, Episodes] = field(init=False)
    # Of actions that last: when they began, the last moment, and what was usual then.
    _lasting: dict[str, tuple[float, float, float]] = field(default_factory=dict, init=False)
    # Frames until the usual channels are known: time, and the mean channels of each action.
    _waiting: deque[tuple[float, dict[str, float]]] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self._usual = {name: Baseline(_PAST + AHEAD, 0.5) for name in self.levels}
        self._episodes = {
            name: Episodes(name, level=level, shortest=_SHORTEST, joined=_JOINED)
            for name, level in self.levels.items()
        }

    def update(self, time: float, values: Mapping[str, float]) -> list[Event]:
        """Take the next frame's mean channels by action; return the events that became certain.

        Times (seconds) grow; a channel is NaN, or left out, where nothing is said.
        """
        known = {name: value for name, value in values.items() if not isnan(value)}
        for name, value in known.items():
            self._usual[name].add(time, value)
        self._waiting.append((time, known))
        return self._settled(time - AHEAD + _EPS)

    def finish(self) -> list[Event]:
        """End, when no further frame comes, and return the events that were not certain yet."""
        settled = self._settled(inf)
        last = [event for episodes in self._episodes.values() for event in episodes.finish()]
        return [*settled, *last]

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
        if value - usual >= self.levels[name]:
            self._lasting[name] = (begin, time, usual)
        return value - usual


@dataclass(slots=True)
class _RulesRun(Stateful):
    """Actions of one face."""

    channels: Run = field(metadata=NO_STATE)
    raised: Raised

    def update(self, seen: Observation) -> Sequence[Result]:
        (found,) = self.channels.update(seen)
        assert isinstance(found, Readings)
        means = {
            name: fmean(found.values[channel].value for channel in RULES[name].channels)
            for name in self.raised.levels
        }
        return _with_cues(self.raised.update(seen.timestamp, means))

    def finish(self) -> Sequence[Result]:
        return _with_cues(self.raised.finish())


def _with_cues(events: Sequence[Event]) -> list[Event]:
    """Say where actions were seen: their channels count alike."""
    channels = {event.name: RULES[event.name].channels for event in events}
    shares = {name: dict.fromkeys(own, 1 / len(own)) for name, own in channels.items()}
    return [replace(event, detail={**event.detail, CUES: shares[event.name]}) for event in events]
