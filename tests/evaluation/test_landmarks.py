"""Systems compared on the same images."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.evaluation.landmarks import (
    curves,
    landmark_details,
    landmark_report,
    landmark_table,
    standard_error,
    with_learned_conventions,
)
from facetrack.evaluation.predictions import Predictions
from facetrack.reporting.tables import as_text


@pytest.fixture
def predictions(images):
    truth = np.stack([i.points for i in images])
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=1)
    shift = np.zeros_like(truth)
    shift[..., 0] = np.array([1, 2, 3, 4, 5, 13])[:, None] / 100 * eyes[:, None]
    lost = truth.copy()
    lost[0] = np.nan
    return (
        Predictions("ours", "", "detector", (truth + shift)[:, None], truth),
        Predictions("peer", "a note", "own detector", lost[:, None], truth),
    )


def test_rows_hold_what_the_json_needs(images, predictions) -> None:
    report = landmark_report("six", images, predictions, skipped=["x: not there"])
    ours, peer = landmark_details(report)["rows"]
    assert ours["mean"] == pytest.approx(28 / 6)
    assert ours["median"] == pytest.approx(3.5)
    assert (ours["over08"], ours["over12"]) == (pytest.approx(1 / 6), pytest.approx(1 / 6))
    assert (peer["found"], peer["mean"], peer["over08"]) == (5 / 6, 0, 1 / 6)
    assert landmark_details(report)["worst"][0] == "face_5"


def test_the_table_names_notes_and_what_was_skipped(images, predictions) -> None:
    report = landmark_report("six", images, predictions, skipped=["x: not there"])
    text = as_text(landmark_table(landmark_details(report), images=6))
    assert "six: 6 images, 68 points" in text
    assert "a note" in text
    assert "skipped: x: not there" in text


def test_the_standard_error_is_that_of_the_images(images, predictions) -> None:
    report = landmark_report("six", images, predictions)
    expected = np.std([1, 2, 3, 4, 5, 13], ddof=1) / np.sqrt(6)
    assert standard_error(report.rows[0]) == pytest.approx(expected)


def test_curves_are_named_by_system_and_start(images, predictions) -> None:
    named = curves(landmark_report("six", images, predictions))
    assert list(named) == ["ours, detector", "peer, own detector"]


def test_conventions_are_learnt_on_a_quarter(make_faces) -> None:
    truth = make_faces(80, seed=5)
    shifted = truth.copy()
    shifted[:, 3] += 4
    wrong = shifted.copy()
    wrong[np.arange(80) % 4 > 0] += np.random.default_rng(0).normal(0, 9, (60, 68, 2))
    training = Predictions("p", "", "", wrong[:, None], truth)
    test = Predictions("p", "", "", shifted[:, None], truth)
    offset, linear = with_learned_conventions(test, [training])
    assert (offset.name, linear.name) == ("p + offset", "p + linear map")
    assert offset.errors().mean() < 0.2 * test.errors().mean()


def test_nothing_to_measure_is_refused(images) -> None:
    with pytest.raises(InputError, match="no predictions"):
        landmark_report("six", images, [])
