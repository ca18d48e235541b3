from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.formats.encoding import decode, encode
from facetrack.pain.history import GAP, STEPS, Usual, from_usual, mean_and_slope, past, runs

grown = st.lists(st.floats(0.01, 0.3), min_size=1, max_size=30).map(np.cumsum)


@given(grown, st.floats(0.01, 0.2))
def test_values_between_frames_are_interpolated_and_none_before_the_first(
    times: np.ndarray, step: float
) -> None:
    values = np.stack([np.sin(times), times], axis=1)
    seen = past(times, values, step)
    assert seen.shape == (len(times), STEPS, 2)
    for back in range(STEPS):
        for column in range(2):
            wanted = np.interp(times - back * step, times, values[:, column])
            assert_allclose(seen[:, back, column], wanted, atol=1e-4)


@given(grown, st.floats(0.01, 0.2), st.integers(0, 29))
def test_a_window_does_not_depend_on_where_the_looking_begins(
    times: np.ndarray, step: float, first: int
) -> None:
    first = min(first, len(times) - 1)
    values = np.cos(times * 7)[:, None]
    assert_array_equal(past(times, values, step, first), past(times, values, step)[first:])


@given(grown, st.floats(0.01, 0.1))
def test_nothing_depends_on_the_future(times: np.ndarray, step: float) -> None:
    values = np.cos(times * 7)[:, None]
    whole = past(times, values, step)
    for n in (1, (len(times) + 1) // 2):
        assert_allclose(past(times[:n], values[:n], step), whole[:n], atol=1e-12)


def test_frames_at_the_training_s_rate_are_taken_as_they_are() -> None:
    times = np.arange(20) / 15
    values = np.random.default_rng(0).normal(size=(20, 3))
    seen = past(times, values, 1 / 15)
    for back in range(STEPS):
        assert_allclose(seen[back:, back], values[: 20 - back], atol=1e-9)
    assert_allclose(seen[0], np.repeat(values[:1], STEPS, axis=0))


@given(st.floats(-5, 5), st.floats(-100, 100), st.floats(0.02, 0.2))
def test_the_slope_of_a_ramp_is_exact(slope: float, offset: float, step: float) -> None:
    times = np.arange(40) * 0.03
    ramp = (offset + slope * times)[:, None]
    inside = np.flatnonzero(times >= step * (STEPS - 1))
    mean, change = mean_and_slope(past(times, ramp, step))[inside].T
    assert_allclose(change, slope * step, atol=1e-6)
    assert_allclose(mean, ramp[inside, 0] - 2 * step * slope, atol=1e-6)


def test_the_slope_is_that_of_least_squares() -> None:
    seen = np.random.default_rng(1).normal(size=(6, STEPS, 2))
    found = mean_and_slope(seen)
    for row in range(6):
        for column in range(2):
            wanted, _ = np.polyfit(-np.arange(STEPS), seen[row, :, column], 1)
            assert found[row, 2 + column] == pytest.approx(wanted)
            assert found[row, column] == pytest.approx(seen[row, :, column].mean())


@given(st.lists(st.tuples(st.sampled_from([0.04, 0.3, 0.31, 2.0]), st.booleans()), max_size=40))
def test_runs_end_at_gaps_and_borders_alone(steps: list[tuple[float, bool]]) -> None:
    times, sequences = [], []
    time, sequence = 0.0, 0
    for step, border in steps:
        time, sequence = (0.0, sequence + 1) if border else (time + step, sequence)
        times.append(time)
        sequences.append(sequence)
    found = runs(times, sequences)
    assert [i for run in found for i in range(run.start, run.stop)] == list(range(len(times)))
    starts = {run.start for run in found}
    for i in range(1, len(times)):
        apart = sequences[i] != sequences[i - 1] or times[i] - times[i - 1] > GAP + 1e-5
        assert (i in starts) == apart


def test_without_numbers_of_sequences_there_is_one() -> None:
    assert runs([0.0, 0.1, 0.2, 0.9]) == [slice(0, 3), slice(3, 4)]
    assert runs([]) == []


def test_what_is_usual_is_the_mean_so_far_and_then_one_of_ten_seconds() -> None:
    usual = Usual()
    values = [np.array([v]) for v in (4.0, 8.0, 0.0, 10.0)]
    found = [
        float(usual.update(t, v)[0]) for t, v in zip((1.0, 1.1, 1.2, 9.2), values, strict=True)
    ]
    mean = (4 + 8 + 0) / 3
    share = 1 - np.exp(-8.0 / 10)  # more than a quarter
    assert found == pytest.approx([0, 8 - 6, 0 - mean, (1 - share) * (10 - mean)])
    assert (usual.since, usual.last, usual.count) == (1.0, 9.2, 4)
    assert usual.mean == pytest.approx(mean + share * (10 - mean))
    again = decode(Usual, json.loads(json.dumps(encode(usual))))
    assert_array_equal(again.update(9.3, values[0]), usual.update(9.3, values[0]))


def test_every_sequence_has_its_own_usual() -> None:
    values = np.array([[4.0], [8.0], [5.0], [1.0]])
    found = from_usual([0.0, 0.1, 0.0, 0.1], values, [slice(0, 2), slice(2, 4)])
    assert found.ravel().tolist() == [0, 2, 0, -2]
