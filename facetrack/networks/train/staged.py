"""Networks that can teach or learn from one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn


class Staged(nn.Module):
    """A network of a stem, stages and a head."""

    stem: nn.Module
    stages: nn.ModuleList
    head: nn.Module

    def taps(self, x: Tensor) -> list[Tensor]:
        """Return what each stage puts out, each shape (N, C, H, W)."""
        taps, x = [], self.stem(x)
        for stage in self.stages:
            x = stage(x)
            taps.append(x)
        return taps

    def forward(self, x: Tensor) -> Tensor:
        """Return what the head makes of the last stage's map."""
        said: Tensor = self.head(self.taps(x)[-1])
        return said


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
