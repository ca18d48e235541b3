"""Networks that can teach or learn from one another."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class Staged(Protocol):
    """A network written as stem, stages and head."""

    stages: nn.ModuleList
    head: nn.Module

    def taps(self, x: Tensor) -> list[Tensor]:
        """Return what each stage puts out, each shape (N, C, H, W)."""
        ...


def after(network: Staged, tap: int, x: Tensor) -> Tensor:
    """Return what the stages after one of them make of a map."""
    for stage in list(network.stages)[tap + 1 :]:
        x = stage(x)
    return x
