"""The simulated annotator: corrects the worst first, counts, and comes to an end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.learning.simulated_annotator import ENOUGH, TrackAnew, annotate, right_points
from facetrack.evaluation.footage import Corrections, Footage, Points
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.clips import demo_video
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import write_video

N = 12


def _footage(off: Points) -> Footage:
    truth = np.repeat(astronaut().points[None], N, axis=0)
    plain = truth + off[:, None, None] * outer_eye_distance(truth[0])
    greys = tuple(np.zeros((16, 16), np.uint8) for _ in range(N))
    return Footage("clip", greys, np.arange(N) / 25, truth, np.ones(N, bool), plain)


class Patient:
    """Makes of corrections what a table says: a correction puts frames right for `reach` frames."""

    name = "patient"

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self.seen: list[list[int]] = []

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        self.seen.append(corrections.frames.tolist())
        track = footage.plain.copy()
        for frame in corrections.frames.tolist():
            near = slice(max(0, frame - self.reach), frame + self.reach + 1)
            track[near] = footage.reference[near]
        return track


def test_the_worst_frame_comes_first_until_all_are_right() -> None:
    off = np.full(N, 0.01)
    off[[3, 4, 9]] = [0.2, 0.1, 0.3]
    method = Patient(reach=1)
    done = annotate(_footage(off), method)
    assert method.seen == [[9], [3, 9]]
    assert (done.frames, done.corrected, done.wrong_before) == (N, 2, 3)
    assert done.per_thousand == pytest.approx(1000 * 2 / N)


def test_frames_that_are_right_from_the_start_cost_nothing() -> None:
    assert annotate(_footage(np.full(N, 0.01)), Patient(0)).corrected == 0


def test_a_method_that_learns_nothing_costs_every_frame_and_ends() -> None:
    off = np.full(N, 0.2)
    assert annotate(_footage(off), Patient(0)).corrected == N
    assert annotate(_footage(off), Patient(0), most=3).corrected == 3


def test_lost_frames_are_wrong_and_untrusted_ones_not_judged() -> None:
    footage = _footage(np.full(N, 0.01))
    footage.plain[5] = np.nan
    footage.trusted[:4] = False
    done = annotate(footage, Patient(0))
    assert (done.frames, done.corrected) == (N - 4, 1)


def test_the_share_of_right_points_breaks_ties_by_the_mean_error() -> None:
    truth = np.repeat(astronaut().points[None], 3, axis=0)
    points = truth.copy()
    points[1, :10] += 40
    points[2, :10] += 50
    share = right_points(points, truth, list(range(68)))
    assert share[0] == 1.0
    assert share[2] < share[1] < ENOUGH
    assert share[1] == pytest.approx(58 / 68, abs=1e-5)


@pytest.mark.parametrize("learning", [False, True])
def test_tracking_anew_needs_few_corrections_of_a_real_face(
    shipped_model: FaceModel, learning: bool
) -> None:
    video = demo_video(shipped_model.shape_model)
    numbers = range(0, 40, 2)
    truth = np.stack([video.truth(n) for n in numbers])
    greys = tuple(video.frame(n).grey for n in numbers)
    plain = truth + 0.2 * outer_eye_distance(truth[0])  # a track that is wrong everywhere
    footage = Footage("demo", greys, np.arange(20) / 15, truth, np.ones(20, bool), plain)
    method = TrackAnew(shipped_model, learning=learning)
    done = annotate(footage, method, markup=51)
    assert done.wrong_before == 20
    assert 0 < done.corrected < 15


def test_the_command_prints_and_writes_what_it_counted(
    shipped_model: FaceModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = SyntheticVideo(shipped_model.shape_model, n_frames=16, size=(320, 240), seed=1)
    truth = np.stack([video.truth(i) for i in range(16)])
    write_video(video, tmp_path / "clip.mp4")
    np.savez(tmp_path / "clip.npz", points=truth, fps=30.0)
    report = tmp_path / "report.json"
    arguments = ["--points", "51", "--every", "2", "--json", str(report)]
    paths = [str(tmp_path / "clip.npz"), str(tmp_path / "clip.mp4")]
    assert main(["annotating", *paths, *arguments]) == 0
    assert "median" in capsys.readouterr().out
    content = json.loads(report.read_text())
    methods = [clip["method"] for clip in content["details"]["clips"]]
    assert methods[:2] == ["learning", "tracking anew, no learning"]
    assert all(clip["frames"] == 8 for clip in content["details"]["clips"])


def test_nothing_to_simulate_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["annotating"]) == 1
    assert "name a video" in capsys.readouterr().err
