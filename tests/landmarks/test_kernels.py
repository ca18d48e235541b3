"""The parts of the camera's fit, one by one: a later part hides what an earlier one does wrong."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.landmarks import _kernels
from facetrack.landmarks._kernels import SPREAD
from tests.plain import uncompiled

KERNELS = uncompiled(_kernels)
FOCAL = 600.0
HEAD = np.random.default_rng(3).uniform((-30, -20, 10), (60, 70, 80), (14, 3))  # not centred


def rotation(*vector: float) -> np.ndarray:
    return np.asarray(scipy.spatial.transform.Rotation.from_rotvec(vector).as_matrix())


def pose_of(turned: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.vstack([turned, place])


def seen(pose: np.ndarray) -> np.ndarray:
    p = HEAD @ pose[:3].T + pose[3]
    return np.array(p[:, :2] / p[:, 2:] * FOCAL)


@pytest.mark.parametrize("seed", range(8))
def test_a_camera_far_away_is_that_of_singular_values(seed: int) -> None:
    """The rows that are nearest to the affine map, and the mean of its singular values."""
    rng = np.random.default_rng(seed)
    affine, shift = rng.normal(0, 2, (2, 3)), rng.uniform(-200, 200, 2)
    points = HEAD @ affine.T + shift
    u, scales, vt = np.linalg.svd(affine, full_matrices=False)
    rows = u @ vt
    turned = np.array([*rows, np.cross(*rows)])
    depth = FOCAL / scales.mean()
    place = [*(points.mean(axis=0) / FOCAL * depth), depth] - turned @ HEAD.mean(axis=0)
    found = np.full((4, 3), np.nan)
    KERNELS._weak_perspective(points, HEAD, FOCAL, found)
    assert_allclose(found, pose_of(turned, place), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("flat", [0, 1, 2])
def test_a_flat_head_has_no_camera(flat: int) -> None:
    head, found = HEAD.copy(), np.full((4, 3), np.nan)
    head[:, flat] = 0
    KERNELS._weak_perspective(seen(pose_of(np.eye(3), np.array([0, 0, 500]))), head, FOCAL, found)
    assert np.isnan(found).all()


def test_a_head_that_shrinks_to_nothing_stays_within_reach() -> None:
    found = np.full((4, 3), np.nan)
    with np.errstate(all="raise"):
        KERNELS._weak_perspective(1e-12 * HEAD[:, :2], HEAD, FOCAL, found)
    middle = 1e-12 * HEAD[:, :2].mean(axis=0) / FOCAL
    depth = FOCAL / 1e-9
    place = [*(depth * middle), depth] - found[:3] @ HEAD.mean(axis=0)
    assert_allclose(found[3], place, rtol=1e-9)


@pytest.mark.parametrize("line", [(3.0, 1.0), (1.0, 3.0), (0.0, 2.0), (2.0, 0.0), (-2.0, 2.0)])
@pytest.mark.parametrize("axis", [(1.0, 2.0, 2.0), (2.0, -1.0, 2.0), (2.0, 2.0, 1.0)])
def test_points_on_a_line_turn_about_it_as_they_like(line, axis) -> None:
    """One singular value is nought: one row is the line's, the other one any across it."""
    affine, rows = np.outer(line, axis), np.empty((2, 3))
    scale = KERNELS._nearest_rows(affine, rows)
    assert scale == pytest.approx(0.5 * np.linalg.norm(affine))
    assert_allclose(rows @ rows.T, np.eye(2), atol=1e-9)
    longer = int(abs(line[1]) > abs(line[0]))
    assert_allclose(rows[longer], np.sign(line[longer]) * np.array(axis) / 3, atol=1e-9)
    across = np.argmin(np.abs(axis))  # its shortest side, which is farthest from the line
    assert rows[1 - longer][across] > 0.9


def test_a_fit_refines_a_pose_that_is_far_off() -> None:
    """Its last step is below five thousandths, and squares what is left."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        turned, place = rotation(*rng.normal(0, 0.4, 3)), np.array([90.0, -70.0, 260.0])
        truth = pose_of(turned, place)
        found = pose_of(rotation(*rng.normal(0, 0.15, 3)) @ turned, place + rng.normal(0, 15, 3))
        KERNELS._refine(seen(truth), HEAD, FOCAL, found)
        assert_allclose(found[:3], truth[:3], atol=5e-5)
        assert_allclose(found[3], truth[3], atol=0.02)


def test_a_fit_ends_at_the_least_error() -> None:
    """No small motion of the camera lowers the error of noisy points."""
    rng = np.random.default_rng(1)
    start = pose_of(rotation(0.2, -0.4, 0.3), np.array([-60.0, 50.0, 300.0]))
    points = seen(start) + rng.normal(0, 3, (len(HEAD), 2))
    found = start.copy()
    KERNELS._refine(points, HEAD, FOCAL, found)

    def error(pose: np.ndarray) -> float:
        return float(((seen(pose) - points) ** 2).sum())

    least = error(found)
    assert least < error(start)
    for c in range(3):
        for step in (-2e-3, 2e-3):
            moved, nudge = found.copy(), step * np.eye(3)[c]
            moved[:3] = rotation(*nudge) @ found[:3]
            assert error(moved) > least
            moved = found.copy()
            moved[3] += 300 * nudge
            assert error(moved) > least


@pytest.mark.parametrize(("nearest", "moves"), [(1.0, False), (1.5, True)])
def test_a_camera_in_the_head_is_left_as_it_is(nearest: float, moves: bool) -> None:
    truth = pose_of(np.eye(3), np.array([0.0, 0.0, nearest - HEAD[:, 2].min()]))
    found = truth.copy()
    KERNELS._refine(seen(truth) + 0.5, HEAD, FOCAL, found)
    assert (found != truth).any() == moves


def test_equations_are_solved_by_their_lower_half() -> None:
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 8))
    matrix, vector = root @ root.T, rng.normal(size=6)
    lower, solved = np.tril(matrix), vector.copy()
    assert KERNELS._solve(lower, solved)
    assert_allclose(solved, np.linalg.solve(matrix, vector), rtol=1e-5)


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_equations_without_a_solution_are_refused(bad: float) -> None:
    assert not KERNELS._solve(np.diag([2.0, bad, 1.0]), np.ones(3))


@pytest.mark.parametrize("vector", [(0.3, -0.2, 0.5), (0.0, 0.0, 2.0), (1e-8, 0, 0), (0, 0, 0)])
def test_a_pose_turns_as_rodrigues_says(vector: tuple[float, float, float]) -> None:
    before = pose_of(rotation(0.4, 0.1, -0.7), np.array([1.0, 2.0, 3.0]))
    turned = before.copy()
    KERNELS._turn(turned, np.array([*vector, 7.0, 8.0, 9.0]))  # what follows is no rotation
    assert_allclose(turned[:3], rotation(*vector) @ before[:3], atol=1e-12)
    assert_array_equal(turned[3], before[3])


@pytest.mark.parametrize("along", [(1.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("place", [-1000.0, 0.0, 1000.0])
def test_points_that_coincide_have_no_camera(along: tuple[float, float], place: float) -> None:
    line = np.outer(np.linspace(0, 1, len(HEAD)), along)
    found = np.zeros((4, 3))
    KERNELS.camera(0.9 * SPREAD * line + place, HEAD, FOCAL, found)
    assert np.isnan(found).all()
    KERNELS.camera(1.1 * SPREAD * line + place, HEAD, FOCAL, found)
    assert np.isfinite(found).all()


def test_a_spread_of_just_the_limit_is_enough() -> None:
    found, points = np.zeros((4, 3)), np.zeros((len(HEAD), 2))
    points[0, 1] = SPREAD
    KERNELS.camera(points, HEAD, FOCAL, found)
    assert np.isfinite(found).all()


def test_no_similarity_fits_what_coincides() -> None:
    found = np.zeros(4)
    KERNELS.similarity(np.full((5, 2), 0.5), HEAD[:5, :2].copy(), found)
    assert np.isnan(found).all()


def test_equations_of_points_on_a_line_are_damped_until_they_are_solved() -> None:
    assert KERNELS._solve(np.ones((3, 3)), np.ones(3))
