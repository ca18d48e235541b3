"""Binary convolutions and the blocks made of them.

Martinez, Yang, Bulat, Tzimiropoulos, *Training binary neural networks with real-to-binary
convolutions*, ICLR 2020, arXiv 2003.11535; the XNOR-Net baseline is Rastegari et al., ECCV 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

REDUCTION: Final = 8  # of a gate's hidden layer
GATED_SCALE: Final = 2.0  # where a scale starts beside a gate, which starts at one half


class Stage(StrEnum):
    """How far a network has come from real to binary."""

    REAL = "real"  # tanh where the sign will be, real weights
    ACTIVATIONS = "activations"  # signs of activations, real weights
    BINARY = "binary"  # signs of both


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        passed: Tensor = gradient * (x.abs() <= 1)
        return passed


def sign(x: Tensor) -> Tensor:
    """Return +1 where x >= 0, else -1; the gradient passes where |x| <= 1 (straight through)."""
    signs: Tensor = _Sign.apply(x)  # type: ignore[no-untyped-call]
    return signs


class BinaryConv2d(nn.Module):
    """A convolution of signs without padding bits: what lies outside counts as 0.

    Outputs are scaled by a learned factor (`scaled`), or by the mean of |w| of each output channel
    (`analytic`: XNOR-Net), or by 1.
    """

    scale: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        *,
        analytic: bool = False,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        self.stride, self.groups, self.dilation = stride, groups, dilation
        self.analytic = analytic
        self.stage = Stage.BINARY
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        nn.init.kaiming_normal_(self.weight)
        if scaled:
            self.scale = nn.Parameter(torch.ones(outputs))
        else:
            self.register_buffer("scale", torch.ones(outputs), persistent=False)

    def binarised(self, z: Tensor) -> Tensor:
        """Return what is convolved: signs, or tanh in the first stage."""
        return torch.tanh(z) if self.stage == Stage.REAL else sign(z)

    def factors(self) -> Tensor:
        """Return the positive scale of each output channel."""
        if self.analytic and self.stage == Stage.BINARY:
            return self.weight.abs().mean(dim=(1, 2, 3))
        return self.scale

    def forward(self, z: Tensor) -> Tensor:
        """Convolve; z is normalised, its sign is taken here."""
        weight = sign(self.weight) if self.stage == Stage.BINARY else self.weight
        half = self.dilation * (self.weight.shape[-1] // 2)
        y = functional.conv2d(
            self.binarised(z),
            weight,
            stride=self.stride,
            padding=half,
            dilation=self.dilation,
            groups=self.groups,
        )
        return y * self.factors()[:, None, None]


class Gate(nn.Module):
    """Data-driven scale of each output channel, from the activations before their signs."""

    def __init__(self, inputs: int, outputs: int, reduction: int = REDUCTION) -> None:
        super().__init__()
        hidden = max(inputs // reduction, 1)
        self.squeeze = nn.Linear(inputs, hidden, bias=False)
        self.excite = nn.Linear(hidden, outputs, bias=False)
        nn.init.kaiming_normal_(self.squeeze.weight)
        nn.init.kaiming_normal_(self.excite.weight)

    def forward(self, z: Tensor) -> Tensor:
        """Return factors in (0, 1), shape (N, outputs, 1, 1)."""
        pooled = z.mean(dim=(2, 3))
        factors = torch.sigmoid(self.excite(torch.relu(self.squeeze(pooled))))
        return factors[..., None, None]


class HalfBlock(nn.Module):
    """Normalise, sign, convolve, scale, PReLU, and a skip of its own (Bi-Real Net).

    With a stride of 2 the skip averages 2 x 2 pixels, a last odd row or column by itself. `gated`:
    a `Gate` scales the outputs as well.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int = 1,
        groups: int = 1,
        *,
        gated: bool = True,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = BinaryConv2d(inputs, outputs, stride=stride, groups=groups, scaled=scaled)
        self.gate = Gate(inputs, outputs) if gated else None
        if gated and scaled:
            nn.init.constant_(self.conv.scale, GATED_SCALE)
        self.activation = nn.PReLU(outputs)
        self.shortcut = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's real-valued output."""
        z = self.norm(x)
        y = self.conv(z)
        if self.gate is not None:
            y = y * self.gate(z)
        out: Tensor = self.activation(y) + self.shortcut(x)
        return out


class XnorBlock(nn.Module):
    """Two binary convolutions under one skip, scaled by mean |w|, with ReLU: XNOR-Net."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.BatchNorm2d(inputs),
            BinaryConv2d(inputs, outputs, stride=stride, analytic=True),
            nn.ReLU(),
            nn.BatchNorm2d(outputs),
            BinaryConv2d(outputs, outputs, analytic=True),
        )
        self.shortcut = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's real-valued output."""
        return torch.relu(self.branch(x) + self.shortcut(x))


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Make the skip of a block: the identity, or averaged and mixed by a real 1 x 1 convolution."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    mixed = [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
    if stride == 1:
        return nn.Sequential(*mixed)
    return nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False), *mixed)


def binary_convolutions(network: nn.Module) -> Iterator[BinaryConv2d]:
    """Yield the binary convolutions of a network."""
    return (m for m in network.modules() if isinstance(m, BinaryConv2d))


def set_stage(network: nn.Module, stage: Stage) -> None:
    """Bring every binary convolution to a stage; weights stay as they are."""
    for convolution in binary_convolutions(network):
        convolution.stage = stage


@torch.no_grad()
def hand_over(network: nn.Module) -> None:
    """Go from real to binary weights: learned scales take up mean |w|, so outputs keep their size.

    Statistics of the normalisations have to be computed anew afterwards: `recompute_statistics`.
    """
    for convolution in binary_convolutions(network):
        if isinstance(convolution.scale, nn.Parameter):
            convolution.scale.mul_(convolution.weight.abs().mean(dim=(1, 2, 3)))
    set_stage(network, Stage.BINARY)


@torch.no_grad()
def clip_latent(network: nn.Module) -> None:
    """Keep latent weights in [-1, 1], where their signs can still change; after every step."""
    for convolution in binary_convolutions(network):
        convolution.weight.clamp_(-1, 1)


@torch.no_grad()
def recompute_statistics(network: nn.Module, batches: Iterator[Any]) -> None:
    """Average the statistics of all batch normalisations over batches of arguments."""
    training = network.training
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d | nn.BatchNorm1d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    network.train()
    for batch in batches:
        network(*batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(training)
