"""The protocol of 300-VW on trees of its layout."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from facetrack.datasets.w300vw import load, missing_clips
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.clips import Track, track_clip
from facetrack.evaluation.w300vw import ALL, System, evaluate_300vw
from facetrack.evaluation.w300vw_report import w300vw_details, w300vw_table
from facetrack.evaluation.w300vw_systems import peer_system, tracker_system
from facetrack.formats.pts import read_pts, write_pts
from facetrack.opening import open_source
from facetrack.reporting.tables import as_text
from facetrack.tracking.tracker import Tracker

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


def evaluate(root: Path, *trackers, work: Path | None = None, **options):
    def track(tracker, clip) -> Track:
        return track_clip(tracker, open_source(clip.video))

    systems = [System(f"no. {k}", "", partial(track, t)) for k, t in enumerate(trackers)]
    clips = load(root, category="all")
    return evaluate_300vw(systems, clips, missing=missing_clips(root), work=work, **options)


def test_frames_are_pooled_not_clips(root, make_faces, scripted_tracker) -> None:
    track = np.repeat(make_faces(1), 30, axis=0)
    track[10:] = np.nan  # the longer clip is lost after ten frames
    (ours,) = evaluate(root, scripted_tracker(track)).systems
    pooled = ours.categories[ALL]
    assert pooled.n == 28 + 10
    assert pooled.found == pytest.approx((8 + 10) / 38)
    assert pooled.auc08 == pytest.approx(18 / 38, abs=1e-4)
    assert ours.categories["1"].found == pytest.approx(8 / 28)
    assert ours.categories["2"].over08 == 0
    assert ours.losses == {"1": 1, "2": 0, ALL: 1}


def test_systems_are_paired_by_clip(root, make_faces, scripted_tracker) -> None:
    right = np.repeat(make_faces(1), 30, axis=0)
    lost = right.copy()
    lost[5:] = np.nan  # 25 of 30 and 5 of 10 frames, two of the 30 excluded: one before, one after
    report = evaluate(root, scripted_tracker(right), scripted_tracker(lost))
    one, two, both = report.differences
    assert [(d.system, d.category, d.clips) for d in report.differences] == [
        ("no. 1", "1", 1), ("no. 1", "2", 1), ("no. 1", ALL, 2)
    ]  # fmt: skip
    assert one.over08.mean == pytest.approx(25 / 28)  # frames 0 and 4 are excluded
    assert two.over08.mean == pytest.approx(5 / 10)
    assert both.over08.mean == pytest.approx((25 / 28 + 5 / 10) / 2)
    assert both.auc08.mean == pytest.approx(-both.over08.mean, abs=1e-3)
    assert np.isnan(one.over08.low)
    assert both.over08.low < both.over08.mean < both.over08.high
    text = as_text(w300vw_table(w300vw_details(report, start="as said", skipped=["PFLD: none"])))
    assert "paired by clip, less no. 0" in text
    assert "skipped: PFLD: none" in text
    assert "as said" in text


def test_every_exclusion_is_reported(root, make_faces, scripted_tracker) -> None:
    report = evaluate(root, scripted_tracker(np.repeat(make_faces(1), 30, axis=0)))
    clip = report.systems[0].clips[0]
    assert (clip.id, clip.decoded, clip.excluded) == ("114", 30, (0, 4))
    assert clip.labels_without_frame == (30, 31)
    assert clip.frames_without_label == ()
    details = w300vw_details(report, start="", skipped=[])
    assert details["clips"][0]["excluded_frames"] == [1, 5]
    assert details["clips"][0]["labels_without_frame"] == [31, 32]
    assert len(details["missing_clips"]) == 62
    text = as_text(w300vw_table(details))
    assert "62 of 64 clips are not there: 124 125" in text
    assert "clip 114: 2 frames excluded as unreliable, 2 labels without a frame" in text


def test_frames_without_a_label_are_named(root, make_faces, scripted_tracker) -> None:
    (root / "203" / "annot" / "000003.pts").unlink()
    report = evaluate(root, scripted_tracker(np.repeat(make_faces(1), 30, axis=0)))
    clip = report.systems[0].clips[1]
    assert clip.frames_without_label == (2,)
    assert len(clip.errors) == 9


def test_the_jaw_does_not_count_with_49_points(root, make_faces, scripted_tracker) -> None:
    track = np.repeat(make_faces(1), 30, axis=0)
    track[:, :17] += 10

    def mean(markup: int) -> float:
        report = evaluate(root, scripted_tracker(track), markup=markup)
        return float(report.systems[0].categories[ALL].mean)

    assert mean(49) < 1e-3
    assert mean(68) > 1


def test_kept_tracks_are_not_made_again(root, make_faces, scripted_tracker, tmp_path) -> None:
    class Dying:
        """Ends in the second clip, as a run that is killed there."""

        def update(self, image, timestamp=None):
            if image.index == 0 and len(list(tmp_path.glob("work/*.npz"))) == 1:
                raise KeyboardInterrupt
            return scripted_tracker(right).update(image, timestamp)

    right = np.repeat(make_faces(1), 30, axis=0) + 0.1234567891
    whole = evaluate(root, scripted_tracker(right))
    work = tmp_path / "work"
    with pytest.raises(KeyboardInterrupt):
        evaluate(root, Dying(), work=work)
    assert [path.name for path in work.iterdir()] == ["114-no-0.npz"]
    lost = np.full_like(right, np.nan)  # would be seen if the first clip were tracked again
    lost[:10] = right[:10]
    resumed = evaluate(root, scripted_tracker(lost), work=work)
    assert resumed.systems[0].categories == whole.systems[0].categories


def test_tracks_of_other_settings_are_refused(root, make_faces, scripted_tracker, tmp_path) -> None:
    clips = load(root)
    tracker = scripted_tracker(np.repeat(make_faces(1), 30, axis=0))
    track = lambda clip: track_clip(tracker, open_source(clip.video))  # noqa: E731
    evaluate_300vw([System("ours", "", track, "model a")], clips, work=tmp_path)
    with pytest.raises(InputError, match=r"114-ours\.npz: a track of other settings \(model a"):
        evaluate_300vw([System("ours", "", track, "model b")], clips, work=tmp_path)
    (tmp_path / "114-ours.npz").write_bytes(b"cut")
    with pytest.raises(FormatError, match=r"114-ours\.npz"):
        evaluate_300vw([System("ours", "", track, "model a")], clips, work=tmp_path)


def test_both_layouts_are_tracked_and_learned_from(tree_300vw: Path, shipped_model) -> None:
    make = partial(Tracker, shipped_model)
    systems = [
        tracker_system("plain", make), tracker_system("adapting", partial(make, adapt=True))
    ]  # fmt: skip
    clips = [clip for clip in load(tree_300vw) if clip.id in ("114", "410")]
    report = evaluate_300vw(systems, clips)
    for system in report.systems:
        assert [(c.id, len(c.errors), c.decoded) for c in system.clips] == [
            ("114", 12, 12), ("410", 12, 12)
        ]  # fmt: skip
        assert system.categories[ALL].found > 0.8
        assert system.categories[ALL].mean < 6
    assert (report.systems[0].clips[0].errors != report.systems[1].clips[0].errors).any()


def test_the_labelled_face_is_chosen_where_asked(tree_300vw: Path, shipped_model) -> None:
    (clip,) = load(tree_300vw, category=2)
    make = partial(Tracker, shipped_model)
    chosen = [
        evaluate_300vw([tracker_system("ours", make, start=start)], [clip]).systems[0]
        for start in ("detect", "label")
    ]
    assert chosen[0].categories[ALL].over08 == 1  # the other one
    assert chosen[1].categories[ALL].mean < 8
    assert chosen[1].categories[ALL].found > 0.8


class Corner:
    """Finds a face in the first corner of whatever it sees; the last point says how much."""

    name, note, model_bytes = "corner", "", 3

    def predict(self, image):
        points = np.zeros((68, 2))
        points[67] = image.shape[1::-1]
        return points


def test_peers_see_what_lies_around_the_labelled_face(tree_300vw: Path) -> None:
    (clip,) = load(tree_300vw, category=2)
    whole, around = (
        peer_system(Corner, start=start).track(clip).points for start in ("detect", "label")
    )
    assert (whole[:, 0] == 0).all()
    assert (whole[:, 67] == (320, 240)).all()
    for frame, seen in enumerate(around):
        points = read_pts(clip.labels[frame])
        low, high = points.min(axis=0), points.max(axis=0)
        size = (high - low).max()
        assert np.allclose(seen[0], np.maximum(0, (low + high) / 2 - 1.5 * size), atol=1)
        assert np.allclose(seen[67], np.minimum((320, 240), (low + high) / 2 + 1.5 * size), atol=1)
