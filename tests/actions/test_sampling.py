"""Which frames of a clip are seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.actions.sampling import segments, stretches
from facetrack.errors import InputError


@given(frames=st.integers(1, 300), count=st.integers(1, 40), seed=st.integers(0, 99))
def test_segments_never_fall_and_stay_inside(frames: int, count: int, seed: int) -> None:
    for rng in (None, np.random.default_rng(seed)):
        chosen = segments(frames, count, rng)
        assert chosen.shape == (count,)
        assert chosen.min() >= 0
        assert chosen.max() < frames
        assert (np.diff(chosen) >= 0).all()
        if frames >= count:  # one of each segment
            assert (chosen >= np.floor(np.arange(count) * frames / count)).all()


def test_segments_cover_all_frames_over_many_draws() -> None:
    rng = np.random.default_rng(0)
    seen = {i for _ in range(200) for i in segments(23, 4, rng).tolist()}
    assert seen == set(range(23))
    assert segments(9, 3).tolist() == [1, 4, 7]


@given(frames=st.integers(1, 300), count=st.integers(1, 40), every=st.integers(1, 4),
       clips=st.integers(1, 10))  # fmt: skip
def test_stretches_are_evenly_spaced(frames: int, count: int, every: int, clips: int) -> None:
    chosen = stretches(frames, count, every, clips)
    assert chosen.shape == (clips, count)
    assert chosen.min() >= 0
    assert chosen.max() < frames
    if frames > (count - 1) * every:
        assert (np.diff(chosen, axis=1) == every).all()
        assert (np.diff(chosen[:, 0]) >= 0).all()


def test_a_clip_without_frames_is_an_error() -> None:
    with pytest.raises(InputError, match="0 frames"):
        segments(0, 4)
