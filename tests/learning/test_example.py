"""A correction becomes an example: starts as a tracker has them, and labels in their frames."""

from __future__ import annotations

from unittest.mock import Mock

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.landmarks.shape_model import N_RIGID
from facetrack.learning.example import STARTS, _moved, make_example


def test_labels_are_the_correction_in_each_starts_frame(example, opinion, shipped_model) -> None:
    one = example(30)
    shape_model = shipped_model.shape_model
    for start, label in zip(one.starts, one.labels, strict=True):
        assert_allclose(shape_model.to_reference(start).scale, 1, atol=1e-6)
        back = shape_model.to_reference(label)
        assert_allclose(
            back.apply(label), shape_model.to_reference(opinion(30)).apply(opinion(30)), atol=1e-6
        )


def test_starts_lie_as_far_off_as_a_face_moves_and_half_relaxed(example, shipped_model) -> None:
    """The last one knows nothing of the label's form, or displacement itself would be learned."""
    one, mean = example(30), shipped_model.shape_model.mean
    eye = np.linalg.norm(mean[36] - mean[45])
    off = (one.starts - one.labels).mean(axis=1)
    assert (np.linalg.norm(off, axis=1) < 0.15 * eye).all()
    assert np.linalg.norm(off, axis=1).max() > 0.005 * eye
    forms = np.linalg.norm(one.starts - mean, axis=2).mean(axis=1)
    assert_allclose(forms[-1], 0, atol=1e-6)
    own = np.linalg.norm(one.labels - mean, axis=2).mean(axis=1)
    assert (forms[:-1] > 0.3 * own[:-1]).all()
    assert (forms[:-1] < 0.8 * own[:-1]).all()


def test_a_start_is_shifted_by_three_percent_of_the_eye_distance(shipped_model) -> None:
    model = shipped_model.shape_model
    rng = Mock()  # draws a whole standard deviation to the right, and nothing else
    rng.standard_normal.side_effect = lambda n=None: (
        np.array([1.0, 0.0]) if n == 2 else 0.0 if n is None else np.zeros(n)
    )
    moved = _moved(model.mean, model, rng)
    eyes = np.linalg.norm(model.mean[36] - model.mean[45])
    assert_allclose(moved - model.mean, np.tile([0.03 * eyes, 0], (68, 1)), atol=1e-9)


def test_the_same_correction_gives_the_same_example(example) -> None:
    one, again = example(30), example(30)
    assert one.patches.tobytes() == again.patches.tobytes()
    assert one.starts.tobytes() == again.starts.tobytes()
    assert one.patches.shape == (STARTS, 160, 160)


def test_a_correction_that_vouches_for_nothing_is_refused(video, shipped_model) -> None:
    with pytest.raises(InputError, match="at least one point"):
        make_example(
            video.frame(0).image, video.truth(0), np.zeros(68, bool), shipped_model.shape_model
        )


@pytest.mark.parametrize(("factor", "turn"), [(1.0, 0.0), (0.0, 1.0), (-2.0, 0.5)])
def test_a_start_is_scaled_and_turned_by_two_percent_about_its_middle(
    shipped_model, factor, turn
) -> None:
    model = shipped_model.shape_model
    rng, drawn = Mock(), iter([factor, turn])
    rng.standard_normal.side_effect = lambda n=None: next(drawn) if n is None else np.zeros(n)
    moved = _moved(model.mean, model, rng)
    size, angle = 1 + 0.02 * factor, 0.02 * turn
    matrix = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = model.mean.mean(axis=0)
    assert_allclose(moved, (model.mean - middle) @ matrix.T + middle, atol=1e-9)


def test_a_start_has_a_form_that_is_a_fifth_of_each_mode_s_deviation_away(shipped_model) -> None:
    model = shipped_model.shape_model
    rng = Mock()
    rng.standard_normal.side_effect = lambda n=None: (
        0.0 if n is None else np.zeros(2) if n == 2 else np.ones(n)
    )
    expected = 0.2 * model.deviations
    expected[:N_RIGID] = 0
    assert_allclose(model.parameters(_moved(model.mean, model, rng)), expected, atol=1e-9)
