"""A tracker and its peers in one run; no test asserts a time."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.peers.comparison import compare
from benchmarks.peers.report import comparison_details, comparison_table, curves
from facetrack.errors import InputError
from facetrack.evaluation.clips import find_clips
from facetrack.evaluation.plots import plot_panels
from facetrack.reporting.tables import as_text

N = 30


class FixedPeer:
    name, note, model_bytes = "fixed", "always says the same", 2_000_000

    def __init__(self, points: np.ndarray) -> None:
        self.points, self.calls = points, 0

    def predict(self, image: np.ndarray) -> np.ndarray:
        self.calls += 1
        return self.points


@pytest.fixture
def clips(grey_video, make_faces, tmp_path: Path):
    truth = np.repeat(make_faces(1), N, axis=0)
    for name in ("a", "b"):
        grey_video(f"videos/{name}.mp4", N)
        np.savez(tmp_path / "videos" / f"{name}.npz", points=truth, fps=25.0)
    return find_clips(tmp_path / "videos")


@pytest.fixture
def contenders(clips, make_faces, scripted_tracker):
    truth = make_faces(1)[0]
    eyes = np.linalg.norm(truth[36] - truth[45])
    track = np.repeat(truth[None] + (0.02 * eyes, 0), N, axis=0)
    track[10:13] = np.nan
    peers = [FixedPeer(truth + np.array([0.04 * eyes, 0]))]
    return compare(
        lambda: scripted_tracker(track), 3_000_000, clips, peers=[lambda: peers[0]], frames=25
    )


def test_every_system_is_measured_on_the_same_frames(contenders) -> None:
    ours, peer = comparison_details(contenders)
    assert (ours["name"], peer["name"]) == ("facetrack", "fixed")
    assert ours["errors"]["reference"]["n"] == peer["errors"]["reference"]["n"] == 2 * N
    assert ours["errors"]["reference"]["mean"] == pytest.approx(2)
    assert peer["errors"]["reference"]["mean"] == pytest.approx(4)
    assert ours["errors"]["reference"]["over08"] == pytest.approx(3 / N)
    assert (ours["losses"], ours["lost_frames"], peer["lost_frames"]) == (2, 6, 0)
    assert (ours["megabytes"], peer["megabytes"]) == (3, 2)
    assert ours["step_ms"]["frames"] == peer["step_ms"]["frames"] == 2 * 5
    assert peer["jitter"]["all"] == pytest.approx(0, abs=1e-9)
    json.dumps([ours, peer])


def test_the_table_names_peers_and_what_was_skipped(contenders) -> None:
    details = {"systems": comparison_details(contenders), "skipped": ["PFLD: no --peers-dir"]}
    text = as_text(comparison_table(details))
    assert "errors against reference" in text
    assert "fixed: always says the same" in text
    assert text.endswith("skipped: PFLD: no --peers-dir")


def test_curves_are_panels(contenders, tmp_path: Path) -> None:
    panels = curves(contenders)
    assert {key: list(systems) for key, systems in panels.items()} == {
        "reference": ["facetrack", "fixed"]
    }
    plot_panels(tmp_path / "c.png", {**panels, "again": panels["reference"]})
    picture = cv2.imread(str(tmp_path / "c.png"))
    assert picture is not None
    assert picture.shape[1] > 2 * picture.shape[0]


def test_what_ran_elsewhere_has_no_time_and_no_size(clips, scripted_tracker, make_faces, tmp_path):
    from facetrack.formats.openface import write_openface
    from facetrack.formats.table import make_table

    track = np.repeat(make_faces(1), N, axis=0)
    (tmp_path / "other").mkdir()
    for clip in clips:
        write_openface(tmp_path / "other" / f"{clip.name}.csv", make_table(np.arange(N), track))
    _, other = compare(
        lambda: scripted_tracker(track), 1, clips, predictions={"other": tmp_path / "other"},
        frames=25,
    )  # fmt: skip
    assert (other.name, other.step, other.megabytes) == ("other", None, None)
    assert other.measures.errors["reference"].max() < 1e-4


@pytest.mark.parametrize(
    ("frames", "message"), [(20, "more than 20 frames of a clip, got 20"), (25, "no clip has more")]
)
def test_too_few_frames_are_named(
    grey_video, make_faces, scripted_tracker, frames, message
) -> None:
    video = grey_video("short/a.mp4", 10)
    track = np.repeat(make_faces(1), 10, axis=0)
    np.savez(video.with_suffix(".npz"), points=track, fps=25.0)
    with pytest.raises(InputError, match=message):
        compare(lambda: scripted_tracker(track), 1, find_clips(video.parent), frames=frames)
