"""The axis of time: round moments at true frames, and the values at the playhead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.signals.registry import signals
from facetrack_app.model.curves import curve_of
from facetrack_app.model.timeline import time_ticks
from tests.app.conftest import drawn


def test_moments_are_round_and_count_from_time_zero() -> None:
    times = np.arange(300) / 30
    assert time_ticks(times, 0, 0, 300, 5) == [
        (0, "0 s"), (60, "2 s"), (120, "4 s"), (180, "6 s"), (240, "8 s"),
    ]  # fmt: skip
    assert time_ticks(times, 60, 0, 120, 4)[:2] == [(0, "-2 s"), (30, "-1 s")]
    assert time_ticks(times, 0, 10, 16, 4) == [(11, "0.35 s"), (12, "0.40 s"), (14, "0.45 s"),
                                                (15, "0.50 s")]  # fmt: skip
    assert time_ticks(np.arange(9000) / 30, 0, 0, 9000, 5)[1:3] == [(1800, "1:00"), (3600, "2:00")]
    assert time_ticks(np.empty(0), 0, 0, 1, 5) == []


def test_a_variable_rate_puts_moments_at_their_own_frames() -> None:
    times = np.concatenate([np.arange(10) / 10, 1 + np.arange(11) / 2])
    ticks = {words: frame for frame, words in time_ticks(times, 0, 0, 21, 6)}
    assert ticks == {"0 s": 0, "1 s": 10, "2 s": 12, "3 s": 14, "4 s": 16, "5 s": 18, "6 s": 20}


@given(
    st.lists(st.floats(0.001, 50), min_size=1, max_size=60), st.integers(0, 70), st.integers(1, 12)
)
def test_moments_are_frames_that_are_shown_in_order(
    steps: list[float], zero: int, most: int
) -> None:
    times = np.concatenate([[0.0], np.cumsum(steps)])
    ticks = time_ticks(times, zero, 0, len(times), most)
    frames = [frame for frame, _ in ticks]
    assert frames == sorted(frames)
    assert all(0 <= frame < len(times) for frame in frames)
    assert len(ticks) <= most + 1


def test_a_curve_knows_the_value_of_every_frame() -> None:
    values = np.linspace(0, 20, 1000, dtype=np.float32)
    values[500:600] = np.nan
    curve = curve_of(signals()["pose_yaw"], drawn(values), 100, 50)
    assert curve.at(100) == "0 deg"
    assert curve.at(1099) == "20 deg"
    assert (curve.at(650), curve.at(99), curve.at(1100)) == ("", "", "")
    assert curve_of(signals()["eye_openness"], drawn(values), 0, 50).at(250) == f"{values[250]:.3g}"
    assert len(curve.least) == pytest.approx(50)
