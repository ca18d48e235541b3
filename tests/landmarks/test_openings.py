"""Openings of eyes and mouth are those of the papers, point by point."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facetrack.landmarks import openings
from facetrack.landmarks.openings import opening

POINTS = np.random.default_rng(0).uniform(0, 100, (68, 2))


def aspect_ratio(p: np.ndarray) -> float:
    """Soukupova and Cech (2016), equation 1: six points of an eye, clockwise from a corner."""
    upright = np.linalg.norm(p[1] - p[5]) + np.linalg.norm(p[2] - p[4])
    return float(upright / (2 * np.linalg.norm(p[0] - p[3])))


def test_eyes_are_open_by_their_aspect_ratio() -> None:
    right = opening(POINTS.tolist(), openings.RIGHT_EYE_LIDS, openings.RIGHT_EYE_CORNERS)
    left = opening(POINTS.tolist(), openings.LEFT_EYE_LIDS, openings.LEFT_EYE_CORNERS)
    assert right == pytest.approx(aspect_ratio(POINTS[36:42]))
    assert left == pytest.approx(aspect_ratio(POINTS[42:48]))


def test_mouths_are_open_by_the_three_pairs_of_inner_lips() -> None:
    """Inner lips run clockwise from the right corner, 60 to 67: the upper ones first."""
    upper, lower = POINTS[61:64], POINTS[67:64:-1]
    mean = np.linalg.norm(upper - lower, axis=1).mean()
    width = np.linalg.norm(POINTS[48] - POINTS[54])  # outer corners
    found = opening(POINTS.tolist(), openings.INNER_LIPS, openings.MOUTH_CORNERS)
    assert found == pytest.approx(mean / width)


def test_nothing_is_open_without_a_width_or_a_point() -> None:
    points = POINTS.copy()
    points[39] = points[36]
    assert math.isnan(opening(points.tolist(), ((37, 41),), (36, 39)))
    points[37] = np.nan
    assert math.isnan(opening(points.tolist(), ((37, 41),), (42, 45)))
    points[42] = np.nan
    assert math.isnan(opening(points.tolist(), ((38, 40),), (42, 45)))
