"""Motion between neighbouring frames becomes starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.errors import InputError
from facetrack.face import read_only_points
from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.motion import pair_motions, start_from_motion


def _labelled(**shapes: np.ndarray) -> list[LabelledImage]:
    return [LabelledImage(n, Path(f"{n}.png"), read_only_points(p)) for n, p in shapes.items()]


def test_a_shift_is_measured_there_and_back(face, shape_model: ShapeModel) -> None:
    shift = np.array([6.0, -3.0])
    there, back = pair_motions(_labelled(one_a=face, one_b=face + shift), shape_model)
    frame = shape_model.to_reference(face)
    expected = frame.apply(shift) - frame.apply(np.zeros(2))
    assert_allclose(there, np.tile(expected, (68, 1)), atol=1e-9)
    assert_allclose(back, -there, atol=1e-9)


def test_motion_does_not_depend_on_place_and_size(face, shape_model: ShapeModel) -> None:
    second = Similarity(1.05, 0.04, 3, -2).apply(face - face.mean(axis=0)) + face.mean(axis=0)
    elsewhere = Similarity(0.5, -0.3, 90, 10)
    pair = pair_motions(_labelled(v_a=face, v_b=second), shape_model)
    moved = _labelled(v_a=elsewhere.apply(face), v_b=elsewhere.apply(second))
    assert_allclose(pair_motions(moved, shape_model), pair, atol=1e-9)
    assert np.abs(pair).max() > 1


def test_fine_modes_are_taken_for_noise_of_labels(shape_model: ShapeModel) -> None:
    p = np.zeros(shape_model.n_parameters)
    p[4 + 3] = 2.0
    coarse = shape_model.shape(p)
    p[4 + 12 :] = 2.0
    fine = shape_model.shape(p)
    there, _ = pair_motions(_labelled(v_a=shape_model.mean, v_b=fine), shape_model)
    assert_allclose(there, coarse - shape_model.mean, atol=1e-9)


def test_only_pairs_count(face, shape_model: ShapeModel) -> None:
    shapes = {"x_a": face, "x_b": face + 1, "y_a": face, "z_b": face, "plain": face}
    assert pair_motions(_labelled(**shapes), shape_model).shape == (2, 68, 2)
    with pytest.raises(InputError, match="NAME_a and NAME_b"):
        pair_motions(_labelled(y_a=face, z_b=face, plain=face), shape_model)


def test_a_start_lands_on_the_truth_after_the_motion(face, shape_model: ShapeModel) -> None:
    motion = pair_motions(_labelled(v_a=face, v_b=1.02 * face + (5, 2)), shape_model)[0]
    start = start_from_motion(face, motion, shape_model)
    frame = shape_model.to_reference(face)
    assert_allclose(frame.inverse().apply(frame.apply(start) + motion), face, atol=1e-9)
    assert np.abs(start - face).max() > 3


def test_the_start_of_a_shift_is_the_frame_before(face, shape_model: ShapeModel) -> None:
    after = face + np.array([8, -5])
    there, _ = pair_motions(_labelled(v_a=face, v_b=after), shape_model)
    assert_allclose(start_from_motion(after, there, shape_model), face, atol=1e-9)


def test_starts_leave_out_what_the_model_cannot_say(face, shape_model: ShapeModel) -> None:
    truth = face + np.random.default_rng(0).normal(0, 1, (68, 2))
    start = start_from_motion(truth, np.zeros((68, 2)), shape_model)
    assert_allclose(start, shape_model.project(truth, limit=np.inf), atol=1e-9)
