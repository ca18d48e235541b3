"""Blinks and what leaks from them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.evaluation.blinks import blink_leak, eye_opening, find_blinks
from facetrack.landmarks.markup import REGIONS

UPPER, LOWER = [37, 38, 43, 44], [41, 40, 47, 46]
BLINKS = (30, 75, 120)


def blinking(face, *, leak: float = 0.0):
    """Close the eyes three times; nose and brows follow by `leak` px."""
    track = np.repeat(face[None], 160, axis=0)
    for middle in BLINKS:
        for t in range(middle - 3, middle + 4):
            shut = 1 - abs(t - middle) / 4
            track[t, UPPER] += shut * 0.9 * (track[t, LOWER] - track[t, UPPER])
            track[t, list(REGIONS["nose"] + REGIONS["left_brow"] + REGIONS["right_brow"]), 1] += (
                shut * leak
            )
    return track


@pytest.fixture
def face(make_faces):
    return make_faces(1)[0]


def test_closed_eyes_have_no_opening(face) -> None:
    shut = face.copy()
    shut[UPPER] = shut[LOWER]
    assert_allclose(eye_opening(shut[None]), 0, atol=1e-12)
    assert eye_opening(face[None])[0] > 0.1


def test_blinks_are_found_where_they_are(face) -> None:
    assert find_blinks([blinking(face), blinking(face)])[0] == list(BLINKS)


def test_a_moving_head_hides_blinks(face) -> None:
    track = blinking(face)
    track += np.arange(160)[:, None, None] * 2.0
    assert find_blinks([track])[0] == []


def test_eyes_that_stay_shut_are_no_blink(face) -> None:
    track = np.repeat(face[None], 60, axis=0)
    track[30:, UPPER] = track[30:, LOWER]
    assert find_blinks([track])[0] == []


def test_nothing_leaks_where_only_the_lids_move(face) -> None:
    track = blinking(face)
    leak = blink_leak(track, *find_blinks([track]))
    assert (leak.amplitude, leak.correlation) == pytest.approx((0, 0), abs=1e-9)
    assert leak.blinks == 3


def test_what_leaks_is_measured_in_eye_distances(face) -> None:
    eyes = np.linalg.norm(face[36] - face[45])
    leaking = blinking(face, leak=0.02 * float(eyes))
    leaking += np.arange(160)[:, None, None] * 0.05  # the head's own slow motion does not count
    leak = blink_leak(leaking, *find_blinks([blinking(face)]))
    assert leak.amplitude == pytest.approx(2, rel=0.05)
    assert leak.correlation == pytest.approx(0.5, abs=0.02)  # in y wholly, in x not at all


def test_without_blinks_nothing_is_said(face) -> None:
    leak = blink_leak(np.repeat(face[None], 60, axis=0), [], np.ones(60))
    assert np.isnan(leak.amplitude)
    assert leak.blinks == 0
