"""Residual networks of clips: their sizes, and what they take over from networks of images."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from facetrack.actions.train.bank import ActionNetwork, HeadForm
from facetrack.actions.train.network import build, start_from_images
from facetrack.errors import InputError
from facetrack.networks.train.resnet import (
    BackboneForm,
    freeze_statistics,
    inflated,
    multiply_adds,
)

HEAD = HeadForm(4, filters=2, dropout=0.0)


def small(bottleneck: bool = False, deep: int = 1) -> BackboneForm:
    return BackboneForm(
        bottleneck, (1, 2), (4, 4), (1, 2), deep, stem=4, stem_kernel=(deep, 7), stem_stride=(1, 2)
    )


def count(module: torch.nn.Module | None) -> int:
    assert module is not None
    return sum(weight.numel() for weight in module.parameters())


def image_weights(network: ActionNetwork) -> dict[str, Tensor]:
    """Name weights as published ones are, kernels of single frames."""
    named = {}
    for name, value in network.stages.state_dict().items():
        stage, _, rest = name.partition(".")
        flat = value[:, :, 0] if value.ndim == 5 else value
        named[rest if stage == "0" else f"layer{stage}.{rest}"] = flat
    return {**named, "fc.weight": torch.zeros(1000, 4)}


def test_sizes_are_those_of_the_papers() -> None:
    network = build(BackboneForm.of_depth(50), HeadForm(400, filters=5))
    assert count(network.stages) == 25_557_032 - 2_049_000  # of ImageNet, without its last layer
    assert count(network.classifier) == 819_600
    assert network.bank is not None
    assert count(network.bank.filters) == 4_098_000
    assert count(network.bank.readout) == 800_400
    assert count(network.local) == 14_964_736


@pytest.mark.parametrize("bottleneck", [False, True])
def test_an_inflated_network_sees_equal_frames_as_the_image_network_does(bottleneck: bool) -> None:
    torch.manual_seed(0)
    flat = build(small(bottleneck), HEAD).eval()
    for module in flat.modules():  # statistics that are not those of new layers
        if isinstance(module, torch.nn.BatchNorm3d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    deep = build(small(bottleneck, deep=3), HEAD).eval()
    start_from_images(deep, image_weights(flat))
    start_from_images(flat, image_weights(flat))
    image = torch.from_numpy(
        np.random.default_rng(0).standard_normal((1, 3, 1, 32, 32), np.float32)
    )
    frames = 21  # the middle one sees no padding
    for one, many in zip(flat.maps(image), deep.maps(image.expand(-1, -1, frames, -1, -1)),
                         strict=True):  # fmt: skip
        assert torch.allclose(one[:, :, 0], many[:, :, frames // 2], atol=1e-4)


def test_an_inflated_kernel_adds_up_to_the_old_one() -> None:
    kernel = torch.arange(18.0).reshape(2, 1, 3, 3)
    made = inflated(kernel, 3)
    assert made.shape == (2, 1, 3, 3, 3)
    assert torch.allclose(made.sum(dim=2), kernel)


def test_weights_of_another_depth_are_named() -> None:
    network = build(small(), HEAD)
    state = image_weights(network)
    with pytest.raises(InputError, match=r"lack 'conv1.weight'"):
        start_from_images(network, {})
    with pytest.raises(InputError, match="of another depth"):
        start_from_images(network, {**state, "conv1.weight": torch.zeros(8, 3, 7, 7)})
    with pytest.raises(InputError, match="18, 34, 50, 101, 152"):
        BackboneForm.of_depth(20)


def test_frozen_statistics_stay() -> None:
    network = build(small(), HEAD).train()
    freeze_statistics(network)
    before = {n: v.clone() for n, v in network.state_dict().items() if "running" in n}
    network(torch.randn(2, 3, 2, 32, 32))
    assert before
    assert all(torch.equal(v, network.state_dict()[n]) for n, v in before.items())


def test_multiply_adds_of_one_convolution() -> None:
    layer = torch.nn.Conv3d(2, 4, (1, 3, 3), padding=(0, 1, 1))
    assert multiply_adds(torch.nn.Sequential(layer), torch.zeros(1, 2, 5, 6, 6)) == 5 * 36 * 4 * 18
