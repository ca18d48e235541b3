"""Worse pictures of the same faces: the landmarks stay on them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.portrait import astronaut
from facetrack.training import augmentation
from facetrack.training.augmentation import augment
from facetrack.training.pictures import Picture


@pytest.fixture
def picture() -> Picture:
    grey = np.asarray(cv2.cvtColor(astronaut().image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return Picture(3, grey, astronaut().points)


def test_the_same_seed_makes_the_same_picture(picture: Picture) -> None:
    a, b = (augment(picture, np.random.default_rng(5)) for _ in range(2))
    assert (a.grey == b.grey).all()
    assert (a.points == b.points).all()


def test_pictures_become_worse_and_the_good_one_stays(picture: Picture) -> None:
    before = picture.grey.copy()
    changed = 0
    for seed in range(30):
        worse = augment(picture, np.random.default_rng(seed))
        assert worse.number == picture.number
        assert worse.box is None
        assert worse.grey.dtype == np.uint8
        assert worse.grey.flags.c_contiguous
        assert np.isfinite(worse.points).all()
        changed += worse.grey.shape != before.shape or bool((worse.grey != before).any())
    assert changed == 30
    assert (picture.grey == before).all()


def test_a_smaller_face_keeps_its_landmarks(picture: Picture) -> None:
    """A dot on every landmark is found there again."""
    grey = np.zeros_like(picture.grey)
    for x, y in np.rint(picture.points).astype(int).tolist():
        cv2.circle(grey, (x, y), 2, 255, -1)
    small = augmentation._smaller(replace(picture, grey=grey), np.random.default_rng(0))
    eyes = float(outer_eye_distance(small.points))
    assert 16 <= eyes <= 45
    x, y = np.rint(small.points).astype(int).T
    assert np.median(small.grey[y, x]) > 20 * small.grey.mean()


def test_a_cut_runs_through_the_face(picture: Picture) -> None:
    cut = 0
    for seed in range(10):
        worse = augmentation._cut_off(picture, np.random.default_rng(seed))
        height, width = worse.grey.shape
        inside = ((worse.points >= 0) & (worse.points <= [width - 1, height - 1])).all(axis=1)
        assert inside.mean() > 0.4
        cut += not inside.all()
        x, y = np.rint(worse.points[inside][0]).astype(int)
        shift = np.rint(picture.points[inside][0]).astype(int) - (x, y)
        assert worse.grey[y, x] == picture.grey[y + shift[1], x + shift[0]]
    assert cut > 5


def test_darkness_keeps_the_shapes_of_things(picture: Picture) -> None:
    dark = augmentation._dark(picture, np.random.default_rng(1)).grey
    assert dark.mean() < 0.6 * picture.grey.mean()
    assert np.corrcoef(dark.ravel(), picture.grey.ravel())[0, 1] > 0.5


def test_something_lies_over_a_part_of_the_face(picture: Picture) -> None:
    for seed in range(5):
        covered = augmentation._covered(picture, np.random.default_rng(seed)).grey
        share = (covered != picture.grey).mean()
        assert 0.0005 < share < 0.5


def test_a_picture_too_small_to_change_passes() -> None:
    tiny = Picture(0, np.full((3, 3), 7, np.uint8), astronaut().points / 200)
    for seed in range(60):
        assert min(augment(tiny, np.random.default_rng(seed)).grey.shape) >= 1
