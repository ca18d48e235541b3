"""Whether confidence comes true: what is judged, against which truth, in which parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.detection.detections import Detection
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip, find_clips
from facetrack.evaluation.confidence import (
    YAW_BANDS,
    Judged,
    judge_clips,
    judge_pictures,
    judge_taught,
    judged,
    with_all,
)
from facetrack.evaluation.confidence_report import confidence_details, confidence_table
from facetrack.evaluation.plots import plot_reliability
from facetrack.face import Face, Fit, State, read_only_points
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.tables import as_text
from facetrack.synthetic.video import SyntheticVideo
from tests.rotations import rotation_matrix

SAID = np.linspace(0.05, 0.95, 68)


class SureModel:
    """Moves some points of the truth, and says 0.05 to 0.95 of the points in turn."""

    name = "sure"

    def __init__(self, shape_model) -> None:
        self.shape_model = shape_model

    def fit(self, image, start) -> Fit:
        return Fit(read_only_points(start), 1.0, SAID)

    def fit_box(self, image, box, *, view=0, five=None) -> Fit:
        corner = np.array(box[:2])
        return Fit(read_only_points(self.shape_model.mean - 80 + corner), 1.0, SAID)


class BoxDetector:
    def detect(self, image, *, wanted=1):
        return [Detection((100.0, 100.0, 200.0, 200.0), 1.0, 0)] if image.max() > 100 else []


def test_every_start_of_every_picture_is_judged(shape_model, images) -> None:
    found = judge_pictures(SureModel(shape_model), "six", images, seeds=3)
    assert (found.data, found.start) == ("six", "projected truth")
    assert found.confidence.shape == found.errors.shape == (18, 68)
    assert (found.confidence == SAID).all()
    assert 0.05 < found.errors.mean() < 0.3  # starts that stay where they were put


def test_pictures_without_a_detection_are_left_out(shape_model, images) -> None:
    found = judge_pictures(SureModel(shape_model), "six", images, detector=BoxDetector())
    assert found.start == "detector"
    assert len(found.yaw) == 3  # grey values of 0, 40, ..., 200


def test_errors_are_fractions_of_the_true_eyes(shape_model, make_faces) -> None:
    truth = make_faces(1)[0]
    eyes = np.linalg.norm(truth[36] - truth[45])
    moved = truth.copy()
    moved[5] += (0, 0.07 * eyes)
    found = judged("a", "b", [(SAID, moved, truth)], shape_model)
    assert found.errors[0, 5] == pytest.approx(0.07)
    assert np.delete(found.errors[0], 5).max() == 0


@pytest.mark.parametrize(("yaw", "place"), [(0, 0), (20, 300), (-20, -300), (40, 50)])
def test_yaw_is_what_the_face_shows_wherever_it_is(shipped_model, yaw, place) -> None:
    head = shipped_model.shape_model.mean_3d @ rotation_matrix(0, np.radians(yaw), 0).T
    truth = 0.7 * head[:, :2] + 400 + place
    found = judged("a", "b", [(SAID, truth, truth)], shipped_model.shape_model)
    assert found.yaw[0] == pytest.approx(abs(yaw), abs=3)


def _report(n: int = 300) -> Judged:
    """Draw points that come true as often as is said, but for those of the nose."""
    rng = np.random.default_rng(0)
    said = rng.random((n, 68))
    right = rng.random((n, 68)) < said
    right[:, GROUPS["nose"]] = True
    return Judged("a", "b", said, np.where(right, 0.01, 0.2), np.linspace(0, 29, n))


def test_parts_are_groups_and_bands_of_yaw() -> None:
    parts = _report().parts()
    assert list(parts) == ["all", *GROUPS, "yaw 0-15", "yaw 15-30"]  # no face is turned farther
    assert parts["nose"].error == pytest.approx(0.5, abs=0.02)
    assert parts["mouth"].error < 0.05
    assert parts["yaw 0-15"].counts.sum() + parts["yaw 15-30"].counts.sum() == 300 * 68


def test_the_report_names_the_worst(tmp_path: Path) -> None:
    rows = confidence_details([_report()])
    (entry,) = rows
    assert entry["worst_group"] == entry["parts"]["nose"]["ece"] == pytest.approx(0.5, abs=0.02)
    assert entry["worst_yaw"] == max(
        part["ece"] for name, part in entry["parts"].items() if name in YAW_BANDS
    )
    text = as_text(confidence_table({"rows": rows}))
    assert "MediaPipe" in text
    assert text.splitlines()[2].split()[:3] == ["a", "b", "300"]


def test_data_that_start_alike_are_judged_together_too() -> None:
    one = _report(20)
    rows = with_all([one, replace(one, data="c"), replace(one, start="other")])
    assert [(r.data, r.start, len(r.yaw)) for r in rows] == [
        ("a", "b", 20), ("c", "b", 20), ("a", "other", 20), ("all", "b", 40)
    ]  # fmt: skip


def test_diagrams_are_drawn(tmp_path: Path) -> None:
    plot_reliability(tmp_path / "r.png", {"one": _report().parts(), "two": _report(9).parts()})
    picture = cv2.imread(str(tmp_path / "r.png"))
    assert picture is not None
    assert (picture.max(axis=2) - picture.min(axis=2) > 60).sum() > 1000  # coloured lines


class SureTracker:
    """Puts every point 4 % of 60 px beside a place; loses the face in one frame."""

    def __init__(self, points) -> None:
        self.points = points + np.array([2.4, 0])

    def update(self, image, timestamp=None):
        if image.index == 30:
            nothing = read_only_points(np.full((68, 2), np.nan))
            return [Face(0, State.LOST, "covered", nothing, nothing, 0.0, None)]
        points = read_only_points(self.points)
        return [Face(0, State.TRACKED, "", points + 50, points, 1.0, None, SAID)]


def test_clips_are_judged_against_each_reference(
    grey_video, make_faces, shape_model, tmp_path: Path
) -> None:
    grey_video("videos/a.mp4", 40)
    points = np.repeat(make_faces(1, seed=1), 40, axis=0)
    second = points - (1.2, 0)
    agreement = np.where(np.arange(40) < 5, 0.5, 0.02)
    np.savez(
        tmp_path / "videos" / "a_consensus.npz",
        points=points, points_pfld=second, agreement=agreement, fps=25.0,
    )  # fmt: skip
    clips = find_clips(tmp_path / "videos")
    near, far = judge_clips(lambda: SureTracker(points[0]), "mine", clips, shape_model)
    assert (near.data, near.start, far.start) == ("mine", "against dlib ERT", "against PFLD")
    assert len(near.yaw) == len(far.yaw) == 34  # not the disputed frames, nor the lost one
    assert near.errors == pytest.approx(0.04, rel=0.05)
    assert far.errors == pytest.approx(0.06, rel=0.05)


def test_taught_faces_are_judged_where_they_were_not_corrected(shipped_model) -> None:
    video = SyntheticVideo(shipped_model.shape_model, n_frames=16, size=(320, 240), seed=2)
    truth = np.stack([video.truth(index) for index in range(16)])
    clip = Clip("drawn", lambda: video, {"truth": truth}, np.ones(16, dtype=bool), exact=True)
    one, three = judge_taught(shipped_model, "drawn", [clip], counts=(1, 3))
    assert (one.start, three.start) == ("taught 1", "taught 3")
    assert (len(one.yaw), len(three.yaw)) == (7, 5)  # of every second frame
    assert three.errors.mean() < one.errors.mean()
    assert three.confidence.mean() > one.confidence.mean()


def test_a_model_that_says_nothing_is_named(shape_model, make_faces) -> None:
    truth = make_faces(1)[0]
    with pytest.raises(InputError, match="says no confidence"):
        judged("a", "b", [(np.full(68, np.nan), truth, truth)], shape_model)
    with pytest.raises(InputError, match="a: no face was found"):
        judged("a", "b", [], shape_model)
