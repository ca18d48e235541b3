"""A portrait makes faces: landmarks go where pixels go, eyes close, mouths open, nothing folds."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.landmarks.markup import mirror
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.portrait import Portrait, astronaut
from facetrack.synthetic.puppet import Expression, Puppet
from facetrack.synthetic.units import UNITS

UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
DOTS = [8, 17, 19, 21, 22, 24, 26, 30, 31, 35, 48, 51, 54, 57]  # far enough from each other
SETS = ("4", "6", "7", "9", "10", "12", "1+2", "26", "4 6 7", "4 6 9", "4 6 7 9 10", "6 12", "24",
        "4 6 9 26", "18", "20", "15", "17")  # fmt: skip


def show(names: str, amount: float = 1.0) -> Expression:
    return Expression({name: (amount, amount) for name in names.split()})


@pytest.fixture(scope="module")
def puppet(shape_model: ShapeModel) -> Puppet:
    return Puppet(astronaut(), shape_model)


def test_at_rest_the_landmarks_are_the_portrait_s(puppet: Puppet) -> None:
    points = puppet.landmarks(Expression())
    assert_allclose(points[[36, 45]].mean(axis=0), np.multiply(puppet.size, (0.5, 0.38)))
    assert_allclose(np.linalg.norm(points[45] - points[36]), puppet.eye_distance)
    shape = astronaut().points - astronaut().points[36]
    ratio = puppet.eye_distance / np.linalg.norm(shape[45])
    lengths = np.linalg.norm(points - points[36], axis=1)
    assert_allclose(lengths, ratio * np.linalg.norm(shape, axis=1), atol=0.01)


@pytest.mark.parametrize("names", SETS)
def test_nothing_folds(puppet: Puppet, names: str) -> None:
    rest, points = (puppet.landmarks(e) for e in (Expression(), show(names)))
    assert puppet.tightest(show(names)) > 0.1
    moved = [p for unit in names.split() for p in UNITS[unit] if p < 68]
    assert np.abs(points - rest)[moved].max() > 0.015 * puppet.eye_distance


def test_what_would_fold_goes_as_far_as_it_can(puppet: Puppet) -> None:
    turned = Expression(yaw=0.35, pitch=0.18)
    strong = replace(turned, units=show("4 6 9 26", 1.2).units)
    assert 0.1 < puppet.tightest(strong) < 0.2
    rest = puppet.landmarks(turned)
    assert np.abs(puppet.landmarks(strong) - rest).max() > 0.05 * puppet.eye_distance


@pytest.mark.parametrize(
    "expression",
    [
        show("4 6"),
        show("9 10"),
        show("12"),
        show("26"),
        show("1+2"),
        Expression({"12": (1.0, 0.2)}, yaw=0.3, pitch=-0.15, roll=0.2, shift=(0.1, -0.05)),
    ],
    ids=["frown", "nose", "smile", "jaw", "brows", "turned"],
)
def test_landmarks_move_as_the_pixels_do(shape_model: ShapeModel, expression: Expression) -> None:
    """Dots painted on a grey face at its landmarks are found where the landmarks went."""
    face = astronaut()
    y, x = np.mgrid[: face.image.shape[0], : face.image.shape[1]]
    seen = np.zeros(x.shape)
    for px, py in face.points[DOTS]:
        seen = np.maximum(seen, np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 1.5**2)))
    painted = Portrait(np.dstack([np.rint(40 + 200 * seen).astype(np.uint8)] * 3), face.points)
    puppet = Puppet(painted, shape_model, eye_distance=100, depth=0.0)
    image, points = puppet.draw(expression)
    light = np.clip(image[..., 1].astype(np.float64) - 60, 0, None)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]]
    for px, py in points[DOTS]:
        near = light * (np.hypot(x - px, y - py) < 4)
        centre = [(near * x).sum() / near.sum(), (near * y).sum() / near.sum()]
        assert np.hypot(centre[0] - px, centre[1] - py) < 0.6
    rest = puppet.landmarks(Expression())
    assert np.abs(points - rest).max() > 3


def test_closed_lids_close_and_cover_the_eye(puppet: Puppet) -> None:
    rest, before = puppet.draw(Expression())
    closed, points = puppet.draw(Expression(shut=(1.0, 1.0)))

    def gaps(p: np.ndarray) -> np.ndarray:
        return np.asarray(np.linalg.norm(p[UPPER_LIDS] - p[LOWER_LIDS], axis=1))

    assert (gaps(points) < 0.22 * gaps(before)).all()
    half = puppet.landmarks(Expression(shut=(0.5, 0.5)))
    assert (gaps(half) < 0.6 * gaps(before)).all()
    assert (gaps(half) > 0.4 * gaps(before)).all()
    others = np.setdiff1d(np.arange(68), UPPER_LIDS + LOWER_LIDS)
    assert_allclose(points[others], before[others])
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = np.rint(before[eye].mean(axis=0)).astype(int)
        window = np.s_[y - 1 : y + 1, x - 2 : x + 3]
        assert closed[window].mean() > rest[window].mean()  # the pupil is dark


def test_a_wink_leaves_the_other_eye(puppet: Puppet) -> None:
    rest = puppet.landmarks(Expression())
    wink = puppet.landmarks(Expression(shut=(1.0, 0.0)))
    assert_allclose(wink[42:48], rest[42:48])
    assert wink[37, 1] > rest[37, 1] + 2


def test_a_mirrored_portrait_mirrors(shape_model: ShapeModel) -> None:
    face = astronaut()
    width = face.image.shape[1]
    other = Portrait(face.image[:, ::-1], mirror(face.points, width))
    size = (321, 240)
    one = Puppet(face, shape_model, size=size, middle=(160 / 321, 0.38))
    two = Puppet(other, shape_model, size=size, middle=(160 / 321, 0.38))
    units = {"12": (1.0, 0.3), "4": (0.2, 0.8), "26": (0.5, 0.5)}
    image, points = one.draw(Expression(units, shut=(0.0, 1.0), yaw=0.0))
    swapped = Expression({u: (b, a) for u, (a, b) in units.items()}, shut=(1.0, 0.0))
    image2, points2 = two.draw(swapped)
    assert_allclose(points2, mirror(points, 321), atol=1e-6)
    difference = cv2.absdiff(image2, np.ascontiguousarray(image[:, ::-1]))
    assert difference.mean() < 1.0


def test_an_open_mouth_is_dark_and_its_lips_are_not_stretched(shape_model: ShapeModel) -> None:
    """Of a face with closed lips: the gap is the cavity, below it is the whole lower lip."""
    points = astronaut().points.copy()
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        points[upper] = points[lower] = 0.5 * (points[upper] + points[lower])
    image = np.full((512, 512, 3), 150, np.uint8)
    cv2.fillPoly(image, [np.rint(points[48:60]).astype(np.int32)], (60, 60, 200))
    puppet = Puppet(Portrait(image, points), shape_model, eye_distance=100, depth=0.0)
    before = puppet.landmarks(Expression())
    opened, after = puppet.draw(show("26"))
    assert after[66, 1] - after[62, 1] > 0.12 * 100
    x, y = np.rint(0.5 * (after[62] + after[66])).astype(int)
    assert opened[y, x].max() < 90
    for inner, outer in ((66, 57), (62, 51)):
        thickness = [np.linalg.norm(p[inner] - p[outer]) for p in (before, after)]
        assert 0.8 < thickness[1] / thickness[0] < 1.25
    lip = np.rint(0.5 * (after[66] + after[57])).astype(int)
    assert_allclose(opened[lip[1], lip[0]], (60, 60, 200), atol=25)


def test_furrows_are_shadows_that_come_with_the_unit(shape_model: ShapeModel) -> None:
    flat = Portrait(np.full((512, 512, 3), 200, np.uint8), astronaut().points)
    deep, shallow = (Puppet(flat, shape_model, depth=depth) for depth in (1.5, 0.5))
    rest, _ = deep.draw(Expression())
    strong, weak = (p.draw(show("4"))[0].astype(int) for p in (deep, shallow))
    assert rest[60:120, 120:200].min() == 200
    assert strong.min() < weak.min() < 195
    assert strong.max() <= 200


@pytest.mark.parametrize("unit", UNITS)
def test_frames_do_not_depend_on_what_came_before(puppet: Puppet, unit: str) -> None:
    image, points = puppet.draw(show(unit, 0.7))
    puppet.draw(Expression(shut=(1.0, 1.0), yaw=0.3))
    again, points_again = puppet.draw(show(unit, 0.7))
    assert_array_equal(image, again)
    assert_array_equal(points, points_again)
    assert_array_equal(puppet.landmarks(show(unit, 0.7)), points)
