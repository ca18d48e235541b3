"""What a synthetic person does in one film: expressions of pain, and what is none."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.pain.pspi import held
from facetrack.synthetic.dynamics import HIGHEST, Move, Pulse, Sway, Syllables, curves
from facetrack.synthetic.units import CLOSING

Values = npt.NDArray[np.float64]

_CLOSED: Final = 0.8  # of the way of the lids: eyes closed
_PAIN_EVERY: Final = 6.2  # seconds, in films with pain
_WITHOUT: Final = 1 / 3  # share of films without
_STRONG: Final = 0.03  # share of events near the maximum
_LEVELS: Final = 0.6  # of the geometric distribution of peaks
# Chances that an event of pain has a unit; of pairs, that it has either or both.
_BROWS, _LIDS, _BOTH, _NOSE, _EYES, _MOUTH = 0.5, 0.95, 0.4, 0.35, 0.4, 0.25
_ASIDE: Final = (0.12, 0.3)  # asymmetry: standard deviation, largest
_BLINKS: Final = (10, 20)  # a minute
# Chances of other things in a film of `_USUAL` seconds.
_USUAL: Final = 6.0
_AGAIN: Final = 4.0  # seconds from one to the next in a film of nothing else
OTHERS: Final = {
    "smile": 0.3, "glad": 0.12, "brows": 0.35, "talk": 0.4, "turn": 0.5, "nod": 0.3,
    "swallow": 0.25, "lips": 0.25, "yawn": 0.06, "rest": 0.06,
}  # fmt: skip


def write_script(rng: np.random.Generator, seconds: float) -> tuple[Move, ...]:
    """Draw what happens in a film of so many seconds."""
    moves = [*_sway(rng), *_blinks(rng, seconds)]
    if rng.random() > _WITHOUT:
        for start in _starts(rng, seconds, seconds / _PAIN_EVERY):
            moves += _pain(rng, start)
    for name, chance in OTHERS.items():
        for start in _starts(rng, seconds, chance * seconds / _USUAL):
            moves += _other(rng, name, start)
    return tuple(moves)


def write_only(rng: np.random.Generator, seconds: float, name: str) -> tuple[Move, ...]:
    """Draw a film of blinks, and of one of `OTHERS` again and again, or "" for none."""
    moves = [*_sway(rng), *_blinks(rng, seconds)]
    for start in np.arange(1.0, seconds - 1.0, _AGAIN) if name else ():
        moves += _other(rng, name, float(start))
    return tuple(moves)


def labels(moves: tuple[Move, ...], times: Values) -> list[dict[int, float]]:
    """Code what happens as a person would: grades of action units by frame, without absent ones."""
    # The intensity is rounded; eyes count as closed if they are so for half a second or more.
    latent = curves(moves, times)
    found: list[dict[int, float]] = [{} for _ in times]
    for unit, values in latent.items():
        if unit == CLOSING:
            rate = 1 / (times[1] - times[0]) if len(times) > 1 else 1.0
            grades = held(values >= _CLOSED, rate).astype(np.float64)
        elif unit[0].isdigit():
            grades = np.floor(values + 0.5)
        else:
            continue
        for frame in np.flatnonzero(grades).tolist():
            found[frame] |= {int(number): float(grades[frame]) for number in unit.split("+")}
    return [dict(sorted(units.items())) for units in found]


def _starts(rng: np.random.Generator, seconds: float, expected: float) -> list[float]:
    return sorted(rng.uniform(-0.3, seconds - 0.3, size=rng.poisson(expected)).tolist())


def _sides(rng: np.random.Generator) -> tuple[float, float]:
    """Draw the factors of the right and the left half."""
    aside = min(abs(rng.normal(0, _ASIDE[0])), _ASIDE[1]) * rng.choice([-1, 1])
    return 1 + aside, 1 - aside


def _level(rng: np.random.Generator) -> float:
    """Draw a peak: 1 most often, 5 least."""
    return float(np.clip(rng.geometric(_LEVELS) + rng.uniform(-0.45, 0.45), 0.6, HIGHEST))


def _pulse(rng: np.random.Generator, start: float, peak: float, hold: float) -> Pulse:
    onset = rng.uniform(0.25, 0.8)
    return Pulse(start, onset, hold, onset * rng.uniform(1.5, 2.5), peak, rng.uniform(-0.1, 0.1))


def _pain(rng: np.random.Generator, start: float) -> list[Move]:
    """Draw one expression of pain: brows and lids, then nose and lip, more often than not."""
    strong = rng.random() < _STRONG
    chosen = []
    if strong or rng.random() < _BROWS:
        chosen.append("4")
    if strong or rng.random() < _LIDS:
        chosen += ["6", "7"] if rng.random() < _BOTH else [rng.choice(["6", "7"])]
    late = []
    if strong or rng.random() < _NOSE:
        late = ["9", "10"] if rng.random() < _BOTH else [rng.choice(["9", "10"])]
    if rng.random() < _MOUTH:
        late.append(rng.choice(["12", "20", "26"]))
    level = HIGHEST - 0.3 if strong else _level(rng)
    hold = float(np.clip(0.3 + rng.exponential(0.6), 0.3, 4.0))
    sides = _sides(rng)
    moves = []
    for unit in chosen + late:
        after = rng.uniform(0.1, 0.3) if unit in late and rng.random() < 0.7 else 0.0
        peak = float(np.clip(level + rng.normal(0, 0.5), 0.6, HIGHEST))
        if unit in ("12", "20", "26"):
            peak *= 0.6
        when = start + after + rng.uniform(0, 0.1)
        moves.append(Move(str(unit), _pulse(rng, when, peak, hold), sides))
    if strong or rng.random() < _EYES:
        shut = Pulse(start + rng.uniform(0, 0.3), rng.uniform(0.15, 0.3), max(hold, 0.5), 0.3, 1.0)
        moves.append(Move(CLOSING, shut))
    return moves


def _other(rng: np.random.Generator, name: str, start: float) -> list[Move]:
    """Draw something that is not pain, whatever score the formula gives it."""
    sides, hold = _sides(rng), float(rng.uniform(0.3, 1.5))

    def pulse(peak: float, *, hold: float = hold) -> Pulse:
        return _pulse(rng, start, peak, hold)

    match name:
        case "smile":
            return [Move("12", pulse(rng.uniform(1.5, 5)), sides)]
        case "glad":
            level = rng.uniform(1.5, 5)
            lifted = Move("6", pulse(level * rng.uniform(0.4, 0.9)), sides)
            return [Move("12", pulse(level), sides), lifted]
        case "brows":
            return [Move("1+2", pulse(rng.uniform(1.5, 5)), sides)]
        case "talk":
            stop = start + rng.uniform(1.5, 4)
            jaw, lips = rng.uniform(1, 2.8), rng.uniform(0.8, 2.5)
            rounded_or_wide = str(rng.choice(["18", "20"]))
            return [
                Move("26", Syllables.drawn(rng, start, stop, jaw)),
                Move(rounded_or_wide, Syllables.drawn(rng, start, stop, lips)),
            ]
        case "turn":
            far = rng.uniform(0.12, 0.34) * rng.choice([-1, 1])
            tilt = Move("roll", pulse(rng.uniform(-0.15, 0.15)))
            return [Move("yaw", pulse(far)), tilt]
        case "nod":
            return [Move("pitch", pulse(rng.uniform(-0.17, 0.17)))]
        case "swallow":
            short = Pulse(start, 0.2, 0.1, 0.3, rng.uniform(1.5, 3.5))
            return [Move("17", short), Move("24", short)]
        case "lips":
            return [
                Move(str(rng.choice(["24", "18", "15", "17"])), pulse(rng.uniform(1, 4.5)), sides)
            ]
        case "rest":
            return [Move(CLOSING, pulse(1.0, hold=hold + 0.4))]
        case _:  # a yawn: the eyes narrow and stay open a little
            wide = Pulse(start, rng.uniform(0.6, 1), rng.uniform(0.8, 1.6), 0.7, HIGHEST)
            lids = Pulse(start + 0.3, 0.6, wide.hold, 0.6, rng.uniform(0.3, 0.7))
            return [Move("26", wide), Move(CLOSING, lids), Move("1+2", pulse(1.5))]


def _sway(rng: np.random.Generator) -> list[Move]:
    """Draw the small motions that a head makes all the time."""
    sizes = {"yaw": 0.04, "pitch": 0.03, "roll": 0.025, "right": 0.04, "down": 0.03}
    return [Move(unit, Sway(rng, size)) for unit, size in sizes.items()]


def _blinks(rng: np.random.Generator, seconds: float) -> list[Move]:
    gap = 60 / rng.uniform(*_BLINKS)
    moves, time = [], rng.uniform(0, gap)
    while time < seconds:
        closing, opening = rng.uniform(0.1, 0.15), rng.uniform(0.15, 0.25)
        blink = Pulse(time, closing, rng.uniform(0.02, 0.06), opening, rng.uniform(0.9, 1.0))
        moves.append(Move(CLOSING, blink))
        time += max(gap * rng.uniform(0.4, 1.6), 0.6)
    return moves
