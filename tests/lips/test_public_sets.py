"""LRW and LRW-1000 from their published layouts to a score, on small trees made by code."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import av

from facetrack.cli.main import main
from facetrack.evaluation.isolated_words import PAPER
from facetrack.lips.train.architecture import Architecture
from facetrack.lips.train.recipe import read_recipe, recipe_file
from facetrack.model import load_model
from facetrack.synthetic.clips import demo_video

WORDS = ("ABOUT", "WORLD")
FRAMES = 29  # of every clip of LRW


def lrw_tree(root: Path) -> Path:
    """Write two words, each a clip for training, validation and test."""
    video = demo_video(load_model().shape_model, n_frames=FRAMES, size=(160, 160))
    images = [frame.image for frame in video]
    for number, word in enumerate(WORDS):
        for part in ("train", "val", "test"):
            path = root / word / part / f"{word}_00001.mp4"
            path.parent.mkdir(parents=True)
            with av.open(path, "w") as container:
                stream = container.add_stream("libx264", rate=25)
                stream.width, stream.height, stream.pix_fmt = 160, 160, "yuv420p"
                for image in images[:: 1 - 2 * number]:  # one word is the other backwards
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
                container.mux(stream.encode())
            path.with_suffix(".txt").write_text(f"Word: {word}\nDuration: 0.40 seconds\n")
    return root


def lrw1000_tree(root: Path) -> Path:
    """Write two words in one talk each, and a row whose folder is missing."""
    rng = np.random.default_rng(0)
    for number in range(2):
        folder = root / "images" / f"talk{number}"
        folder.mkdir(parents=True)
        for frame in range(1, 31):
            crop = rng.integers(0, 255, (60, 60 + number), dtype=np.uint8)
            cv2.imwrite(str(folder / f"{frame}.jpg"), crop)
    (root / "info").mkdir()
    rows = ["talk0,词,ci,0.30,0.62", "talk1,语,yu,0.40,0.80"]
    for name in ("trn", "val", "tst"):
        lost = ["nowhere,词,ci,0.1,0.2"] if name == "trn" else []
        path = root / "info" / f"{name}_1000.txt"
        path.write_text("\n".join([*rows, *lost]) + "\n", "utf-8")
    return root


def short(name: str, folder: Path) -> Path:
    """Write the recipe with one epoch of two clips a step, and a network that is narrow."""
    text = recipe_file(name).read_text("utf-8")
    assert "epochs = 80\nbatch = 32\n" in text
    path = folder / f"{name}.toml"
    text = text.replace("epochs = 80\nbatch = 32\n", "epochs = 1\nbatch = 2\n")
    path.write_text(f"{text}\n[network]\nwidths = [8, 16, 32, 64]\nchannels = 96\n", "utf-8")
    return path


@pytest.mark.filterwarnings("ignore")  # of torch's exporter about itself
@pytest.mark.parametrize(("name", "made"), [("lrw", lrw_tree), ("lrw1000", lrw1000_tree)])
def test_from_the_published_layout_to_a_score(name, made, tmp_path: Path, capsys) -> None:
    root, crops = made(tmp_path / "data"), tmp_path / "crops"
    assert main(["lips", "prepare", str(root), "--data", name, "-o", str(crops)]) == 0
    told = capsys.readouterr()
    assert "6 of 6 clips are prepared" in told.out
    assert ("nowhere" in told.err + told.out) == (name == "lrw1000")
    reader, report = tmp_path / "mine.npz", tmp_path / "r.json"
    command = ["lips", "train", str(root), "--recipe", str(short(name, tmp_path))]
    places = ["--work", str(tmp_path / "run"), "--crops", str(crops), "-o", str(reader)]
    assert main([*command, *places]) == 0
    assert f"the paper reports {PAPER[name]} %" in "".join(capsys.readouterr())
    assert read_recipe(name).paper == PAPER[name]
    assert read_recipe(name).network == Architecture()  # the paper's
    score = ["lips", "evaluate", str(root), "--data", name, "--reader", str(reader)]
    removed = ["--robust"] if name == "lrw" else []
    assert main([*score, "--crops", str(crops), *removed, "--json", str(report)]) == 0
    assert f"the paper reports {PAPER[name]} %" in capsys.readouterr().out
    details = json.loads(report.read_text())["details"]
    assert details["clips"] == 2
    assert details["unknown"] == []
    assert list(details["removed"]) == [str(n) for n in range(6 if removed else 1)]
    assert details["removed"]["0"] == details["accuracy"]
    assert main(["results", str(report), "-o", str(tmp_path)]) == 0
    assert ("frames removed" in (tmp_path / "r.md").read_text()) == bool(removed)


def test_the_confusions_are_of_grid_alone(tmp_path: Path, capsys) -> None:
    assert main(["lips", "evaluate", str(tmp_path), "--data", "lrw", "--plot", "c.png"]) == 1
    assert "--plot draws the confusions of GRID's words only" in capsys.readouterr().err
