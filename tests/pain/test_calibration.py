from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.pain.calibration import HIGHEST, Calibration, calibrate, smooth


def people(count: int, seed: int, frames: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give scores, labels and names of people who each have their own bias and noise."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(count), frames)
    labels = rng.uniform(0, 6, len(who))
    bias, noise = rng.normal(0, 0.3, count), rng.uniform(0.2, 1.0, count)
    scores = 0.8 * labels + bias[who] + rng.normal(0, noise[who])
    return scores, labels, np.array([f"s{n:02}" for n in who])


@pytest.mark.parametrize("coverage", [0.9, 0.6])
def test_intervals_hold_for_other_people(coverage: float) -> None:
    calibration = calibrate(*people(60, 0), coverage=coverage)
    assert len(calibration.edges) == 2
    scores, labels, _ = people(60, 1)
    low, high = calibration.interval(scores)
    assert np.mean((low <= labels) & (labels <= high)) == pytest.approx(coverage, abs=0.05)


def test_high_scores_have_intervals_of_their_own() -> None:
    scores, labels, who = people(40, 2)
    labels = np.where(scores > 2, labels + np.random.default_rng(0).normal(0, 5, len(who)), labels)
    low, high = calibrate(scores, labels, who).interval([0.0, 1.0, 4.0])
    widths = high - low
    assert widths[2] > 2 * widths[1]


def test_every_subject_weighs_the_same() -> None:
    few, many = [f"s{n}" for n in range(9)], "long"
    who = np.array([name for name in few for _ in range(30)] + [many] * 30_000)
    residuals = np.where(who == many, 8.0, np.tile(np.linspace(0, 1, 30), len(who) // 30))
    found = calibrate(np.zeros(len(who)), residuals, who, coverage=0.7)  # tails of 15 %
    assert 0.8 < found.high[0] <= 1.0  # the long film is a tenth of the weight
    assert calibrate(np.zeros(len(who)), residuals, who, coverage=0.9).high[0] == 8.0


@pytest.mark.parametrize(
    ("low", "middle", "high", "subjects", "edges"),
    [
        (300, 300, 300, 10, [0.5, 2.0]),
        (300, 300, 300, 5, [0.5, 2.0]),
        (300, 300, 300, 4, []),
        (300, 200, 200, 10, [0.5, 2.0]),
        (300, 300, 150, 10, [0.5]),
        (150, 150, 300, 10, [2.0]),
        (300, 100, 120, 10, [0.5]),
        (300, 100, 99, 10, []),
        (300, 0, 300, 10, [0.5]),
    ],
)
def test_bins_that_hold_too_little_are_merged(
    low: int, middle: int, high: int, subjects: int, edges: list[float]
) -> None:
    scores = np.repeat([0.2, 1.0, 5.0], [low, middle, high])
    who = np.arange(len(scores)) % subjects
    found = calibrate(scores, scores + 1, who)
    assert found.edges.tolist() == edges
    assert_allclose(found.low, np.ones(len(edges) + 1))
    assert_allclose(found.high, np.ones(len(edges) + 1))


def test_a_bin_of_few_people_is_merged_however_many_frames_it_has() -> None:
    scores = np.repeat([0.2, 1.0, 5.0], 1000)
    who = np.arange(3000) % 10
    who[2000:] = np.arange(1000) % 4
    assert calibrate(scores, scores, who).edges.tolist() == [0.5]


@given(
    st.lists(st.floats(-20, 40), min_size=1, max_size=20),
    st.lists(st.floats(-20, 20), min_size=6, max_size=6),
)
def test_intervals_lie_within_the_scale_and_hold_the_score_that_is_shown(
    scores: list[float], quantiles: list[float]
) -> None:
    calibration = Calibration(
        np.array([0.5, 2.0]), np.array(quantiles[:3]), np.array(quantiles[3:])
    )
    low, high = calibration.interval(scores)
    shown = np.clip(scores, 0, HIGHEST)
    assert (low >= 0).all()
    assert (high <= HIGHEST).all()
    assert (low <= shown).all()
    assert (shown <= high).all()


def test_the_interval_is_the_score_and_its_bin_s_quantiles() -> None:
    calibration = Calibration(np.array([2.0]), np.array([-0.5, -1.0]), np.array([0.25, 3.0]))
    low, high = calibration.interval([1.0, 2.0, 15.0])
    assert_allclose(low, [0.5, 1.0, 14.0])
    assert_allclose(high, [1.25, 5.0, 16.0])


@pytest.mark.parametrize("frames", [1, 3, 5, 9, 15])
@pytest.mark.parametrize("rate", [15.0, 25.0])
def test_a_step_arrives_half_a_window_later(frames: int, rate: float) -> None:
    times = np.arange(120) / rate
    step = (np.arange(120) >= 60).astype(float)
    width = (frames - 1) / rate
    causal, centred = smooth(times, step, width), smooth(times, step, width, centred=True)
    assert (step - causal).sum() / rate == pytest.approx(width / 2)  # the lag of a running mean
    assert (step - centred).sum() == pytest.approx(0.0, abs=1e-9)
    assert causal[59] == 0.0
    assert causal[60] == pytest.approx(1 / frames)
    assert causal[60 + frames - 1] == 1.0
    assert centred[60 - (frames - 1) // 2 - 1] == 0.0
    assert centred[60 + (frames - 1) // 2] == 1.0


def test_nothing_is_averaged_over_a_border_or_a_gap() -> None:
    times = np.concatenate([np.arange(10), np.arange(10), np.arange(20, 30)]) / 10
    sequences = np.repeat([0, 1, 1], 10)
    scores = np.repeat([0.0, 6.0, 2.0], 10)
    for centred in (False, True):
        found = smooth(times, scores, 0.8, centred=centred, sequences=sequences)
        assert_allclose(found, scores)
    assert smooth(times[10:], scores[10:], 0.8).tolist() == scores[10:].tolist()


@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=40), st.floats(0, 1), st.booleans())
def test_smoothing_is_the_mean_of_the_window(
    steps: list[float], width: float, centred: bool
) -> None:
    times = np.cumsum(steps)
    scores = np.sin(9 * times)
    found = smooth(times, scores, width, centred=centred)
    run = np.concatenate([[0], np.cumsum(np.diff(times) > 0.3 + 1e-6)])
    back, ahead = (width / 2, width / 2) if centred else (width, 0.0)
    for i, time in enumerate(times):
        here = (times >= time - back - 1e-6) & (times <= time + ahead + 1e-6) & (run == run[i])
        assert found[i] == pytest.approx(scores[here].mean(), abs=1e-9)


def test_no_window_leaves_the_scores() -> None:
    scores = np.random.default_rng(0).normal(size=50)
    assert_allclose(smooth(np.arange(50) / 25, scores, 0.0), scores, atol=1e-12)
    assert_array_equal(smooth([], [], 0.4), [])
