"""A corpus in the archive's layout: read back, gone on with, never mistaken for the archive."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.pain.archive import read_archive
from facetrack.pain.archive_folders import KINDS, frame_name
from facetrack.pain.filming import Film, jittered, shoot
from facetrack.pain.pspi import pspi
from facetrack.pain.script import labels, write_script
from facetrack.pain.synthesis import Plan, synthesize
from facetrack.synthetic.dynamics import curves
from facetrack.synthetic.portrait import astronaut

PLAN = Plan(subjects=2, sequences=2, frames=8, seed=3)


@pytest.fixture(scope="module")
def corpus(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus")
    synthesize(root, PLAN, [], shipped_model)
    return root


def content(root: Path) -> dict[Path, bytes]:
    return {f.relative_to(root): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def test_it_is_read_like_the_archive(corpus: Path) -> None:
    archive = read_archive(corpus)
    assert archive.problems == archive.disagreements == ()
    assert archive.frame_rate == 15
    assert archive.subjects == ("901-sy001", "902-sy002")
    assert [len(s.frames) for s in archive.sequences] == [8] * 4
    for sequence in archive.sequences:
        for frame in sequence.frames:
            assert not frame.problem
            assert frame.points is not None
            assert 70 < outer_eye_distance(frame.points) < 95


def test_it_says_that_it_is_synthetic_and_what_happens(corpus: Path) -> None:
    said = json.loads((corpus / "synthetic.json").read_text())
    assert "Synthetic" in said["about"]
    assert (said["seed"], said["frames"], said["frame_rate"]) == (3, 8, 15)
    assert said["portraits"] == {"901-sy001": "astronaut", "902-sy002": "stranger"}
    kinds = {key: film["landmarks"] for key, film in said["sequences"].items()}
    assert sorted(kinds.values()) == ["jitter", "jitter", "tracker", "tracker"]
    assert kinds["901-sy001/sy001t1aaaff"] != kinds["902-sy002/sy002t1aaaff"]
    assert all(film["tightest"] >= 0.1 for film in said["sequences"].values())
    assert all(len(c) == 8 for film in said["sequences"].values() for c in film["curves"].values())
    assert not (corpus / "unfinished").exists()


def test_what_is_there_stays_and_more_is_added(
    corpus: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(corpus, root)
    synthesize(root, Plan(2, 3, 8, seed=3), [], shipped_model)
    before, after = content(corpus), content(root)
    names = before.keys() - {Path("synthetic.json")}
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    assert [len(s.frames) for s in read_archive(root).sequences] == [8] * 6


def test_a_run_that_was_killed_is_gone_on_with_and_ends_alike(
    corpus: Path, shipped_model: FaceModel, tmp_path: Path
) -> None:
    root = tmp_path / "corpus"

    def killed(function: Any, items: Any) -> Iterator[Any]:
        for number, item in enumerate(items):
            if number == 2:
                raise KeyboardInterrupt
            yield function(item)

    with pytest.raises(KeyboardInterrupt):
        synthesize(root, PLAN, [], shipped_model, killed)
    archive = read_archive(root)
    assert archive.frame_rate == 15
    assert len(archive.sequences) == 2
    left = root / "unfinished" / "sy001t2aaaff" / "images"
    left.mkdir(parents=True)
    (left / "sy001t2aaaff001.png").write_bytes(b"cut")
    synthesize(root, PLAN, [], shipped_model)
    assert content(root) == content(corpus)


@pytest.mark.parametrize(
    ("plan", "cause"),
    [
        (Plan(2, 2, 8, seed=4), "another seed"),
        (Plan(2, 2, 9, seed=3), "another frames"),
        (Plan(0, 2, 8), "must be above 0"),
        (Plan(100, 1, 1), "99 are possible"),
    ],
)
def test_what_does_not_fit_is_refused(
    corpus: Path, shipped_model: FaceModel, plan: Plan, cause: str
) -> None:
    before = content(corpus)
    with pytest.raises(InputError, match=cause):
        synthesize(corpus, plan, [], shipped_model)
    assert content(corpus) == before


def test_a_folder_with_the_real_archive_is_left_alone(
    small_archive: Path, shipped_model: FaceModel
) -> None:
    with pytest.raises(InputError, match="not synthetic"):
        synthesize(small_archive, PLAN, [], shipped_model)


def test_jitter_has_the_stated_size_and_follows_itself() -> None:
    truth = np.repeat(astronaut().points[None], 2000, axis=0)
    noise = jittered(truth, np.random.default_rng(0)) - truth
    noise /= outer_eye_distance(truth[0])
    shift = np.abs(np.median(noise, axis=1)).max(axis=1)
    gross = shift > 0.02
    assert np.mean(gross) == pytest.approx(0.01, abs=0.007)
    usual = noise[~gross]
    assert usual.std() == pytest.approx(0.008, rel=0.05)
    both = ~gross[1:] & ~gross[:-1]
    after, before = noise[1:][both].ravel(), noise[:-1][both].ravel()
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(0.7, abs=0.03)
    again = jittered(truth, np.random.default_rng(0)) - truth
    assert_allclose(again / outer_eye_distance(truth[0]), noise)
    assert_array_equal(truth[0], astronaut().points)


def test_a_film_s_files_say_what_its_script_does(shipped_model: FaceModel, tmp_path: Path) -> None:
    film = Film("sy1", 14, 2.0, (200, 160), person=(1,), script=(7,), tracked=False)
    said = shoot(film, astronaut(), shipped_model, tmp_path)
    times = np.arange(14) / 2.0
    moves = write_script(np.random.default_rng(7), 7.0)
    units = labels(moves, times)
    assert any(units)
    for number, coded in enumerate(units, 1):
        paths = {kind: tmp_path / kind / frame_name(kind, "sy1", number) for kind in KINDS}
        picture = cv2.imread(str(paths["images"]))
        assert picture is not None
        assert picture.shape == (160, 200, 3)
        rows = [[float(n) for n in row.split()] for row in paths["facs"].read_text().splitlines()]
        assert rows == [[unit, grade, 0.0, 0.0] for unit, grade in coded.items()]
        assert float(paths["pspi"].read_text()) == float(pspi(coded))
        assert len(paths["landmarks"].read_text().splitlines()) == 66
    for kind in KINDS:
        assert len(list((tmp_path / kind).iterdir())) == 14
    assert said["landmarks"] == "jitter"
    shown = curves(moves, times)
    assert said["curves"].keys() == shown.keys()
    for unit, values in shown.items():
        assert_allclose(said["curves"][unit], values, atol=5.1e-4)
        assert said["curves"][unit] == [round(value, 3) for value in said["curves"][unit]]
    assert 0 < said["tightest"] <= 1.0
    assert said["tightest"] == round(said["tightest"], 3)
