"""Operations of cells: the grouped space made for binary layers, and the separable one it replaces.

Names are those of Liu, Simonyan and Yang, *DARTS*, ICLR 2019; what they mean differs: in the
grouped space each is one grouped convolution, with neither depth-wise nor 1 x 1 stages.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.networks.train.binary import BinaryConv2d

SHUFFLED: Final = 4  # groups of the channel shuffle
_CONVOLUTIONS: Final = {  # kernel, dilation
    "sep_conv_3x3": (3, 1),
    "sep_conv_5x5": (5, 1),
    "dil_conv_3x3": (3, 2),
    "dil_conv_5x5": (5, 2),
}


def shuffle(x: Tensor, groups: int) -> Tensor:
    """Exchange channels between groups: channel (g, k) becomes (k, g)."""
    n, channels, height, width = x.shape
    apart = x.reshape(n, groups, channels // groups, height, width)
    return apart.transpose(1, 2).reshape(n, channels, height, width)


class Unit(nn.Module):
    """Normalise, sign, convolve, PReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = BinaryConv2d(inputs, outputs, kernel, stride, groups, dilation)
        self.activation = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        y: Tensor = self.activation(self.conv(self.norm(x)))
        return y


class Skipped(nn.Module):
    """A body with the identity beside it where sizes allow that; channels may be shuffled first."""

    def __init__(self, body: nn.Module, skips: bool, shuffled: int = 1) -> None:
        super().__init__()
        self.body, self.skips, self.shuffled = body, skips, shuffled

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        y: Tensor = self.body(x)
        if self.shuffled > 1:
            y = shuffle(y, self.shuffled)
        return x + y if self.skips else y


class Reduction(nn.Module):
    """Half as many pixels: two 1 x 1 convolutions, on the map and on the map one pixel on."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        first = outputs // 2
        self.first = BinaryConv2d(inputs, first, 1, 2)
        self.second = BinaryConv2d(inputs, outputs - first, 1, 2)
        self.activation = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output; of odd sizes, the last row and column are seen twice."""
        z = self.norm(x)
        shifted = functional.pad(z[:, :, 1:, 1:], (0, 1, 0, 1), mode="replicate")
        y: Tensor = self.activation(torch.cat([self.first(z), self.second(shifted)], dim=1))
        return y


class Zero(nn.Module):
    """Nothing, of the right size."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros."""
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


def operation(name: str, space: str, channels: int, stride: int, groups: int) -> nn.Module:
    """Make an operation of `genotype.OPERATIONS`; `groups` are those of grouped convolutions.

    Raises InputError if channels cannot be divided by the groups, those of the shuffle included.
    """
    if channels % groups or channels % SHUFFLED:
        raise InputError(f"{channels} channels in {groups} groups, shuffled in {SHUFFLED}")
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Reduction(channels, channels)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    kernel, dilation = _CONVOLUTIONS[name]
    if space == "grouped":
        body: nn.Module = Unit(channels, channels, kernel, stride, groups, dilation)
        return Skipped(body, stride == 1, SHUFFLED)
    body = nn.Sequential(*_depthwise(channels, kernel, stride, dilation))
    if dilation == 1:
        body.extend(_depthwise(channels, kernel, 1, dilation))
    return Skipped(body, stride == 1)


def _depthwise(channels: int, kernel: int, stride: int, dilation: int) -> list[nn.Module]:
    return [Unit(channels, channels, kernel, stride, channels, dilation), Unit(channels, channels)]
