"""`facetrack train` as a user calls it, on a few synthetic pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from facetrack.cli import _appearance
from facetrack.cli.main import main
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.modelfile import describe
from facetrack.identity.appearance import APPEARANCE, shipped_whitening
from facetrack.model import load_model
from facetrack.synthetic.portrait import astronaut

pytestmark = pytest.mark.usefixtures("small_cascades")


def _train(folder: Path, output: Path, *options: str) -> int:
    arguments = ["--clips", str(folder / "clips"), "--modes", "6", "-o", str(output), *options]
    return main(["train", str(folder / "pictures"), *arguments])


def test_it_writes_a_model_that_says_what_it_is(
    synthetic_faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "trial.npz"
    assert _train(synthetic_faces, output, "--terms", "none", "--seed", "5") == 0
    assert isinstance(load_model(output), FaceModel)
    info = describe(output)
    assert info.checksum_ok
    assert info.name == "trial"
    expected = {"pictures": ["pictures"], "n_pictures": 28, "clips": "clips", "modes": 6}
    expected |= {"seed": 5, "set_aside": 0.0, "terms": "none", "method": "continuous"}
    assert expected.items() <= info.card.items()
    assert str(tmp_path) not in str(info.card)
    out = capsys.readouterr().out
    assert f"wrote {output}" in out
    assert "peak memory" in out
    assert "set aside" not in out


def test_a_part_set_aside_is_measured_in_a_table(
    synthetic_faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "trial.npz"
    options = ("--set-aside", "0.2", "--method", "sdm", "--name", "other")
    assert _train(synthetic_faces, output, *options) == 0
    info = describe(output)
    assert info.name == "other"
    assert info.card["method"] == "sdm"
    assert 20 <= info.card["n_pictures"] < 28
    lines = capsys.readouterr().out.splitlines()
    (header,) = (i for i, line in enumerate(lines) if line.startswith("set aside"))
    assert "mean %" in lines[header]
    rows = lines[header + 1 :]
    names = ("tracking start, projected", "tracking start, moved", "detector start")
    found = [row.split()[-5] for name in names for row in rows if row.startswith(name)]
    assert found[:2] == ["100.0", "100.0"]
    assert len(found) == 3


def test_clips_of_300vw_are_learned_from(
    synthetic_faces: Path, tree_300vw: Path, tmp_path: Path, capsys
) -> None:
    output = tmp_path / "video.npz"
    command = ["train", str(synthetic_faces / "pictures"), "--modes", "6", "-o", str(output)]
    assert main([*command, "--w300vw", str(tree_300vw), "--every", "2"]) == 0
    assert isinstance(load_model(output), FaceModel)
    card = describe(output).card
    assert card["300-VW"] == {"clips": ["001", "002"], "every": 2, "n_pictures": 6}
    assert (card["n_pictures"], card["clips"]) == (28, "")
    said = capsys.readouterr().out
    assert "300-VW: 2 training clips, 6 pictures, 10 motions" in said
    assert "left out: 4 test clips (114 124 203 410)" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--w300vw", "{tree}", "410"], "410 is a test clip of 300-VW (category 3)"),
        (["--w300vw", "{tree}/124"], "124 is a test clip of 300-VW (category 1)"),
        (["{tree}/203/imgs", "--clips", "clips"], "203 is a test clip of 300-VW (category 2)"),
    ],
)
def test_what_belongs_to_the_test_of_300vw_is_refused(
    synthetic_faces: Path, tree_300vw: Path, monkeypatch, capsys, options, message
) -> None:
    monkeypatch.chdir(synthetic_faces)
    filled = [option.format(tree=tree_300vw) for option in options]
    assert main(["train", "pictures", *filled, "-o", "m.npz"]) == 1
    assert capsys.readouterr().err.startswith(f"facetrack: {message}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "m.npz"], "--clips is missing: a folder of frame pairs NAME_a, NAME_b"),
        (["--clips", "clips", "-o", "m.dat"], "a model file ends in .npz, got m.dat"),
        (["--clips", "nowhere", "-o", "m.npz"], "nowhere: cannot be listed"),
        (["-o", "m.npz", "--set-aside", "1"], "--set-aside is a share from 0 to below 1, got 1"),
    ],
)
def test_wrong_arguments_end_in_one_line(
    synthetic_faces: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(synthetic_faces)
    assert main(["train", "pictures", *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"facetrack: {message}")
    assert error.count("\n") == 1
    assert not Path("m.npz").exists()


def test_missing_pictures_end_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(tmp_path, tmp_path / "m.npz") == 1
    assert capsys.readouterr().err.startswith(f"facetrack: {tmp_path / 'pictures'}: ")


def test_what_tells_people_apart_is_learned_and_measured(
    synthetic_faces: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_appearance, "choose_portraits", lambda *asked: [astronaut()] * 5)
    output = tmp_path / "looks.npz"
    assert _train(synthetic_faces, output, "--method", "appearance") == 0
    learned, shipped = APPEARANCE.read(output), shipped_whitening()
    assert learned.matrix.shape == shipped.matrix.shape
    card = describe(output).card
    assert (card["method"], card["n_pictures"], card["clips"]) == ("appearance", 28, "clips")
    assert [row[0] for row in card["measures"]] == ["frames of a clip", "portraits brought to life"]
    printed = capsys.readouterr().out
    assert all(f"{value:g}" in printed for row in card["measures"] for value in row[1:])
    assert _train(synthetic_faces, output, "--method", "appearance", "--w300vw", "300VW") == 1
    assert "--w300vw" in capsys.readouterr().err
