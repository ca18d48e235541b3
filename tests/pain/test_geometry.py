from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import InputError
from facetrack.landmarks.markup import MARKUPS, MIRROR, STABLE, mirror
from facetrack.pain.geometry import (
    CHAINS,
    GEOMETRY,
    MOTION,
    POINTS,
    register,
    shape_features,
    unit_shape,
)
from facetrack.pain.sets import FeatureSet
from facetrack.synthetic.portrait import astronaut

Floats = npt.NDArray[np.float64]

SYMMETRIC = (astronaut().points + mirror(astronaut().points, 512)) / 2
MEAN = unit_shape(SYMMETRIC)
DISTANCES, ANGLES, RADIAL = slice(98, 135), slice(135, 169), slice(169, 218)


def faces(count: int, seed: int = 0) -> Floats:
    """Give faces whose every point is astray by some pixels."""
    rng = np.random.default_rng(seed)
    return np.asarray(astronaut().points + rng.normal(0, 2.0, (count, 68, 2)))


def described(points: Floats) -> Floats:
    return shape_features(np.stack([register(p, MEAN) for p in points]), MEAN)


def test_316_values_of_49_points() -> None:
    assert MARKUPS[49] == POINTS
    assert [len(chain) for chain in CHAINS] == [11, 11, 18]
    assert all(list(chain) == sorted(chain) for chain in CHAINS)
    static = described(faces(3))
    assert static.shape == (3, 218)
    assert MOTION == 98
    assert 98 + MOTION + (10 + 10 + 17) + (9 + 9 + 16) + 49 == 218 + MOTION == GEOMETRY == 316


def test_blocks_are_what_they_are_called() -> None:
    seen = np.stack([register(p, MEAN) for p in faces(2)])
    found = shape_features(seen, MEAN)
    place = {point: number for number, point in enumerate(POINTS)}
    assert_allclose(found[:, :98], (seen - MEAN[list(POINTS)]).reshape(2, 98))
    chains = [seen[:, [place[i] for i in chain]] for chain in CHAINS]
    steps = [np.linalg.norm(c[:, 1:] - c[:, :-1], axis=2) for c in chains]
    assert_allclose(found[:, DISTANCES], np.concatenate(steps, axis=1))
    for face in range(2):
        angles = []
        for chain in chains:
            a, b, c = chain[face, :-2], chain[face, 1:-1], chain[face, 2:]
            cosines = ((a - b) * (c - b)).sum(1)
            lengths = np.linalg.norm(a - b, axis=1) * np.linalg.norm(c - b, axis=1)
            angles.append(np.arccos(cosines / lengths))
        assert_allclose(found[face, ANGLES], np.concatenate(angles), atol=1e-6)
        middle = np.median(seen[face, [place[i] for i in STABLE]], axis=0)
        assert_allclose(found[face, RADIAL], np.linalg.norm(seen[face] - middle, axis=1))


@given(
    st.floats(0.1, 10), st.floats(-np.pi, np.pi), st.floats(-500, 500), st.floats(-500, 500),
    st.integers(0, 99),
)  # fmt: skip
def test_size_roll_and_place_do_not_matter(
    scale: float, roll: float, x: float, y: float, seed: int
) -> None:
    c, s = scale * np.cos(roll), scale * np.sin(roll)
    points = faces(1, seed)
    moved = points @ np.array([[c, s], [-s, c]]) + (x, y)
    assert_allclose(described(moved), described(points), atol=1e-6)


def test_a_mirrored_face_gives_mirrored_values() -> None:
    points = faces(4)
    found, turned = described(points), described(np.stack([mirror(p, 512) for p in points]))
    place = {point: number for number, point in enumerate(POINTS)}
    swap = [place[MIRROR[i]] for i in POINTS]
    shape = found[:, :98].reshape(4, 49, 2)[:, swap] * (-1, 1)
    assert_allclose(turned[:, :98], shape.reshape(4, 98), atol=1e-9)
    assert_allclose(turned[:, RADIAL], found[:, RADIAL][:, swap], atol=1e-9)
    assert np.abs(turned[:, :98] - found[:, :98]).max() > 0.01


def test_what_expressions_move_does_not_move_the_registration() -> None:
    points = faces(1)[0]
    moved = points.copy()
    others = [i for i in range(68) if i not in STABLE]
    moved[others] += (3.0, -5.0)
    kept = [place for place, i in enumerate(POINTS) if i in STABLE]
    assert_array_equal(register(points, MEAN)[kept], register(moved, MEAN)[kept])


@given(st.integers(0, 10**6), st.floats(0.0, 3.0))
def test_angles_lie_between_0_and_pi(seed: int, spread: float) -> None:
    shapes = np.random.default_rng(seed).normal(0, spread, (2, 49, 2))
    angles = shape_features(shapes, MEAN)[:, ANGLES]
    assert (angles >= 0).all()
    assert (angles <= np.pi).all()


def test_angles_are_0_at_repeated_points_and_pi_on_a_line() -> None:
    line = np.stack([np.arange(49.0), np.zeros(49)], axis=1)
    assert_allclose(shape_features(line[None], MEAN)[0, ANGLES], np.pi)
    twice = line.copy()
    places = {point: number for number, point in enumerate(POINTS)}
    twice[places[18]] = twice[places[17]]  # both neighbours of the first angle's point ...
    found = shape_features(twice[None], MEAN)[0]
    assert found[98] == found[135] == 0.0
    assert found[136] == pytest.approx(np.pi)  # ... and not of the second
    assert_array_equal(shape_features(np.zeros((1, 49, 2)), MEAN)[0, ANGLES], 0.0)


def test_a_still_face_has_no_motion_and_a_moving_one_has_its_steps() -> None:
    times = np.arange(6) / 25
    one = FeatureSet("geometry", "window", 1 / 25, MEAN)
    still = np.repeat(register(faces(1)[0], MEAN).reshape(1, -1), 6, axis=0)
    found = one.features(times, still)
    assert found.shape == (6, GEOMETRY)
    assert_array_equal(found[:, 218:], 0.0)
    moving = still + np.arange(6)[:, None] ** 2 * 0.01
    wanted = np.diff(moving, axis=0, prepend=moving[:1])  # none in the first frame
    assert_allclose(one.features(times, moving)[:, 218:], wanted, atol=1e-9)
    assert_array_equal(FeatureSet("geometry", "static", 1 / 25, MEAN).features(times, moving),
                       one.features(times, moving)[:, :218])  # fmt: skip


def test_motion_is_measured_over_the_training_s_step_at_any_rate() -> None:
    one = FeatureSet("geometry", "window", 1 / 25, MEAN)
    times = np.arange(30) / 60
    still = register(faces(1)[0], MEAN).reshape(1, -1)
    found = one.features(times, still + times[:, None] * 0.5)[:, 218:]
    assert_allclose(found[3:], 0.5 / 25, atol=1e-9)


def test_the_unit_is_the_distance_of_the_outer_eye_corners() -> None:
    placed = unit_shape(astronaut().points)
    assert_allclose(placed[[36, 45]], [[-0.5, 0], [0.5, 0]], atol=1e-12)
    assert placed[8, 1] > 1.0  # the chin, below


def test_points_that_cannot_be_registered_are_refused() -> None:
    points = astronaut().points.copy()
    with pytest.raises(InputError, match=r"\(68, 2\), got \(66, 2\)"):
        register(points[:66], MEAN)
    with pytest.raises(InputError, match="coincide"):
        register(np.zeros((68, 2)), MEAN)
    points[50] = np.nan
    with pytest.raises(InputError, match="no place"):
        register(points, MEAN)
    points[50], points[60] = 0, np.nan  # the inner mouth corners are not looked at
    assert register(points, MEAN).shape == (49, 2)
