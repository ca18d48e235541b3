"""The network that a genotype is evaluated by: many cells, a real stem and a real head."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor, nn
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.networks.train.bats.cells import chosen_nodes, reductions, stack
from facetrack.networks.train.bats.genotype import Genotype
from facetrack.networks.train.staged import Staged

_STEM: Final = 3  # times the channels of the first cells, for small pictures
_FOLDED: Final = (128, 768)  # channels of the auxiliary head


@dataclass(frozen=True, slots=True)
class CellsForm:
    """How a network of cells is built."""

    cells: int = 20
    channels: int = 36  # of the first cells
    groups: int = 12  # of grouped convolutions
    stem: str = "cifar"  # or "imagenet", which leaves an eighth of the pixels in each direction
    # weight of a second classifier's loss after the second reduction, while training
    auxiliary: float = 0.0
    drop_path: float = 0.0  # share of paths left out while training

    def __post_init__(self) -> None:
        if self.stem not in ("cifar", "imagenet") or min(self.cells, self.channels) < 1:
            raise InputError(f"stems are cifar, imagenet, numbers 1 or more; got {self}")


class CellNetwork(nn.Module):
    """Pictures -> classes, through the cells of a genotype.

    `normalised`: each operation ends with a normalisation, as in the super-net.
    """

    def __init__(
        self, form: CellsForm, genotype: Genotype, classes: int, *, normalised: bool = False
    ) -> None:
        super().__init__()
        self.form = form
        small = form.stem == "cifar"
        wide = form.channels * (_STEM if small else 1)
        stems = [_real(3, wide, 1, 1, last=nn.ReLU())] if small else _large_stems(form.channels)
        self.stems = nn.ModuleList(stems)
        make = chosen_nodes(genotype, form.groups, normalised=normalised, drop=form.drop_path)
        self.cells, widths = stack(
            form.cells,
            form.channels,
            (wide, wide),
            make,
            lambda reduces: genotype.reduce_concat if reduces else genotype.normal_concat,
            shrunk=not small,
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes)
        )
        self._tap = reductions(form.cells)[1]
        self.auxiliary = None
        if form.auxiliary:
            self.auxiliary = _auxiliary(widths[self._tap], classes, 3 if small else 2)
        self._aside: Tensor | None = None

    @property
    def tap_widths(self) -> tuple[int, ...]:
        """Return nothing: cells are not taught by a teacher's maps."""
        return ()

    def parts(self) -> Mapping[str, Staged]:
        """Return nothing; see `tap_widths`."""
        return {}

    def tapped(self, x: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
        """Return the logits, and no maps."""
        return self(x), {}

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        older = self.stems[0](x)
        newer = self.stems[1](older) if len(self.stems) > 1 else older
        for number, cell in enumerate(self.cells):
            older, newer = newer, cell(older, newer)
            if self.auxiliary is not None and self.training and number == self._tap:
                self._aside = self.auxiliary(newer)
        logits: Tensor = self.head(newer)
        return logits

    def extra_loss(self, truth: Tensor) -> Tensor | float:
        """Return the weighted loss of the auxiliary head for the batch that was seen last."""
        if self._aside is None:
            return 0.0
        aside, self._aside = self._aside, None
        return self.form.auxiliary * functional.cross_entropy(aside, truth)


def _large_stems(channels: int) -> list[nn.Sequential]:
    """Return stems to a quarter and an eighth of the pixels, their later layers grouped."""
    groups = math.gcd(channels // 2, max(channels // 20, 1))
    half = _real(3, channels // 2, 2, 1, last=nn.ReLU())
    quarter = _real(channels // 2, channels, 2, groups)
    eighth = nn.Sequential(nn.ReLU(), _real(channels, channels, 2, groups))
    return [nn.Sequential(half, quarter), eighth]


def _real(
    inputs: int, outputs: int, stride: int, groups: int, last: nn.Module | None = None
) -> nn.Sequential:
    layers: list[Any] = [
        nn.Conv2d(inputs, outputs, 3, stride, 1, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([] if last is None else [last]))


def _auxiliary(channels: int, classes: int, stride: int) -> nn.Sequential:
    """Return the second classifier: pooled, folded, classified."""
    first, second = _FOLDED
    return nn.Sequential(
        nn.AvgPool2d(5, stride, count_include_pad=False),
        nn.BatchNorm2d(channels),
        nn.Conv2d(channels, first, 1, bias=False),
        nn.PReLU(first),
        nn.BatchNorm2d(first),
        nn.Conv2d(first, second, 2, bias=False),
        nn.PReLU(second),
        nn.Flatten(),
        nn.Linear(second, classes),
    )
