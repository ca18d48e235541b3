"""When the detector is asked, and which of its answers become faces."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from facetrack.detection.detections import Detection, Five
from facetrack.face import Fit
from facetrack.identity.people import Missing
from facetrack.identity.person import Person
from facetrack.tracking.search import confirm, look
from tests.painted import EYE, head_68, small_shape_model

IMAGE = np.zeros((480, 640), np.uint8)
HEAD = head_68() * EYE


@dataclass
class Detector:
    """Says what it was asked for."""

    asked: list[object] = field(default_factory=list)

    def detect(self, image, *, wanted=1):
        self.asked.append(("everywhere", wanted))
        return [Detection((0, 0, 9, 9), s) for s in (0.3, -0.5, -0.6)]

    def search(self, image, step):
        self.asked.append(step)
        return []

    def detect_near(self, image, box):
        self.asked.append(round(box[0]))
        return []


def missing(since: int, left: float) -> Missing:
    points = HEAD - HEAD.min(axis=0) + [left, 0]
    return Missing(Person(0), points, np.zeros(2), since, 0.0, "covered")


def asked(*, tracked: int, people: list[Missing], frame: int = 100) -> list[object]:
    """What is asked in twenty frames from a thorough search on; None where nothing is."""
    found: list[object] = []
    for idle in range(20):
        detector = Detector()
        look(detector, IMAGE, idle=idle, frame=frame, tracked=tracked, wanted=3, missing=people)
        found += detector.asked or [None]
    return found


def test_without_any_face_all_is_searched_and_then_a_part_every_other_frame() -> None:
    found = asked(tracked=0, people=[])
    assert found[0] == ("everywhere", 3)
    assert found[1:] == [n // 2 if n % 2 == 0 else None for n in range(1, 20)]


def test_beside_a_face_a_part_is_searched_every_fifteen_frames() -> None:
    assert asked(tracked=1, people=[]) == [0, *[None] * 14, 1, *[None] * 4]


def test_who_was_lost_is_looked_for_every_third_frame_in_turn() -> None:
    people = [missing(10, 111.0), missing(100, 222.0), missing(9, 333.0)]  # the last too long ago
    found = asked(tracked=1, people=people)
    expected = dict.fromkeys(range(20)) | {0: 0, 15: 1}
    expected |= {1: 111, 4: 222, 7: 111, 10: 222, 13: 111, 16: 222, 19: 111}
    assert found == list(expected.values())


def test_what_is_not_plausible_is_left_out() -> None:
    found = look(Detector(), IMAGE, idle=0, frame=0, tracked=0, wanted=1, missing=[])
    assert [d.score for d in found] == [0.3, -0.5]


class Model:
    """Fits a face where the box is, at a quality that a test chooses by the place."""

    def __init__(self, quality, *, possible=True):
        self.shape_model, self._quality, self._possible = small_shape_model(), quality, possible
        self.boxes: list[tuple[float, float, float, float]] = []
        self.fives: list[Five | None] = []

    def fit(self, image, start):
        raise NotImplementedError

    def fit_box(self, image, box, *, view=0, five=None):
        self.boxes.append(box)
        self.fives.append(five if five is None else tuple(map(tuple, five)))
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
        shape = (HEAD - HEAD.mean(axis=0)) * ([1, 1] if self._possible else [1, 4]) + middle
        return Fit(shape, self._quality(box), np.full(68, np.nan))


def at(x: float, score: float = 1.0) -> Detection:
    return Detection((x, 100.0, x + 100.0, 200.0), score)


@pytest.mark.parametrize(
    ("score", "quality", "count"), [(0.0, 0.3, 1), (0.0, 0.29, 0), (-0.1, 0.9, 1), (-0.1, 0.89, 0)]
)
def test_a_fit_confirms_a_detection(score: float, quality: float, count: int) -> None:
    found = confirm(Model(lambda box: quality), IMAGE, [at(100, score)], [], 1)
    assert [fit.quality for fit in found] == [quality] * count


def test_a_fit_that_cannot_be_a_face_confirms_nothing() -> None:
    assert not confirm(Model(lambda box: 0.99, possible=False), IMAGE, [at(100)], [], 1)


def test_what_does_not_fit_is_tried_from_boxes_beside() -> None:
    """Small steps first, and no more than until one is well fitted."""
    model = Model(lambda box: 0.8 if box[0] > 100 else 0.1)
    (fit,) = confirm(model, IMAGE, [at(100)], [], 1)
    assert fit.quality == 0.8
    first = {tuple(np.round(box, 6)) for box in model.boxes}
    assert model.boxes[0] == (100, 100, 200, 200)
    assert len(first) == len(model.boxes) <= 7  # one step: of place or of size
    for x0, y0, x1, y1 in first:
        moved = (round((x0 + x1) / 2 - 150), round((y0 + y1) / 2 - 150), round(x1 - x0))
        assert sum(a != b for a, b in zip(moved, (0, 0, 100), strict=True)) <= 1
        assert {abs(moved[0]), abs(moved[1])} <= {0, 12}
        assert moved[2] in (85, 100, 115)


def test_every_move_is_tried_for_two_detections_and_four_are_tried_in_all() -> None:
    model = Model(lambda box: 0.1)
    detections = [at(100.0 * n) for n in range(6)]
    assert not confirm(model, IMAGE, detections, [], 1)
    assert len(model.boxes) == 27 + 27 + 1 + 1
    model.boxes.clear()
    confirm(model, IMAGE, [replace(d, score=-0.1) for d in detections], [], 3)
    assert len(model.boxes) == 27 + 27 + 4
    model.boxes.clear()
    confirm(model, IMAGE, detections, [], 3)  # of certain ones as many as are wanted
    assert len(model.boxes) == 3 * 27 + 3


def test_five_points_that_are_turned_wrongly_hide_no_face() -> None:
    """As of an upright face that the detector takes for one that stands on its head."""
    model: Model = Model(lambda box: 0.8 if model.fives[-1] is None and box[1] > 110 else 0.1)
    five = ((160.0, 180.0), (140.0, 180.0), (150.0, 150.0), (160.0, 120.0), (140.0, 120.0))
    (fit,) = confirm(model, IMAGE, [replace(at(100), five=five)], [], 1)
    assert fit.quality == 0.8
    assert model.fives[0] == five
    assert [five is None for five in model.fives] == [n >= 27 for n in range(len(model.fives))]
    assert 27 < len(model.fives) <= 27 + 7
    model = Model(lambda box: 0.1)
    assert not confirm(model, IMAGE, [at(100)], [], 1)
    assert len(model.boxes) == 27  # without five points that would be done twice


def test_the_best_of_the_poor_fits_is_taken() -> None:
    model = Model(lambda box: 0.3 + 0.01 * (box[0] > 100) - 0.02 * (box[1] > 100))
    (fit,) = confirm(model, IMAGE, [at(100)], [], 1)
    assert len(model.boxes) == 27
    assert fit.quality == pytest.approx(0.31)


def test_no_face_is_found_twice_or_where_one_is() -> None:
    model = Model(lambda box: 0.9)
    taken = [(100.0, 100.0, 200.0, 200.0)]
    free = [
        fit.points.mean(axis=0)[0] for fit in confirm(model, IMAGE, [at(160), at(161)], taken, 2)
    ]
    assert free == pytest.approx([211])
    assert len(confirm(model, IMAGE, [at(300), at(300), at(500)], [], 3)) == 2
    assert len(confirm(model, IMAGE, [at(300), at(500)], [], 1)) == 1
