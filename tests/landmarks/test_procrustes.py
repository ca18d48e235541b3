import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.landmarks.markup import MARKUPS, MIRROR, mirror, outer_eye_distance, to_markup
from facetrack.landmarks.procrustes import Similarity, align_all, fit_similarity, mean_shape

scales = st.floats(0.05, 20)
angles = st.floats(-3.1, 3.1)
shifts = st.floats(-1e3, 1e3)


def similarity(scale: float, angle: float, tx: float, ty: float) -> Similarity:
    return Similarity(scale * np.cos(angle), scale * np.sin(angle), tx, ty)


def random_shape(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(68, 2)) * 40 + 100


@given(scales, angles, shifts, shifts)
def test_inverse_undoes_a_similarity(scale, angle, tx, ty):
    transform = similarity(scale, angle, tx, ty)
    points = random_shape()
    assert_allclose(transform.inverse().apply(transform.apply(points)), points, atol=1e-7)


@given(scales, angles, shifts, shifts)
def test_fit_finds_the_similarity_that_was_applied(scale, angle, tx, ty):
    points = random_shape()
    moved = similarity(scale, angle, tx, ty).apply(points)
    found = fit_similarity(points, moved)
    assert_allclose([found.a, found.b], [scale * np.cos(angle), scale * np.sin(angle)], atol=1e-8)
    assert found.scale == pytest.approx(scale)
    assert_allclose(found.apply(points), moved, atol=1e-6)


def test_maps_and_fits_equal_their_plain_twins():
    rng = np.random.default_rng(5)
    source, target = rng.normal(size=(2, 30, 2)) * 50
    s, d = source - source.mean(axis=0), target - target.mean(axis=0)
    cross = s[:, 0] * d[:, 1] - s[:, 1] * d[:, 0]
    a, b = (s * d).sum() / (s * s).sum(), cross.sum() / (s * s).sum()
    matrix = np.array([[a, -b], [b, a]])
    found = fit_similarity(source, target)
    assert_allclose(found.matrix[:, :2], matrix, atol=1e-12)
    expected = s @ matrix.T + target.mean(axis=0)
    assert_allclose(found.apply(source), expected, atol=1e-9)
    many = found.apply(source.reshape(5, 3, 2, 2).transpose(1, 0, 2, 3))
    assert_allclose(many, expected.reshape(5, 3, 2, 2).transpose(1, 0, 2, 3), atol=1e-9)
    assert_allclose(found.apply([1, 2]), matrix @ ([1, 2] - source.mean(0)) + target.mean(0))


def test_points_are_copied():
    points = random_shape()
    kept = points.copy()
    points.setflags(write=False)
    moved = Similarity(2, 1, 3, 4).apply(points)
    assert moved.flags.writeable
    assert_allclose(points, kept, atol=0)


def test_fit_minimises_in_the_target_frame():
    source, target = random_shape(1), random_shape(2)
    best = fit_similarity(source, target)

    def cost(s: Similarity) -> float:
        return float(((s.apply(source) - target) ** 2).sum())

    for field in ("a", "b", "tx", "ty"):
        for step in (-1e-3, 1e-3):
            values = {f: getattr(best, f) for f in ("a", "b", "tx", "ty")}
            values[field] += step
            assert cost(Similarity(**values)) > cost(best)


def test_the_matrix_is_the_map():
    transform = similarity(1.7, 0.4, 3, -8)
    points = random_shape()
    homogeneous = np.column_stack([points, np.ones(68)])
    assert_allclose(homogeneous @ transform.matrix.T, transform.apply(points))


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (np.zeros((68, 2)), random_shape(), "coincide"),
        (np.full((68, 2), np.nan), random_shape(), "finite"),
        (random_shape(), np.full((68, 2), np.inf), "finite"),
        (random_shape()[:5], random_shape(), r"\(5, 2\)"),
    ],
)
def test_wrong_shapes_are_named(source, target, message):
    with pytest.raises(InputError, match=message):
        fit_similarity(source, target)


def test_align_all_equals_fitting_one_by_one():
    shapes = np.stack([random_shape(i) for i in range(5)])
    target = random_shape(9)
    expected = [fit_similarity(s, target).apply(s) for s in shapes]
    assert_allclose(align_all(shapes, target), expected)


def test_the_mean_of_moved_copies_is_the_shape():
    base = mean_shape(random_shape()[None], eye_distance=55)
    rng = np.random.default_rng(3)
    copies = [similarity(s, a, 5, -9).apply(base) for s, a in rng.uniform(0.3, 3, (20, 2))]
    assert_allclose(mean_shape(np.stack(copies), eye_distance=55), base, atol=1e-8)
    assert outer_eye_distance(base) == pytest.approx(55)
    assert base[36, 1] == pytest.approx(base[45, 1])


def test_mirroring_twice_gives_the_shape_back():
    points = random_shape()
    assert_allclose(mirror(mirror(points, 640), 640), points)
    assert sorted(MIRROR) == list(range(68))


def test_mirroring_keeps_the_eyes_on_their_sides():
    points = random_shape()
    points[36], points[45] = (100, 50), (200, 50)
    flipped = mirror(points, 640)
    assert_allclose(flipped[36], [439, 50])
    assert_allclose(flipped[45], [539, 50])


@pytest.mark.parametrize("count", MARKUPS)
def test_markups_have_their_counts(count):
    assert to_markup(np.zeros((3, 68, 2)), count).shape == (3, count, 2)


def test_smaller_markups_drop_the_jaw_and_the_inner_mouth_corners():
    points = np.repeat(np.arange(68.0)[:, None], 2, axis=1)
    assert set(range(68)) - set(to_markup(points, 66)[:, 0]) == {60, 64}
    assert set(range(68)) - set(to_markup(points, 51)[:, 0]) == set(range(17))
    assert set(range(68)) - set(to_markup(points, 49)[:, 0]) == {*range(17), 60, 64}


def test_an_unknown_markup_is_named():
    with pytest.raises(InputError, match="got 67"):
        to_markup(np.zeros((68, 2)), 67)
