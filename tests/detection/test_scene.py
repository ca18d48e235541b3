"""Cuts are seen; motion, light and black frames are none."""

import json

import cv2
import numpy as np
import pytest

from facetrack.detection.scene import CutDetector, _distance, _unchanged
from facetrack.formats.encoding import decode, encode

SIZE = (640, 360)


def scene(seed, *, low=20, high=235):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(low, high, (6, 10)).astype(np.float32)
    return np.clip(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


def cuts(*frames):
    detector = CutDetector()
    return [detector.update(frame) for frame in frames]


def test_another_scene_is_a_cut():
    assert cuts(scene(0), scene(1, low=60, high=120), scene(1, low=60, high=120)) == [
        False, True, False,
    ]  # fmt: skip


def test_colour_and_grey_agree():
    frames = [scene(0), scene(1, low=60, high=120)]
    assert cuts(*frames) == cuts(*(np.dstack([f, f, f]) for f in frames))


def test_motion_is_no_cut():
    picture = scene(0)
    assert not any(cuts(*(np.roll(picture, 25 * i, axis=1) for i in range(8))))


def test_something_jumping_before_a_flat_wall_is_no_cut():
    frames = []
    for x in (50, 350, 100, 400):
        frame = np.full((360, 640), 120, np.uint8)
        frame[80:280, x : x + 160] = scene(0)[80:280, 100:260]
        frames.append(frame)
    assert not any(cuts(*frames))


def test_somebody_who_comes_or_goes_is_no_cut():
    y = np.linspace(90, 110, 360)[:, None]
    room = np.tile(y, (1, 640)).astype(np.uint8)
    taken = room.copy()
    taken[40:340, 200:440] = scene(0)[40:340, 200:440]
    assert not any(cuts(room, taken, room, taken))


def test_black_around_two_pictures_does_not_make_them_one():
    frames = []
    for seed, x, level in ((0, 60, 235), (1, 430, 110)):
        frame = np.full((360, 640), 5, np.uint8)
        frame[:, x : x + 150] = scene(seed, low=60, high=level)[:, x : x + 150]
        frames.append(frame)
    assert cuts(*frames)[-1]


def test_a_flash_is_no_cut():
    picture = scene(0, low=20, high=120)
    assert not any(cuts(picture, np.clip(picture * 1.8, 0, 255).astype(np.uint8), picture))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_frame_is_no_cut_but_what_follows_is_compared(level):
    blank = np.full((360, 640), level, np.uint8)
    assert not any(cuts(scene(0), blank, blank, scene(0)))
    assert cuts(scene(0), blank, scene(1, low=60, high=120))[-1]


def test_sizes_may_change_and_be_nothing():
    assert cuts(np.zeros((0, 0), np.uint8), scene(0), scene(0)[::2, ::2]) == [False] * 3


def test_state_goes_through_json():
    detector = CutDetector()
    detector.update(scene(0))
    other = decode(CutDetector, json.loads(json.dumps(encode(detector))))
    assert other.update(scene(1, low=60, high=120))


def test_cuts_of_a_real_clip(shared):
    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(str(shared / "data" / "videos" / "stage_cuts.mp4"))
    detector, found, number = CutDetector(), [], 0
    while True:
        good, frame = capture.read()
        if not good:
            break
        if detector.update(np.asarray(frame, np.uint8)):
            found.append(number)
        number += 1
    assert found == [45, 107, 236]


def test_histograms_differ_by_what_their_bins_of_sixteen_levels_do_not_share():
    a, b = np.zeros((4, 8), np.float32), np.zeros((4, 8), np.float32)
    b[0] = 15.9  # the same bin
    assert _distance(a, b) == 0
    b[0] = 16.0
    assert _distance(a, b) == 0.25
    assert _distance(a + 100, b + 200) == 1


def test_what_is_lit_and_keeps_its_level_is_unchanged():
    a = np.array([[100, 100, 100, 23, 24, 18]], np.float32)
    b = np.array([[106, 94, 107, 23, 18, 24]], np.float32)
    assert _unchanged(a, b) == pytest.approx(4 / 6)


@pytest.mark.parametrize(("levels", "seen"), [(5, False), (7, True)])
def test_less_contrast_than_three_grey_levels_is_no_picture(levels, seen):
    """Two halves whose levels differ by twice as much."""
    frame = np.full((240, 320), 100, np.uint8)
    frame[:, 160:] += levels
    detector = CutDetector()
    detector.update(frame)
    assert (detector._last is not None) == seen
