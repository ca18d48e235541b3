"""Maps between mark-ups."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.evaluation.conventions import learn_linear, learn_offset
from facetrack.evaluation.errors import normalised_errors
from facetrack.landmarks.procrustes import Similarity


def other_convention(shapes):
    """Lower the jaw by a tenth of its distance to the nose, and shift a brow."""
    moved = shapes.copy()
    moved[:, 3:14] += 0.1 * (shapes[:, 3:14] - shapes[:, 30:31])
    moved[:, 20] += (1.5, -2.0)
    return moved


def test_a_linear_difference_is_learnt_wholly(make_faces) -> None:
    truth, test = make_faces(400, seed=3), make_faces(30, seed=4)
    learnt = learn_linear(other_convention(truth), truth)
    before = normalised_errors(other_convention(test), test).mean()
    after = normalised_errors(learnt.apply(other_convention(test)), test).mean()
    assert after < 0.05 * before


def test_a_constant_difference_is_learnt_by_the_offset(make_faces) -> None:
    truth = make_faces(50, seed=3, deviation=0.0)
    shifted = truth.copy()
    shifted[:, 5] += 3
    learnt = learn_offset(shifted, truth)
    assert_allclose(learnt.apply(shifted), truth, atol=1e-9)


def test_maps_follow_a_face_that_is_turned_and_enlarged(make_faces) -> None:
    truth = make_faces(50, seed=3)
    learnt = learn_offset(other_convention(truth), truth)
    turn = Similarity(1.6, 0.9, 40, -7)
    shape = other_convention(truth)[0]
    assert_allclose(learnt.apply(turn.apply(shape)), turn.apply(learnt.apply(shape)), atol=1e-9)


def test_missing_faces_stay_missing(make_faces) -> None:
    truth = make_faces(40, seed=3)
    points = truth.copy()
    points[3] = np.nan
    corrected = learn_linear(points, truth).apply(points)
    assert np.isnan(corrected[3]).all()
    assert np.isfinite(np.delete(corrected, 3, axis=0)).all()


@pytest.mark.parametrize("learn", [learn_offset, learn_linear])
def test_too_few_faces_are_refused(learn, make_faces) -> None:
    with pytest.raises(InputError, match="at least 20 found faces, got 5"):
        learn(make_faces(5), make_faces(5))
