"""`facetrack networks` as a user calls it: train, distil, export, evaluate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facetrack.cli.main import main
from facetrack.networks.expression import load_encoder, offered_channels
from facetrack.networks.samples import CHANNELS

pytest.importorskip("torch")

REAL = """
about = "a test"
copies = 1
[network]
blocks = "real"
widths = [4, 8, 8, 8]
features = 8
[[steps]]
name = "teacher"
epochs = 1
batch = 4
"""
BINARY = """
about = "a test"
copies = 1
[network]
blocks = "half"
widths = [8, 8, 16, 16]
features = 8
[[steps]]
name = "activations"
stage = "activations"
guide = "teacher"
epochs = 1
batch = 4
weights = { outputs = 1.0, adain = 0.01 }
[[steps]]
name = "binary"
start = "activations"
epochs = 1
batch = 4
"""


@pytest.fixture(scope="module")
def pictures(synthetic_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Pictures, and made-up channels of them."""
    folder = synthetic_faces / "pictures"
    names = sorted(path.stem for path in folder.glob("*.pts"))
    rng = np.random.default_rng(0)
    channels = tmp_path_factory.mktemp("channels")
    scores = rng.random((len(names), len(CHANNELS)))
    np.savez(channels / f"{folder.name}.npz", names=names, scores=scores, categories=CHANNELS)
    return folder, channels


@pytest.mark.filterwarnings("ignore")  # of torch's exporter about itself
def test_from_pictures_to_a_binary_encoder(
    pictures: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, channels = pictures
    for name, text in (("real", REAL), ("binary", BINARY)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    teacher, student, model = (tmp_path / name for name in ("teacher", "student", "e.npz"))
    data = [str(folder), "--channels", str(channels)]
    config = ["--config", str(tmp_path / "real.toml")]
    assert main(["networks", "train", *data, *config, "--work", str(teacher)]) == 0
    assert {p.name for p in teacher.iterdir()} >= {"recipe.toml", "log.jsonl", "curves.png"}
    config = ["--config", str(tmp_path / "binary.toml"), "--teacher", str(teacher)]
    assert main(["networks", "distil", *data, *config, "--work", str(student)]) == 0
    assert main(["networks", "distil", *data, *config, "--work", str(student)]) == 0  # done already
    assert len((student / "log.jsonl").read_text("utf-8").splitlines()) == 2
    assert main(["networks", "distil", *data, *config, "--work", str(teacher)]) == 1
    assert "holds another run; choose another folder" in capsys.readouterr().err

    report = tmp_path / "measured.json"
    clips = {
        "clips": {"jawOpen": {"a": 0.7, "b": 0.9}, "mouthPucker": {"a": 0.3}, "eyeWideLeft": {}}
    }
    envelope = {"command": "x", "version": "1", "model": "", "n": 2, "details": clips}
    report.write_text(json.dumps(envelope), encoding="utf-8")
    export = ["networks", "export", str(student), "-o", str(model), "--measured", str(report)]
    assert main([*export, "--terms", "research use"]) == 0
    assert "wrote" in capsys.readouterr().out
    assert offered_channels(model) == ("jawOpen",)
    card = load_encoder(model).card
    assert (card["terms"], card["seed"], card["teacher"]) == ("research use", 0, "teacher")

    measured = tmp_path / "pictures.json"
    evaluate = ["networks", "evaluate", str(model), "--channels", str(channels)]
    assert main([*evaluate, "--pictures", str(folder), "--json", str(measured)]) == 0
    assert "R2 of" in capsys.readouterr().out
    details = json.loads(measured.read_text("utf-8"))["details"]
    assert set(details["pictures"][folder.name]["correlations"]) == set(CHANNELS)
    assert main(["results", str(measured), "-o", str(tmp_path)]) == 0
    assert main(evaluate) == 1
    assert "nothing to evaluate on" in capsys.readouterr().err


def test_what_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "export", str(tmp_path), "-o", str(tmp_path / "x.npz")]) == 1
    assert "no folder of a training run" in capsys.readouterr().err
    assert main(["networks", "export", str(tmp_path), "-o", str(tmp_path / "x.onnx")]) == 1
    assert "a model file ends in .npz" in capsys.readouterr().err
