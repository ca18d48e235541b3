"""Short films of one small action of the face each, with exact truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.synthetic.actor import Actor
from facetrack.synthetic.dynamics import HIGHEST, Delayed, Move, Pulse, Sway, Swing, Syllables, play
from facetrack.synthetic.portrait import Points
from facetrack.synthetic.units import CLOSING

Values = npt.NDArray[np.float64]

NOTHING: Final = "nothing"
SIDED: Final = "wink"  # the only action of one side
_SEEN: Final = 0.1  # of the event's largest value: it has begun
_CLEAR: Final = 0.25  # of it, and of the largest displacement: what the event's box is about
_MARGIN: Final = 0.05  # of the outer-eye distance, around the box
_CENTRE: Final = 0.15  # of the film: how far from its middle events are at most
_ASIDE: Final = 0.12
# Chances of what happens besides, in all films alike.
_TALKS, _TURNS, _MIMICS = 0.3, 0.3, 0.25


@dataclass(frozen=True, slots=True, eq=False)
class ActionFilm:
    """One action."""

    action: str  # of `ACTIONS`
    side: str  # the person's, "right" or "left", of a wink; empty of all others
    images: npt.NDArray[np.uint8]  # (n, H, W, 3) BGR
    points: Points  # (n, 68, 2), true landmarks in pixels
    times: Values  # (n,), seconds
    # Frames, all belonging to the event; -1 where there is none. A longer one fills the film.
    start: int
    peak: int
    stop: int
    # (4,), left, top, right, bottom of what moves while the event is clear, pixels; NaN for none.
    box: Values


def film_action(
    actor: Actor,
    action: str,
    rng: np.random.Generator,
    *,
    n_frames: int = 24,
    frame_rate: float = 25.0,
    side: str | None = None,
) -> ActionFilm:
    """Film one action in the middle of other things that faces do.

    The head sways in all films, and in some it turns or the mouth talks or moves, whatever the
    action; the mouth rests where the action is of the mouth. `side` is the person's, "right" or
    "left", of a wink; drawn where it is not said.
    """
    times = np.arange(n_frames) / frame_rate
    if action == SIDED:
        drawn = str(rng.choice(["right", "left"]))
        side = side or drawn
    event = _centred(_ACTIONS[action](rng, side == "left"), times, rng)
    besides = _besides(rng, times, mouth=action not in _OF_THE_MOUTH)
    shots = list(actor.film([*besides, *event], times, rng))
    points = np.stack([shot.points for shot in shots])
    strength = _strength(event, times)
    seen = np.flatnonzero(strength > _SEEN)
    before = [actor.puppet.landmarks(e) for e in play(besides, times, actor.traits)]
    return ActionFilm(
        action,
        side or "" if action == SIDED else "",
        np.stack([shot.image for shot in shots]),
        points,
        times,
        int(seen[0]) if seen.size else -1,
        int(strength.argmax()) if seen.size else -1,
        int(seen[-1]) if seen.size else -1,
        _box(points, np.stack(before), strength > _CLEAR, actor.puppet.eye_distance),
    )


def _strength(event: list[Move], times: Values) -> Values:
    """Return the value of the event's first move as a part of its largest in the film."""
    if not event:
        return np.zeros(len(times))
    values = np.abs(event[0].curve.at(times))
    return np.asarray(values / max(float(values.max()), 1e-9))


def _box(points: Points, before: Points, clear: npt.NDArray[np.bool_], distance: float) -> Values:
    """Enclose the landmarks that the event moves."""
    if not clear.any():
        return np.full(4, np.nan)
    shift = np.linalg.norm(points[clear] - before[clear], axis=2)
    moved = points[clear][shift > _CLEAR * shift.max()]
    margin = _MARGIN * distance
    return np.concatenate([moved.min(axis=0) - margin, moved.max(axis=0) + margin])


def _centred(event: list[Move], times: Values, rng: np.random.Generator) -> list[Move]:
    """Shift an event, made to begin at 0, into the middle of the film."""
    if not event:
        return event
    middle = (0.5 + rng.uniform(-_CENTRE, _CENTRE)) * times[-1]
    first = event[0].curve
    assert isinstance(first, Pulse | Swing)  # events begin and end
    begin = middle - 0.5 * first.stop
    return [Move(move.unit, Delayed(move.curve, begin), move.sides) for move in event]


def _besides(rng: np.random.Generator, times: Values, *, mouth: bool) -> list[Move]:
    """Draw what else happens; what is drawn does not depend on the action."""
    sizes = {"yaw": 0.05, "pitch": 0.03, "roll": 0.03, "right": 0.05, "down": 0.04}
    moves = [Move(unit, Sway(rng, size)) for unit, size in sizes.items()]
    talks, turns, mimics = rng.random(3) < (_TALKS, _TURNS, _MIMICS)
    talk = Syllables.drawn(rng, -1.0, float(times[-1]) + 1, rng.uniform(0.8, 2))
    turn = Pulse(rng.uniform(-1, 1), rng.uniform(0.4, 1), 1.0, 1.0, rng.uniform(-0.2, 0.2))
    grimace = Pulse(rng.uniform(-0.5, 0.5), 0.4, rng.uniform(0.2, 1), 0.6, rng.uniform(0.5, 1.5))
    unit = str(rng.choice(["15", "17", "18", "20"]))
    if mouth and talks:
        moves.append(Move("26", talk))
    if mouth and mimics:
        moves.append(Move(unit, grimace))
    if turns:
        moves.append(Move("yaw", turn))
    return moves


def _pulse(
    rng: np.random.Generator,
    peak: tuple[float, float],
    onset: tuple[float, float] = (0.12, 0.35),
    hold: tuple[float, float] = (0.05, 0.4),
    offset: tuple[float, float] = (0.15, 0.45),
) -> Pulse:
    return Pulse(0.0, *(rng.uniform(*span) for span in (onset, hold, offset, peak)))


def _sides(rng: np.random.Generator) -> tuple[float, float]:
    aside = float(np.clip(rng.normal(0, _ASIDE), -0.3, 0.3))
    return 1 + aside, 1 - aside


def _one(unit: str, low: float = 2.0) -> Callable[[np.random.Generator, bool], list[Move]]:
    def draw(rng: np.random.Generator, left: bool) -> list[Move]:
        return [Move(unit, _pulse(rng, (low, HIGHEST)), _sides(rng))]

    return draw


def _blink(rng: np.random.Generator, left: bool) -> list[Move]:
    lids = _pulse(rng, (0.9, 1.0), (0.08, 0.15), (0.02, 0.1), (0.12, 0.25))
    weaker = rng.uniform(0.9, 1.0)
    return [Move(CLOSING, lids, (1.0, weaker) if rng.random() < 0.5 else (weaker, 1.0))]


def _wink(rng: np.random.Generator, left: bool) -> list[Move]:
    """Close one eye; its cheek and corner of the mouth come up, the other eye stays open."""
    lids = _pulse(rng, (0.9, 1.0), (0.1, 0.2), (0.1, 0.4), (0.15, 0.3))
    other = rng.uniform(0.0, 0.2)
    cheek, corner = (
        Pulse(0.0, lids.onset, lids.hold, lids.offset, rng.uniform(1, 4)) for _ in "ab"
    )
    moves = [Move(CLOSING, lids, (1.0, other)), Move("6", cheek, (1.0, other))]
    if rng.random() < 0.5:
        moves.append(Move("12", corner, (0.8, 0.0)))
    return [Move(m.unit, m.curve, m.sides[::-1]) for m in moves] if left else moves


def _smile(rng: np.random.Generator, left: bool) -> list[Move]:
    moves = _one("12")(rng, left)
    if rng.random() < 0.5:
        moves.append(Move("6", _pulse(rng, (1.0, 4.0)), moves[0].sides))
    return moves


def _frown(rng: np.random.Generator, left: bool) -> list[Move]:
    moves = _one("4")(rng, left)
    if rng.random() < 0.3:
        moves.append(Move("7", _pulse(rng, (1.0, 3.0)), moves[0].sides))
    return moves


def _nose_wrinkle(rng: np.random.Generator, left: bool) -> list[Move]:
    moves = _one("9", 2.5)(rng, left)
    for unit in ("4", "10"):
        if rng.random() < 0.3:
            moves.append(Move(unit, _pulse(rng, (1.0, 3.0)), moves[0].sides))
    return moves


def _yawn(rng: np.random.Generator, left: bool) -> list[Move]:
    """Open the mouth widely and slowly; the eyes narrow."""
    jaw = _pulse(rng, (4.7, HIGHEST), (0.4, 0.7), (0.4, 1.2), (0.4, 0.7))
    lids = Pulse(0.2, 0.4, jaw.hold, 0.4, rng.uniform(0.3, 0.8))
    return [Move("26", jaw), Move(CLOSING, lids), Move("1+2", _pulse(rng, (0.5, 2.0), (0.4, 0.6)))]


def _swing(unit: str, low: float, high: float) -> Callable[[np.random.Generator, bool], list[Move]]:
    def draw(rng: np.random.Generator, left: bool) -> list[Move]:
        size = rng.uniform(low, high) * rng.choice([-1, 1])
        cycles = float(rng.choice([1, 1.5, 2]))
        return [Move(unit, Swing(0.0, cycles / rng.uniform(1.6, 3.0), cycles, size))]

    return draw


_ACTIONS: Final[dict[str, Callable[[np.random.Generator, bool], list[Move]]]] = {
    "blink": _blink,
    SIDED: _wink,
    "brow raise": _one("1+2"),
    "frown": _frown,
    "smile": _smile,
    "nose wrinkle": _nose_wrinkle,
    "lip press": _one("24", 2.5),
    "mouth open": _one("26"),
    "yawn": _yawn,
    "nod": _swing("pitch", 0.07, 0.17),
    "shake": _swing("yaw", 0.1, 0.3),
    NOTHING: lambda rng, left: [],
}
ACTIONS: Final = tuple(_ACTIONS)
_OF_THE_MOUTH: Final = ("smile", "lip press", "mouth open", "yawn")
