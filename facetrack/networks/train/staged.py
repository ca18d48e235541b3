"""Networks that can teach or learn from one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn


class Staged(Protocol):
    """A network written as stem, stages and head."""

    stages: nn.ModuleList
    head: nn.Module

    def taps(self, x: Tensor) -> list[Tensor]:
        """Return what each stage puts out, each shape (N, C, H, W)."""
        ...


class Guided(Protocol):
    """A network made of staged parts, of which each can be taught by another network's."""

    @property
    def tap_widths(self) -> tuple[int, ...]:
        """Return how many channels each stage puts out, the same in all parts."""
        ...

    def parts(self) -> Mapping[str, Staged]:
        """Return the parts by name."""
        ...

    def tapped(self, inputs: Any) -> tuple[Tensor, dict[str, list[Tensor]]]:
        """Return the outputs for a batch, and what each stage of each part puts out."""
        ...


def after(network: Staged, tap: int, x: Tensor) -> Tensor:
    """Return what the stages after one of them make of a map."""
    for stage in list(network.stages)[tap + 1 :]:
        x = stage(x)
    return x
