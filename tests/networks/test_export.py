"""What torch trained runs as it was trained: the same decisions, the same floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from facetrack.errors import InputError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from facetrack.networks.runtime import _kernels  # noqa: E402
from facetrack.networks.runtime.words import words_of  # noqa: E402
from facetrack.networks.train.binary import HalfBlock, Stage, set_stage  # noqa: E402
from facetrack.networks.train.export import export, export_block, thresholds  # noqa: E402
from facetrack.networks.train.images.network import (  # noqa: E402
    Classifier,
    ResidualForm,
    in_layers,
)


def _randomised(network: Any, seed: int = 0) -> Any:
    """Draw statistics, gains (of both signs) and slopes as training could have left them."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                for tensor in (module.weight, module.bias, module.running_mean):
                    tensor.normal_(generator=generator)
                module.running_var.uniform_(0.2, 2, generator=generator)
            if isinstance(module, nn.PReLU):
                module.weight.normal_(generator=generator)
        for parameter in network.parameters():
            if parameter.ndim > 1:
                parameter.normal_(generator=generator).div_(parameter[0].numel() ** 0.5)
    return network.eval()


def _through(network: nn.Module, x: np.ndarray) -> np.ndarray:
    """Run torch on (H, W, C)."""
    with torch.no_grad():
        y: np.ndarray = network(torch.from_numpy(x).permute(2, 0, 1)[None])[0].numpy()
    return y.transpose(1, 2, 0) if y.ndim == 3 else y


def test_thresholds_decide_as_the_normalisation_on_neighbouring_floats() -> None:
    norm = _randomised(nn.BatchNorm2d(400))
    with torch.no_grad():
        norm.weight[:4], norm.bias[:4] = 0.0, torch.tensor([1.0, -1.0, 0.0, -0.0])
        norm.weight[4:8], norm.bias[4:8] = 1e-30, torch.tensor([1.0, -1.0, 1e-30, -1e-30])
        norm.bias[8:16], norm.running_mean[8:16] = 0.0, 0.0
        norm.running_mean[16:60] *= 1e4
    bounds, flips = thresholds(norm)
    rows = [np.where(np.isfinite(bounds), bounds, np.float32(0))]
    for direction in (-np.inf, np.inf):
        near = rows[0]
        for _ in range(6):
            near = np.nextafter(near, np.float32(direction))
            rows.append(near)
    rng = np.random.default_rng(0)
    far = [rng.normal(size=400).astype(np.float32) * scale for scale in (1e-8, 1, 1e4, 1e30)]
    x = np.stack([*rows, *far, np.zeros(400, np.float32)])[:, None]
    decided = _through(norm, x) >= 0
    np.testing.assert_array_equal((x >= bounds) != flips, decided)
    folded = norm.running_mean - norm.bias * (norm.running_var + norm.eps).sqrt() / norm.weight
    plain = (x >= folded.detach().numpy()) != flips
    assert (plain != decided)[:13, :, 16:].any()  # why it is searched


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (8, 5), (2, 3)])
@pytest.mark.parametrize(
    ("inputs", "outputs", "stride", "groups"),
    [
        (64, 64, 1, 1),
        (20, 20, 1, 1),
        (64, 64, 2, 1),
        (20, 70, 2, 2),
        (130, 66, 1, 2),
        (24, 24, 1, 8),
    ],
)
def test_a_block_gives_the_floats_of_torch(
    size: tuple[int, int], inputs: int, outputs: int, stride: int, groups: int
) -> None:
    block = _randomised(HalfBlock(inputs, outputs, stride, groups, gated=False))
    plain = isinstance(block.shortcut, nn.Identity)
    x = np.random.default_rng(0).normal(size=(*size, inputs)).astype(np.float32)
    got, expected = export_block(block).prepare(x.shape).run(x), _through(block, x)
    # A real shortcut sums in another order.
    np.testing.assert_allclose(got, expected, rtol=0, atol=0 if plain else 1e-4)


def test_a_gated_block_differs_by_the_rounding_of_its_gate_alone() -> None:
    block = _randomised(HalfBlock(64, 64))
    x = np.random.default_rng(0).normal(size=(9, 9, 64)).astype(np.float32)
    exported = export_block(block)
    run = exported.prepare(x.shape)
    got = run.run(x).copy()
    assert exported.gate is not None
    np.testing.assert_allclose(got, _through(block, x), atol=1e-4)
    mean = np.empty(64, np.float32)
    _kernels.average(x, mean)
    factors = torch.from_numpy(exported.gate.factors(mean))[None, :, None, None]
    with torch.no_grad():
        own = block.gate(block.norm(torch.from_numpy(x).permute(2, 0, 1)[None]))
    np.testing.assert_allclose(factors, own, atol=1e-5)
    assert np.ptp(factors.numpy()) > 0.2
    block.gate.forward = lambda z: factors
    np.testing.assert_array_equal(got, _through(block, x))


def _network(*end: nn.Module, outputs: int = 48) -> nn.Sequential:
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(2, 24, 5, 2, 2), nn.BatchNorm2d(24), nn.PReLU()),
        HalfBlock(24, 24),
        nn.Sequential(HalfBlock(24, outputs, 2), HalfBlock(outputs, outputs, groups=2)),
        *end,
    )


@pytest.mark.parametrize("pooled", [True, False])
def test_whole_networks_agree(pooled: bool) -> None:
    if pooled:
        end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(48, 7)]
    else:
        end = [nn.Flatten(), nn.Linear(48 * 5 * 4, 7, bias=False)]
    network = _randomised(_network(*end))
    runtime = export(network)
    rng = np.random.default_rng(1)
    differences, bits = [], []
    for _ in range(20):
        x = rng.normal(size=(18, 14, 2)).astype(np.float32)
        expected = _through(network, x)
        differences.append(np.abs(runtime.run(x) - expected).max() / np.abs(expected).max())
        bits.append(_differing(network, runtime.activations(x), x))
    # A sum of the stem that rounds across a threshold turns a bit: rare, and seldom far.
    assert np.median(differences) < 1e-4
    assert max(differences) < 0.05
    assert np.mean(bits) < 1e-4


def test_a_residual_network_runs_as_it_was_trained() -> None:
    form = ResidualForm("gated", (1, 1), (16, 24), (1, 2), 16)
    network = _randomised(Classifier(form, 7))
    runtime = export(in_layers(network))
    x = np.random.default_rng(0).normal(size=(45, 38, 3)).astype(np.float32)
    expected = _through(network, x)
    np.testing.assert_allclose(runtime.run(x), expected, atol=0.05 * np.abs(expected).max())
    with pytest.raises(InputError, match="a pool must be of 3 x 3"):
        export(nn.Sequential(nn.MaxPool2d(2)))


def _differing(network: nn.Module, activations: list[np.ndarray], x: np.ndarray) -> float:
    """Return the share of bits that binary convolutions of torch see differently."""
    seen: list[np.ndarray] = []
    blocks = [m for m in network.modules() if isinstance(m, HalfBlock)]
    hooks = [
        b.norm.register_forward_hook(lambda _, __, z: seen.append(z[0].numpy() >= 0))
        for b in blocks
    ]
    _through(network, x)
    for hook in hooks:
        hook.remove()
    wrong = total = 0
    for block, positive, words in zip(blocks, seen, activations, strict=True):
        bits = np.unpackbits(words.astype("<u8").view(np.uint8), axis=-1, bitorder="little")
        group = len(positive) // block.conv.groups
        places = [
            64 * words_of(group) * g + k for g in range(block.conv.groups) for k in range(group)
        ]
        ours = bits[1:-1, 1:-1, places].transpose(2, 0, 1) > 0
        wrong, total = wrong + (ours != positive).sum(), total + positive.size
    return wrong / total


def test_what_is_not_binary_or_not_known_is_refused() -> None:
    network = _randomised(_network())
    with pytest.raises(InputError, match="a layer ReLU cannot be exported"):
        export(nn.Sequential(network, nn.ReLU()))
    with pytest.raises(InputError, match="followed by BatchNorm2d and PReLU"):
        export(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)))
    with torch.no_grad():
        network[1].norm.running_var[3] = float("nan")
    with pytest.raises(InputError, match="NaN"):
        export(network)
    set_stage(network, Stage.ACTIVATIONS)
    with pytest.raises(InputError, match="at stage 'activations' is not binary yet"):
        export(network)
