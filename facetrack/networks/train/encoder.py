"""The expression encoder as torch sees it: one branch for each patch, and a common head.

A branch is a stem, stages and a head, so that any of them can teach another one: stages of a float
branch and of a binary one end at the same sizes, a quarter, an eighth and a sixteenth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from facetrack.errors import InputError
from facetrack.networks.patches import PATCHES
from facetrack.networks.train.binary import HalfBlock, XnorBlock
from facetrack.networks.train.staged import Staged

SHRUNK: Final = 16  # from a patch to the maps of the last stage
BLOCKS: Final = ("real", "half", "gated", "xnor")


@dataclass(frozen=True, slots=True)
class Architecture:
    """How an encoder is built."""

    blocks: str  # "real"; or binary: "half" blocks, "gated" ones, XNOR-Net's ("xnor")
    widths: tuple[int, int, int, int]  # channels of the stem and the three stages
    features: int  # of each branch
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if self.blocks not in BLOCKS:
            raise InputError(f"blocks are {', '.join(BLOCKS)}, got {self.blocks!r}")
        if min(*self.widths, self.features) < 1:
            raise InputError(f"widths are positive, got {self.widths}, {self.features}")


class RealBlock(nn.Module):
    """A convolution that shrinks or widens, and one with a skip."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = real_convolution(inputs, outputs, 3, stride)
        self.second = real_convolution(outputs, outputs, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        y = self.first(x)
        out: Tensor = y + self.second(y)
        return out


class Branch(Staged):
    """Patches of a size (width, height) -> features: stem, stages, head."""

    def __init__(self, architecture: Architecture, size: tuple[int, int]) -> None:
        super().__init__()
        stem, *widths = architecture.widths
        real = architecture.blocks == "real"
        self.stem = real_convolution(2, stem, 3, 2) if real else real_convolution(2, stem, 5, 4)
        strides = (2, 2, 2) if real else (1, 2, 2)
        before = (stem, *widths[:-1])
        self.stages = nn.ModuleList(
            _stage(architecture.blocks, inputs, outputs, stride)
            for inputs, outputs, stride in zip(before, widths, strides, strict=True)
        )
        cells = math.ceil(size[0] / SHRUNK) * math.ceil(size[1] / SHRUNK)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(cells * widths[-1], architecture.features)
        )


class Encoder(nn.Module):
    """Both patches -> standardised targets."""

    def __init__(self, architecture: Architecture, targets: int) -> None:
        super().__init__()
        self.architecture = architecture
        branches = {name: Branch(architecture, view.crop.size) for name, view in PATCHES.items()}
        self.branches = nn.ModuleDict(branches)
        self.head = nn.Sequential(
            nn.PReLU(),
            nn.Dropout(architecture.dropout),
            nn.Linear(architecture.features * len(PATCHES), targets),
        )

    def tapped(self, patches: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, list[Tensor]]]:
        """Return the targets, and what each stage of each branch puts out."""
        taps = {name: self.branch(name).taps(patches[name]) for name in PATCHES}
        found = [self.branch(name).head(taps[name][-1]) for name in PATCHES]
        return self.head(torch.cat(found, dim=1)), taps

    @property
    def tap_widths(self) -> tuple[int, ...]:
        """Return how many channels each stage puts out."""
        return self.architecture.widths[1:]

    def parts(self) -> dict[str, Branch]:
        """Return the branches."""
        return {name: self.branch(name) for name in PATCHES}

    def branch(self, name: str) -> Branch:
        """Return the branch of one of the patches."""
        branch = self.branches[name]
        assert isinstance(branch, Branch)
        return branch

    def forward(self, patches: Mapping[str, Tensor]) -> Tensor:
        """Return the targets, shape (N, targets), in standard deviations of the training."""
        return self.tapped(patches)[0]


def real_convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Make a real convolution with batch normalisation and PReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.PReLU(outputs),
    )


def _stage(blocks: str, inputs: int, outputs: int, stride: int) -> nn.Module:
    if blocks == "real":
        return RealBlock(inputs, outputs, stride)
    if blocks == "xnor":
        return XnorBlock(inputs, outputs, stride)
    gated = blocks == "gated"
    return nn.Sequential(
        HalfBlock(inputs, outputs, stride, gated=gated), HalfBlock(outputs, outputs, gated=gated)
    )
