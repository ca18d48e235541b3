"""What happens in films: shares, labels that follow the curves, blinks that are no pain."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.pain.pspi import pspi
from facetrack.pain.script import labels, write_only, write_script
from facetrack.synthetic.dynamics import HIGHEST, Move, Pulse, curves
from facetrack.synthetic.units import CLOSING

TIMES = np.arange(90) / 15


@pytest.fixture(scope="module")
def films() -> list[list[dict[int, float]]]:
    """Labels of 300 films."""
    scripts = (write_script(np.random.default_rng(seed), 6.0) for seed in range(300))
    return [labels(script, TIMES) for script in scripts]


def test_four_frames_of_five_score_nothing(films: list[list[dict[int, float]]]) -> None:
    scores = np.array([[float(pspi(units)) for units in film] for film in films])
    assert np.mean(scores == 0) == pytest.approx(0.8, abs=0.04)
    assert 0.2 < np.mean((scores == 0).all(axis=1)) < 0.5  # films without any
    counts = np.bincount(scores.astype(int).ravel(), minlength=17)
    assert (np.diff(counts[:7]) < 0).all()  # the stronger the rarer
    assert counts[12:].sum() > 0


def test_every_unit_of_the_score_and_what_is_none_happens(
    films: list[list[dict[int, float]]],
) -> None:
    seen = {unit for film in films for units in film for unit in units}
    assert {4, 6, 7, 9, 10, 43, 12, 1, 2, 26, 17, 24} <= seen
    alone = [u for film in films for u in film if u.get(12, 0) >= 2 and pspi(u) == 0]
    glad = [u for film in films for u in film if u.get(12, 0) >= 2 and u.get(6, 0) >= 1]
    assert len(alone) > len(glad) > 100


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_the_rounded_curves(seed: int) -> None:
    script = write_script(np.random.default_rng(seed), 6.0)
    latent = curves(script, TIMES)
    for frame, units in enumerate(labels(script, TIMES)):
        for unit in (4, 6, 7, 9, 10, 12):
            intensity = latent[str(unit)][frame] if str(unit) in latent else 0.0
            assert units.get(unit, 0) == np.floor(intensity + 0.5)
        assert all(grade > 0 for grade in units.values())


def test_blinks_do_not_count_as_closed_eyes_and_held_lids_do() -> None:
    blink = Move(CLOSING, Pulse(1.0, 0.12, 0.05, 0.2, 1.0))
    held = Move(CLOSING, Pulse(3.0, 0.2, 0.8, 0.3, 1.0))
    found = labels((blink, held), TIMES)
    closed = TIMES[[43 in units for units in found]]
    assert 3.0 < closed.min() < 3.3
    assert 3.9 < closed.max() < 4.4
    assert len(closed) >= 8


def test_a_brow_raise_is_two_units() -> None:
    found = labels((Move("1+2", Pulse(0.0, 0.5, 3.0, 0.5, 3.0)),), TIMES)
    assert found[30] == {1: 3, 2: 3}


def test_units_of_pain_are_as_frequent_as_said() -> None:
    """An event comes every 6.2 s in two films of three; 3 % are strong, and have all units.

    Of the others half move the brows, 95 % the lids and 35 % nose or lip, by both units in four of
    ten and otherwise by either. Units 4, 7, 9 and 10 are in nothing else.
    """
    n_films, seconds = 2000, 6.0
    events = n_films * 2 / 3 * seconds / 6.2
    counts = dict.fromkeys(("4", "7", "9", "10"), 0)
    for seed in range(n_films):
        for move in write_script(np.random.default_rng(seed), seconds):
            if move.unit in counts:
                counts[move.unit] += 1
    of_two = 0.4 + 0.6 / 2
    expected = {
        "4": 0.03 + 0.97 * 0.5,
        "7": (0.03 + 0.97 * 0.95) * of_two,
        "9": (0.03 + 0.97 * 0.35) * of_two,
        "10": (0.03 + 0.97 * 0.35) * of_two,
    }
    for unit, share in expected.items():
        assert counts[unit] / events == pytest.approx(share, rel=0.1)  # three deviations


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("smile", [{"12"}]),
        ("glad", [{"6", "12"}]),
        ("brows", [{"1+2"}]),
        ("talk", [{"18", "26"}, {"20", "26"}]),
        ("turn", [{"roll", "yaw"}]),
        ("nod", [{"pitch"}]),
        ("swallow", [{"17", "24"}]),
        ("lips", [{"15"}, {"17"}, {"18"}, {"24"}]),
        ("yawn", [{"1+2", "26", CLOSING}]),
        ("rest", [{CLOSING}]),
    ],
)
def test_a_film_of_one_other_thing_shows_it_every_four_seconds(
    name: str, units: list[set[str]]
) -> None:
    seconds = 14.0
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    blinks = write_only(other, seconds, "")
    moves = write_only(rng, seconds, name)
    pulses = [move for move in blinks if isinstance(move.curve, Pulse)]
    assert [move for move in moves[: len(blinks)] if isinstance(move.curve, Pulse)] == pulses
    done = moves[len(blinks) :]
    each = len(units[0])
    assert len(done) == 3 * each  # from second 1 on: 1, 5, 9
    for number, start in enumerate((1.0, 5.0, 9.0)):
        now = done[number * each : (number + 1) * each]
        assert {move.unit for move in now} in units
        times = start + np.arange(-1, 5, 0.05)
        for curve in curves(tuple(now), times).values():
            moved = times[np.abs(curve) > 1e-9]
            assert start <= moved.min() < start + 1
            assert moved.max() < start + 4.8
            assert np.abs(curve).max() <= HIGHEST


def test_people_blink_ten_to_twenty_times_a_minute() -> None:
    counts = []
    for seed in range(40):
        script = write_script(np.random.default_rng(seed), 60.0)
        short = [m for m in script if m.unit == CLOSING and isinstance(m.curve, Pulse)]
        counts.append(sum(m.curve.hold < 0.1 for m in short if isinstance(m.curve, Pulse)))
    assert 9 <= np.mean(counts) <= 21


def test_the_same_seed_makes_the_same_film() -> None:
    one, again, other = (
        labels(write_script(np.random.default_rng(s), 6.0), TIMES) for s in (1, 1, 2)
    )
    assert one == again != other
