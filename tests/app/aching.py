"""An estimator with all that a model's score may have: interval, model, parts, reasons, rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import nan

from facetrack.reading import Event, Kind, Reading, Readings, Spec
from facetrack.signals.episodes import Episodes
from facetrack.signals.estimator import Result, State, nothing
from facetrack.signals.observation import Observation
from facetrack.signals.registry import register, unregister
from facetrack.signals.rest import Rest

MODEL = "demonstration model, not trained on pain"
TURNED = "the head is turned too far"
PARTS = {"ache_brows": 1.5, "ache_eyes": 0.5, "ache_nose": 0.0, "ache_mouth": -0.5}
SPECS = (
    Spec("ache", "how strong it looks", range=(0.0, 16.0), interval=True, level=2.0, model=MODEL),
    *(
        Spec(name, "by how much", range=(-8.0, 8.0), model=MODEL, part_of="ache")
        for name in PARTS
    ),
    Spec("ache_episode", "it looks strong", range=(0.0, 16.0), kind=Kind.EVENT, model=MODEL),
)  # fmt: skip
AWAY = range(10, 14)  # frames that cannot be assessed
STRONG = range(20, 25)  # frames of an episode
LEVEL = 3.0  # of episodes measured from a rest: what the last frame of one has


def said(frame: int) -> dict[str, Reading]:
    """Give what is said of a frame."""
    if frame in AWAY:
        return dict(nothing(SPECS, TURNED))
    value = 3.0 + frame % 3 + 4.0 * (frame in STRONG)
    return {"ache": Reading(value, value - 1.0, value + 2.0)} | {
        name: Reading(part) for name, part in PARTS.items()
    }


@dataclass(frozen=True, slots=True)
class Aching:
    """Says of each frame what its number asks for."""

    rest: Rest | None = None
    name: str = "aching"
    specs: tuple[Spec, ...] = SPECS
    delay: float = 0.0
    needs_pixels: bool = False
    frame_rate: float | None = None

    @property
    def version(self) -> str:
        return "1" if self.rest is None else f"1-{self.rest.digest}"

    def start(self) -> _Run:
        return _Run(self.rest)

    def with_rest(self, rest: Rest) -> Aching:
        return replace(self, rest=rest)

    def episodes(self) -> dict[str, Episodes]:
        return {"ache": Episodes("ache_episode", MODEL, level=LEVEL, shortest=0.1)}


class _Run:
    def __init__(self, rest: Rest | None) -> None:
        self._rest, self._started = rest, nan

    def update(self, seen: Observation) -> Sequence[Result]:
        readings, events = said(seen.index), []
        if self._rest is not None:
            neutral = self._rest.values.get(seen.face.id, {})
            missing = Reading(nan, reason=self._rest.missing)
            readings = {
                n: Reading(r.value - neutral[n], r.low - neutral[n], r.high - neutral[n], r.reason)
                if n in neutral
                else missing
                for n, r in readings.items()
            }
        if seen.index == STRONG.start:
            self._started = seen.timestamp
        if seen.index == STRONG.stop - 1 and self._started == self._started:
            begin, end = self._started, seen.timestamp
            events = [Event("ache_episode", begin, begin, end, 9.0, detail={"model": MODEL})]
        return Readings(seen.index, readings), *events

    def finish(self) -> Sequence[Result]:
        return ()

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        pass


@contextmanager
def aching() -> Iterator[Aching]:
    """Let the estimator be known."""
    made = Aching()
    register(made)
    yield made
    unregister(made.name)
