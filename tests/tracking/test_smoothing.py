"""One-Euro smoothing: steadier points, no leak between parts, the dial's ends."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import InputError
from facetrack.tracking.smoothing import OneEuro, PointSmoother

RATE = 30.0


def smooth(smoother, shapes, rate=RATE):
    return np.array([smoother.update(shape, i / rate) for i, shape in enumerate(shapes)])


def jitter(shapes):
    """Root mean square of the second difference."""
    return np.sqrt(np.square(shapes[2:] - 2 * shapes[1:-1] + shapes[:-2]).mean())


def noisy(head, n=120, sigma=0.5):
    rng = np.random.default_rng(0)
    return head + 200 + sigma * rng.standard_normal((n, 68, 2))


def test_more_dial_means_less_jitter(head):
    shapes = noisy(head)
    levels = [jitter(smooth(PointSmoother(dial, head), shapes)) for dial in (0.1, 0.5, 1.0)]
    assert jitter(shapes) > 1.5 * levels[0]
    assert levels[0] > levels[1] > levels[2]
    assert jitter(shapes) > 5 * levels[2]


def test_a_still_face_stays_what_it_is(head):
    shapes = np.repeat(head[None] + 200, 30, axis=0)
    assert_allclose(smooth(PointSmoother(1.0, head), shapes), shapes, atol=1e-9)


def test_a_blink_does_not_move_nose_and_brows(head):
    shapes = np.repeat(head[None] + 200, 60, axis=0)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        middle = (shapes[28:32, upper] + shapes[28:32, lower]) / 2
        shapes[28:32, upper] = shapes[28:32, lower] = middle
    moved = np.abs(smooth(PointSmoother(1.0, head), shapes) - shapes)
    assert moved[:, 17:36].max() < 1e-9
    assert moved[:, 36:48].max() > 0.1


def test_speech_does_not_move_the_eyes(head):
    shapes = np.repeat(head[None] + 200, 60, axis=0)
    shapes[:, 55:60, 1] += 6 * np.sin(np.arange(60))[:, None]
    moved = np.abs(smooth(PointSmoother(1.0, head), shapes) - shapes)
    assert moved[:, 17:48].max() < 1e-9


def test_a_moving_face_is_followed(head):
    path = np.stack([np.linspace(0, 300, 60), np.zeros(60)], axis=1)  # 150 px a second
    shapes = head + path[:, None]
    error = np.abs(smooth(PointSmoother(0.5, head), shapes) - shapes)[20:]
    assert error.max() < 5 * 300 / 60  # at most five frames late


def test_a_head_turning_over_half_a_circle_is_not_unwound(head):
    angles = np.linspace(2.6, 3.7, 40)  # passes the seam of atan2
    turns = np.array([[[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]] for a in angles])
    shapes = head @ turns
    assert np.abs(smooth(PointSmoother(1.0, head), shapes) - shapes).max() < 10


def test_a_long_gap_starts_anew(head):
    smoother = PointSmoother(1.0, head)
    smoother.update(head, 0.0)
    assert_allclose(smoother.update(head + 50, 2.0), head + 50, atol=1e-9)


@given(scale=st.floats(0.2, 5), angle=st.floats(-3, 3), shift=st.floats(-500, 500))
def test_frame_of_reference_does_not_matter(scale, angle, shift):
    rng = np.random.default_rng(1)
    head = np.concatenate([rng.uniform(-50, 50, (68, 2))])
    turn = scale * np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )
    shapes = noisy(head, n=8)
    plain = smooth(PointSmoother(0.7, head), shapes)
    mapped = smooth(PointSmoother(0.7, head), shapes @ turn + shift)
    assert_allclose(mapped, plain @ turn + shift, atol=1e-6 * (scale + 1) * 100)


def test_state_goes_through_json_to_the_last_bit(head):
    shapes = noisy(head, n=20)
    first = PointSmoother(0.6, head)
    smooth(first, shapes[:10])
    second = PointSmoother(0.6, head)
    second.restore(json.loads(json.dumps(first.state())))
    for number in range(10, 20):
        a = first.update(shapes[number], number / RATE)
        assert_array_equal(a, second.update(shapes[number], number / RATE))


def test_groups_share_their_speed_but_no_value():
    still, moving = OneEuro(1.0, [[0, 1], [2]]), OneEuro(1.0, [[0, 1], [2]])
    for step in range(10):
        a = still.update(np.array([0.0, 0.0, 5.0]), 1 / RATE)
        b = moving.update(np.array([0.0, float(step), 5.0]), 1 / RATE)
    assert a[0] == b[0] == 0
    assert b[2] == 5
    assert b[1] > 6


@pytest.mark.parametrize("dial", [0, -0.1, 1.1, np.nan])
def test_wrong_dial_is_named(dial, head):
    with pytest.raises(InputError, match="smoothing"):
        PointSmoother(dial, head)


def low_pass(cutoff, elapsed):
    """Casiez et al. (CHI 2012), equations 3 and 4: the weight of a new value."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * elapsed))


def test_one_value_is_filtered_as_in_the_paper():
    """Equations 6 and 7; the slope is 12 Hz a unit a second, the speed's own cut-off 1.5 Hz."""
    rng = np.random.default_rng(2)
    one, value, speed = OneEuro(2.0, [[0]]), None, 0.0
    for elapsed in (0.04, 0.04, 0.03, 0.1, 0.04):
        new = float(rng.normal())
        if value is None:
            value = new
        else:
            speed += low_pass(1.5, elapsed) * ((new - value) / elapsed - speed)
            value += low_pass(2.0 + 12.0 * abs(speed) / 5.0, elapsed) * (new - value)
        assert one.update(np.array([new]), elapsed, 5.0)[0] == pytest.approx(value)


def test_a_group_has_the_root_mean_square_of_its_speeds():
    both, alone = OneEuro(1.0, [[0, 2], [1]]), OneEuro(1.0, [[0]])
    for filter_, size in ((both, 3), (alone, 1)):
        filter_.update(np.zeros(size), 0.04)
    found = both.update(np.array([3.0, 0.0, 4.0]), 0.04)
    expected = alone.update(np.array([math.sqrt(12.5)]), 0.04)[0] / math.sqrt(12.5)
    assert_allclose(found, expected * np.array([3.0, 0.0, 4.0]))


@pytest.mark.parametrize(("dial", "cutoff"), [(1e-9, 8.0), (0.5, 2.0), (1.0, 0.5)])
def test_the_dial_goes_from_eight_hertz_to_a_half(head, dial, cutoff):
    """A face that is shifted at once, by a tenth of the eyes' distance."""
    smoother, shift = PointSmoother(dial, head), 0.1 * np.linalg.norm(head[45] - head[36])
    smoother.update(head, 0.0)
    moved = (smoother.update(head + np.array([shift, 0]), 0.04) - head).mean(axis=0)
    speed = low_pass(1.5, 0.04) * 0.1 / 0.04 / math.sqrt(2)  # of x and y together
    assert_allclose(moved, [shift * low_pass(cutoff + 12 * speed, 0.04), 0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("gap", "anew"), [(0.5, False), (0.51, True), (0.0, True), (-0.1, True)])
def test_half_a_second_or_a_step_back_starts_anew(head, gap, anew):
    smoother = PointSmoother(1.0, head)
    smoother.update(head, 10.0)
    moved = smoother.update(head + 5.0, 10.0 + gap)
    assert np.allclose(moved, head + 5.0, atol=1e-9) == anew
