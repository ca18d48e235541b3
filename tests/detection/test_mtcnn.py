"""Squares, tiles and turns of the networks' search, by hand; the networks are not asked."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.detection.mtcnn import (
    Squares,
    Tile,
    _joined,
    _Pyramid,
    _turned_back,
    _unturned,
    tiles,
    upright,
)

QUARTER = np.pi / 2
# The eyes, the nose and the corners of the mouth of an upright face, in the unit square.
FIVE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.75], [0.65, 0.75]])


def squares(*rows: tuple[float, float, float, float, float]) -> Squares:
    """Make them of x, y, side, angle, score."""
    x, y, side, angle, score = np.array(rows).T
    return Squares(np.column_stack([x, y]), side, angle, score)


def test_a_place_in_a_turned_square_turns_clockwise_with_it() -> None:
    found = squares((10, 20, 8, 0, 1), (10, 20, 8, QUARTER, 1)).at(np.array([[[1.0, 0.75]]]))
    assert_allclose(found[:, 0], [[14, 22], [8, 24]], atol=1e-12)


def test_edges_move_by_shares_of_the_side_and_make_a_square_again() -> None:
    """An upright one loses a quarter at the left and gains a half below; so does a turned one."""
    both = squares((10, 20, 8, 0, 0.1), (10, 20, 8, QUARTER, 0.2))
    moved = both.moved(np.array([[0.25, 0.0, 0.0, 0.5]] * 2), np.array([0.7, 0.8]))
    assert_allclose(moved.centre, [[11, 22], [8, 21]], atol=1e-12)
    assert_allclose(moved.side, [12, 12])
    assert moved.score.tolist() == [0.7, 0.8]
    assert_array_equal(moved.angle, both.angle)


def test_the_best_of_squares_that_overlap_are_kept() -> None:
    """Of 10 px a side, 2 px apart: they share two thirds of both; 4 px apart: three sevenths."""
    many = squares(
        (50, 50, 10, 0, 0.5), (52, 50, 10, 0, 0.9), (56, 50, 10, 0, 0.7), (90, 9, 4, 0, 0.6)
    )
    assert many.distinct(0.5, 9).tolist() == [1, 2, 3]
    assert many.distinct(0.7, 9).tolist() == [1, 2, 3, 0]
    assert many.distinct(0.4, 9).tolist() == [1, 3]
    assert many.distinct(0.7, 2).tolist() == [1, 2]
    part = many.take(np.array([3, 0]))
    assert (part.centre.tolist(), part.score.tolist()) == ([[90, 9], [50, 50]], [0.6, 0.5])
    assert (len(part), part.side.tolist()) == (2, [4, 10])


def test_squares_are_joined_in_their_order() -> None:
    one, other = squares((1, 2, 3, 4, 5)), squares((6, 7, 8, 9, 10), (0, 0, 1, 0, 1))
    both = _joined([one, other])
    assert (len(both), len(_joined([]))) == (3, 0)
    assert_array_equal(np.column_stack([both.centre, both.side, both.angle, both.score])[:2],
                       [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])  # fmt: skip


@pytest.mark.parametrize("degrees", [0, 30, -100, 180])
def test_five_points_say_how_a_face_is_turned(degrees: float) -> None:
    true = squares((100, 80, 40, np.radians(degrees), 0.9))
    five = true.at(FIVE[None])
    guess = squares((100, 80, 40, 2.0, 0.9))
    straight = upright(guess, five)
    turn = (straight.angle - true.angle) / (2 * np.pi)
    assert_allclose(turn, np.rint(turn), atol=1e-12)
    assert (straight.centre.tolist(), straight.side.tolist()) == ([[100, 80]], [40])


def test_eyes_and_mouth_have_the_same_say_in_the_turn() -> None:
    """The eyes' line falls by 0.1 of 0.4, the mouth's stays: an eighth, as the way down to it."""
    five = FIVE.copy()
    five[1, 1] += 0.1
    down, across = 0.75 - 0.45, (0.4 + 0.3) / 2
    found = upright(squares((0, 0, 1, 0, 1)), five[None]).angle
    assert_allclose(np.tan(found), 0.05 / (down + across))


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_places_in_a_turned_picture_are_found_in_the_picture(turn: int) -> None:
    picture = np.arange(15).reshape(3, 5)
    turned = np.rot90(picture, turn)
    rows, columns = np.indices(turned.shape).reshape(2, -1)
    found = _turned_back(np.column_stack([columns, rows]).astype(float), turned.shape, turn)
    x, y = found.round().astype(int).T
    assert_allclose(found, np.column_stack([x, y]))
    assert_array_equal(picture[y, x], turned[rows, columns])
    assert _unturned(turned.shape, turn) == (5, 3)


def test_tiles_hold_all_faces_between_two_sizes() -> None:
    """A cell of the first network is 12 px wide; scales grow by a step from large to small ones."""
    found = list(tiles((100, 200), 20.0, 60.0, 10**9))
    scales = [tile.scale for tile in found]
    assert scales == sorted(scales)
    assert scales[-1] == 12 / 20
    assert all(12 / scale <= 60 * 1.01 for scale in scales)
    ratios = np.array(scales[1:]) / scales[:-1]
    assert_allclose(ratios, ratios[0])
    assert 12 / scales[0] * ratios[0] > 60 * 1.01
    for tile in found:
        border = tile.width - max(1, round(200 * tile.scale))
        assert (tile.top, tile.bottom) == (0, round(100 * tile.scale) + border)
        assert tile.area == tile.bottom * tile.width
    assert Tile(1.0, 3, 7, 5).area == 20


def test_a_large_picture_is_read_in_strips_that_share_a_cell() -> None:
    parts = list(tiles((400, 100), 12.0, 12.0, 50 * 112))
    assert {tile.scale for tile in parts} == {1.0}
    assert [tile.top for tile in parts] == [50 * n for n in range(len(parts))]
    assert [tile.bottom - tile.top for tile in parts[:-1]] == [60] * (len(parts) - 1)
    assert parts[-1].bottom == 400 + parts[0].width - 100
    few = list(tiles((400, 100), 12.0, 12.0, 1))
    assert few[1].top == 24  # two cells at least


def test_a_pyramid_is_halved_as_often_as_it_is_needed() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
    pyramid = _Pyramid(image)
    for factor, share in ((2.0, 1.0), (1.0, 1.0), (0.6, 1.0), (0.5, 0.5), (0.3, 0.5), (0.25, 0.25)):
        level, found = pyramid.level(factor)
        assert found == share
        assert level.shape == (64 * share, 96 * share)
    wanted = image.reshape(32, 2, 48, 2).mean(axis=(1, 3))
    assert_allclose(pyramid.level(0.5)[0], wanted, atol=0.51)
    assert min(pyramid.level(1e-6)[0].shape) == 1


@pytest.mark.parametrize("scale", [0.25, 0.4, 1.0, 1.5])
def test_a_pyramid_gives_the_whole_picture_at_a_scale(scale: float) -> None:
    y, x = np.mgrid[:60, :80]
    pyramid = _Pyramid((40 + x + 2 * y).astype(np.uint8))
    for _ in range(2):  # the second time, it is at hand
        seen = pyramid.scaled(scale)
        assert seen.shape == (round(60 * scale), round(80 * scale))
        v, u = np.mgrid[: seen.shape[0], : seen.shape[1]]
        there = 40 + (u + 0.5) / scale - 0.5 + 2 * ((v + 0.5) / scale - 0.5)
        assert np.abs(seen - there)[2:-2, 2:-2].max() < 1.6
    assert pyramid.scaled(1.0).shape == (60, 80)


@pytest.mark.parametrize("side", [12.0, 24.0, 50.0, 96.0])
@pytest.mark.parametrize("degrees", [0, 40, 90, -130])
def test_a_crop_is_upright_and_centred(side: float, degrees: float) -> None:
    """Crops of 24 px of a plane show its slope along their own axes."""
    y, x = np.mgrid[:200, :200]
    picture = (20 + 0.6 * x + 0.5 * y).round().astype(np.uint8)
    angle = np.radians(degrees)
    where = squares((5, 5, 8, 0, 1), (90.25, 110.5, side, angle, 1))
    crop = _Pyramid(picture).crop(where, 1, 24).astype(float)
    v, u = np.mgrid[:24, :24] - 11.5
    right, down = (
        side / 24 * np.array(p)
        for p in ((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle)))
    )
    slope = np.array([0.6, 0.5])
    wanted = 20 + slope @ [90.25, 110.5] + u * (slope @ right) + v * (slope @ down)
    assert np.abs(crop - wanted).max() < 1.6
    assert abs((crop - wanted).mean()) < 0.5
