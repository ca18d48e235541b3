"""Crops: the same part of a face whatever its place, size and roll, and where it is in the picture.

The pictures are waves, so that what a crop must show is known at every place.
"""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import InputError
from facetrack.features.crops import (
    PLACES,
    Crop,
    aligned_patch,
    around,
    take_patch,
    warp_to_frame,
)
from facetrack.features.warp import inside, warp
from facetrack.landmarks.markup import GROUPS
from facetrack.landmarks.procrustes import Similarity

CROPS = st.builds(
    Crop,
    st.sampled_from(sorted(PLACES)),
    st.tuples(st.integers(8, 64), st.integers(8, 64)),
    margin=st.floats(-0.2, 0.5),
    upright=st.booleans(),
    follow=st.booleans(),
)
TURNS = st.builds(
    lambda scale, roll, x, y: Similarity(scale * math.cos(roll), scale * math.sin(roll), x, y),
    st.floats(0.3, 4),
    st.floats(-math.pi, math.pi),
    st.floats(-200, 200),
    st.floats(-200, 200),
)
MOVED = Similarity(0.7 * math.cos(0.35), 0.7 * math.sin(0.35), 130.0, 30.0)


@pytest.fixture(scope="module")
def mean(shipped_model) -> np.ndarray:
    """Give the mean shape, 55 px between the outer eye corners."""
    points: np.ndarray = shipped_model.shape_model.mean
    return points


def moving(points, mean):
    """Give landmarks whose mouth is not where the mean shape has it."""
    open_mouth = np.array(points)
    open_mouth[list(GROUPS["mouth"])] += 0.1 * (mean[45] - mean[36])[::-1]
    return open_mouth


def scene(to_picture: Similarity, size=(640, 480)) -> np.ndarray:
    """Draw waves that lie in the frame of the mean shape, moved to a picture."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    u, v = np.moveaxis(to_picture.inverse().apply(np.stack([x, y], axis=-1)), -1, 0)
    wave = 128 + 60 * np.sin(u / 9) + 60 * np.cos(v / 7 + u / 30)
    drawn: np.ndarray = wave.round().astype(np.uint8)
    return drawn


def smooth_image(height: int = 400, width: int = 500, *, steep: float = 1):
    y, x = steep * np.mgrid[:height, :width]
    image: np.ndarray = (128 + 60 * np.sin(x / 40) + 60 * np.cos(y / 50)).astype(np.uint8)
    return image


def sample(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    maps = points.astype(np.float32)
    return cv2.remap(image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR).astype(float)


@pytest.mark.parametrize("scale", [0.2, 0.4, 0.66, 0.9, 1.8])
def test_a_pixel_of_the_frame_shows_its_place_in_the_image(scale):
    image = smooth_image(steep=4)  # half a pixel beside its place is two levels
    angle = 0.2
    to_frame = Similarity(scale * np.cos(angle), scale * np.sin(angle), 0, 0)
    centre = to_frame.apply([250.0, 200.0])
    to_frame = Similarity(to_frame.a, to_frame.b, *(16 - centre))
    patch = warp_to_frame(image, to_frame, size=32)
    y, x = np.mgrid[:32, :32]
    where = to_frame.inverse().apply(np.stack([x, y], axis=-1))
    inside = (where > 5).all(axis=-1) & (where < [494, 394]).all(axis=-1)
    difference = np.abs(patch.astype(float) - sample(image, where))[inside]
    assert difference.mean() < 1.5


def test_shrinking_averages_instead_of_aliasing():
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 255
    patch = warp_to_frame(stripes, Similarity(0.3, 0, 0, 0), size=64)
    assert patch.std() < 20


def test_colour_is_converted_like_grey():
    grey = smooth_image()
    colour = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    to_frame = Similarity(0.8, 0.1, -50, -60)
    assert_allclose(warp_to_frame(colour, to_frame), warp_to_frame(grey, to_frame))


@pytest.mark.parametrize(
    "to_frame", [Similarity(1, 0, 1e6, 0), Similarity(1, 0, -1e6, 3), Similarity(1e-9, 0, 1e9, 1e9)]
)
def test_a_frame_beside_the_image_is_empty(to_frame):
    assert warp_to_frame(smooth_image(), to_frame).shape == (160, 160)


@pytest.mark.parametrize(
    "image",
    [np.zeros((5, 5), np.float32), np.zeros((5, 5, 4), np.uint8), np.zeros(5, np.uint8)],
)
def test_wrong_images_are_named(image):
    with pytest.raises(InputError, match="uint8"):
        warp_to_frame(image, Similarity(1, 0, 0, 0))


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 300), (300, 1)])
def test_tiny_images_give_an_empty_frame(shape):
    patch = warp_to_frame(np.full(shape, 200, np.uint8), Similarity(1, 0, 0, 0))
    assert not patch.any()


@pytest.mark.parametrize("shape", [(2, 300), (300, 2), (2, 2)])
def test_two_rows_or_columns_are_a_picture(shape):
    patch = warp_to_frame(np.full(shape, 200, np.uint8), Similarity(1, 0, 0, 0))
    assert (patch == 200).all()


@given(crop=CROPS, turn=TURNS)
def test_points_go_into_the_crop_and_back(mean, crop, turn):
    points = turn.apply(mean)
    to_crop = crop.transform(points, mean)
    assert_allclose(to_crop.inverse().apply(to_crop.apply(points)), points, atol=1e-6)


@given(crop=CROPS, turn=TURNS)
def test_a_face_lies_in_its_crop_whatever_its_place_size_and_roll(mean, crop, turn):
    points = turn.apply(mean)
    seen = crop.transform(points, mean).apply(points)
    still = crop.transform(mean, mean).apply(mean)
    if not crop.upright:  # all but the roll is taken out
        middle = (np.array(crop.size) - 1) / 2
        roll = Similarity(turn.a / turn.scale, turn.b / turn.scale, 0.0, 0.0)
        still = roll.apply(still - middle) + middle
    assert_allclose(seen, still, atol=1e-6)


@pytest.mark.parametrize(
    ("crop", "unit", "eyes"),
    [
        (Crop("face", (112, 112)), 56.0, (55.5, 40.0)),
        (Crop("eyes", (96, 48)), 60.0, (47.5, 23.5 + 6)),
        (Crop("mouth", (64, 48)), 160 / 3, (31.5, 23.5 - 0.87 * 160 / 3)),
        (Crop("mouth", (96, 96), margin=0.075), 96 / 1.29, (47.5, 47.5 - 0.87 * 96 / 1.29)),
        (Crop("right_eye", (32, 20)), 64.0, (15.5 + 0.36 * 64, 9.5)),
        (Crop("left_eye", (32, 20)), 64.0, (15.5 - 0.36 * 64, 9.5)),
    ],
    ids=str,
)
def test_regions_lie_where_they_are_said_to(mean, crop, unit, eyes):
    corners = crop.transform(3 * mean + 7, mean).apply(3 * mean + 7)[[36, 45]]
    assert_allclose(corners[1] - corners[0], [unit, 0], atol=1e-9)
    assert_allclose(corners.mean(axis=0), eyes, atol=0.02)


def test_the_frame_is_the_reference_frame_of_the_tracker(shipped_model):
    shape_model = shipped_model.shape_model
    points = moving(MOVED.apply(shape_model.mean), shape_model.mean)
    to_frame = shape_model.to_reference(points)
    cut = Crop("frame", (160, 160)).cut(scene(MOVED), points, shape_model.mean)
    assert_allclose(cut.to_crop.matrix, to_frame.matrix, rtol=1e-9)
    assert_array_equal(cut.pixels, warp_to_frame(scene(MOVED), to_frame))


@pytest.mark.parametrize("region", ["face", "eyes", "mouth"])
def test_a_moving_mouth_moves_in_the_crop_unless_it_is_followed(mean, region):
    talking, lips = moving(mean, mean), list(GROUPS["mouth"])
    fixed, followed = Crop(region, (96, 96)), Crop(region, (96, 96), follow=True)
    assert fixed.transform(talking, mean) == fixed.transform(mean, mean)
    own = list(PLACES[region].points)
    middle = followed.transform(talking, mean).apply(talking)[own].mean(axis=0)
    assert_allclose(middle, [47.5, 47.5], atol=1e-9)
    shift = (
        fixed.transform(talking, mean).apply(talking)[lips]
        - fixed.transform(mean, mean).apply(mean)[lips]
    )
    assert (shift[:, 1] > 2).all()


@pytest.mark.parametrize("crop", [Crop("mouth", (96, 96)), Crop("face", (112, 80))], ids=str)
@pytest.mark.parametrize("colour", [False, True])
def test_a_turned_and_scaled_picture_gives_nearly_the_same_crop(mean, crop, colour):
    crop = Crop(crop.region, crop.size, colour=colour)
    shown = []
    for turn in (Similarity(2.5, 0, 20, -10), MOVED, Similarity(0, -1.5, 50, 400)):
        cut = crop.cut(scene(turn), turn.apply(mean), mean)
        assert cut.valid.all()
        shown.append(cut.pixels.astype(float))
    assert shown[0].shape == (*crop.size[::-1], 3)[: 3 if colour else 2]
    for other in shown[1:]:
        assert np.abs(other - shown[0]).mean() < 3
        assert np.abs(other - np.roll(shown[0], 1, axis=1)).mean() > 3  # a pixel would show


@given(turn=TURNS, size=st.tuples(st.integers(2, 40), st.integers(2, 40)))
def test_valid_is_false_exactly_outside(turn, size):
    u, v = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    x, y = np.moveaxis(turn.inverse().apply(np.stack([u, v], axis=-1)), -1, 0)
    beyond = np.max([-x, x - 49, -y, y - 29], axis=0) - 0.5  # px from the picture's edge
    found = inside((30, 50), turn, size)
    assert found[beyond < -1e-6].all()
    assert not found[beyond > 1e-6].any()


@pytest.mark.parametrize("colour", [False, True])
def test_a_crop_beside_the_picture_has_its_shape(colour):
    shown = warp(np.ones((5, 1), np.uint8), Similarity(1, 0, 0, 0), (4, 3), colour=colour)
    assert shown.shape == (3, 4, 3)[: 2 + colour]


@pytest.mark.parametrize(
    ("right", "down"), list(itertools.product([-0.75, -0.25, 0.25, 0.75], repeat=2))
)
def test_a_pixel_counts_while_its_centre_lies_in_the_picture(right, down):
    """Pixels are squares around their centres: half a pixel beyond the outermost one is inside."""
    found = inside((30, 50), Similarity(1, 0, -right, -down), (50, 30))
    columns, rows = (
        np.abs(np.arange(n) + by - (n - 1) / 2) <= n / 2 for n, by in ((50, right), (30, down))
    )
    assert_array_equal(found, rows[:, None] & columns)


def test_valid_follows_the_edges_of_the_picture():
    expected = np.zeros((40, 60), dtype=bool)
    expected[3:33, 4:54] = True
    assert_array_equal(inside((30, 50), Similarity(1, 0, 4, 3), (60, 40)), expected)


@given(crop=CROPS, turn=TURNS, level=st.integers(0, 255), colour=st.booleans())
def test_a_constant_picture_stays_constant(mean, crop, turn, level, colour):
    cut = crop.cut(np.full((240, 320, 3)[: 2 + colour], level, np.uint8), turn.apply(mean), mean)
    assert cut.valid.shape == cut.pixels.shape == crop.size[::-1]
    assert (cut.pixels[cut.valid] == level).all()


def test_what_lies_outside_repeats_the_border():
    picture = np.arange(200, dtype=np.uint8).reshape(10, 20)
    shown = warp(picture, Similarity(1, 0, 3, 2), (26, 14))
    assert_array_equal(shown, np.pad(picture, ((2, 2), (3, 3)), mode="edge"))


def test_colour_and_grey_crops_agree(mean):
    grey = scene(MOVED)
    colour = np.stack([grey, grey // 2, 255 - grey], axis=-1).astype(np.uint8)
    points = MOVED.apply(mean)
    seen = Crop("face", (64, 64), colour=True).cut(colour, points, mean).pixels
    as_grey = Crop("face", (64, 64)).cut(colour, points, mean).pixels
    assert_allclose(cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY), as_grey, atol=2)
    from_grey = Crop("face", (64, 64), colour=True).cut(grey, points, mean).pixels
    assert_array_equal(from_grey[:, :, 0], Crop("face", (64, 64)).cut(grey, points, mean).pixels)
    assert_array_equal(from_grey[:, :, 0], from_grey[:, :, 2])


def test_colour_does_not_alias_either():
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    assert warp(stripes, Similarity(0.3, 0, 0, 0), (64, 48), colour=True).std() < 20


def test_crops_of_one_specification_are_one_key():
    cache = {Crop("mouth", (96, 96)): 1}
    assert cache[Crop("mouth", (96, 96), margin=0.0)] == 1
    assert Crop("mouth", (96, 88)) not in cache


@pytest.mark.parametrize(
    "change",
    [{"region": "ear"}, {"size": (0, 8)}, {"margin": -1.0}, {"margin": math.nan}],
    ids=str,
)
def test_a_crop_of_nothing_is_refused(change):
    with pytest.raises(InputError):
        Crop(**{"region": "face", "size": (8, 8), **change})


@pytest.mark.parametrize("points", [np.zeros((66, 2)), np.zeros((68, 2)), np.full((68, 2), np.nan)])
def test_points_without_a_place_are_named(mean, points):
    with pytest.raises(InputError):
        Crop("face", (8, 8)).transform(points, mean)


def test_the_patch_of_a_signature_is_upright_and_of_one_size(mean):
    shown = [
        aligned_patch(scene(turn), turn.apply(mean), mean, 32)
        for turn in (Similarity(2.5, 0, 20, -10), MOVED)
    ]
    assert shown[0].shape == (32, 32)
    assert shown[0].dtype == np.float32
    assert np.abs(shown[0] - shown[1]).mean() < 6
    assert shown[0].std() > 30


def test_the_patch_of_a_track_shows_the_square_around_the_points(mean):
    picture = np.zeros((480, 640), np.uint8)
    points = 2 * mean + [80, 20]
    picture[: int((points[:, 1].min() + points[:, 1].max()) / 2)] = 200
    patch = take_patch(picture, points)
    assert (patch[:11] == 200).all()
    assert not patch[13:].any()


def plane(size, right, down, level=0.0):
    """Draw grey levels that grow evenly; whatever averages and interpolates keeps them."""
    y, x = np.mgrid[: size[1], : size[0]]
    drawn: np.ndarray = (level + right * x + down * y).round().clip(0, 255).astype(np.uint8)
    return drawn


@pytest.mark.parametrize("scale", [0.3, 0.7, 1.3])
@pytest.mark.parametrize("colour", [False, True])
def test_a_pixel_of_a_signature_s_patch_shows_its_place(mean, scale, colour):
    """The square around brows to mouth, 32 px: from end to end, whatever is shrunk before."""
    turn = Similarity(math.cos(0.3) / scale, math.sin(0.3) / scale, 150 / scale, 40 / scale)
    points, side = turn.apply(mean), 32
    inner = points[17:]
    unit = math.dist(points[36], points[45])
    size = (round(420 / scale), round(420 / scale))
    upright = np.array([[math.cos(0.3), math.sin(0.3)], [-math.sin(0.3), math.cos(0.3)]])
    pixel = 2 * 0.85 * unit / (side - 1)  # of the patch, in the picture
    for right, down in ((1.0, 0.0), (0.0, 1.0)):
        along = np.array([right, down]) @ upright.T * pixel  # levels a pixel of the patch
        slope = 4 / np.abs(along).max()
        middle = inner.mean(axis=0) @ (right, down) * slope
        image = plane(size, right * slope, down * slope, 128 - middle)
        image = np.dstack([image] * 3) if colour else image
        seen = aligned_patch(image, points, mean, side)
        v, u = np.mgrid[:side, :side] - (side - 1) / 2
        wanted = (128 + (u * along[0] + v * along[1]) * slope).clip(0, 255)
        assert np.abs(seen - wanted).max() < 2.5
        assert abs((seen - wanted).mean()) < 1


def test_a_square_around_a_place_is_clipped_and_never_empty():
    image = np.arange(6 * 8, dtype=np.uint8).reshape(6, 8)
    for centre, half, rows, columns in (
        ((4.0, 3.0), 1.5, (1, 6), (2, 7)),  # from floor(2.5) to ceil(5.5), that one inside
        ((3.0, 2.0), 1.0, (1, 4), (2, 5)),
        ((0.0, 0.0), 2.0, (0, 3), (0, 3)),
        ((7.0, 5.0), 2.0, (3, 6), (5, 8)),
        ((-50.0, 2.0), 1.0, (1, 4), (0, 1)),
        ((50.0, 2.0), 1.0, (1, 4), (7, 8)),
        ((3.0, -50.0), 1.0, (0, 1), (2, 5)),
        ((3.0, 50.0), 1.0, (5, 6), (2, 5)),
    ):
        region, origin = around(image, np.array(centre), half)
        assert_array_equal(region, image[slice(*rows), slice(*columns)])
        assert origin.tolist() == [columns[0], rows[0]]


@pytest.mark.parametrize("height", [10.0, 60.0, 150.0])
@pytest.mark.parametrize("colour", [False, True])
def test_the_patch_of_a_track_is_the_mean_of_its_cells(height, colour):
    """Of a square as large as the longer side, around the middle of the points' box."""
    points = np.tile([70.0, 80.0], (68, 1))
    points[1] = 100.0, 80.0 + height
    side = max(30.0, height)
    left, top = 85 - side / 2, 80 + height / 2 - side / 2
    image = plane((200, 260), 0.5, 0.4)
    image = np.dstack([image, image, image]) if colour else image
    patch = take_patch(image, points).astype(float)
    step = (side + 1) / 24  # both ends are inside
    x, y = (at - 0.5 + step * (np.arange(24) + 0.5) for at in (left, top))
    assert np.abs(patch - (0.5 * x + 0.4 * y[:, None])).max() < 1.5
    assert abs((patch - (0.5 * x + 0.4 * y[:, None])).mean()) < 0.1
