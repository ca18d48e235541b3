"""Binary layers as torch trains them: the identities that define them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from facetrack.networks.train.binary import (  # noqa: E402
    BinaryConv2d,
    HalfBlock,
    Stage,
    XnorBlock,
    clip_latent,
    hand_over,
    recompute_statistics,
    set_stage,
    sign,
)


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_a_sign_is_never_zero_and_lets_gradients_through_near_zero() -> None:
    x = torch.tensor([-1.5, -1.0, -1e-20, -0.0, 0.0, 0.5, 1.0, 1.5], requires_grad=True)
    y = sign(x)
    y.backward(torch.arange(1.0, 9.0))
    assert y.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1]
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 6, 7, 0]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_binary_convolution_counts_differing_bits_inside_the_map(
    stride: int, groups: int
) -> None:
    convolution = BinaryConv2d(6, 4, stride=stride, groups=groups)
    z = torch.randn(1, 6, 5, 4)
    with torch.no_grad():
        got = convolution(z)[0].numpy()
    bits, weight = (z[0] >= 0).numpy(), (convolution.weight >= 0).detach().numpy()
    inputs = 6 // groups
    for o, y, x in np.ndindex(got.shape):
        first = o // (4 // groups) * inputs
        products = differing = 0
        for ky, kx in np.ndindex(3, 3):
            row, column = y * stride + ky - 1, x * stride + kx - 1
            if 0 <= row < 5 and 0 <= column < 4:
                products += inputs
                seen = bits[first : first + inputs, row, column]
                differing += int((seen ^ weight[o, :, ky, kx]).sum())
        assert got[o, y, x] == products - 2 * differing


def test_a_gate_without_weights_halves_and_a_double_scale_restores() -> None:
    gated = HalfBlock(8, 12, 2).eval()
    plain = HalfBlock(8, 12, 2, gated=False).eval()
    assert gated.gate is not None
    with torch.no_grad():
        gated.gate.excite.weight.zero_()
    state = {name: value for name, value in gated.state_dict().items() if "gate" not in name}
    plain.load_state_dict({**state, "conv.scale": state["conv.scale"] / 2})
    x = torch.randn(2, 8, 7, 7)
    torch.testing.assert_close(gated(x), plain(x), rtol=0, atol=0)
    assert gated.conv.scale.unique().tolist() == [2.0]  # where it starts, so that a branch counts


def test_real_weights_of_one_size_are_binary_ones_with_that_scale() -> None:
    real = BinaryConv2d(8, 6)
    with torch.no_grad():
        real.weight.copy_(0.25 * sign(real.weight))
    binary = copy.deepcopy(real)
    nn.init.constant_(binary.scale, 0.25)
    real.stage = Stage.ACTIVATIONS
    z = torch.randn(1, 8, 5, 5)
    torch.testing.assert_close(real(z), binary(z), rtol=0, atol=0)
    handed = nn.Sequential(real)
    before = real(z)
    hand_over(handed)
    torch.testing.assert_close(handed(z), before, rtol=0, atol=1e-6)
    assert real.stage == Stage.BINARY


def test_the_first_stage_bends_and_the_second_cuts() -> None:
    convolution = BinaryConv2d(3, 2, kernel=1)
    network, z = nn.Sequential(convolution), torch.randn(1, 3, 2, 2)
    for stage, seen in ((Stage.REAL, torch.tanh(z)), (Stage.ACTIVATIONS, sign(z))):
        set_stage(network, stage)
        torch.testing.assert_close(network(z), functional.conv2d(seen, convolution.weight))


def test_analytic_scales_are_mean_weights_and_take_part_in_gradients() -> None:
    convolution = BinaryConv2d(4, 2, analytic=True)
    z = torch.randn(1, 4, 3, 3)
    alpha = convolution.weight.abs().mean(dim=(1, 2, 3))
    expected = functional.conv2d(sign(z), sign(convolution.weight), padding=1)
    torch.testing.assert_close(convolution(z), expected * alpha[:, None, None])
    with torch.no_grad():
        convolution.weight[0] = 3.0  # beyond the straight-through gradient
    convolution(z).sum().backward()
    assert convolution.weight.grad is not None
    assert (convolution.weight.grad[0] != 0).any()
    block = XnorBlock(4, 6, stride=2)
    assert block(torch.randn(1, 4, 5, 5)).shape == (1, 6, 3, 3)


def test_a_network_without_static_scales_is_handed_over_without() -> None:
    block = HalfBlock(8, 8, scaled=False)
    hand_over(block)
    assert block.conv.scale.tolist() == [1.0] * 8
    assert "conv.scale" not in block.state_dict()
    assert block.conv.stage == Stage.BINARY


def test_latent_weights_stay_where_their_signs_can_change() -> None:
    block = HalfBlock(4, 4)
    with torch.no_grad():
        block.conv.weight.mul_(100)
        block.norm.weight.mul_(100)
    clip_latent(block)
    assert block.conv.weight.abs().max() == 1
    assert block.norm.weight.min() == 100  # no latent weight


def test_statistics_are_those_of_the_batches() -> None:
    norm = nn.BatchNorm2d(3)
    network = nn.Sequential(norm, nn.Conv2d(3, 2, 1)).eval()
    batches = [torch.randn(8, 3, 4, 4) + shift for shift in (0.0, 2.0)]
    recompute_statistics(network, ((batch,) for batch in batches))
    means = torch.stack([b.mean(dim=(0, 2, 3)) for b in batches]).mean(dim=0)
    torch.testing.assert_close(norm.running_mean, means)
    assert norm.momentum == 0.1
    assert not network.training


def _picture(labels: Tensor) -> Tensor:
    """Draw bars whose place and direction say the class, under noise."""
    x: Tensor = 0.7 * torch.randn(len(labels), 1, 12, 12)
    for picture, label in zip(x[:, 0], labels.tolist(), strict=True):
        place = 2 + 3 * (label % 3)
        bar = picture[place : place + 2] if label < 3 else picture[:, place : place + 2]
        bar += 1.5
    return x


def _trained() -> Any:
    """Train a small network with real weights."""
    network = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 24, 3, padding=1), nn.BatchNorm2d(24), nn.PReLU(24)),
        HalfBlock(24, 32, 2, gated=False),
        HalfBlock(32, 32, gated=False),
        HalfBlock(32, 32, gated=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 6),
    )
    set_stage(network, Stage.ACTIVATIONS)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(60):
        labels = torch.randint(6, (48,))
        loss = functional.cross_entropy(network(_picture(labels)), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


@torch.no_grad()
def _block_outputs(network: nn.Sequential, x: Tensor) -> list[Tensor]:
    outputs = []
    for module in network:
        x = module(x)
        if isinstance(module, HalfBlock):
            outputs.append(x)
    return outputs


def _correlations(before: list[Tensor], network: nn.Sequential, x: Tensor) -> list[float]:
    after = _block_outputs(network, x)
    pairs = zip(before, after, strict=True)
    return [float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) for a, b in pairs]


def test_a_hand_over_keeps_what_blocks_say() -> None:
    network = _trained()
    labels = torch.randint(6, (120,))
    x = _picture(labels)
    before = _block_outputs(network, x)
    with torch.no_grad():
        assert (network(x).argmax(dim=1) == labels).float().mean() > 0.7  # it did learn
    unscaled = copy.deepcopy(network)
    set_stage(unscaled, Stage.BINARY)
    recompute_statistics(unscaled, iter([(x,)]))
    hand_over(network)
    recompute_statistics(network, iter([(x,)]))
    kept, lost = (_correlations(before, n, x) for n in (network, unscaled))
    assert min(kept) >= 0.4
    assert min(kept) > min(lost) + 0.1
