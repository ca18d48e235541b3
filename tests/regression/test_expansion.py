"""What one frame teaches, against the textbook: expansions, remainders, pseudo-samples."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from facetrack.regression.expansion import differences, pseudo_samples, remainders, shifted

N, K, M, R, STEP = 68, 3, 6, 4, 1.3
RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(20, 140, (N, 2))
BASIS = np.linalg.qr(RNG.normal(size=(2 * N, M)))[0].astype(np.float32)
SPREAD = RNG.normal(size=(M, R)).astype(np.float32)
DELTA = RNG.normal(0, 20, M)
MOVED = (BASIS @ DELTA).reshape(N, 2)
# Each landmark's features: x + G d + h |d|^2, where d is how far it lies from its true place.
X, SLOPES = RNG.normal(size=(N, K)), RNG.normal(size=(N, 2, K))
CURVATURE = RNG.normal(size=(N, K))


def read(shapes: np.ndarray) -> np.ndarray:
    d = shapes - TRUTH
    linear = X + np.einsum("sna,nak->snk", d, SLOPES)
    return np.asarray(linear + (d**2).sum(axis=2)[..., None] * CURVATURE, dtype=np.float32)


READINGS = read(shifted(TRUTH + MOVED, TRUTH, STEP))


def test_a_frame_is_read_where_it_is_at_the_truth_and_a_step_to_each_side() -> None:
    shapes = shifted(TRUTH + MOVED, TRUTH, STEP)
    steps = [(0, 0), (STEP, 0), (-STEP, 0), (0, STEP), (0, -STEP)]
    expected = [TRUTH + MOVED, *(TRUTH + np.array(step) for step in steps)]
    assert_allclose(shapes, expected)


def test_differences_are_slopes_per_pixel() -> None:
    found = differences(READINGS[None], STEP)[0]
    assert_allclose(found, SLOPES.transpose(1, 0, 2), atol=1e-5)


def test_a_remainder_is_what_the_slopes_do_not_say() -> None:
    gradients = differences(READINGS[None], STEP)
    found = remainders(READINGS[None], gradients, MOVED[None].astype(np.float32))[0]
    expected = (MOVED**2).sum(axis=1)[:, None] * CURVATURE
    assert np.abs(expected).max() > 1
    assert_allclose(found, expected, atol=1e-3)


def test_pseudo_samples_are_the_textbooks() -> None:
    """The frame itself, the slopes along each direction of the spread, the remainder."""
    columns, targets = pseudo_samples(READINGS, TRUTH + MOVED, TRUTH, BASIS, SPREAD, STEP)
    along = (BASIS @ SPREAD).reshape(N, 2, R)
    slopes = np.einsum("nak,nar->nkr", SLOPES, along).reshape(N * K, R)
    remainder = ((MOVED**2).sum(axis=1)[:, None] * CURVATURE).ravel()
    expected = np.zeros((N * K + 1, R + 2))
    expected[:, 0] = [*READINGS[0].ravel(), 1]
    expected[:-1, 1:-1] = slopes
    expected[:-1, -1] = np.sqrt(1.5) * remainder
    assert_allclose(columns, expected, rtol=1e-4, atol=1e-3)
    assert_allclose(targets, np.column_stack([DELTA, SPREAD, np.zeros(M)]), atol=1e-4)


def test_what_the_basis_cannot_say_of_a_displacement_is_no_target() -> None:
    outside = RNG.normal(size=2 * N)
    outside -= BASIS @ (BASIS.T @ outside)
    current = TRUTH + MOVED + outside.reshape(N, 2)
    readings = read(shifted(current, TRUTH, STEP))
    _, targets = pseudo_samples(readings, current, TRUTH, BASIS, SPREAD, STEP)
    assert_allclose(targets[:, 0], DELTA, atol=1e-4)
