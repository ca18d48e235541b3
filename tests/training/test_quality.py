"""The quality classifier of a whole model, on synthetic faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facetrack.features.crops import warp_to_frame
from facetrack.features.maps import MapBuilder
from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.quality import QualityClassifier, probability
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.training.pictures import Picture
from facetrack.training.quality import learn_quality


def _learn(model: FaceModel, pictures, calibration) -> QualityClassifier:
    rng = np.random.default_rng(0)
    return learn_quality(model.tracking, model.shape_model, pictures, calibration, rng)


def _judge(quality: QualityClassifier, model: FaceModel, picture: Picture, shift: float) -> float:
    """Judge the truth, moved to the right by a share of the eyes' distance."""
    shape = model.shape_model.project(picture.points)
    shape[:, 0] += shift * np.linalg.norm(shape[45] - shape[36])
    frame = model.shape_model.to_reference(shape)
    maps = MapBuilder(model.tracking.maps).build(warp_to_frame(picture.grey, frame))
    features = quality.level.features(maps, frame.apply(shape))[None]
    return probability(float(quality.logits(features, features @ quality.level.regressor.T)[0]))


@pytest.fixture(scope="module")
def halves(pictures) -> tuple[list[Picture], list[Picture]]:
    """Give pictures to learn from and pictures to calibrate on."""
    return pictures[0::4] + pictures[1::4], pictures[2::4]


def test_truths_are_told_from_shapes_beside_the_face(shipped_model, halves) -> None:
    quality = _learn(shipped_model, *halves)
    judged = np.array(
        [[_judge(quality, shipped_model, p, shift) for shift in (0.0, 0.5)] for p in halves[1]]
    )
    assert (judged[:, 0] > judged[:, 1]).mean() > 0.9
    assert judged[:, 0].mean() > 0.8
    assert judged[:, 1].mean() < 0.2


def test_another_convention_of_labels_is_no_error(
    shipped_model, shape_model: ShapeModel, halves
) -> None:
    """Labels that all differ by the same amounts leave the calibration where it is."""
    offset = np.random.default_rng(1).normal(0, 3, (68, 2))  # 5 % of the eyes' distance
    offset[:17] *= 5  # the jaw follows another definition altogether
    learn, calibration = halves
    relabelled = []
    for picture in calibration:
        frame = shape_model.to_reference(picture.points)
        points = frame.inverse().apply(frame.apply(picture.points) + offset)
        relabelled.append(replace(picture, points=points))
    plain, other = (
        _learn(shipped_model, learn, calibration),
        _learn(shipped_model, learn, relabelled),
    )
    for picture in calibration[:5]:
        judged = [_judge(quality, shipped_model, picture, 0.0) for quality in (plain, other)]
        assert judged[1] == pytest.approx(judged[0], abs=0.15)
