"""The training clips of 300-VW as pictures and motion."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from numpy.testing import assert_allclose

from facetrack.errors import FormatError, InputError
from facetrack.formats.picture import read_grey
from facetrack.formats.pts import read_pts
from facetrack.training.w300vw import read_frames, training_clips


@pytest.fixture
def copied(tree_300vw: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tree_300vw, tmp_path / "300VW"))


def test_training_clips_alone_are_taken(tree_300vw: Path) -> None:
    assert [clip.id for clip in training_clips(tree_300vw)] == ["001", "002"]
    assert [clip.id for clip in training_clips(tree_300vw, ["002"])] == ["002"]
    assert [clip.id for clip in training_clips(tree_300vw / "001")] == ["001"]


def test_test_clips_are_refused_by_name(copied: Path) -> None:
    refused = r"203 is a test clip of 300-VW \(category 2\)"
    with pytest.raises(InputError, match=refused):
        training_clips(copied, ["001", "203"])
    with pytest.raises(InputError, match=refused):
        training_clips(copied / "203")
    shutil.rmtree(copied / "001")
    shutil.rmtree(copied / "002")
    with pytest.raises(InputError, match=r"holds test clips alone \(114 124 203 410\)"):
        training_clips(copied)


def test_clips_that_are_not_there_are_named(tree_300vw: Path) -> None:
    with pytest.raises(InputError, match="no clip '999'"):
        training_clips(tree_300vw, ["999"])
    with pytest.raises(FormatError, match="clip 003 is not there"):
        training_clips(tree_300vw, ["003"])


def test_frames_become_pictures_and_pairs(tree_300vw: Path) -> None:
    frames = read_frames(training_clips(tree_300vw), every=4, calibrate=False)
    assert [p.name for p in frames.pictures] == [
        f"{clip}-{number:06}" for clip in ("001", "002") for number in (1, 5, 9)
    ]
    assert [p.name for p in frames.pairs[:3]] == [
        "001-000003_a", "001-000003_b", "001-000007_a"
    ]  # fmt: skip
    assert len(frames.pairs) == 2 * 2 * 3
    assert frames.calibration == ()
    label = tree_300vw / "001" / "annot" / "000004.pts"
    assert_allclose(frames.pairs[1].points, read_pts(label))  # pairs keep the frame's pixels


def test_pictures_are_cut_out_with_their_points(tree_300vw: Path) -> None:
    frames = read_frames(training_clips(tree_300vw, ["002"]), every=4, calibrate=False)
    whole = read_grey(tree_300vw / "002" / "imgs" / "000005.png").astype(float)
    cut = frames.pictures[1]
    truth = read_pts(tree_300vw / "002" / "annot" / "000005.pts")
    left, top = (truth - cut.points).mean(axis=0).round().astype(int)
    assert_allclose(truth - cut.points, np.tile([left, top], (68, 1)), atol=1e-9)
    height, width = cut.read_grey().shape
    assert height < 240
    assert_allclose(cut.read_grey(), whole[top : top + height, left : left + width], atol=1)
    low, high = cut.points.min(axis=0), cut.points.max(axis=0)
    assert (low > 0).all()
    assert (high < (width, height)).all()


def test_wide_faces_are_shrunk(copied: Path) -> None:
    import cv2

    from facetrack.formats.pts import write_pts

    for k in range(1, 13):
        name = f"{k:06}"
        image = read_grey(copied / "002" / "imgs" / f"{name}.png")
        large = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
        cv2.imwrite(str(copied / "002" / "imgs" / f"{name}.png"), large)
        label = copied / "002" / "annot" / f"{name}.pts"
        write_pts(label, 4 * (read_pts(label) + 0.5) - 0.5)
    clips = training_clips(copied, ["002"])
    small = read_frames(clips, every=4, calibrate=False).pictures[1]
    assert np.ptp(small.points[:, 0]) == pytest.approx(230, abs=1)
    assert small.read_grey().shape[1] < 500


def test_a_clip_of_others_calibrates_where_no_pairs_do(tree_300vw: Path) -> None:
    frames = read_frames(training_clips(tree_300vw), every=4, calibrate=True)
    assert {p.name[:3] for p in frames.pictures} == {"001"}
    assert {p.name[:3] for p in frames.calibration} == {"002"}
    assert {p.name[:3] for p in frames.pairs} == {"001", "002"}
    assert all(p.read_grey().ndim == 2 for p in frames.calibration)
    with pytest.raises(InputError, match="a single clip"):
        read_frames(training_clips(tree_300vw, ["001"]), every=4, calibrate=True)


def test_of_many_clips_every_fifth_calibrates(tree_300vw: Path) -> None:
    one, other = training_clips(tree_300vw)
    frames = read_frames([one, one, one, one, other, one], every=4, calibrate=True)
    assert {p.name[:3] for p in frames.calibration} == {"002"}
    assert len(frames.pictures) == 5 * 3
    assert len(frames.calibration) == 2 * 3


def test_unreliable_frames_are_left_out(copied: Path) -> None:
    (copied / "extra").mkdir()
    scipy.io.savemat(copied / "extra" / "002.mat", {"error": np.array([1, 5])})
    frames = read_frames(training_clips(copied, ["002"]), every=4, calibrate=False)
    # 2, 3, 4, 6, 7 ... are left: every fourth, and half-way those whose next is not left out
    assert [p.name for p in frames.pictures] == ["002-000002", "002-000007", "002-000011"]
    assert [p.name for p in frames.pairs] == ["002-000009_a", "002-000009_b"]
    assert frames.unreliable == 2


def test_a_step_must_leave_frames_between(tree_300vw: Path) -> None:
    with pytest.raises(InputError, match="every second frame is the most"):
        read_frames(training_clips(tree_300vw), every=1, calibrate=False)
