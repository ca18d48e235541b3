"""Training pictures: mirrored copies, detections, the part set aside."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.detection.detections import Detection
from facetrack.detection.hog import HogDetector
from facetrack.face import read_only_points
from facetrack.features.pixels import overlap
from facetrack.fitting.box_fit import five_of
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.portrait import astronaut
from facetrack.training.pictures import (
    MIRRORED_VIEW,
    Picture,
    detection_of,
    mirrored,
    read_pictures,
    set_aside,
)


def test_a_picture_is_followed_by_its_mirrored_copy(images, pictures) -> None:
    assert len(pictures) == 2 * len(images)
    assert [picture.number for picture in pictures] == [i // 2 for i in range(len(pictures))]
    for image, picture, copy in zip(images, pictures[::2], pictures[1::2], strict=True):
        assert (picture.grey == image.read_grey()).all()
        assert (picture.points == image.points).all()
        assert (copy.grey == picture.grey[:, ::-1]).all()
        assert copy.grey.flags.c_contiguous


def test_most_synthetic_faces_are_detected(pictures) -> None:
    assert sum(picture.box is not None for picture in pictures) > 0.9 * len(pictures)


def test_the_detector_is_not_run_unasked(images) -> None:
    assert all(
        picture.box is picture.five is None for picture in read_pictures(images[:2], detect=False)
    )


def test_mirroring_twice_gives_the_picture_back(pictures) -> None:
    picture = pictures[0]
    again = mirrored(mirrored(picture))
    assert picture.box is not None
    assert again.box is not None
    assert (again.grey == picture.grey).all()
    assert_allclose(again.points, picture.points)
    assert again.box.view == picture.box.view
    assert_allclose(again.box.box, picture.box.box)
    assert picture.five is not None
    assert again.five is not None
    assert_allclose(np.array(again.five.five), np.array(picture.five.five))


def test_five_points_of_a_mirrored_picture_lie_on_the_same_parts(pictures) -> None:
    for picture in pictures[:8]:
        assert picture.five is not None
        eyes = outer_eye_distance(picture.points)
        away = np.linalg.norm(np.array(picture.five.five) - five_of(picture.points), axis=1)
        assert away.max() < 0.35 * eyes


def test_mirroring_exchanges_sides_and_counts_from_the_other_border() -> None:
    five = ((10.0, 20.0), (30.0, 21.0), (19.0, 30.0), (12.0, 40.0), (29.0, 41.0))
    found = Detection((5.0, 8.0, 35.0, 48.0), 0.9, 0, five)
    picture = Picture(3, np.zeros((60, 50), np.uint8), np.zeros((68, 2)), found, found)
    copy = mirrored(picture)
    assert copy.five is not None
    assert copy.five.five == ((19, 21), (39, 20), (30, 30), (20, 41), (37, 40))
    assert copy.five.box == (14, 8, 44, 48)


@pytest.mark.parametrize("view", range(5))
def test_a_mirrored_box_holds_the_same_face(view: int) -> None:
    grey = np.zeros((60, 100), np.uint8)
    grey[10:31, 20:41] = 200
    points = np.zeros((68, 2))
    copy = mirrored(Picture(3, grey, points, Detection((20, 10, 40, 30), 0.7, view)))
    assert copy.number == 3
    assert copy.box is not None
    assert (copy.box.score, copy.box.view) == (0.7, MIRRORED_VIEW[view])
    x0, y0, x1, y1 = map(int, copy.box.box)
    assert (copy.grey[y0 : y1 + 1, x0 : x1 + 1] == 200).all()
    assert copy.grey.sum() == grey.sum()
    assert MIRRORED_VIEW[MIRRORED_VIEW[view]] == view


@pytest.mark.parametrize("turn", [0.0, -0.4, 0.4])
def test_the_detector_sees_mirrored_pictures_as_said(turn: float) -> None:
    """Rolled pictures: dlib's templates of the two sides mirror each other."""
    portrait = astronaut()
    middle = portrait.points.mean(axis=0)
    matrix = cv2.getRotationMatrix2D(tuple(map(float, middle)), np.degrees(turn), 1.0)
    upright = cv2.cvtColor(portrait.image, cv2.COLOR_BGR2GRAY)
    grey = np.asarray(cv2.warpAffine(upright, matrix, (512, 512)), dtype=np.uint8)
    detector = HogDetector()
    found = detector.detect(grey)[0]
    expected = mirrored(Picture(0, grey, portrait.points, found)).box
    seen = detector.detect(np.ascontiguousarray(grey[:, ::-1]))[0]
    assert expected is not None
    assert seen.view == expected.view
    assert overlap(seen.box, expected.box) > 0.8
    assert (found.view == 0) == (turn == 0.0)


def test_the_best_detection_on_the_face_is_chosen() -> None:
    points = np.random.default_rng(0).uniform((100, 100), (200, 220), (68, 2))
    beside = Detection((300, 100, 400, 200), 2.0, 0)
    small = Detection((140, 140, 180, 180), 1.5, 0)
    large = Detection((0, 0, 300, 320), 1.2, 0)
    right = Detection((95, 100, 205, 210), 0.8, 1)
    second = Detection((100, 105, 200, 205), 0.5, 0)
    assert detection_of([beside, small, large, right, second], points) is right
    assert detection_of([beside, small, large], points) is None
    assert detection_of([], points) is None


def _named(names: list[str]) -> list[LabelledImage]:
    points = read_only_points(np.zeros((68, 2)))
    return [LabelledImage(name, Path(f"{name}.png"), points) for name in names]


NAMES = [f"person{k:03}_{n}" for k in range(300) for n in (1, 2, "a", "b")]


def test_people_stay_together_when_pictures_are_set_aside() -> None:
    kept, aside = set_aside(_named(NAMES), 0.2)
    people = [{image.name.rpartition("_")[0] for image in part} for part in (kept, aside)]
    assert not people[0] & people[1]
    assert [image.name for image in sorted(kept + aside, key=lambda i: NAMES.index(i.name))] == (
        NAMES
    )
    assert len(aside) / len(NAMES) == pytest.approx(0.2, abs=0.07)


def test_the_split_stays_when_pictures_are_added() -> None:
    _, few = set_aside(_named(NAMES[:400]), 0.2)
    _, all_ = set_aside(_named(NAMES), 0.2)
    _, more = set_aside(_named(NAMES), 0.3)
    few_names, names, more_names = ([i.name for i in part] for part in (few, all_, more))
    assert few_names == [name for name in names if name in NAMES[:400]]
    assert set(names) < set(more_names)


def test_nothing_is_set_aside_unasked() -> None:
    kept, aside = set_aside(_named(NAMES), 0.0)
    assert len(kept) == len(NAMES)
    assert aside == []
