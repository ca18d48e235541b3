"""What is seen of a face, and its way to 25 frames per second."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.actions.looks import LOOK, RATE, Looks, mirrored, resampled


def test_mirroring_swaps_sides_and_mirrors_turns() -> None:
    values = np.random.default_rng(0).standard_normal((5, len(LOOK)))
    other = mirrored(values)
    at = LOOK.index
    assert np.array_equal(other[:, at("eyeBlinkLeft")], values[:, at("eyeBlinkRight")])
    assert np.array_equal(other[:, at("brow_height_left")], values[:, at("brow_height_right")])
    assert np.array_equal(other[:, at("yaw")], -values[:, at("yaw")])
    assert np.array_equal(other[:, at("pitch")], values[:, at("pitch")])
    assert np.array_equal(mirrored(other), values)


@pytest.mark.parametrize("rate", [15.0, 25.0, 29.97, 60.0])
def test_resampled_looks_lie_on_the_line(rate: float) -> None:
    times = 3.0 + np.arange(60) / rate
    slopes = np.arange(len(LOOK))
    found = resampled(Looks(times, times[:, None] * slopes))
    assert found.times[0] == 3.0
    np.testing.assert_allclose(np.diff(found.times), 1 / RATE)
    assert times[-1] - found.times[-1] < 1 / RATE
    np.testing.assert_allclose(found.values, found.times[:, None] * slopes, atol=1e-9)


def test_short_gaps_are_bridged_and_long_ones_are_not() -> None:
    times = np.arange(100) / RATE
    values = np.ones((100, len(LOOK)))
    values[10:13] = np.nan
    values[50:70] = np.nan
    values[:2] = np.nan
    known = np.asarray(np.isfinite(resampled(Looks(times, values)).values).all(axis=1))
    assert known[2:50].all()
    assert not known[:2].any()
    assert not known[50:70].any()
    assert known[70:].all()
    assert len(resampled(Looks(times, values * np.nan)).times) == 0
