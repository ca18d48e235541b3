"""`facetrack evaluate` and `facetrack score` as a user calls them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

import facetrack.corpus.recording
from facetrack.cli.main import main
from facetrack.face import Face, Fit, State, read_only_points
from facetrack.formats.openface import write_openface
from facetrack.formats.pts import write_pts
from facetrack.formats.table import make_table
from facetrack.landmarks.shape_model import train_shape_model
from facetrack.synthetic.portrait import astronaut

SHAPE = (astronaut().points - astronaut().points.mean(axis=0)) / 2
SURE = np.full(68, 0.9)


class CentredModel:
    """Finds every face where the stored shape lies."""

    name = "centred"

    def __init__(self) -> None:
        noise = np.random.default_rng(0).normal(0, 1, (30, 68, 2))
        self.shape_model = train_shape_model(
            SHAPE + noise, n_modes=4, eye_distance=50, centre=(80, 80)
        )

    def fit(self, image, start):
        return Fit(read_only_points(start), 1.0, SURE)

    def fit_box(self, image, box, *, view=0, five=None):
        return Fit(read_only_points(SHAPE + 100), 1.0, SURE)


class CentredTracker:
    def __init__(self, model, *, max_faces=1, smoothing=0.0, **rest):
        self.points = read_only_points(SHAPE + 100)

    def update(self, image, timestamp=None):
        return [Face(0, State.TRACKED, "", self.points, self.points, 1.0, None, SURE)]


@pytest.fixture(autouse=True)
def _centred(monkeypatch) -> None:
    monkeypatch.setattr("facetrack.model.load_model", lambda name=None: CentredModel())
    monkeypatch.setattr("facetrack.tracking.tracker.Tracker", CentredTracker)
    monkeypatch.setattr(facetrack.corpus.recording, "Tracker", CentredTracker)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    for k in range(3):
        cv2.imwrite(str(folder / f"f{k}.png"), np.full((200, 200), 90, np.uint8))
        write_pts(folder / f"f{k}.pts", SHAPE + 100)
    return folder


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    from facetrack.video.sink import VideoWriter

    folder = tmp_path / "clips"
    folder.mkdir()
    with VideoWriter(folder / "v.mp4", (64, 48)) as writer:
        for k in range(30):
            writer.write(np.full((48, 64, 3), 5 * k, np.uint8), k / 25)
    np.savez(folder / "v.npz", points=np.repeat(SHAPE[None] + 100, 30, axis=0), fps=25.0)
    return folder


def test_landmarks_from_tracking_starts(folder, tmp_path: Path, capsys) -> None:
    out, plot = tmp_path / "r.json", tmp_path / "r.png"
    command = ["evaluate", "landmarks", str(folder), "--json", str(out), "--plot", str(plot)]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "projected truth" in text
    assert "moved truth" in text
    report = json.loads(out.read_text())
    assert (report["model"], report["n"], report["found"]) == ("centred", 15, 1)
    assert {"version", "mean", "median", "auc08", "over08"} <= set(report)
    assert report["command"] == shlex.join(["facetrack", *command])
    assert plot.stat().st_size > 1000


def test_real_motions_are_a_start_of_their_own(folder, tmp_path: Path, capsys) -> None:
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    for name, shift in (("v_a", 100), ("v_b", 104)):
        cv2.imwrite(str(pairs / f"{name}.png"), np.full((200, 200), 90, np.uint8))
        write_pts(pairs / f"{name}.pts", SHAPE + shift)
    command = ["evaluate", "landmarks", str(folder), "--motions"]
    assert main([*command, str(pairs)]) == 0
    assert "real motion" in capsys.readouterr().out
    assert main([*command, str(folder)]) == 1
    assert "no pairs" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_workers_give_the_same_numbers(folder, tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.chdir(tmp_path)
    command = ["evaluate", "landmarks", folder.name, "--start", "detect"]
    assert main([*command, "--json", "here.json"]) == 0
    assert main([*command, "--json", "there.json", "--workers", "1"]) == 0
    here, there = (json.loads(Path(f"{n}.json").read_text()) for n in ("here", "there"))
    assert there.pop("command").endswith("--workers 1")
    assert {k: v for k, v in here.items() if k != "command"} == there


def test_landmarks_from_the_detector(folder, tmp_path: Path, capsys) -> None:
    out = tmp_path / "r.json"
    command = ["evaluate", "landmarks", str(folder), "--start", "detect", "--json", str(out)]
    assert main(command) == 0
    report = json.loads(out.read_text())
    assert (report["n"], report["found"], report["mean"]) == (3, 0, None)  # blank pictures
    assert report["over08"] == 1


def test_predictions_made_elsewhere_are_rows(folder, capsys) -> None:
    command = ["evaluate", "landmarks", str(folder), "--seeds", "1"]
    assert main([*command, "--predictions", f"other={folder}"]) == 0
    assert "other" in capsys.readouterr().out
    assert main([*command, "--predictions", "other"]) == 1
    assert "--predictions takes NAME=DIR, got 'other'" in capsys.readouterr().err
    assert main([*command, "--convention", "x", str(folder), str(folder)]) == 1
    assert "needs --predictions x=DIR" in capsys.readouterr().err


class Off:
    """A rival whose points lie 10 px off."""

    name, note, model_bytes = "off", "a rival", 1

    def predict(self, image):
        return SHAPE + 90


def test_conventions_can_be_mapped_ours_and_those_of_rivals(
    folder, tmp_path: Path, capsys, monkeypatch
) -> None:
    training = tmp_path / "training"
    training.mkdir()
    for k in range(80):  # a quarter of them is used, and 20 are needed
        cv2.imwrite(str(training / f"t{k:02}.png"), np.full((200, 200), 90, np.uint8))
        write_pts(training / f"t{k:02}.pts", SHAPE + 100 + [0, k % 3])
    command = ["evaluate", "landmarks", str(folder), "--seeds", "1", "--own-convention"]
    out = tmp_path / "r.json"
    assert main([*command, str(training), "--json", str(out)]) == 0
    rows = [(row["name"], row["start"]) for row in json.loads(out.read_text())["details"]["rows"]]
    monkeypatch.setattr("facetrack.cli.evaluate.peer_makers", lambda args: ([Off], []))
    peers = tmp_path / "peers.json"
    assert main([*command, str(training), "--json", str(peers)]) == 0
    found = {row["name"]: row["mean"] for row in json.loads(peers.read_text())["details"]["rows"]}
    assert found["off"] > 10
    assert found["off + offset"] < 0.1 * found["off"]
    assert "off + linear map" in found
    names = ("centred", "centred + offset", "centred + linear map")
    assert sorted(rows) == sorted((n, f"{s} truth") for n in names for s in ("projected", "moved"))
    assert main([*command, str(folder)]) == 1
    assert "at least 20 found faces" in capsys.readouterr().err


def test_peers_that_cannot_run_are_named(folder, capsys, monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["evaluate", "landmarks", str(folder), "--seeds", "1", "--peers"]) == 0
    text = capsys.readouterr().out
    for name in ("dlib ERT (public)", "dlib ERT (fair)", "PFLD", "MediaPipe"):
        assert f"skipped: {name}:" in text


def test_videos(clips, tmp_path: Path, capsys) -> None:
    out = tmp_path / "r.json"
    assert main(["evaluate", "video", str(clips), "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    assert (report["n"], report["mean"]) == (30, pytest.approx(0, abs=1e-6))
    assert [c["name"] for c in report["details"]["clips"]] == ["v", "still synthetic"]
    assert "still frames" in capsys.readouterr().out


def test_confidence_on_pictures_and_videos(folder, clips, tmp_path: Path, capsys) -> None:
    cv2.imwrite(str(folder / "f0.png"), astronaut().image)  # a face that the detector finds
    out, plot = tmp_path / "r.json", tmp_path / "r.png"
    command = ["evaluate", "confidence", str(folder), str(clips), "--seeds", "2"]
    assert main([*command, "--json", str(out), "--plot", str(plot)]) == 0
    rows = json.loads(out.read_text())["details"]["rows"]
    assert [(r["data"], r["start"], r["faces"]) for r in rows] == [
        ("faces", "projected truth", 6),
        ("faces", "detector", 1),
        ("clips", "against reference", 30),
    ]
    assert rows[2]["ece"] == pytest.approx(0.1)  # all points right, 0.9 said
    assert plot.stat().st_size > 1000
    assert "clips" in capsys.readouterr().out


def test_confidence_on_synthetic_people(folder, clips, capsys, monkeypatch) -> None:
    from facetrack.evaluation.clips import find_clips

    command = ["evaluate", "confidence", str(clips), "--people", str(folder)]
    assert main(command) == 1
    assert "portraits are needed" in capsys.readouterr().err
    seen: list[str] = []

    def people(pictures, shape_model):
        seen.extend(picture.name for picture in pictures)
        return find_clips(clips)

    monkeypatch.setattr("facetrack.evaluation.people.synthetic_people", people)
    assert main(command) == 0
    assert seen == ["f0", "f1", "f2"]
    assert "ten synthetic people" in capsys.readouterr().out


@pytest.fixture
def w300vw(tmp_path: Path, clips) -> Path:
    clip = tmp_path / "300VW" / "203"
    (clip / "annot").mkdir(parents=True)
    (clips / "v.mp4").rename(clip / "vid.avi")
    for k in range(30):
        write_pts(clip / "annot" / f"{k + 1:06}.pts", SHAPE + 100)
    return clip.parent


def test_300vw(w300vw: Path, tmp_path: Path, capsys) -> None:
    out, plot = tmp_path / "r.json", tmp_path / "r.png"
    command = ["evaluate", "300vw", str(w300vw), "--category", "2", "--points", "49"]
    assert main([*command, "--json", str(out), "--plot", str(plot)]) == 0
    report = json.loads(out.read_text())
    assert (report["n"], report["details"]["points"]) == (30, 49)
    assert report["auc08"] == pytest.approx(1, abs=1e-4)
    text = capsys.readouterr().out
    assert "category 2" in text
    assert "18 of 19 clips are not there: 208 211" in text
    assert "the face that its own detector finds best" in text
    assert "paired" not in text
    assert plot.is_file()
    assert main(["results", str(out), "-o", str(tmp_path)]) == 0
    assert "18 of 19 clips are not there" in (tmp_path / "r.md").read_text()


def test_300vw_with_learning_and_peers(w300vw: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("facetrack.cli.evaluate.peer_makers", lambda args: ([Off], ["PFLD: no"]))
    out, work = tmp_path / "r.json", tmp_path / "work"
    command = ["evaluate", "300vw", str(w300vw), "--category", "2", "--adapt", "--peers"]
    command += ["--start", "label", "--json", str(out), "--work", str(work)]
    monkeypatch.setattr("facetrack.corpus.fingerprint.fingerprint", lambda model: "f" * 8)
    for _ in range(2):  # the second time from the tracks that were kept
        assert main(command) == 0
        details = json.loads(out.read_text())["details"]
        names = [system["name"] for system in details["systems"]]
        assert names == ["centred", "centred, adapting", "off"]
        rows = {(d["system"], d["category"]): d for d in details["differences"]}
        assert rows["centred, adapting", "2"]["auc08"]["mean"] == 0
        assert rows["off", "2"]["over08"]["mean"] == 1
        assert details["skipped"] == ["PFLD: no"]
        text = capsys.readouterr().out
        assert "the labelled one is followed" in text
        assert "a rival" in text
    assert sorted(path.name for path in work.iterdir()) == [
        "203-centred-adapting.npz", "203-centred.npz", "203-off.npz"
    ]  # fmt: skip
    assert main([*command, "--smoothing", "0.5"]) == 1
    assert "a track of other settings" in capsys.readouterr().err


def test_score(tmp_path: Path, clips, capsys) -> None:
    write_openface(
        tmp_path / "p.csv", make_table(np.arange(20), np.repeat(SHAPE[None] + 100, 20, axis=0))
    )
    out, plot = tmp_path / "r.json", tmp_path / "r.png"
    command = ["score", str(tmp_path / "p.csv"), str(clips / "v.npz")]
    assert main([*command, "--json", str(out), "--plot", str(plot)]) == 0
    report = json.loads(out.read_text())
    assert (report["n"], report["found"]) == (30, pytest.approx(2 / 3, abs=1e-5))
    assert "10 without a prediction" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["evaluate", "landmarks", "nowhere"], "nowhere"),
        (["evaluate", "landmarks", ".", "--seeds", "1"], "no .pts files"),
        (["evaluate", "300vw", "."], "none of the 64 clips"),
        (["evaluate", "video", "nowhere"], "no such folder"),
        (["evaluate", "confidence", "nowhere"], "no such folder"),
        (["score", "nowhere.csv", "nowhere.npz"], "nowhere.csv: no such file"),
        (["evaluate", "video", ".", "--workers", "0"], "no video with a track"),
    ],
)
def test_bad_input_is_one_line(command, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_a_place_that_cannot_be_written_is_named(folder, capsys) -> None:
    command = ["evaluate", "landmarks", str(folder), "--seeds", "1", "--json"]
    assert main([*command, str(folder / "no" / "r.json")]) == 1
    assert "create the folder first" in capsys.readouterr().err
