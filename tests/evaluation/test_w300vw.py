"""The protocol of 300-VW on a tree of its layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from facetrack.datasets.w300vw import load, missing_clips
from facetrack.evaluation.w300vw import evaluate_300vw, w300vw_details, w300vw_table
from facetrack.formats.pts import write_pts

LENGTHS = {"114": 30, "203": 10}


@pytest.fixture
def root(grey_video, make_faces, tmp_path: Path) -> Path:
    """Give a clip of category 1 with two labels too many, and a shorter one of category 2."""
    root = tmp_path / "300VW"
    for clip, n in LENGTHS.items():
        grey_video(f"300VW/{clip}/vid.avi", n)
        (root / clip / "annot").mkdir()
        for k in range(n + (2 if clip == "114" else 0)):
            write_pts(root / clip / "annot" / f"{k + 1:06}.pts", make_faces(1)[0])
    (root / "extra").mkdir()
    scipy.io.savemat(root / "extra" / "114.mat", {"error": np.array([[1, 5]])})
    return root


def evaluate(root: Path, tracker, **options):
    clips = load(root, category="all")
    return evaluate_300vw(lambda: tracker, clips, missing=missing_clips(root), **options)


def test_frames_are_pooled_not_clips(root, make_faces, scripted_tracker) -> None:
    track = np.repeat(make_faces(1), 30, axis=0)
    track[10:] = np.nan  # the longer clip is lost after ten frames
    report = evaluate(root, scripted_tracker(track))
    assert report.pooled.n == 28 + 10
    assert report.pooled.found == pytest.approx((8 + 10) / 38)
    assert report.pooled.auc08 == pytest.approx(18 / 38, abs=1e-4)
    assert report.categories["1"].found == pytest.approx(8 / 28)
    assert report.categories["2"].over08 == 0


def test_every_exclusion_is_reported(root, make_faces, scripted_tracker) -> None:
    report = evaluate(root, scripted_tracker(np.repeat(make_faces(1), 30, axis=0)))
    clip = report.clips[0]
    assert (clip.id, clip.decoded, clip.excluded) == ("114", 30, (0, 4))
    assert clip.labels_without_frame == (30, 31)
    assert clip.frames_without_label == ()
    details = w300vw_details(report)
    assert details["clips"][0]["excluded_frames"] == [1, 5]
    assert details["clips"][0]["labels_without_frame"] == [31, 32]
    assert len(details["missing_clips"]) == 62
    assert "whose face the detector is surest of is tracked" in w300vw_table(report)
    assert "62 of 64 clips are not there: 124 125" in w300vw_table(report)
    assert "clip 114: 2 frames excluded as unreliable, 2 labels without a frame" in w300vw_table(
        report
    )


def test_frames_without_a_label_are_named(root, make_faces, scripted_tracker) -> None:
    (root / "203" / "annot" / "000003.pts").unlink()
    report = evaluate(root, scripted_tracker(np.repeat(make_faces(1), 30, axis=0)))
    assert report.clips[1].frames_without_label == (2,)
    assert len(report.clips[1].errors) == 9


def test_the_jaw_does_not_count_with_49_points(root, make_faces, scripted_tracker) -> None:
    track = np.repeat(make_faces(1), 30, axis=0)
    track[:, :17] += 10
    assert evaluate(root, scripted_tracker(track), markup=49).pooled.mean < 1e-3
    assert evaluate(root, scripted_tracker(track)).pooled.mean > 1
