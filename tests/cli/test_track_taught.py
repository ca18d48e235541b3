"""`facetrack track` with a profile, with corrections, keeping a profile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from facetrack.annotation.corrections import Correction, write_corrections
from facetrack.cli.main import main
from facetrack.face import Source
from facetrack.formats.openface import read_openface
from facetrack.formats.pts import write_pts
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.sink import write_video

N_FRAMES = 16


@pytest.fixture(scope="module")
def folder(shipped_model, tmp_path_factory) -> Path:
    """Give a folder with `clip.mp4` and corrections of its frames 5 and 11 in `said`."""
    path: Path = tmp_path_factory.mktemp("taught")
    video = SyntheticVideo(shipped_model.shape_model, n_frames=N_FRAMES, size=(320, 240))
    write_video(video, path / "clip.mp4")
    source = np.full(68, Source.CORRECTED)
    said = {n: Correction(video.truth(n) + np.array([0, 2]), source) for n in (4, 10)}
    write_corrections(path / "said", said)
    return path


@pytest.fixture
def track(folder: Path, tmp_path: Path):
    def run(*arguments: object, out: str = "out") -> int:
        words = [str(a).format(here=folder, tmp=tmp_path) for a in arguments]
        return main(["track", *words, "-o", str(tmp_path / out)])

    return run


def test_corrections_teach_and_the_person_is_kept(track, folder, tmp_path, capsys):
    asked = ("{here}/clip.mp4", "--corrections", "{here}/said", "--save-profile", "{tmp}/anna.npz")
    assert track(*asked) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "decoded 16 = rows 16" in first
    assert second.startswith(f"{tmp_path / 'anna.npz'}: ")
    assert "pictures of the face" in second
    assert "deleting the file forgets the person" in second
    sources = read_openface(tmp_path / "out" / "clip.csv").source[:, 0].tolist()
    after = [Source.LEARNED] * 5
    assert sources == [*[Source.TRACKED] * 4, Source.CORRECTED, *after, Source.CORRECTED, *after]
    settings = json.loads((tmp_path / "out" / "clip.ledger.json").read_text())["settings"]
    assert len(settings["corrections"]) == 64
    assert track(*asked, "--resume") == 0
    assert "finished before" in capsys.readouterr().out
    for copy in ("a.mp4", "b.mp4"):
        shutil.copy(folder / "clip.mp4", tmp_path / copy)
    assert track("{tmp}/a.mp4", "{tmp}/b.mp4", "--profile", "{tmp}/anna.npz", out="known") == 0
    for name in ("a", "b"):
        assert set(read_openface(tmp_path / "known" / f"{name}.csv").source[0]) == {Source.LEARNED}


def test_a_correction_of_no_frame_is_a_warning_and_the_rest_goes_on(track, tmp_path, capsys):
    (tmp_path / "said").mkdir()
    write_pts(tmp_path / "said" / "000099.pts", np.ones((68, 2)))
    assert track("{here}/clip.mp4", "--corrections", "{tmp}/said") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "clip.mp4: frame 99: " in line
    assert "the video ends at frame 16" in line


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_workers_give_the_same_bytes(track, tmp_path, monkeypatch, folder):
    pytest.importorskip("distributed", reason="dask is not installed")
    monkeypatch.chdir(folder)
    for name, words in (("here", ()), ("there", ("--workers", "1"))):
        keep = ("--save-profile", f"{{tmp}}/{name}.npz")
        assert track("clip.mp4", "--corrections", "said", *keep, *words, out=name) == 0
    for file in ("{}.npz", "{}/clip.csv"):
        here, there = ((tmp_path / file.format(n)).read_bytes() for n in ("here", "there"))
        assert here == there


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{here}/clip.mp4", "--profile", "{tmp}/none.npz"], "none.npz"),
        (["{here}/clip.mp4", "--corrections", "{tmp}"], "no .pts file"),
        (["{here}/clip.mp4", "{tmp}/other.mp4", "--corrections", "{here}/said"], "single input"),
        (["{here}/clip.mp4", "{tmp}/other.mp4", "--save-profile", "{tmp}/p.npz"], "single input"),
        (["{here}/clip.mp4", "--save-profile", "{tmp}/p.txt"], "NAME.npz"),
        (["{here}/clip.mp4", "--save-profile", "{tmp}/no/p.npz"], "folder that exists"),
        (["0", "--corrections", "{here}/said"], "not of a camera's"),
    ],
)
def test_wrong_teaching_is_one_line(track, tmp_path, capsys, arguments, message):
    shutil.copy(__file__, tmp_path / "other.mp4")
    assert track(*arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_adapting_learns_without_corrections(track, tmp_path):
    assert track("{here}/clip.mp4", "--no-adapt", out="plain") == 0
    assert track("{here}/clip.mp4", "--adapt", out="adapted") == 0
    plain, adapted = (read_openface(tmp_path / n / "clip.csv") for n in ("plain", "adapted"))
    assert set(plain.source.ravel()) == {Source.TRACKED}
    assert set(adapted.source[-1]) == {Source.LEARNED}


def test_a_profile_is_not_written_over_the_one_it_started_from(track, tmp_path, capsys):
    assert track("{here}/clip.mp4", "--save-profile", "{tmp}/p.npz") == 0
    assert (
        track("{here}/clip.mp4", "--profile", "{tmp}/p.npz", "--save-profile", "{tmp}/p.npz") == 1
    )
    assert "save the person to a new file" in capsys.readouterr().err
