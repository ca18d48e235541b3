"""Training a cascade: what is learnt in training is what happens at run time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.features.maps import MapBuilder
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.cascade import CascadePlan, LevelPlan, train_cascade
from facetrack.training.frames import TrainingFrames, make_frames
from facetrack.training.methods import CommonMean, Continuous, Sampled
from facetrack.training.starts import StartNoise

PLAN = CascadePlan((LevelPlan(0, 8.0, 4), LevelPlan(1, 5.0, 3)), ridge=1e-2)
M = 4 + 8


@pytest.fixture(scope="module")
def frames(pictures, shape_model: ShapeModel) -> TrainingFrames:
    rng = np.random.default_rng(0)
    starts = [
        StartNoise().move(picture.points, shape_model, rng, projected=True) for picture in pictures
    ]
    return make_frames(
        [(p.number, p.grey, s, p.points) for p, s in zip(pictures, starts, strict=True)],
        shape_model,
    )


def _train(frames: TrainingFrames, shape_model: ShapeModel, plan: CascadePlan, **options):
    rng = np.random.default_rng(1)
    trained = train_cascade(frames, shape_model.basis[:, :M], plan, rng=rng, **options)
    return trained.cascade, trained.ends


def _error(shapes: np.ndarray, frames: TrainingFrames) -> float:
    return float(np.linalg.norm(shapes - frames.truths, axis=2).mean())


@pytest.mark.parametrize(
    "method", [Continuous(), CommonMean(), Sampled(draws=4)], ids=lambda m: type(m).__name__
)
def test_every_method_brings_shapes_nearer(frames, shape_model, method) -> None:
    lines: list[str] = []
    cascade, ends = _train(frames, shape_model, replace(PLAN, method=method), report=lines.append)
    errors = [float(line.split()[4]) for line in lines]
    assert _error(frames.starts, frames) > errors[0] > errors[1]
    assert errors[1] == pytest.approx(_error(ends, frames), abs=1e-3)
    assert _error(ends, frames) < 0.6 * _error(frames.starts, frames)
    assert [level.n_features for level in cascade.levels] == [68 * 4 + 1, 68 * 3 + 1]


def test_running_the_cascade_ends_where_training_ended(frames, shape_model: ShapeModel) -> None:
    cascade, ends = _train(frames, shape_model, PLAN)
    builder = MapBuilder(cascade.maps)
    for patch, start, end in zip(frames.patches, frames.starts, ends, strict=True):
        assert_allclose(cascade.run(builder.build(patch), start), end, atol=1e-3)


def test_what_is_kept_for_learning_people_is_of_the_frames(frames, shape_model) -> None:
    """The spread is continuous regression's own, 0.4 of the covariance, in all 12 directions."""
    basis = shape_model.basis[:, :M]
    first = train_cascade(frames, basis, PLAN, rng=np.random.default_rng(1)).priors[0]
    deltas = (frames.starts - frames.truths).reshape(len(frames), -1) @ basis
    covariance = np.cov(deltas.T, bias=True)
    spread = first.spread.astype(np.float64)
    assert spread.shape == (M, 12)
    assert_allclose(spread @ spread.T, 0.4 * covariance, atol=1e-4 * covariance.max())
    mean = deltas.mean(axis=0)
    square = np.trace(basis @ (covariance + np.outer(mean, mean)) @ basis.T) / 136
    assert first.step == pytest.approx(1.15 * np.sqrt(square), rel=1e-4)


def test_shapes_move_along_the_basis_only(frames, shape_model: ShapeModel) -> None:
    _, ends = _train(frames, shape_model, PLAN)
    moved = (ends - frames.starts).reshape(len(frames), -1)
    basis = shape_model.basis[:, :M]
    assert_allclose(moved @ basis @ basis.T, moved, atol=1e-4)
    assert np.abs(moved).max() > 1


@pytest.mark.parametrize("method", [Continuous(), Sampled(draws=4)], ids=["continuous", "sampled"])
def test_threads_change_no_bit(frames, shape_model: ShapeModel, method) -> None:
    # more frames than one chunk holds, so that threads could overtake each other
    patches, starts, truths = (
        np.concatenate([array] * 10) for array in (frames.patches, frames.starts, frames.truths)
    )
    many = TrainingFrames(patches, starts, truths, np.tile(frames.pictures, 10))
    plan = replace(PLAN, levels=PLAN.levels[:1], method=method)
    one, two = (_train(many, shape_model, plan, threads=threads) for threads in (1, 2))
    assert one[1].tobytes() == two[1].tobytes()
    for part in ("basis", "offset", "regressor"):
        a, b = (getattr(trained[0].levels[0], part) for trained in (one, two))
        assert a.tobytes() == b.tobytes()
