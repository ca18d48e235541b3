"""Cascades that do not know a part of the pictures, and what they do on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.regression.cascade import Cascade
from facetrack.training.cascade import CascadePlan, LevelPlan, train_cascade
from facetrack.training.frames import TrainingFrames, make_frames
from facetrack.training.held_out import (
    EXAMPLES,
    FOLDS,
    HeldOutFit,
    fit_held_out,
    fit_taught,
    train_held_out,
)
from facetrack.training.pictures import Picture
from facetrack.training.starts import StartNoise

PLAN = CascadePlan((LevelPlan(0, 8.0, 4), LevelPlan(1, 5.0, 3)), ridge=1e-2)


@pytest.fixture(scope="module")
def basis(shape_model: ShapeModel) -> np.ndarray:
    return shape_model.basis[:, :12]


@pytest.fixture(scope="module")
def frames(pictures, shape_model: ShapeModel) -> TrainingFrames:
    rng = np.random.default_rng(0)
    return make_frames(
        (
            (
                p.number,
                p.grey,
                StartNoise().move(p.points, shape_model, rng, projected=True),
                p.points,
            )
            for p in pictures
        ),
        shape_model,
    )


@pytest.fixture(scope="module")
def whole(frames: TrainingFrames, basis: np.ndarray) -> Cascade:
    return train_cascade(frames, basis, PLAN, rng=np.random.default_rng(1)).cascade


@pytest.fixture(scope="module")
def held_out(frames: TrainingFrames, whole: Cascade, basis: np.ndarray) -> list[Cascade]:
    return train_held_out(frames, whole, basis, PLAN, np.random.default_rng(1))


def test_features_mean_the_same_to_all_cascades(whole: Cascade, held_out: list[Cascade]) -> None:
    assert len(held_out) == FOLDS
    for cascade in held_out:
        for level, same in zip(cascade.levels, whole.levels, strict=True):
            assert level.basis.tobytes() == same.basis.tobytes()
            assert level.offset.tobytes() == same.offset.tobytes()
            assert (level.map_index, level.spacing) == (same.map_index, same.spacing)


def test_a_cascade_knows_nothing_of_the_pictures_left_out(
    frames: TrainingFrames, whole: Cascade, basis: np.ndarray, held_out: list[Cascade]
) -> None:
    """Other labels on one part change every cascade but the one that was trained without it."""
    truths = frames.truths.copy()
    truths[frames.pictures % FOLDS == 2] += 5
    changed = TrainingFrames(frames.patches, frames.starts, truths, frames.pictures)
    again = train_held_out(changed, whole, basis, PLAN, np.random.default_rng(1))
    same = [
        all(
            a.regressor.tobytes() == b.regressor.tobytes()
            for a, b in zip(before.levels, after.levels, strict=True)
        )
        for before, after in zip(held_out, again, strict=True)
    ]
    assert same == [False, False, True, False, False]


def _try(held_out, shape_model, pictures, threads: int = 2) -> list[HeldOutFit]:
    return fit_held_out(held_out, shape_model, pictures, np.random.default_rng(2), threads=threads)


def test_fits_say_how_far_fits_end_from_the_truth(held_out, shape_model, pictures) -> None:
    fits = _try(held_out, shape_model, pictures)
    assert {fit.picture for fit in fits} == {picture.number for picture in pictures}
    assert len(fits) > 2 * len(pictures)
    by_number = {p.number: p for p in pictures[::2]}
    good = 0
    for fit in fits:
        end, picture = fit.end, by_number[fit.picture]
        assert end.features[-1] == 1
        step = held_out[fit.picture % FOLDS].levels[-1].regressor @ end.features
        assert_allclose(end.step, step, rtol=1e-4, atol=1e-4)
        if end.size == picture.grey.shape[::-1]:  # neither shrunk nor cut off
            apart = np.linalg.norm(end.points - picture.points, axis=1)
            apart /= outer_eye_distance(picture.points)
            good += bool(np.allclose(apart, fit.errors))
    assert good > 0.3 * len(fits)  # the mirrored copies have other landmarks


def test_threads_change_no_bit(held_out, shape_model, pictures) -> None:
    one, two = (_try(held_out, shape_model, pictures[:20], threads) for threads in (1, 2))
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        assert a.errors.tobytes() == b.errors.tobytes()
        assert a.end.features.tobytes() == b.end.features.tobytes()
        assert a.end.points.tobytes() == b.end.points.tobytes()


@pytest.fixture(scope="module")
def films(pictures) -> list[list[Picture]]:
    """Give two films of one face that travels, with the landmarks of another convention."""

    def frame(picture: Picture, step: int) -> Picture:
        moved = np.roll(picture.grey, step, axis=1)
        return replace(picture, grey=moved, points=picture.points + np.array([step + 2.0, 0.0]))

    return [[frame(picture, step) for step in range(40)] for picture in (pictures[0], pictures[4])]


def test_a_taught_person_is_fitted_better_the_more_is_taught(held_out, shape_model, films) -> None:
    fits = fit_taught(held_out, shape_model, films)
    assert {fit.picture for fit in fits} == {film[0].number for film in films}
    errors = [np.mean([t.errors.mean() for t in fits if t.examples == n]) for n in EXAMPLES]
    (untaught,) = {t.examples for t in fit_held_out(held_out, shape_model, films[0], _rng())}
    assert untaught == 0
    assert errors[2] < errors[0] < 0.08
    counts = [sum(t.examples == n for t in fits) for n in EXAMPLES]
    assert counts[0] >= counts[1] >= counts[2] > 10  # what was taught is not among them


def test_threads_change_no_bit_of_taught_people(held_out, shape_model, films) -> None:
    one, two = (fit_taught(held_out, shape_model, films, threads=n) for n in (1, 2))
    assert [t.errors.tobytes() for t in one] == [t.errors.tobytes() for t in two]


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
