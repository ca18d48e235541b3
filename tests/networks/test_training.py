"""Recipes, resumed trainings, and the way from a run to a model file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facetrack.errors import FormatError, InputError
from facetrack.networks.patches import PATCHES, Patch
from facetrack.networks.samples import CHANNELS, TARGETS, Samples
from facetrack.networks.train.batches import Batches, normalised
from facetrack.networks.train.binary import Stage, binary_convolutions
from facetrack.networks.train.chain import load_encoder, run_recipe
from facetrack.networks.train.encoder import Architecture, Encoder
from facetrack.networks.train.fitting import Fitting, Schedule, weights
from facetrack.networks.train.guidance import Weights
from facetrack.networks.train.recipe import Recipe, Step, read_recipe, recipes
from facetrack.networks.train.run import draw_curves

SMALL = Architecture("half", (8, 8, 16, 16), 8)
REAL = Architecture("real", (4, 8, 8, 8), 8)
WEIGHTS = Weights(outputs=1.0, attention=5.0, adain=0.1, statistics=0.1)


@pytest.fixture(scope="module")
def samples() -> Samples:
    rng = np.random.default_rng(0)
    n = 12
    patches = {
        name: np.stack(
            [
                rng.integers(0, 256, (n, *view.crop.size[::-1]), dtype=np.uint8),
                rng.integers(0, 2, (n, *view.crop.size[::-1]), dtype=np.uint8),
            ],
            axis=1,
        )
        for name, view in PATCHES.items()
    }
    targets = rng.random((n, len(TARGETS)), dtype=np.float32)
    return Samples(patches, targets, targets[:, ::-1].copy(), TARGETS, np.arange(n))


def chain(epochs: int, guide: Weights = WEIGHTS) -> Recipe:
    fast = Schedule(epochs, batch=6)
    return Recipe(
        "small",
        "a test",
        SMALL,
        (
            Step("activations", fast, Stage.ACTIVATIONS, guide="teacher", weights=guide),
            Step("binary", fast, start="activations", guide="activations",
                 weights=Weights(outputs=1.0)),
        ),
        copies=1,
    )  # fmt: skip


def teacher() -> Encoder:
    torch.manual_seed(5)
    return Encoder(REAL, len(TARGETS)).eval()


def test_the_recipes_that_ship_can_be_read() -> None:
    for name in recipes():
        recipe = read_recipe(name, seed=3)
        assert recipe.about
        assert {step.schedule.seed for step in recipe.steps} == {3}
    assert read_recipe("expression_binary").taught
    assert not read_recipe("expression_teacher").taught


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs = 24", "epochs = 24\nspeed = 2"), "speed"),
        (("epochs = 24", ""), "epochs"),
        (('blocks = "real"', 'blocks = "round"'), "blocks are real, half, gated, xnor"),
        (("copies = 6", ""), "the entry 'copies' is missing"),
        (("copies = 6", "copies = 6\ncolour = 1"), "unknown entries: colour"),
        (("epochs = 24", 'epochs = 24\nstart = "later"'), "a step that comes before it"),
        (("epochs = 24", "epochs = 24\nweights = {adain = 1}"), "weights of a guide, but none"),
        (("epochs = 24", "epochs = ["), "Invalid"),
    ],
)
def test_a_wrong_recipe_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = recipes()["expression_teacher"].read_text("utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises((FormatError, InputError), match=message):
        read_recipe(str(path))
    with pytest.raises(InputError, match="no recipe 'yours'; choose from expression_binary"):
        read_recipe("yours")


def test_a_chain_that_was_cut_ends_as_if_it_had_not_been(samples: Samples, tmp_path: Path) -> None:
    whole = run_recipe(chain(2), samples, tmp_path, teacher=teacher())
    assert {conv.stage for conv in binary_convolutions(whole)} == {Stage.BINARY}
    again = tmp_path / "again"

    class KilledError(Exception):
        pass

    def kill(step: str, values: dict[str, float]) -> None:
        if (step, values["epoch"]) == ("binary", 1):
            raise KilledError

    with pytest.raises(KilledError):
        run_recipe(chain(2), samples, again, teacher=teacher(), report=kill)
    resumed = run_recipe(chain(2), samples, again, teacher=teacher())
    for name, value in weights(whole).items():
        assert np.array_equal(value, weights(resumed)[name]), name
    loaded = load_encoder(chain(2), again)
    patches, _ = Batches(samples).plain(np.arange(3))
    assert torch.equal(loaded(patches), whole(patches))


def test_a_chain_teaches(samples: Samples, tmp_path: Path) -> None:
    losses: list[float] = []
    run_recipe(
        chain(25, Weights(outputs=1.0)), samples, tmp_path, teacher=teacher(),
        report=lambda step, values: losses.append(values["loss"]),
    )  # fmt: skip
    assert losses[24] < 0.8 * losses[0]


def test_a_teacher_that_is_missing_and_another_checkpoint_are_named(
    samples: Samples, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="needs a teacher"):
        run_recipe(chain(1), samples, tmp_path)
    run_recipe(chain(1), samples, tmp_path, teacher=teacher())
    wider = replace(chain(1), network=replace(SMALL, features=9))
    with pytest.raises(FormatError, match="another architecture or schedule"):
        run_recipe(wider, samples, tmp_path, teacher=teacher())
    path = tmp_path / "binary.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError, match="cut short or damaged"):
        run_recipe(chain(1), samples, tmp_path, teacher=teacher())


def test_a_loss_that_is_no_number_stops_the_training() -> None:
    fitting = Fitting(torch.nn.Linear(1, 1), Schedule(1))
    with pytest.raises(InputError, match="epoch 1: the loss is nan"):
        fitting.run(4, lambda numbers, rng: torch.tensor(float("nan"), requires_grad=True))


def test_batches_are_what_the_encoder_will_see(samples: Samples) -> None:
    from facetrack.networks import patches

    for name in PATCHES:
        one = samples.patches[name][3]
        alone = patches.normalised(Patch(one[0], one[1].astype(np.bool_), 1.0))
        together = normalised(samples.patches[name][2:5].astype(np.float32))[1].numpy()
        assert np.abs(alone.transpose(2, 0, 1) - together).max() < 1e-5


def test_mirrored_batches_have_mirrored_targets(samples: Samples) -> None:
    batches = Batches(samples)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        mirrored = np.random.default_rng(seed).random() < 0.5
        _, targets = batches.augmented(np.arange(4), rng)
        wanted = (samples.mirrored if mirrored else samples.targets)[:4]
        assert np.allclose(targets * batches.deviation + batches.mean, wanted, atol=1e-6)


def test_curves_are_drawn_from_the_log(tmp_path: Path) -> None:
    lines = [{"step": "a", "epoch": e, "epochs": 3, "loss": 1 / e} for e in (1, 2, 2, 3)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    draw_curves(tmp_path)
    assert (tmp_path / "curves.png").stat().st_size > 5_000


def test_there_is_one_target_for_each_channel() -> None:
    assert len(set(TARGETS)) == len(TARGETS) == len(CHANNELS) + 16 + 3
