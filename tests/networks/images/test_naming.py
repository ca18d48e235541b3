"""One step of each recipe on fake data in its layout, resumed, on two processes, and tested."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facetrack.cli.main import main
from facetrack.errors import FormatError, InputError
from facetrack.formats.archive import read_archive
from facetrack.networks.train.bats.genotype import random_genotype, write_genotype
from facetrack.networks.train.bats.network import CellNetwork, CellsForm
from facetrack.networks.train.fitting import KIND, Fitting, Schedule
from facetrack.networks.train.images.network import Classifier, ResidualForm, load_published
from facetrack.networks.train.images.recipe import read_recipe, recipes
from facetrack.networks.train.images.run import start
from facetrack.networks.train.images.testing import evaluate

NAMES = (
    "adain_cifar100", "adain_imagenet", "bats_cifar10", "bats_cifar100", "bats_imagenet",
    "r2b_cifar100", "r2b_imagenet",
)  # fmt: skip
start = partial(start, say=lambda line: None)


def values(network: torch.nn.Module) -> int:
    named = network.state_dict().items()
    return sum(v.numel() for name, v in named if not name.endswith("num_batches_tracked"))


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    rng = np.random.default_rng(0)
    ten, hundred = (tmp_path_factory.mktemp(name) for name in ("ten", "hundred"))
    for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"):
        records = rng.integers(0, 256, (2, 3073), dtype=np.uint8)
        records[:, 0] = (1, 9)
        (ten / name).write_bytes(records.tobytes())
    inside = hundred / "cifar-100-binary"
    inside.mkdir()
    for name in ("train.bin", "test.bin"):
        records = rng.integers(0, 256, (8, 3074), dtype=np.uint8)
        records[:, 0], records[:, 1] = 3, range(92, 100)
        (inside / name).write_bytes(records.tobytes())
    large = tmp_path_factory.mktemp("large")
    for split in ("train", "val"):
        for name in ("n01", "n02"):
            (large / split / name).mkdir(parents=True)
            for i in range(3):
                picture = rng.integers(0, 256, (40, 50 + i, 3), dtype=np.uint8)
                cv2.imwrite(str(large / split / name / f"{name}_{i}.JPEG"), picture)
    return {"cifar10": ten, "cifar100": hundred, "imagenet": large}


def shrunk(name: str, folder: Path) -> Path:
    """Write a recipe with a small network, few pictures at a time and one epoch, else as it is."""
    text = recipes()[name].read_text("utf-8")
    for pattern, small in (
        (r"widths = .*|counts = .*|strides = .*", ""),
        (r"(blocks = \"(?:usual|gated)\")", r"\1\ncounts = [1, 1]\nwidths = [8, 16]\n"
                                            r"strides = [1, 2]\nfirst = 8"),
        (r"first = 16", ""),
        (r"epochs = \d+", "epochs = 1"),
        (r"drops = .*|warm = .*", ""),
        (r"batch = \d+", "batch = 6"),
        (r"\ncells = \d+\nchannels = \d+\ngroups = 12", "\ncells = 3\nchannels = 12\ngroups = 3"),
        (r"cells = 8\nchannels = 36\ngroups = 12\nnodes = 4",
         "cells = 3\nchannels = 12\ngroups = 3\nnodes = 2"),
        (r"frozen = 0.25", "frozen = 0.0"),
    ):  # fmt: skip
        text = re.sub(pattern, small, text)
    if not name.startswith("bats"):
        text = text.replace("size = 224", "size = 48")
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_recipes_build_networks_of_the_papers_sizes() -> None:
    assert tuple(recipes()) == NAMES
    for name in NAMES:
        recipe = read_recipe(name, seed=3)
        assert {step.schedule.seed for step in recipe.steps} == {3}
        assert recipe.classes == {"cifar10": 10, "cifar100": 100, "imagenet": 1000}[recipe.data]
    forms = read_recipe("r2b_imagenet").networks
    assert isinstance(forms["binary"], ResidualForm)
    assert isinstance(forms["usual"], ResidualForm)
    assert values(Classifier(forms["binary"], 1000)) == 11_995_624
    real = Classifier(forms["usual"], 1000)
    assert sum(p.numel() for p in real.parameters()) == 11_689_512
    plain = Classifier(ResidualForm("half"), 1000)
    assert sum(p.numel() for p in plain.parameters()) == 11_696_360


@pytest.mark.parametrize("name", NAMES)
def test_one_step_of_each_recipe(name: str, trees: dict[str, Path], tmp_path: Path) -> None:
    config = str(shrunk(name, tmp_path))
    recipe = read_recipe(config)
    root, work, said = trees[recipe.data], tmp_path / "run", list[str]()
    given: dict[str, Any] = {}
    if recipe.of_cells and recipe.search is None:
        with pytest.raises(InputError, match="needs a genotype"):
            start(config, root, work)
        given["genotype"] = tmp_path / "g.json"
        write_genotype(given["genotype"], random_genotype(np.random.default_rng(1)))
    start(config, root, work, say=said.append, **given)
    assert "missing: " in said[0]
    before = {p.name: p.read_bytes() for p in work.glob("*.npz")}
    assert set(before) == {f"{s.name}.npz" for s in recipe.steps} | (
        {"search.npz"} if recipe.search else set()
    )
    start(config, root, work, **given)  # all is done already
    assert {p.name: p.read_bytes() for p in work.glob("*.npz")} == before
    found = evaluate(config, root, work)
    assert [row["step"] for row in found["steps"]] == [step.name for step in recipe.steps]
    assert found["steps"][0]["gap"] == 0
    assert found["pictures"] == {"cifar10": 2, "cifar100": 8, "imagenet": 6}[recipe.data]
    assert all(0 <= row["top1"] <= row["top5"] <= 100 for row in found["steps"])


def test_the_commands(
    trees: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    config = str(shrunk("bats_cifar10", tmp_path))
    given = ["--config", config, "--data", str(trees["cifar10"])]
    latency = str(tmp_path / "times.json")
    assert main(["networks", "search", *given, "--latency", latency]) == 0
    genotype = json.loads((tmp_path / "bats_cifar10" / "genotype.json").read_text("utf-8"))
    assert genotype["schema"] == 1
    assert main(["networks", "evaluate", *given]) == 1
    assert "no step is done yet" in capsys.readouterr().err
    assert main(["networks", "train", *given]) == 0
    capsys.readouterr()
    assert main(["networks", "evaluate", *given, "--json", str(tmp_path / "e.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"step +epochs +top-1, %", lines[0])
    assert re.match(r"binary +1 .* 96\.1 +-", next(x for x in lines if x.startswith("binary")))
    assert json.loads((tmp_path / "e.json").read_text("utf-8"))["details"]["pictures"] == 2
    other = ["--config", "r2b_cifar100", "--data", str(trees["cifar100"])]
    assert main(["networks", "evaluate", *other, "--work", "bats_cifar10"]) == 1
    assert "of another recipe" in capsys.readouterr().err
    assert main(["networks", "search", *other]) == 1
    assert "searches nothing" in capsys.readouterr().err
    assert main(["networks", "search"]) == 1
    assert "give --data" in capsys.readouterr().err
    assert main(["networks", "train", "pictures"]) == 1
    assert "give --channels, --work, or --data" in capsys.readouterr().err


def test_an_interrupted_run_ends_as_if_it_had_not_been(
    trees: dict[str, Path], tmp_path: Path
) -> None:
    config = shrunk("r2b_cifar100", tmp_path)
    config.write_text(config.read_text("utf-8").replace("epochs = 1\n", "epochs = 2\n"), "utf-8")

    class KilledError(Exception):
        pass

    def kill(line: str) -> None:
        if "activations, epoch 1" in line:
            raise KilledError

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    start(str(config), trees["cifar100"], whole)
    with pytest.raises(KilledError):
        start(str(config), trees["cifar100"], cut, say=kill)
    start(str(config), trees["cifar100"], cut)
    for step in ("real", "tanh", "activations", "binary"):
        first, second = (read_archive(f / f"{step}.npz", kind=KIND, schema=1)[0]
                         for f in (whole, cut))  # fmt: skip
        assert all(np.array_equal(first[name], second[name]) for name in first), step


@pytest.mark.slow
def test_two_processes_train_one_network(trees: dict[str, Path], tmp_path: Path) -> None:
    config = str(shrunk("adain_cifar100", tmp_path))
    start(config, trees["cifar100"], tmp_path / "run", processes=2, say=print)
    found = evaluate(config, trees["cifar100"], tmp_path / "run")
    assert [row["epochs"] for row in found["steps"]] == [1, 1]
    with pytest.raises(InputError, match="0 of cuda"):
        start(config, trees["cifar100"], tmp_path / "run", device="cuda")


def test_published_weights_take_the_place_of_a_step(trees: dict[str, Path], tmp_path: Path) -> None:
    config = str(shrunk("adain_imagenet", tmp_path))
    form = read_recipe(config).networks["large"]
    assert isinstance(form, ResidualForm)
    torch.manual_seed(5)
    theirs = Classifier(form, 1000)
    state = {f"fc.{name}": w for name, w in list(theirs.head.children())[-1].state_dict().items()}
    state |= theirs.stem.state_dict()
    for number, stage in enumerate(theirs.stages, 1):
        state |= {f"layer{number}.{name}": w for name, w in stage.state_dict().items()}
    torch.save(state, tmp_path / "published.pt")
    work = tmp_path / "run"
    start(config, trees["imagenet"], work, init=tmp_path / "published.pt")
    arrays, meta = read_archive(work / "teacher.npz", kind=KIND, schema=1)
    assert meta["epochs"] == 0
    assert np.array_equal(arrays["weight/encoder.head.2.weight"], state["fc.weight"])
    assert np.array_equal(arrays["weight/encoder.stages.0.0.conv1.weight"],
                          state["layer1.0.conv1.weight"])  # fmt: skip
    of_blocks = Classifier(ResidualForm("usual", (1, 1), (8, 16), (1, 2), 8, taught="blocks"), 1000)
    load_published(of_blocks, state)
    x = torch.randn(2, 3, 40, 40)
    assert torch.equal(of_blocks.eval()(x), theirs.eval()(x))
    with pytest.raises(InputError, match="no last layer of 10 classes"):
        load_published(Classifier(form, 10), state)


def test_memory_that_runs_out_halves_the_batch() -> None:
    def train(most: int) -> tuple[torch.Tensor, list[str]]:
        torch.manual_seed(0)
        network = torch.nn.Linear(3, 1)
        x = torch.randn(8, 3)

        def loss(numbers: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
            if len(numbers) > most:
                raise torch.OutOfMemoryError("no memory")
            value: torch.Tensor = network(x[numbers]).square().mean()
            return value

        said: list[str] = []
        schedule = Schedule(1, batch=8, optimiser="sgd", rate=0.1)
        Fitting(network, schedule, note=said.append).run(8, loss)
        return network.weight.detach(), said

    whole, quiet = train(8)
    parts, said = train(2)
    assert torch.allclose(parts, whole, atol=1e-7)
    assert not quiet
    assert [line.split("parts of ")[1].split()[0] for line in said] == ["4", "2"]
    with pytest.raises(InputError, match="even with a batch of 1"):
        train(0)


def test_an_auxiliary_head_and_dropped_paths_are_for_training_alone() -> None:
    genotype = random_genotype(np.random.default_rng(0))
    form = CellsForm(3, 12, 3, auxiliary=0.4, drop_path=0.2)
    network = CellNetwork(form, genotype, 10)
    x, truth = torch.randn(4, 3, 32, 32), torch.arange(4)
    network(x)
    loss = network.extra_loss(truth)
    assert isinstance(loss, torch.Tensor)
    assert loss > 0
    assert network.extra_loss(truth) == 0.0  # it is of the batch before
    network.eval()
    assert torch.equal(network(x), network(x))
    assert network.extra_loss(truth) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('data = "cifar100"', 'data = "films"'), "data are cifar10, cifar100"),
        (('real = "real"', 'real = "true"'), "no step 'true'"),
        (('network = "binary"', 'network = "triple"'), "no network 'triple'"),
        (('blocks = "gated"', 'blocks = "round"'), "blocks are usual, plain"),
        (("classes = 100\n", ""), "the entry 'classes' is missing"),
        (('form = "padded"', 'form = "round"'), "padded or cropped"),
        (("factor = 0.2", "factors = 0.2"), "factors"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = recipes()["r2b_cifar100"].read_text("utf-8")
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_recipe(str(tmp_path / "mine.toml"))
