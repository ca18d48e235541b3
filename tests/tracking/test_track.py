"""Following one face: where fits start, and which shapes cannot be."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from facetrack.face import Fit
from facetrack.features.crops import take_patch
from facetrack.formats.encoding import decode, encode
from facetrack.identity.people import Reason
from facetrack.identity.person import UNKNOWN, Person, signature
from facetrack.tracking.track import SMALLEST_AREA, Track, is_large, is_possible
from facetrack.tracking.tracker_state import TrackerState


def a_track(play):
    image = play.world.image()
    points = play.world.seen()[0][1]
    return Track(Person(0), points, 0.9, take_patch(image, points), None)


def test_a_slow_face_needs_one_fit(stage, puppet):
    play = stage(puppet(1, lambda frame: (300 + 2 * frame, 240)))
    track = a_track(play)
    for play.world.frame in range(1, 6):
        image = play.world.image()
        track.accept(track.follow(play.model, image), image)
    assert play.model.fits == 5
    assert_allclose(track.velocity, (2, 0), atol=0.2)


def test_a_fast_steady_face_is_predicted(stage, puppet):
    # 0.8 eye distances a frame: out of reach from the last place, whatever the picture shows
    play = stage(puppet(1, lambda frame: (100 + 48 * frame, 240)))
    track = a_track(play)
    track.velocity = np.array([48.0, 0.0])
    track.patch = np.zeros_like(track.patch)
    for play.world.frame in range(1, 9):
        fit = track.follow(play.model, play.world.image())
        assert fit.quality > 0.5
        track.points = np.array(fit.points)


@pytest.mark.parametrize("jump", [(70, 0), (-90, 40), (0, -100), (60, 90)])
def test_a_face_that_jumps_is_found_by_its_picture(stage, puppet, jump):
    play = stage(puppet(1, lambda frame: np.array([320, 240]) + np.array(jump) * (frame > 0)))
    track = a_track(play)
    play.world.frame = 1
    fit = track.follow(play.model, play.world.image())
    assert fit.quality > 0.5
    assert_allclose(fit.points, play.world.seen()[0][1], atol=2)


def test_nothing_there_gives_a_poor_fit(stage, puppet):
    play = stage(puppet(1, lambda frame: None if frame else (320, 240)))
    track = a_track(play)
    play.world.frame = 1
    assert track.follow(play.model, play.world.image()).quality < 0.5


@pytest.mark.parametrize(("weak", "seed", "followed"), [(2, 1, True), (2, 2, False), (0, 2, True)])
def test_what_comes_back_after_poor_fits_must_be_the_same_face(stage, puppet, weak, seed, followed):
    play = stage(
        puppet(1, lambda frame: None if frame else (320, 240)),
        puppet(seed, lambda frame: (325, 240) if frame else None),
    )
    track = a_track(play)
    track.person.learn(signature(play.world.image(), track.points, play.world.shape_model))
    track.weak = weak
    play.world.frame = 1
    assert (track.follow(play.model, play.world.image()) is not None) is followed


def test_the_mean_shape_is_possible_at_any_place_and_size(shape_model):
    for factor in (0.5, 1, 20):
        assert is_possible(shape_model.mean * factor - 1000, shape_model)


def test_impossible_shapes(shape_model):
    mean = shape_model.mean
    broken = mean.copy()
    broken[30] = np.nan
    folded = mean.copy()
    folded[36:48] += [0, 60]
    for points in (broken, mean * 0.01, folded, mean * [1, 3], np.full((68, 2), np.inf)):
        assert not is_possible(points, shape_model)


@given(points=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=8, max_size=8))
def test_any_numbers_are_judged(points, request):
    model = request.getfixturevalue("shape_model_once")
    shape = model.mean.copy()
    shape[:4] = np.array(points).reshape(4, 2)
    assert is_possible(shape, model) in (True, False)


@pytest.fixture(scope="module")
def shape_model_once(request):
    from facetrack.landmarks.shape_model import train_shape_model

    rng = np.random.default_rng(0)
    shape = rng.uniform(-1, 1, (68, 2))
    return train_shape_model(
        shape + 0.03 * rng.standard_normal((40, 68, 2)),
        n_modes=5, eye_distance=55.0, centre=(80.0, 80.0),
    )  # fmt: skip


@pytest.mark.parametrize("place", [(0, 0), (-200, 240), (700, 500), (1e5, -1e5)])
def test_a_patch_can_be_taken_anywhere(stage, puppet, head, place):
    play = stage(puppet(1, lambda frame: (320, 240)))
    assert take_patch(play.world.image(), head + place).shape == (24, 24)


def test_state_goes_through_json(stage, puppet):
    play = stage(puppet(1, lambda frame: (320, 240)))
    track = a_track(play)
    track.looks.append(signature(play.world.image(), track.points, play.world.shape_model))
    back = decode(Track, json.loads(json.dumps(encode(track))))
    assert encode(back) == encode(track)
    assert_allclose(back.points, track.points, atol=0)


def test_of_faces_without_an_owner_the_right_one_is_lost(stage, puppet):
    """Their arrays cannot be compared: a track is itself and no other."""
    play = stage(puppet(1, lambda frame: (300, 240)))
    first, second, third = (a_track(play) for _ in range(3))
    for track in (first, second, third):
        track.person = Person(UNKNOWN)
    now = TrackerState(tracks=[first, second, third])
    now.lose(second, Reason.COVERED)
    assert [track is kept for track, kept in zip(now.tracks, (first, third), strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("corner", "width", "height", "large"),
    [
        ((10, 10), 20, SMALLEST_AREA / 20, True),
        ((10, 10), 20, SMALLEST_AREA / 20 - 0.1, False),
        ((-999_999, 0), 100, 100, True),
        ((-1_000_001, 0), 100, 100, False),
        ((0, -1_000_001), 100, 100, False),
        ((999_901, 0), 100, 100, False),
        ((0, 999_901), 100, 100, False),
    ],
)
def test_shapes_are_large_by_their_box_and_near_an_image(corner, width, height, large):
    points = np.tile(np.array(corner, float), (68, 1))
    points[1] += width, height
    assert is_large(points) == large


@pytest.mark.parametrize(("deviations", "possible"), [(4.4, True), (4.6, False)])
def test_shapes_are_possible_within_four_and_a_half_deviations(shape_model, deviations, possible):
    for sign in (-1, 1):
        p = np.zeros(shape_model.n_parameters)
        p[-1] = sign * deviations * shape_model.deviations[-1]
        assert is_possible(shape_model.shape(p), shape_model) == possible


def test_a_fit_that_is_accepted_sets_the_motion_unless_it_is_poor(stage, puppet):
    play = stage(puppet(1, lambda frame: (300, 240)))
    track, image = a_track(play), play.world.image()
    patch, blank = track.patch, np.zeros_like(image)

    def accept(shift, quality):
        said = np.full(68, quality)
        track.accept(Fit(track.points + shift, quality, said), blank)
        assert track.confidence is said

    accept((3.0, 1.0), 0.9)
    assert_allclose(track.velocity, [3.0, 1.0])
    assert (track.weak, track.age) == (0, 1)
    accept((9.0, 0.0), 0.1)
    accept((9.0, 0.0), 0.1)
    assert_allclose(track.velocity, [3.0, 1.0])
    assert (track.weak, track.age) == (2, 3)
    assert track.patch is patch  # every third frame, but not of a poor fit
    for _ in range(3):
        assert track.patch is patch
        accept((0.0, 0.0), 0.9)
    assert not track.patch.any()
    assert track.weak == 0


class Scripted:
    """A model whose fits a test writes, start by start."""

    def __init__(self, shape_model, *answers):
        self.shape_model, self.starts, self._answers = shape_model, [], iter(answers)

    def fit(self, image, start):
        self.starts.append(np.array(start))
        move, quality = next(self._answers)
        return Fit(move(start), quality, np.full(68, np.nan))


def stays(points):
    return points


def shifted(right):
    return lambda points: points + np.array([right, 0.0])


def folded(points):
    """Give a large shape that no face has."""
    points = points.copy()
    points[36:48] += [0, 90]
    return points


BLANK = np.zeros((480, 640), np.uint8)


@pytest.fixture
def still(shape_model):
    """Give a track of the mean shape, 110 px between its eyes, that remembers no picture."""

    def make(**state):
        points = 2 * shape_model.mean + [200, 100]
        person = Person(0, [])
        return Track(person, points, 0.9, np.zeros((24, 24), np.uint8), None, **state)

    return make


def test_the_next_start_is_half_way_to_the_mean_shape(still, shape_model):
    track = still()
    form = 3 * np.sin(np.arange(136.0)).reshape(68, 2)
    track.points = track.points + form
    model = Scripted(shape_model, (stays, 0.9))
    track.follow(model, BLANK)
    assert_allclose(model.starts[0], shape_model.relax(track.points, keep=0.5))


@pytest.mark.parametrize(("speed", "fits"), [(10.9, 1), (11.1, 2)])
def test_a_tenth_of_the_eyes_distance_a_frame_is_fast(still, shape_model, speed, fits):
    track = still(velocity=np.array([0.0, speed]))
    model = Scripted(shape_model, (stays, 0.8), (stays, 0.9))
    best = track.follow(model, BLANK)
    assert len(model.starts) == fits
    assert_allclose(model.starts[-1] - model.starts[0], np.tile([0, speed], (68, 1)) * (fits - 1),
                    atol=1e-9)  # fmt: skip
    assert best.quality == (0.8, 0.9)[fits - 1]


def test_of_equal_fits_the_first_is_the_best(still, shape_model):
    track = still(velocity=np.array([0.0, 30.0]))
    best = track.follow(Scripted(shape_model, (stays, 0.8), (shifted(9), 0.8)), BLANK)
    assert_allclose(best.points, track.points, atol=1e-6)


@pytest.mark.parametrize(("right", "fits"), [(16.4, 1), (16.6, 2)])
def test_a_fit_that_went_far_is_repeated_from_its_end(still, shape_model, right, fits):
    """Fifteen hundredths of the eyes' distance."""
    track = still()
    model = Scripted(shape_model, (shifted(right), 0.9), (shifted(1), 0.9))
    best = track.follow(model, BLANK)
    assert len(model.starts) == fits
    assert_allclose(best.points - track.points, [[right + fits - 1, 0]] * 68, atol=1e-6)


def test_a_fit_that_no_face_has_is_repeated_from_the_nearest_one(still, shape_model):
    track = still()
    model = Scripted(shape_model, (folded, 0.9), (stays, 0.7))
    best = track.follow(model, BLANK)
    nearest = shape_model.project(folded(model.starts[0]))
    assert_allclose(model.starts[1], nearest)
    assert best.quality == 0.7
    picture = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    track.patch = picture  # which is nowhere
    assert track.follow(Scripted(shape_model, (folded, 0.9), (folded, 0.9)), BLANK) is None
    small = Scripted(shape_model, (lambda points: 0.01 * points, 0.9))
    assert track.follow(small, BLANK) is None


@pytest.mark.parametrize("place", [(330, 250), (300, 200)])
def test_where_the_remembered_picture_fits_best_it_is_looked_for(still, shape_model, place):
    """Only after a poor fit; the picture has moved, and so the face may have."""
    track = still()
    x0, y0, x1, y1 = track.box
    size = max(x1 - x0, y1 - y0)
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (12, 12), dtype=np.uint8).repeat(2, 0).repeat(2, 1)
    track.patch = texture
    image = np.full((600, 800), 128, np.uint8)
    side = round(size)
    left, top = place
    cells = np.arange(side) * 24 // side
    large = texture[cells[:, None], cells]
    image[top : top + side, left : left + side] = large
    model = Scripted(shape_model, (stays, 0.1), (stays, 0.95))
    best = track.follow(model, image)
    assert best.quality == 0.95
    moved = model.starts[1].mean(axis=0) - track.points.mean(axis=0)
    wanted = np.array([left + side / 2 - 0.5, top + side / 2 - 0.5]) - [
        (x0 + x1) / 2,
        (y0 + y1) / 2,
    ]
    assert_allclose(moved, wanted, atol=size / 24)
    well = Scripted(shape_model, (stays, 0.9))
    track.follow(well, image)
    assert len(well.starts) == 1
