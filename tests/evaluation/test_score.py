"""Predictions against the truth, in every format, with mistakes of pairing named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import FormatError, InputError
from facetrack.evaluation.score import Landmarks, load_landmarks, score
from facetrack.evaluation.score_report import score_details, score_table
from facetrack.formats.openface import write_openface
from facetrack.formats.pts import write_pts
from facetrack.formats.table import make_table

FRAMES = 30


@pytest.fixture
def moving(make_faces):
    """Give a face that swings to and fro by a few pixels a frame."""
    t = np.arange(FRAMES)
    path = np.stack([12 * np.sin(t / 2), 9 * np.cos(t / 3)], axis=1)
    return make_faces(1)[0] + path[:, None]


@pytest.fixture
def files(moving, tmp_path: Path) -> dict[str, Path]:
    """Give the same track in every format."""
    write_openface(tmp_path / "track.csv", make_table(np.arange(FRAMES), moving))
    np.savez(tmp_path / "track.npz", points=moving, fps=25.0)
    (tmp_path / "annot").mkdir()
    for t, points in enumerate(moving):
        write_pts(tmp_path / "annot" / f"{t + 1:06}.pts", points)
    return {k: tmp_path / k for k in ("track.csv", "track.npz", "annot")}


@pytest.mark.parametrize("predicted", ["track.csv", "track.npz", "annot"])
@pytest.mark.parametrize("true", ["track.csv", "track.npz", "annot"])
def test_all_formats_pair_with_each_other(files, predicted: str, true: str) -> None:
    report = score(load_landmarks(files[predicted]), load_landmarks(files[true]))
    assert report.summary.n == FRAMES
    assert report.summary.mean < 1e-3
    assert (report.without_prediction, report.without_truth, report.warnings) == (0, 0, ())


def test_pictures_pair_by_name(images) -> None:
    folder = images[0].path.parent
    assert score(load_landmarks(folder), load_landmarks(folder)).keys == tuple(
        f"face_{k}" for k in range(6)
    )


def test_frames_without_a_prediction_are_failures(moving) -> None:
    truth = Landmarks("t", tuple(range(FRAMES)), moving)
    report = score(Landmarks("p", tuple(range(10)), moving[:10]), truth)
    assert report.without_prediction == 20
    assert report.summary.found == pytest.approx(1 / 3)
    assert report.summary.over08 == pytest.approx(2 / 3)


def test_predictions_without_a_label_and_incomplete_labels_are_ignored(moving) -> None:
    labelled = moving.copy()
    labelled[4, 7] = np.nan
    truth = Landmarks("t", tuple(range(20)), labelled[:20])
    report = score(Landmarks("p", tuple(range(FRAMES)), moving), truth)
    assert (report.summary.n, report.without_truth, report.unlabelled) == (19, 10, 1)
    assert 4 not in report.keys


def test_names_and_numbers_do_not_pair(files, images) -> None:
    with pytest.raises(InputError, match=r"frames 1 to 30.*pictures such as 'face_0'"):
        score(load_landmarks(files["track.csv"]), load_landmarks(images[0].path.parent))


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
def test_shifted_frame_numbers_are_named(moving, shift: int) -> None:
    truth = Landmarks("t", tuple(range(5, 25)), moving[5:25])
    late = Landmarks("p", tuple(t + shift for t in range(FRAMES)), moving)
    (warning,) = score(late, truth).warnings
    assert f"prediction n{shift:+d} fits frame n" in warning


def test_frame_numbers_that_fit_are_not_doubted(moving) -> None:
    noise = np.random.default_rng(0).normal(0, 1, moving.shape)
    truth = Landmarks("t", tuple(range(FRAMES)), moving)
    assert score(Landmarks("p", tuple(range(FRAMES)), moving + noise), truth).warnings == ()


def test_a_wrong_origin_is_named(files) -> None:
    wrong = load_landmarks(files["annot"], first_pixel=0)
    (warning,) = score(wrong, load_landmarks(files["track.npz"])).warnings
    assert "1 px right of and below" in warning


def test_exchanged_sides_are_named(moving) -> None:
    from facetrack.landmarks.markup import MIRROR

    truth = Landmarks("t", tuple(range(FRAMES)), moving)
    exchanged = Landmarks("p", tuple(range(FRAMES)), moving[:, list(MIRROR)])
    assert any("left and right" in w for w in score(exchanged, truth).warnings)


def test_another_picture_size_is_named(moving) -> None:
    truth = Landmarks("t", tuple(range(FRAMES)), moving)
    half = Landmarks("p", tuple(range(FRAMES)), moving / 2)
    assert any("0.50 times as large" in w for w in score(half, truth).warnings)


def test_a_file_with_several_faces_needs_a_choice(moving, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    frames = np.repeat(np.arange(FRAMES), 2)
    both = np.stack([moving, moving + 200], axis=1).reshape(-1, 68, 2)
    write_openface(path, make_table(frames, both, face_id=np.tile([0, 3], FRAMES)))
    with pytest.raises(FormatError, match=r"holds the faces 0, 3; choose one face"):
        load_landmarks(path)
    with pytest.raises(FormatError, match="has no face 2, only 0, 3"):
        load_landmarks(path, face=2)
    assert_allclose(load_landmarks(path, face=3).points, moving + 200, atol=0.01)


def test_a_folder_without_pts_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no \.pts file"):
        load_landmarks(tmp_path)


def test_the_report_counts_frames_from_one(moving) -> None:
    report = score(
        Landmarks("p", tuple(range(9)), moving[:9]), Landmarks("t", tuple(range(10)), moving[:10])
    )
    details = score_details(report)
    assert next(iter(details["errors"])) == "1"
    assert details["errors"]["10"] == np.inf
    assert "1 without a prediction" in score_table(report)


def test_a_folder_of_folders_names_those_inside(tmp_path: Path) -> None:
    (tmp_path / "face_0").mkdir()
    write_pts(tmp_path / "face_0" / "000001.pts", np.zeros((68, 2)))
    with pytest.raises(FormatError, match="choose one of those inside: face_0"):
        load_landmarks(tmp_path)
