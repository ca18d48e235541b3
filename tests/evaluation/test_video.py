"""Clips with reference tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facetrack.errors import FormatError, InputError
from facetrack.evaluation.clips import count_losses, find_clips, still_clip, track_clip
from facetrack.evaluation.video import OURS, SMOOTHED, evaluate_clips
from facetrack.evaluation.video_report import video_details, video_table
from facetrack.formats.openface import write_openface
from facetrack.formats.table import make_table
from facetrack.reporting.tables import as_text

N = 40


@pytest.fixture
def folder(grey_video, make_faces, tmp_path: Path) -> Path:
    """Give two videos with tracks of two trackers that disagree in the first five frames."""
    for name, seed in (("a", 1), ("b", 2)):
        grey_video(f"videos/{name}.mp4", N)
        points = np.repeat(make_faces(1, seed=seed), N, axis=0)
        second = points + 0.6  # 1.4 % of 60 px
        second[:5] += 20
        agreement = np.linalg.norm(points - second, axis=2).mean(axis=1) / 60
        np.savez(
            tmp_path / "videos" / f"{name}_consensus.npz",
            points=points, points_pfld=second, agreement=agreement, fps=25.0,
        )  # fmt: skip
    return tmp_path / "videos"


def test_clips_pair_videos_and_tracks(folder: Path, grey_video) -> None:
    grey_video("videos/untracked.mp4", 3)
    clips = find_clips(folder)
    assert [c.name for c in clips] == ["a", "b"]
    assert list(clips[0].references) == ["dlib ERT", "PFLD"]
    assert clips[0].compared.tolist() == [False] * 5 + [True] * (N - 5)


def test_a_folder_without_clips_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no video with a track"):
        find_clips(tmp_path)
    with pytest.raises(FormatError, match="no such folder"):
        find_clips(tmp_path / "nowhere")


def test_a_tracker_is_compared_on_trusted_frames_only(folder, make_faces, scripted_tracker) -> None:
    truth = make_faces(1, seed=1)[0]
    eyes = np.linalg.norm(truth[36] - truth[45])
    track = np.repeat(truth[None] + (0.02 * eyes, 0), N, axis=0)
    track[:5] = 0  # not looked at
    track[20:23] = np.nan
    report = evaluate_clips(lambda: scripted_tracker(track), find_clips(folder)[:1])
    ours = report.pooled[OURS]
    errors = ours.errors["dlib ERT"]
    assert len(errors) == N - 5
    assert np.isinf(errors).sum() == ours.lost_frames == 3
    assert errors[np.isfinite(errors)] == pytest.approx(0.02)
    assert ours.losses == 1
    assert SMOOTHED not in report.pooled
    assert np.isnan(report.lag)


def test_smoothed_points_are_a_system_of_their_own(folder, make_faces, scripted_tracker) -> None:
    still = np.repeat(make_faces(1, seed=1), N, axis=0)
    raw = still + np.random.default_rng(0).normal(0, 0.5, still.shape)
    report = evaluate_clips(lambda: scripted_tracker(raw, still), find_clips(folder))
    assert report.pooled[SMOOTHED].jitter["all"] == 0
    assert report.pooled[OURS].jitter["all"] > 0.5
    assert report.pooled["PFLD (reference)"].jitter["all"] == pytest.approx(0, abs=1e-9)
    details = video_details(report)
    assert "all clips: 70 compared frames" in as_text(video_table(details))
    assert [c["name"] for c in details["clips"]] == ["a", "b"]
    assert set(details["pooled"][OURS]["errors"]) == {"dlib ERT", "PFLD"}


def test_predictions_made_elsewhere_join_in(folder, make_faces, scripted_tracker, tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for name, seed in (("a", 1), ("b", 2)):
        points = np.repeat(make_faces(1, seed=seed), 30, axis=0)
        write_openface(other / f"{name}.csv", make_table(np.arange(30), points))
    script = np.full((N, 68, 2), np.nan)
    report = evaluate_clips(
        lambda: scripted_tracker(script), find_clips(folder), predictions={"other": other}
    )
    assert report.pooled["other"].lost_frames == 2 * (N - 30)
    assert report.pooled["other"].losses == 2
    (other / "b.csv").unlink()
    with pytest.raises(FormatError, match="nothing for the clip b"):
        evaluate_clips(
            lambda: scripted_tracker(script), find_clips(folder), predictions={"other": other}
        )


def test_predictions_named_by_words_are_refused(folder, images, scripted_tracker) -> None:
    predictions = images[0].path.parent.parent
    images[0].path.parent.rename(predictions / "a")
    with pytest.raises(InputError, match="named by frame numbers"):
        evaluate_clips(
            lambda: scripted_tracker(np.zeros((N, 68, 2))),
            find_clips(folder)[:1],
            predictions={"other": predictions},
        )


def test_the_still_clip_does_not_move(shape_model) -> None:
    clip = still_clip(shape_model, n_frames=12)
    with clip.open() as source:
        frames = [f.grey.astype(float) for f in source]
    assert np.ptp(clip.references["truth"], axis=0).max() == 0
    differences = np.diff(frames, axis=0)
    assert 1 < differences.std() < 10  # noise, and nothing but noise
    assert abs(differences.mean(axis=0)).mean() < differences.std()


def test_a_video_that_is_shorter_than_its_track_ends_in_nan(grey_video, scripted_tracker) -> None:
    from facetrack.opening import open_source

    tracker = scripted_tracker(np.zeros((20, 68, 2)))
    track = track_clip(tracker, open_source(grey_video("short.mp4", 10)), n_frames=20)
    assert np.isfinite(track.points[:10]).all()
    assert np.isnan(track.points[10:]).all()


def test_every_loss_counts_once() -> None:
    points = np.zeros((10, 68, 2))
    points[[0, 3, 4, 9]] = np.nan
    assert count_losses(points) == 2


def test_no_clip_is_refused(scripted_tracker) -> None:
    with pytest.raises(InputError, match="no clip"):
        evaluate_clips(lambda: scripted_tracker(np.zeros((1, 68, 2))), [])
