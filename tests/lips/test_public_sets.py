"""LRW, LRW-1000 and AVLetters from their layouts to a score, on small trees made by code."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import av

from benchmarks.__main__ import main as benchmark
from facetrack.cli.main import main
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.isolated_words import PAPER
from facetrack.lips.clips import LipClip
from facetrack.lips.datasets import TEST, avletters
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


def avletters_tree(root: Path) -> Path:
    """Write two talkers, two letters in three takes each, and a row whose video is missing."""
    root.mkdir(parents=True)
    rows = ["talker,letter,take,first_frame,frames"]
    for talker in ("t01", "t02"):
        first, size = 0, (80, 60)
        writer = cv2.VideoWriter(
            str(root / f"{talker}.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25, size
        )
        for letter in "AB":
            for take in (1, 2, 3):
                frames = 9 + take
                for n in range(frames):
                    image = np.full((60, 80, 3), 160, np.uint8)
                    height = 4 + 3 * (n % 4) if letter == "A" else 16 - n
                    cv2.ellipse(image, (40, 30), (20, max(height, 1)), 0, 0, 360, (20,) * 3, -1)
                    writer.write(image)
                rows.append(f"{talker},{letter},{take},{first},{frames}")
                first += frames
        writer.release()
    rows.append("t03,A,1,0,9")
    root.with_name(f"{root.name}.csv").write_text("\n".join(rows) + "\n")
    return root


def _narrow(folder: Path) -> Path:
    text = recipe_file("avletters").read_text("utf-8")
    assert "epochs = 60\nbatch = 16\n" in text
    text = text.replace("epochs = 60\nbatch = 16\n", "epochs = 1\nbatch = 2\n")
    text = text.replace("[16, 32, 64, 128]", "[8, 8, 16, 16]").replace("192", "24")
    path = folder / "narrow.toml"
    path.write_text(text, "utf-8")
    return path


def test_avletters_is_divided_by_takes_and_by_talkers(tmp_path: Path) -> None:
    root, told = avletters_tree(tmp_path / "letters"), list[str]()
    items = avletters(root, tell=told.append)
    assert [item.key for item in items if item.part == TEST] == [
        "t01/A_3", "t01/B_3", "t02/A_3", "t02/B_3",
    ]  # fmt: skip
    assert len(items) == 12
    assert len(told) == 1
    assert "line 14: there is no file" in told[0]
    assert items[1].frames == (10, 21)
    folds = avletters(root, left_out="t02")
    assert {item.key[:3] for item in folds if item.part == TEST} == {"t02"}
    assert {item.key[:3] for item in folds if item.part != TEST} == {"t01"}
    with pytest.raises(InputError, match="holds nothing of t09"):
        avletters(root, left_out="t09")
    path = root.with_name("letters.csv")
    path.write_text(path.read_text().replace("t01,A,2,10", "t01,A,2,ten"))
    with pytest.raises(FormatError, match="line 3: no `talker,letter,take,first_frame,frames`"):
        avletters(root)


@pytest.mark.filterwarnings("ignore")  # of torch's exporter about itself
def test_from_avletters_to_the_talkers_who_are_left_out(tmp_path: Path, capsys) -> None:
    root, work, report = avletters_tree(tmp_path / "letters"), tmp_path / "run", tmp_path / "r.json"
    recipe = str(_narrow(tmp_path))
    options = ["--work", str(work), "--recipe", recipe, "--only", "avletters", "avletters-t02"]
    assert benchmark(["avletters", str(root), *options, "--json", str(report)]) == 0
    assert "One talker left out" in capsys.readouterr().out
    found = json.loads(report.read_text())["details"]["divisions"]
    assert found["avletters"]["clips"] == 4
    assert list(found["avletters"]["talkers"]) == ["t01", "t02"]
    assert found["avletters-t02"]["clips"] == 6
    for key in ("enrolled", "enrolled_few"):
        ways = found["avletters-t02"][key]
        assert set(ways) == {"facetrack", "warped pixels", "warped mouth shapes"}
        assert ways["warped pixels"] == ways["warped mouth shapes"] == 1
    clip = LipClip.read(work / "crops" / "t02" / "B_2.npz")
    assert clip.pixels.shape == (11, 96, 96)
    assert (clip.pixels[0, [0, 17]] > 120).all()  # above the mouth's picture its edge continues
    assert clip.pixels[0, 48, 48] < 60
    reader = str(work / "avletters" / "reader.npz")
    score = ["lips", "evaluate", str(root), "--data", "avletters", "--reader", reader]
    assert main([*score, "--crops", str(work / "crops"), "--json", str(report)]) == 0
    out = capsys.readouterr().out
    assert "% of 4 words right" in out
    assert "the paper" not in out
    accuracy = json.loads(report.read_text())["details"]["accuracy"]
    assert accuracy == found["avletters"]["accuracy"]
    again = ["lips", "train", str(root), "--recipe", recipe, "--work", str(work / "avletters")]
    assert main([*again, "--data", "avletters-t02"]) == 1  # the folder holds another run
    assert main([*again, "--data", "letters"]) == 1
    assert "there is no data set 'letters'" in capsys.readouterr().err
