"""Jitter, still stretches and lag on tracks whose values are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter1d

from facetrack.errors import InputError
from facetrack.evaluation.jitter import jitter, lag, pool, still_stretches
from facetrack.landmarks.markup import GROUPS


@pytest.fixture
def face(make_faces):
    return make_faces(1)[0]


def wander(face, n: int, *, speed: float, seed: int = 0):
    """Move a face smoothly, by about `speed` px a frame."""
    rng = np.random.default_rng(seed)
    path = gaussian_filter1d(np.cumsum(rng.normal(0, 1, (n, 2)), axis=0), 5, axis=0)
    path *= speed / np.linalg.norm(np.diff(path, axis=0), axis=1).mean()
    return face + path[:, None]


def test_a_still_face_and_a_steady_motion_have_no_jitter(face) -> None:
    steady = face + np.arange(40)[:, None, None] * [0.5, 0.2]
    assert jitter(np.repeat(face[None], 40, axis=0), [(0, 40)])["all"] == 0
    assert jitter(steady, [(0, 40)])["all"] < 1e-9


def test_jitter_of_white_noise_has_its_known_mean(face) -> None:
    sigma = 0.6  # px; |second difference| is Rayleigh with scale sqrt(6) sigma
    noisy = face + np.random.default_rng(0).normal(0, sigma, (400, 68, 2))
    eyes = np.linalg.norm(face[36] - face[45])
    expected = 100 * np.sqrt(6) * sigma * np.sqrt(np.pi / 2) / eyes
    found = jitter(noisy, [(0, 400)])
    assert_allclose([found[k] for k in ("all", *GROUPS)], expected, rtol=0.05)


def test_only_the_given_stretches_count(face) -> None:
    track = np.repeat(face[None], 60, axis=0)
    track[30:] += np.random.default_rng(0).normal(0, 3, (30, 68, 2))
    assert jitter(track, [(0, 30)])["all"] == 0
    assert np.isnan(jitter(track, [])["all"])


def test_lost_frames_are_left_out(face) -> None:
    track = np.repeat(face[None], 60, axis=0)
    track[10] = np.nan
    assert jitter(track, [(0, 60)])["all"] == 0


def test_stretches_are_found_between_motions(face) -> None:
    rng = np.random.default_rng(0)
    still = np.repeat(face[None], 100, axis=0)
    motion = wander(face, 100, speed=3)
    clean = np.concatenate([still, motion, np.repeat(motion[-1:], 100, axis=0)])
    tracks = [clean + rng.normal(0, 0.3, clean.shape) for _ in range(2)]
    (first, second) = still_stretches(tracks)
    assert first[0] == 0
    assert 85 <= first[1] <= 105
    assert 195 <= second[0] <= 215
    assert second[1] == 300


def test_a_quick_motion_ends_a_stretch(face) -> None:
    track = np.repeat(face[None], 60, axis=0)
    track[30, list(GROUPS["eyes"])] += (0, 3)  # lids that move for one frame
    assert still_stretches([track, track]) == [(0, 29), (32, 60)]


def test_a_track_that_is_lost_is_not_still(face) -> None:
    track = np.repeat(face[None], 90, axis=0)
    track[40:50] = np.nan
    assert all(end <= 40 or first >= 50 for first, end in still_stretches([track]))


def test_tracks_of_different_lengths_are_refused(face) -> None:
    with pytest.raises(InputError, match="one shape"):
        still_stretches([np.stack([face] * 3), np.stack([face] * 4)])


@pytest.mark.parametrize("frames", [0, 1, 3])
@pytest.mark.parametrize("rate", [25.0, 60.0])
def test_lag_of_a_pure_delay_is_its_length(face, frames: int, rate: float) -> None:
    raw = wander(face, 300, speed=2)
    delayed = np.concatenate([np.repeat(raw[:1], frames, axis=0), raw[: 300 - frames]])
    measured = lag(raw, delayed, np.arange(300) / rate)
    assert measured == pytest.approx(1000 * frames / rate, abs=1)


def test_lag_of_a_moving_average_is_half_its_length_in_spite_of_jitter(face) -> None:
    raw = wander(face, 400, speed=2)
    raw += np.random.default_rng(1).normal(0, 1, raw.shape)
    average = (raw + np.roll(raw, 1, 0) + np.roll(raw, 2, 0)) / 3
    assert lag(raw[2:], average[2:], np.arange(398) / 50) == pytest.approx(20, abs=2)


def test_lag_of_short_tracks_is_unknown(face) -> None:
    track = np.repeat(face[None], 20, axis=0)
    assert np.isnan(lag(track, track, np.arange(20) / 25))


def test_clips_are_pooled_by_their_frames() -> None:
    pooled = pool([{"a": 1.0}, {"a": 4.0}, {"a": float("nan")}], [30, 10, 99])
    assert pooled == {"a": 1.75}
    assert pool([], []) == {}
