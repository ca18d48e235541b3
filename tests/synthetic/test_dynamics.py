"""Curves in time: phases, sums, and what a person makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from facetrack.synthetic.dynamics import (
    Delayed,
    Move,
    Pulse,
    Sway,
    Swing,
    Syllables,
    Traits,
    amount,
    curves,
    play,
)
from facetrack.synthetic.units import CLOSING

TIMES = np.arange(0, 6, 0.02)


def test_amounts_are_those_of_the_grades_and_grow() -> None:
    assert_allclose(amount(np.arange(6)), [0, 0.15, 0.35, 0.6, 0.8, 1.0])
    assert (np.diff(amount(np.linspace(0, 5, 200))) > 0).all()
    assert_allclose(amount([-1, 7]), [0, 1])


@given(st.floats(0, 2), st.floats(0.1, 1), st.floats(0, 2), st.floats(0.1, 1), st.floats(0.5, 5))
def test_a_pulse_rises_holds_and_falls(
    start: float, onset: float, hold: float, offset: float, peak: float
) -> None:
    pulse = Pulse(start, onset, hold, offset, peak)
    times = np.array([start - 0.1, start, start + onset, start + onset + hold, pulse.stop, 9.0])
    assert_allclose(pulse.at(times), [0, 0, peak, peak, 0, 0], atol=1e-9)
    rising = pulse.at(np.linspace(start, start + onset, 20))
    assert (np.diff(rising) >= 0).all()


def test_while_it_is_held_a_pulse_drifts() -> None:
    pulse = Pulse(0.0, 0.5, 2.0, 0.5, 4.0, drift=0.1)
    assert_allclose(pulse.at(np.array([0.5, 1.5, 2.5])), [4.0, 4.4, 4.0])


def test_talking_and_swinging_stay_in_their_bounds() -> None:
    talk = Syllables(1.0, 4.0, 2.0, 4.0, 0.3).at(TIMES)
    assert talk[(TIMES <= 1) | (TIMES >= 4)].max() == 0
    assert 1.2 < talk.max() <= 2
    assert talk.min() >= 0
    minima = np.sum((talk[1:-1] < talk[:-2]) & (talk[1:-1] <= talk[2:]))
    assert 8 <= minima <= 16  # about four a second
    swing = Swing(1.0, 1.0, 2.0, 0.2).at(TIMES)
    assert swing[(TIMES <= 1) | (TIMES >= 2)].max() == pytest.approx(0, abs=1e-9)
    assert np.sum(np.diff(np.sign(swing[(TIMES > 1.01) & (TIMES < 1.99)])) != 0) == 3
    sway = Sway(np.random.default_rng(0), 0.1).at(TIMES)
    assert 0.01 < np.abs(sway).max() <= 0.1


def test_the_strongest_move_of_a_unit_counts_and_turns_add_up() -> None:
    low, high = Pulse(0, 0.5, 3, 0.5, 2), Pulse(1, 0.5, 1, 0.5, 4)
    moves = [Move("4", low), Move("4", high), Move("yaw", Pulse(0, 1, 1, 1, 0.1))]
    moves += [Move("yaw", Pulse(0, 1, 1, 1, -0.3)), Move("pitch", Pulse(0, 1, 1, 1, 2.0))]
    found = curves(moves, TIMES)
    assert_allclose(found["4"], np.maximum(low.at(TIMES), high.at(TIMES)))
    assert found["yaw"].min() == pytest.approx(-0.2)
    assert found["pitch"].max() == 0.18  # farther no portrait turns


def test_a_person_moves_more_or_less_than_others_but_the_intensity_is_the_same() -> None:
    moves = [Move("4", Pulse(0, 0.5, 3, 0.5, 3), (1.2, 0.8)), Move(CLOSING, Pulse(0, 1, 1, 1, 1))]
    plain = play(moves, TIMES)
    strong = play(moves, TIMES, Traits(gains={"4": 1.5}))
    held = 50  # 1 s
    assert_allclose(plain[held].units["4"], (0.72, 0.48))
    assert_allclose(strong[held].units["4"], (1.08, 0.72))
    assert plain[held].shut == strong[held].shut == (1.0, 1.0)
    assert plain[-1].units == {}
    assert plain[-1].shut == (0.0, 0.0)


def test_people_differ_and_are_drawn_by_seed() -> None:
    one, again, other = (Traits.drawn(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == again != other
    many = [g for s in range(60) for g in Traits.drawn(np.random.default_rng(s)).gains.values()]
    assert np.std(np.log(many)) == pytest.approx(0.2, abs=0.02)


def test_delay() -> None:
    pulse = Pulse(0.2, 0.5, 1, 0.5, 1)
    assert_allclose(Delayed(pulse, 1.0).at(TIMES), Pulse(1.2, 0.5, 1, 0.5, 1).at(TIMES))
