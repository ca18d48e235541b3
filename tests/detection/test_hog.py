"""dlib's detector finds faces of every size and at the border, and nothing where nothing is."""

import cv2
import dlib
import numpy as np
import pytest
from skimage.data import astronaut

from facetrack.detection.detections import Detection, distinct
from facetrack.detection.hog import LADDER, HogDetector, _to_frame

FACE = (224.0, 113.0)  # between the eyes and the mouth of the portrait, px


@pytest.fixture(scope="module")
def detector():
    return HogDetector()


@pytest.fixture(scope="module")
def portrait():
    return cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR)


def holds(detection, x, y):
    x0, y0, x1, y1 = detection.box
    return x0 < x < x1 and y0 < y < y1


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_finds_a_portrait_at_any_size(detector, portrait, factor):
    image = cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found = detector.detect(image)
    assert found[0].confirms
    assert holds(found[0], factor * FACE[0], factor * FACE[1])
    assert 70 < (found[0].box[2] - found[0].box[0]) / factor < 160


def test_colour_and_grey_give_the_same(detector, portrait):
    grey = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    assert detector.detect(portrait)[0].box == pytest.approx(detector.detect(grey)[0].box, abs=6)


def test_same_picture_same_boxes(detector, portrait):
    assert detector.detect(portrait) == HogDetector().detect(portrait)


def test_finds_near_a_place_what_it_finds_everywhere(detector, portrait):
    everywhere = detector.detect(portrait)[0]
    near = detector.detect_near(portrait, (180, 60, 290, 180))[0]
    assert near.confirms
    assert near.box == pytest.approx(everywhere.box, abs=25)
    assert not any(d.confirms for d in detector.detect_near(portrait, (380, 380, 480, 480)))


def test_finds_a_face_cut_by_the_border(detector, portrait):
    left = 190  # through the cheek
    found = detector.detect(portrait[:, left:])
    assert any(holds(d, FACE[0] - left + 5, FACE[1]) for d in found)


def test_finds_two_faces_of_different_size(detector, portrait):
    face = portrait[30:220, 130:320]
    image = np.full((400, 800, 3), 110, np.uint8)
    image[100:290, 40:230] = face
    image[40:135, 500:595] = cv2.resize(face, (95, 95), interpolation=cv2.INTER_AREA)
    found = detector.detect(image, wanted=2)
    assert any(d.confirms and holds(d, 134, 183) for d in found)
    assert any(d.confirms and holds(d, 547, 81) for d in found)


def test_view_tells_the_roll(detector, portrait):
    for angle, view in ((25, 3), (-25, 4)):
        turn = cv2.getRotationMatrix2D(FACE, angle, 1.0)  # positive turns counter-clockwise
        image = cv2.warpAffine(portrait, turn, (512, 512))
        assert detector.detect(image)[0].view == view


@pytest.mark.parametrize("shape", [(0, 0), (1, 1, 3), (15, 400), (480, 640), (16, 16)])
def test_empty_pictures_hold_no_face(detector, shape):
    image = np.full(shape, 90, np.uint8)
    assert not any(d.confirms for d in detector.detect(image))
    for rung in range(len(LADDER)):
        assert not any(d.confirms for d in detector.search(image, rung))
    assert not detector.detect_near(image, (0, 0, 10, 10)) or min(shape[:2]) >= 16


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 0), (-900, -900, -800, -800), (9e9, 0, 9.1e9, 5), (np.nan, 0, 1, 1)]
)
def test_impossible_places_hold_no_face(detector, portrait, box):
    assert detector.detect_near(portrait, box) == []


def test_distinct_keeps_the_best_of_each_face():
    a, b = Detection((0, 0, 10, 10), 0.5, 0), Detection((1, 1, 11, 11), 0.9, 1)
    c = Detection((40, 40, 50, 50), -0.5, 0)
    assert distinct([a, b, c]) == distinct([c, b, a]) == [b, c]
    assert not c.confirms


def test_nearly_all_development_faces_are_found(detector, shared):
    folder = shared / "data" / "landmarks" / "lfpw_train"
    found = 0
    paths = sorted(folder.glob("*.pts"))[::20]
    for path in paths:
        body = path.read_text().split("{")[1].split("}")[0]
        points = np.array(body.split(), float).reshape(68, 2) - 1
        image = cv2.imread(str(path.with_suffix(".jpg")), cv2.IMREAD_COLOR)
        width = np.ptp(points[:, 0])
        found += any(
            holds(d, *((points.min(0) + points.max(0)) / 2))
            and 0.5 < (d.box[2] - d.box[0]) / width < 2
            for d in detector.detect(image)
        )
    assert found >= 0.97 * len(paths)


def test_a_rectangle_is_mapped_by_the_edges_of_its_pixels():
    """Of 4 x 6 pixels, twice as large as those searched, from the tenth on."""
    rectangle = dlib.rectangle(left=50 + 3, top=50 + 5, right=50 + 6, bottom=50 + 10)
    found = _to_frame(rectangle, (2.0, 3.0), (10.0, 20.0))
    assert found == (3 * 2 - 0.5 + 10, 5 * 3 - 0.5 + 20, 7 * 2 - 0.5 + 10, 11 * 3 - 0.5 + 20)
