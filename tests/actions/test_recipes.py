"""Recipes, one step of each on fake trees, tests over clips and crops, and the commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facetrack.actions.train.network import build
from facetrack.actions.train.recipe import read_recipe, recipes
from facetrack.actions.train.run import evaluate, load_network, start
from facetrack.actions.train.views import View, training_view, views_of_test
from facetrack.cli.main import main
from facetrack.errors import FormatError, InputError

NAMES = (
    "kinetics400_r3d152", "kinetics400_r3d50", "kinetics400_tsn50",
    "ssv1_r3d152", "ssv1_r3d50", "ssv1_tsn50",
)  # fmt: skip


def video(path: Path, level: int, frames: int = 6) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (48, 40))
    for i in range(frames):
        writer.write(np.full((40, 48, 3), level + 5 * i, np.uint8))
    writer.release()


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("kinetics")
    header = "label,youtube_id,time_start,time_end,split\n"
    rows = [("dark", 20), ("light", 180)]
    for name in ("train", "validate"):
        lines = [f"{label},{name}{i},0,{i},x\n" for i, (label, _) in enumerate(rows)]
        (root / f"{name}.csv").write_text(header + "".join(lines) + f"dark,gone{name},0,1,x\n")
        for i, (_, level) in enumerate(rows):
            video(root / f"{name}{i}_000000_{i:06d}.avi", level)
    other = tmp_path_factory.mktemp("something")
    lists = "something-something-v1-{}.csv"
    (other / lists.format("labels")).write_text("Dark\nLight\n")
    for part in ("train", "validation"):
        (other / lists.format(part)).write_text("1;Dark\n2;Light\n")
    for name, level in (("1", 20), ("2", 180)):
        (other / name).mkdir()
        for i in range(4):
            cv2.imwrite(
                str(other / name / f"{i + 1:05d}.jpg"), np.full((40, 48, 3), level, np.uint8)
            )
    return {"kinetics": root, "something": other}


def shrunk(name: str, folder: Path) -> Path:
    """Write a recipe with a small network and small pictures, else as it ships."""
    text = recipes()[name].read_text("utf-8")
    deep = 3 if "deep = 3" in text else 1
    backbone = (
        f"[backbone]\nbottleneck = true\nblocks = [1, 1]\nwidths = [4, 4]\nstrides = [1, 2]\n"
        f"stem = 4\ndeep = {deep}\nstem_kernel = [{deep}, 3]\n"
    )
    text = re.sub(r"\[backbone\][^\[]*(\[5, 2\])?\n(?=\n?\[head\])", backbone, text)
    text = re.sub(r"short = .*", "short = [24, 32]\nsize = 24", text)
    text = re.sub(r"frames = \d+", "frames = 4", text)
    text = re.sub(r"epochs = \d+", "epochs = 1", text)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_all_recipes_are_read_and_know_their_sides() -> None:
    assert tuple(recipes()) == NAMES
    for name in NAMES:
        recipe = read_recipe(name, seed=4)
        assert recipe.schedule.seed == 4
        assert recipe.view.flip == name.startswith("kinetics")  # the others know left and right
        assert (recipe.backbone.deep == 3) == ("r3d" in name)
        assert sum(recipe.backbone.blocks) == (50 if "152" in name else 16)


@pytest.mark.parametrize("name", NAMES)
def test_one_step_of_each_recipe(name: str, trees: dict[str, Path], tmp_path: Path) -> None:
    recipe = read_recipe(str(shrunk(name, tmp_path)))
    root, said = trees[recipe.data], list[str]()
    start(str(tmp_path / f"{name}.toml"), root, tmp_path / "run", say=said.append)
    network, again, classes = load_network(tmp_path / "run")
    assert len(classes) == 2
    assert again.view == recipe.view
    torch.manual_seed(0)
    new = build(recipe.backbone, recipe.head_of(2)).state_dict()
    learned = [n for n, w in network.state_dict().items() if not torch.equal(w, new[n])]
    assert any(n.startswith("bank.filters") for n in learned)
    assert any(n.startswith("local") for n in learned)
    assert not any("running" in n for n in learned)  # statistics are frozen
    if recipe.data == "kinetics":
        assert said[0].startswith("1 of 3 clips are missing")
        assert (tmp_path / "run" / "missing.txt").read_text() == "gonetrain_000000_000001\n"
    found = evaluate(tmp_path / "run", root)
    assert found["clips"] == 2
    assert found["top5"] == 1.0
    assert found["top1"] == np.mean([a == b for a, b in zip(found["labels"], found["found"],
                                                           strict=True)])  # fmt: skip


def test_the_commands(
    trees: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, work = shrunk("kinetics400_tsn50", tmp_path), tmp_path / "run"
    root = trees["kinetics"]
    state = image_state(recipe)
    torch.save(state, tmp_path / "image.pt")
    init = ("--init", str(tmp_path / "image.pt"))
    arguments = ["actions", "train", str(root), "--recipe", str(recipe), "--work", str(work), *init]
    assert main(arguments) == 0
    broken = tmp_path / "broken.avi"
    broken.write_bytes(b"no video")
    clip = str(root / "validate1_000000_000001.avi")
    capsys.readouterr()
    assert main(["actions", "predict", str(broken), clip, "--work", str(work)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "broken.avi" in lines[0]
    assert re.fullmatch(r".*: (dark|light) \d\.\d\d, (dark|light) \d\.\d\d", lines[1])
    json_file = tmp_path / "found.json"
    assert (
        main(["actions", "evaluate", str(root), "--work", str(work), "--json", str(json_file)]) == 0
    )
    assert json.loads(json_file.read_text())["details"]["missing"] == ["gonevalidate_000000_000001"]
    other = ["actions", "train", str(root), "--recipe", str(recipe), "--work", str(work)]
    assert main(other) == 1
    assert "holds another run" in capsys.readouterr().err


def image_state(recipe: Path) -> dict[str, torch.Tensor]:
    network = build(read_recipe(str(recipe)).backbone, read_recipe(str(recipe)).head_of(2))
    return {
        name.removeprefix("0.") if name.startswith("0.") else f"layer{name}": value.squeeze(2)
        if value.ndim == 5
        else value
        for name, value in network.stages.state_dict().items()
    }


def test_weights_that_are_none_are_named(trees: dict[str, Path], tmp_path: Path) -> None:
    recipe = str(shrunk("kinetics400_tsn50", tmp_path))
    bad = tmp_path / "weights.pt"
    bad.write_bytes(b"nothing")
    with pytest.raises(FormatError, match="no readable weights"):
        start(recipe, trees["kinetics"], tmp_path / "a", init=bad)
    torch.save([1, 2], bad)
    with pytest.raises(FormatError, match="not a state dict"):
        start(recipe, trees["kinetics"], tmp_path / "b", init=bad)
    with pytest.raises(InputError, match="no folder of a training run"):
        load_network(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('data = "kinetics"', 'data = "movies"'), "data are kinetics, something, folder"),
        (("filters = 5", "filters = 0"), "1 or more"),
        (("depth = 50", "depth = 51"), "18, 34, 50, 101, 152"),
        (('optimiser = "sgd"', 'optimiser = "none"'), "there are adamw, adam, sgd"),
        (("frames = 8", "frames = 8\nspeed = 3"), "speed"),
        (("[head]", "[sound]\n[head]"), "unknown entries: sound"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = recipes()["kinetics400_tsn50"].read_text("utf-8")
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_recipe(str(tmp_path / "mine.toml"))
    with pytest.raises(InputError, match="no recipe 'yours'"):
        read_recipe("yours")


def test_views_of_a_clip(trees: dict[str, Path]) -> None:
    path = trees["kinetics"] / "train0_000000_000000.avi"
    view = View("stretch", 3, 2, size=24, short=(24, 32), clips=2, crops=3)
    assert views_of_test(path, view).shape == (6, 3, 3, 24, 24)
    taken = training_view(path, view, np.random.default_rng(0))
    assert taken.shape == (3, 3, 24, 24)
    means = views_of_test(path, View("segments", 6, size=24, short=(24, 32)))[0].mean(dim=(0, 2, 3))
    assert (means.diff() > 0.05).all()  # frames become lighter, and come in their order
    with pytest.raises(InputError, match="longer short sides"):
        View("stretch", 3, size=40, short=(24, 32))
