"""Starts are scattered as stated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.procrustes import fit_similarity
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.synthetic.portrait import astronaut
from facetrack.training.starts import StartNoise

N = 4000
STILL = StartNoise(translation=0, scale=0, rotation=0, modes=0)


def _draw(face: np.ndarray, shape_model: ShapeModel, **noise: float) -> np.ndarray:
    """Draw starts with one kind of noise."""
    rng = np.random.default_rng(0)
    kinds = StartNoise(**{"translation": 0, "scale": 0, "rotation": 0, "modes": 0} | noise)
    return np.stack([kinds.move(face, shape_model, rng, projected=True) for _ in range(N)])


def test_the_defaults_are_the_protocols() -> None:
    noise = StartNoise()
    assert (noise.translation, noise.scale, noise.rotation, noise.modes) == (0.09, 0.06, 0.06, 0.5)


def test_translation_is_in_eye_distances_per_axis(face, shape_model) -> None:
    moved = _draw(face, shape_model, translation=0.09) - face
    assert_allclose(moved, np.broadcast_to(moved[:, :1], moved.shape), atol=1e-9)
    shift = moved[:, 0] / outer_eye_distance(face)
    assert_allclose(shift.mean(axis=0), 0, atol=4 * 0.09 / np.sqrt(N))
    assert_allclose(shift.std(axis=0), 0.09, rtol=0.05)
    assert abs(np.corrcoef(shift.T)[0, 1]) < 0.06


@pytest.mark.parametrize("kind", ["scale", "rotation"])
def test_scale_and_rotation_turn_about_the_middle(face, shape_model, kind: str) -> None:
    starts = _draw(face, shape_model, **{kind: 0.06})
    assert_allclose(starts.mean(axis=1), np.tile(face.mean(axis=0), (N, 1)), atol=1e-9)
    maps = [fit_similarity(face, start) for start in starts]
    assert_allclose([m.apply(face) for m in maps[:50]], starts[:50], atol=1e-9)
    scale = np.array([m.scale for m in maps])
    angle = np.array([np.arctan2(m.b, m.a) for m in maps])
    noisy, still = (scale - 1, angle) if kind == "scale" else (angle, scale - 1)
    assert noisy.mean() == pytest.approx(0, abs=4 * 0.06 / np.sqrt(N))
    assert noisy.std() == pytest.approx(0.06, rel=0.05)
    assert_allclose(still, 0, atol=1e-9)


def test_modes_are_in_their_own_deviations(face, shape_model: ShapeModel) -> None:
    frame = shape_model.to_reference(face)
    moved = frame.apply(_draw(face, shape_model, modes=0.5)) - frame.apply(face)
    p = moved.reshape(N, -1) @ shape_model.basis
    assert_allclose(p[:, :N_RIGID], 0, atol=1e-9)
    relative = p[:, N_RIGID:] / shape_model.deviations[N_RIGID:]
    assert_allclose(relative.std(axis=0), 0.5, rtol=0.07)
    assert_allclose(relative.mean(axis=0), 0, atol=5 * 0.5 / np.sqrt(N))


def test_projecting_leaves_out_what_the_model_cannot_say(shape_model: ShapeModel) -> None:
    rng = np.random.default_rng(0)
    truth = astronaut().points + rng.normal(0, 1, (68, 2))
    assert_allclose(STILL.move(truth, shape_model, rng, projected=False), truth, atol=1e-9)
    projected = STILL.move(truth, shape_model, rng, projected=True)
    assert_allclose(projected, shape_model.project(truth, limit=np.inf), atol=1e-9)
    assert np.abs(projected - truth).max() > 0.3


def test_the_same_generator_gives_the_same_start(face, shape_model: ShapeModel) -> None:
    first, again = (
        StartNoise().move(face, shape_model, np.random.default_rng(3), projected=True)
        for _ in range(2)
    )
    assert first.tobytes() == again.tobytes()
