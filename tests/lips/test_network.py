"""The networks in torch: sizes, masks, symmetry, and the way to onnxruntime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from facetrack.lips.clips import LipClip
from facetrack.lips.datasets import LabelledClip
from facetrack.lips.reader import load_reader, write_reader
from facetrack.lips.train.architecture import Architecture
from facetrack.lips.train.export import networks_of
from facetrack.lips.train.network import LipNetwork
from facetrack.lips.train.objective import Objective, Terms, mixed
from facetrack.lips.train.recipe import read_recipe, recipes
from facetrack.lips.train.sentences import Augmentation, Sentences
from facetrack.lips.views import View
from facetrack.lips.windows import Window, own
from facetrack.lips.words import GRID_WORDS, Word

# oneDNN corrupts memory in the backward pass of convolutions of four channels (torch 2.13).
SMALL = Architecture(3, (8, 8, 16, 16), channels=24, projections=False, points=4, front=5)
VIEW = View((32, 24), 64.0)


def _network(architecture: Architecture = SMALL) -> LipNetwork:
    """Return a network whose normalisations do something."""
    torch.manual_seed(1)
    network = LipNetwork(architecture)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval()


def _clip(frames: int = 40, seed: int = 0) -> LabelledClip:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 255, (frames, 96, 96), dtype=np.uint8)
    points = rng.normal(48, 10, (frames, 20, 2)).astype(np.float32)
    clip = LipClip(pixels, points, np.ones(frames, dtype=bool), 0.0, "made")
    return LabelledClip(clip, (Word("bin", 0.4, 0.64), Word("blue", 0.64, 0.88)))


def test_the_full_size_is_that_of_the_paper() -> None:
    def count(architecture: Architecture) -> int:
        return sum(p.numel() for p in LipNetwork(architecture).parameters())

    full = Architecture()
    assert count(full) == 36_361_396
    assert count(replace(full, projections=False)) == 34_589_620


@pytest.mark.parametrize("back", ["ms_tcn", "tcn", "bgru"])
def test_logits_do_not_depend_on_padding(back: str) -> None:
    kernels = (3,) if back == "tcn" else (3, 5, 7)
    network = _network(replace(SMALL, back=back, kernels=kernels))
    torch.manual_seed(2)
    clips = [torch.randn(n, 24, 32) for n in (8, 12, 29)]
    shapes = [torch.randn(len(clip), 40) for clip in clips]
    pixels, points = (torch.nn.utils.rnn.pad_sequence(x, batch_first=True) for x in (clips, shapes))
    mask = torch.tensor([[1.0] * len(clip) + [0.0] * (29 - len(clip)) for clip in clips])
    wider = torch.nn.functional.pad
    with torch.no_grad():
        together = network(wider(pixels, (0, 0, 0, 0, 0, 11)), wider(mask, (0, 11)),
                           wider(points, (0, 0, 0, 11)))  # fmt: skip
        for one, shape, logits in zip(clips, shapes, together, strict=True):
            alone = network(one[None], torch.ones(1, len(one)), shape[None])[0]
            torch.testing.assert_close(alone, logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_the_temporal_part_keeps_the_length(frames: int) -> None:
    network = _network()
    out = network.back(torch.randn(1, frames, SMALL.features), torch.ones(1, frames))
    assert out.shape == (1, frames, SMALL.channels)


def test_mixed_windows_are_as_long_as_the_first_partner() -> None:
    windows, mask = torch.ones(2, 4, 3), torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0]])
    found = mixed(windows * mask[..., None], mask, torch.tensor([1, 0]), 0.75)
    assert found[0, :, 0].tolist() == [1.0, 1.0, 0.75, 0.75]


def test_cuts_always_keep_the_word() -> None:
    one = _clip()
    classes = {"bin": 0, "blue": 1, "": 2}
    data = Sentences([one], classes, Augmentation(variable=1.0, elsewhere=0, context=20))
    rng = np.random.default_rng(4)
    starts = set()
    for _ in range(60):
        batch = data.augmented(np.array([0]), VIEW, rng)
        assert batch.labels.tolist() == [0, 1]
        length = batch.windows[0].stop - batch.windows[0].start
        starts.add(batch.windows[0].start - batch.windows[0].first)
        assert length >= 6
    assert len(starts) > 5


def test_a_clip_is_shown_faster_and_slower_with_its_words() -> None:
    one, frames, starts = _clip(), set(), set()
    data = Sentences([one], {"bin": 0, "blue": 1}, Augmentation(
        margin=0, elsewhere=0, context=40, pace=0.25, off_centre=0
    ))  # fmt: skip
    rng = np.random.default_rng(1)
    for _ in range(60):
        batch = data.augmented(np.array([0]), VIEW, rng)
        frames.add(int(batch.mask.sum()))
        starts.add(batch.windows[1].stop - batch.windows[0].start)
    assert min(frames) <= 34
    assert 46 <= max(frames) <= 50
    assert min(starts) < 12 < max(starts) <= 16  # 12 frames as it is


@pytest.mark.filterwarnings("ignore")  # of torch's exporter about itself
def test_a_reader_says_what_the_network_says(tmp_path: Path) -> None:
    network, one = _network(), _clip()
    path = tmp_path / "small.npz"
    write_reader(path, networks_of(network, VIEW), name="small", words=["bin", "blue", ""],
                 view=VIEW, mean_shape=np.zeros((68, 2)), card={})  # fmt: skip
    reader = load_reader(path)
    features = reader.features(one.clip)
    pixels = torch.from_numpy(VIEW.pixels(one.clip.pixels))[None]
    points = torch.from_numpy(VIEW.points(one.clip.points))[None]
    mask = torch.ones(1, len(one.clip))
    windows: list[Window] = [own(0, word) for word in one.words]
    with torch.no_grad():
        seen = network.features(pixels, mask, points)
        logits = network.read_whole(seen, mask, windows)
    np.testing.assert_allclose(features, seen[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(reader.read(features, windows), logits.numpy(), atol=1e-4)


def test_recipes_can_be_read_and_a_step_lowers_the_loss() -> None:
    assert set(recipes()) == {"avletters", "grid", "lrw", "lrw1000"}
    assert read_recipe("lrw").paper == 85.3
    assert read_recipe("lrw1000").paper == 41.4
    words = {word: number for number, word in enumerate([*GRID_WORDS, ""])}
    data = Sentences([_clip()], words, Augmentation(margin=2, elsewhere=0))
    network = LipNetwork(replace(SMALL, classes=52))
    objective = Objective(network, Terms(sounds=0.3, whole=True))
    optimiser = torch.optim.Adam(objective.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        rng = np.random.default_rng(0)
        loss = objective.loss(data.augmented(np.array([0, 0]), VIEW, rng), rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
