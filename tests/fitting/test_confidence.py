"""Confidence of points: its inputs as plain numpy has them, probabilities, from fit to face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.fitting.confidence import (
    N_POINT_FEATURES,
    End,
    PointConfidence,
    contrast_of,
    point_features,
)
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import GROUPS, REGIONS, outer_eye_distance
from facetrack.landmarks.shape_model import N_RIGID
from facetrack.learning.example import make_example
from facetrack.learning.learner import Learner
from facetrack.model import load_model, save_model
from facetrack.synthetic.portrait import astronaut
from facetrack.tracking.tracker import Tracker

K = 3


@pytest.fixture(scope="module")
def model(shipped_model: FaceModel) -> FaceModel:
    """Give the shipped model with some confidence, whatever it was trained with."""
    rng = np.random.default_rng(0)
    confidence = PointConfidence(
        0.05 * rng.normal(size=(68, N_POINT_FEATURES)), rng.normal(size=68)
    )
    return replace(shipped_model, confidence=confidence)


def _end(model: FaceModel, seed: int) -> End:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=68 * K + 1).astype(np.float32)
    return End(
        features=features,
        step=rng.normal(size=model.shape_model.n_parameters).astype(np.float32),
        shape=model.shape_model.mean + rng.normal(0, 2, (68, 2)),
        points=model.shape_model.mean * rng.uniform(0.5, 2) + rng.normal(0, 20, 2),
        size=(200, 150),
        scale=float(rng.uniform(0.2, 3)),
        contrast=float(rng.uniform(0, 2)),
    )


def _naive_point_features(end: End, quality: float, model: FaceModel) -> np.ndarray:
    """Say the same as the kernel in plain numpy."""
    moved = (model.tracking.basis @ end.step).reshape(68, 2)
    steps, energy = (moved**2).sum(axis=1), (end.features[:-1].reshape(68, -1) ** 2).sum(axis=1)
    right, down = np.array(end.size) - 1
    x, y = end.points.T
    inside = np.minimum.reduce([x, y, right - x, down - y]) / outer_eye_distance(end.points)
    by_region = np.empty((68, 2))
    for region in map(list, REGIONS.values()):
        by_region[region] = steps[region].mean(), energy[region].mean()
    parameters = model.shape_model.parameters(end.shape)[N_RIGID:]
    parameters = parameters / model.shape_model.deviations[N_RIGID:]
    quality, small = float(np.clip(quality, -8, 8)), np.log(end.scale)
    common = [
        np.log(steps.mean() + 0.01), np.log(energy.mean() + 1e-3), quality, quality**2,
        small, max(small, 0), np.log(end.contrast + 0.01), np.log((parameters**2).mean() + 0.1),
        *parameters[:6], *parameters[:6] ** 2,
    ]  # fmt: skip
    own = [
        np.log(steps + 0.01), np.log(energy + 1e-3), np.log(by_region[:, 0] + 0.01),
        np.log(by_region[:, 1] + 1e-3), np.clip(-inside, -0.3, 0.3),
    ]  # fmt: skip
    return np.column_stack([*own, np.tile(common, (68, 1))])


@given(seed=st.integers(0, 1000), quality=st.floats(-20, 20))
def test_inputs_are_those_of_plain_numpy(shipped_model, seed: int, quality: float) -> None:
    end = _end(shipped_model, seed)
    inputs = point_features(end, quality, shipped_model.shape_model, shipped_model.tracking.basis)
    assert inputs.shape == (68, N_POINT_FEATURES)
    assert_allclose(
        inputs, _naive_point_features(end, quality, shipped_model), rtol=1e-4, atol=1e-4
    )


def test_probabilities_are_logistic() -> None:
    rng = np.random.default_rng(1)
    confidence = PointConfidence(rng.normal(size=(68, N_POINT_FEATURES)), rng.normal(size=68))
    inputs = rng.normal(size=(68, N_POINT_FEATURES))
    logits = (inputs * confidence.weights).sum(axis=1) + confidence.bias
    assert_allclose(confidence.probability(inputs), 1 / (1 + np.exp(-logits)), rtol=1e-12)


def test_examples_change_the_logits_of_the_points_that_they_vouch_for() -> None:
    rng = np.random.default_rng(3)
    change = rng.uniform(0.2, 1, (68, 3))
    confidence = PointConfidence(
        rng.normal(size=(68, N_POINT_FEATURES)), rng.normal(size=68), change
    )
    inputs = 0.2 * rng.normal(size=(68, N_POINT_FEATURES))
    plain = np.log(1 / (1 / confidence.probability(inputs) - 1))
    examples = np.zeros(68)
    examples[[5, 40, 60]] = 1, 8, 3
    said = confidence.probability(inputs, examples)
    taught = np.log(1 / (1 / said - 1))
    assert_allclose(np.delete(taught - plain, [5, 40, 60]), 0, atol=1e-9)
    for point, count in ((5, 1), (40, 8), (60, 3)):
        factor, by_count, gain = change[point]
        expected = factor * plain[point] + by_count * np.log(count) + gain
        assert taught[point] == pytest.approx(expected)


def test_a_confidence_that_knows_nothing_of_examples_stays_as_it_is() -> None:
    confidence = PointConfidence(np.full((68, N_POINT_FEATURES), 0.1), np.linspace(-1, 1, 68))
    inputs = np.ones((68, N_POINT_FEATURES))
    assert_allclose(confidence.probability(inputs, 5), confidence.probability(inputs), rtol=1e-12)


def test_a_correction_is_told_by_the_confidence_of_its_points(shipped_model: FaceModel) -> None:
    portrait = astronaut()
    eyes = np.isin(np.arange(68), list(GROUPS["eyes"]))
    example = make_example(portrait.image, portrait.points, eyes, shipped_model.shape_model)
    learned = Learner(shipped_model.tracking, ()).learn([example])
    plain, taught = (
        shipped_model.fit(portrait.image, portrait.points, learned=known).confidence
        for known in (None, learned)
    )
    assert (taught[eyes] > plain[eyes]).all()
    assert (taught[~eyes] == plain[~eyes]).all()


def test_broken_inputs_deserve_no_confidence() -> None:
    confidence = PointConfidence(np.ones((68, N_POINT_FEATURES)), np.full(68, 3.0))
    inputs = np.zeros((68, N_POINT_FEATURES))
    inputs[0, 2], inputs[1, 2], inputs[2, 2] = np.nan, np.inf, -np.inf
    said = confidence.probability(inputs)
    assert said[0] == 0
    assert_allclose(said[1:4], [1, 0, 1 / (1 + np.exp(-3))], atol=1e-12)
    assert not said.flags.writeable


@pytest.mark.parametrize(
    ("wrong", "shapes"),
    [
        ("weights", ((68, N_POINT_FEATURES - 1), (68,), (68, 3))),
        ("bias", ((68, N_POINT_FEATURES), (67,), (68, 3))),
        ("taught", ((68, N_POINT_FEATURES), (68,), (3, 68))),
    ],
)
def test_arrays_of_another_shape_are_named(wrong: str, shapes) -> None:
    with pytest.raises(InputError, match=f"confidence needs {wrong} "):
        PointConfidence(*map(np.zeros, shapes))


def test_contrast_is_the_mean_of_maps() -> None:
    rng = np.random.default_rng(2)
    maps = rng.uniform(0, 1, (160, 160, 8)).astype(np.float32)
    assert contrast_of(maps) == pytest.approx(maps.mean(), abs=0.02)
    assert contrast_of(np.full((12, 12, 8), 0.25, np.float32)) == 0.25


@pytest.mark.parametrize(("size", "step"), [(160, 8), (59, 2), (12, 1)])
def test_contrast_is_read_in_the_middle_of_twenty_cells_a_side(size: int, step: int) -> None:
    maps = np.zeros((size, size, 8), np.float32)
    maps[step // 2 :: step, step // 2 :: step] = 0.5
    assert contrast_of(maps) == 0.5


def test_every_fit_says_how_sure_its_points_are(model: FaceModel) -> None:
    portrait = astronaut()
    fits = [
        model.fit(portrait.image, portrait.points),
        model.fit_box(portrait.image, (150, 60, 300, 210)),
        model.judge(portrait.image, portrait.points),
    ]
    for fit in fits:
        assert fit.confidence.shape == (68,)
        assert ((fit.confidence >= 0) & (fit.confidence <= 1)).all()
        assert not fit.confidence.flags.writeable
    again = model.fit(portrait.image, portrait.points)
    assert again.confidence.tobytes() == fits[0].confidence.tobytes()


def test_a_fit_is_judged_as_its_points_are_wherever_they_come_from(model: FaceModel) -> None:
    portrait = astronaut()
    fit = model.fit(portrait.image, portrait.points)
    judged = model.judge(portrait.image, fit.points)
    assert judged.points.tobytes() == fit.points.tobytes()
    assert judged.quality == pytest.approx(fit.quality, abs=0.02)
    assert_allclose(judged.confidence, fit.confidence, atol=0.1)  # another frame, a little moved


def test_the_tracker_hands_the_confidence_on(model: FaceModel) -> None:
    image = astronaut().image
    tracker = Tracker(model)
    for _ in range(12):
        faces = tracker.update(image)
    (face,) = faces
    assert_allclose(face.confidence, model.judge(image, face.raw_points).confidence, atol=0.1)
    assert not face.confidence.flags.writeable
    (lost,) = tracker.update(np.zeros_like(image))
    assert not lost.tracked
    assert np.isnan(lost.confidence).all()


def test_a_model_without_confidence_says_nothing(model: FaceModel, tmp_path) -> None:
    old = replace(model, confidence=None)
    save_model(old, tmp_path / "old.npz")
    loaded = load_model(tmp_path / "old.npz")
    assert loaded.confidence is None
    portrait = astronaut()
    fit, expected = (m.fit(portrait.image, portrait.points) for m in (loaded, model))
    assert np.isnan(fit.confidence).all()
    assert fit.points.tobytes() == expected.points.tobytes()


def test_confidence_survives_the_models_file(model: FaceModel, tmp_path) -> None:
    save_model(model, tmp_path / "new.npz")
    loaded, portrait = load_model(tmp_path / "new.npz"), astronaut()
    a, b = (m.fit(portrait.image, portrait.points).confidence for m in (model, loaded))
    assert a.tobytes() == b.tobytes()
