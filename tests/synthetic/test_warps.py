"""Splines: they pass through what is held, agree with a reference, fold nowhere, are inverted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.synthetic.warps import (
    HIGH,
    LOW,
    STEP,
    Spline,
    border,
    grid,
    inverse,
    sample,
    stretch,
)

CONTROL = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.5], [-0.3, 0.9], [0.3, 0.9], [0.0, -0.3]])
FIXED = np.array([[0.0, -0.7]])


@pytest.fixture(scope="module")
def spline() -> Spline:
    return Spline(CONTROL, FIXED)


@pytest.fixture(scope="module")
def shifts() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.06, 0.06, CONTROL.shape)


def test_held_points_go_where_they_are_sent_and_the_border_stays(
    spline: Spline, shifts: np.ndarray
) -> None:
    assert_allclose(spline.weights(CONTROL) @ shifts, shifts, atol=2e-3)
    assert_allclose(spline.weights(np.array([LOW, HIGH, (LOW[0], HIGH[1])])) @ shifts, 0, atol=2e-3)
    assert_allclose(spline.weights(FIXED) @ shifts, 0, atol=2e-3)


def test_the_field_is_the_spline_on_the_grid(spline: Spline, shifts: np.ndarray) -> None:
    field, places = spline.field(shifts), grid()
    assert field.shape == places.shape
    assert_allclose(places[0, 0], LOW)
    assert_allclose(places[-1, -1], HIGH)
    assert_allclose(np.diff(places[0, :, 0]), STEP)
    assert_allclose(field[40, 30], (spline.weights(places[40, 30:31]) @ shifts)[0], atol=1e-6)


def test_it_is_the_thin_plate_spline_of_scikit_image(spline: Spline, shifts: np.ndarray) -> None:
    from skimage.transform import ThinPlateSplineTransform

    held = np.concatenate([CONTROL, FIXED, border()])
    moved = held.copy()
    moved[: len(CONTROL)] += shifts
    reference = ThinPlateSplineTransform.from_estimate(held, moved)
    inner = grid()[10:-10:9, 10:-10:9].reshape(-1, 2)
    ours = inner + spline.weights(inner) @ shifts
    assert_allclose(ours, reference(inner), atol=2e-3)  # ours smooths a little


def test_the_inverse_brings_back(spline: Spline, shifts: np.ndarray) -> None:
    field = spline.field(shifts)
    back = inverse(field)
    places = grid()[20:-20, 20:-20]
    arrived = places + sample(field, places)
    assert_allclose(arrived + sample(back, arrived), places, atol=5e-4)


def test_outside_of_the_grid_nothing_moves(spline: Spline, shifts: np.ndarray) -> None:
    beyond = np.array([[[LOW[0] - 0.1, 0.0], [0.0, HIGH[1] + 0.1]]])
    assert_allclose(sample(spline.field(shifts), beyond), 0)


def test_stretch_is_the_change_of_area_and_negative_where_it_folds() -> None:
    places = grid()
    assert_allclose(stretch(np.zeros_like(places, dtype=np.float32)), 1)
    assert_allclose(stretch((0.1 * places).astype(np.float32)), 1.21, atol=1e-4)
    folded = (places * (-1.5, 0)).astype(np.float32)
    assert (stretch(folded) < 0).all()
