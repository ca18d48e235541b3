"""Cells: nodes that add up operations, all of them mixed while searching, or those chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from facetrack.networks.train.bats.genotype import INPUTS, KEPT, OPERATIONS, Genotype
from facetrack.networks.train.bats.operations import Reduction, Skipped, Unit, operation

Nodes = Sequence[Sequence[tuple[int, nn.Module]]]  # of each inner node: where from, what
MakeCell = Callable[[int, bool], Nodes]  # (channels, reduces)


class Mixed(nn.Module):
    """The weighted sum of a space's operations, normalised, or they would win for their scale."""

    def __init__(self, space: str, channels: int, stride: int, groups: int) -> None:
        super().__init__()
        self.operations = nn.ModuleList(
            _normalised(operation(name, space, channels, stride, groups), channels)
            for name in OPERATIONS[1:]
        )
        self.zero = operation("none", space, channels, stride, groups)

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """Return the sum; operations of share 0 are not computed."""
        chosen = shares[1:].detach() != 0
        terms = [
            share * op(x)
            for share, op, counts in zip(shares[1:], self.operations, chosen, strict=True)
            if counts
        ]
        zero: Tensor = self.zero(x)
        return torch.stack(terms).sum(dim=0) if terms else zero


class Cell(nn.Module):
    """Two inputs, inner nodes, and their outputs side by side.

    `before` are the channels of the inputs, the older one first; `channels` those of each node;
    `shrunk` says whether the older input still has twice the size of the other.
    """

    def __init__(
        self,
        before: tuple[int, int],
        channels: int,
        nodes: Nodes,
        concat: Sequence[int],
        *,
        shrunk: bool,
    ) -> None:
        super().__init__()
        older, newer = before
        self.first = Reduction(older, channels) if shrunk else preprocess(older, channels)
        self.second = preprocess(newer, channels)
        self.sources = [[source for source, _ in node] for node in nodes]
        self.edges = nn.ModuleList(op for node in nodes for _, op in node)
        self.concat = tuple(concat)

    def forward(self, older: Tensor, newer: Tensor, shares: Tensor | None = None) -> Tensor:
        """Return the output; `shares`, (edges, operations), where operations are mixed."""
        states = [self.first(older), self.second(newer)]
        number = 0
        for sources in self.sources:
            terms = []
            for source in sources:
                given = (states[source],) if shares is None else (states[source], shares[number])
                terms.append(self.edges[number](*given))
                number += 1
            states.append(torch.stack(terms).sum(dim=0))
        return torch.cat([states[node] for node in self.concat], dim=1)


def mixed_nodes(space: str, nodes: int, groups: int) -> MakeCell:
    """Return what makes the nodes of a cell with every edge and every operation."""

    def make(channels: int, reduces: bool) -> Nodes:
        return [
            [
                (source, Mixed(space, channels, _stride(source, reduces), groups))
                for source in range(INPUTS + node)
            ]
            for node in range(nodes)
        ]

    return make


def chosen_nodes(
    genotype: Genotype, groups: int, *, normalised: bool = False, drop: float = 0.0
) -> MakeCell:
    """Return what makes the nodes of a cell as a genotype says.

    `normalised` puts the super-net's normalisation behind each operation; `drop` is the share of
    paths that are left out while training.
    """

    def make(channels: int, reduces: bool) -> Nodes:
        edges = genotype.reduce if reduces else genotype.normal

        def one(name: str, source: int) -> nn.Module:
            stride = _stride(source, reduces)
            op = operation(name, genotype.space, channels, stride, groups)
            if normalised:
                op = _normalised(op, channels)
            if drop and not isinstance(op, nn.Identity):
                op = nn.Sequential(op, DropPath(drop))
            return op

        return [
            [(source, one(name, source)) for name, source in edges[i : i + KEPT]]
            for i in range(0, len(edges), KEPT)
        ]

    return make


class DropPath(nn.Module):
    """Leave out a path for some samples of a batch while training (Larsson et al., ICLR 2017)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Return x, scaled to keep its mean, or zeros."""
        if not self.training:
            return x
        kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.share
        return x * kept / (1 - self.share)


def reductions(cells: int) -> tuple[int, int]:
    """Return which cells of a network reduce: those at a third and at two thirds of all."""
    return cells // 3, 2 * cells // 3


def stack(
    cells: int,
    channels: int,
    stem: tuple[int, int],
    make: MakeCell,
    concat: Callable[[bool], Sequence[int]],
    *,
    shrunk: bool = False,
) -> tuple[nn.ModuleList, list[int]]:
    """Put cells on one another; channels double where pixels are halved.

    `stem` says how many channels the inputs of the first cell have, `shrunk` whether the older one
    has twice the other's size.
    """
    older, newer = stem
    made, widths = nn.ModuleList(), list[int]()
    for number in range(cells):
        reduces = number in reductions(cells)
        if reduces:
            channels *= 2
        kept = concat(reduces)
        cell = Cell((older, newer), channels, make(channels, reduces), kept, shrunk=shrunk)
        made.append(cell)
        older, newer, shrunk = newer, channels * len(kept), reduces
        widths.append(newer)
    return made, widths


def preprocess(inputs: int, outputs: int) -> nn.Module:
    """Bring a cell's input to the channels of its nodes."""
    return Skipped(Unit(inputs, outputs), inputs == outputs)


def _stride(source: int, reduces: bool) -> int:
    return 2 if reduces and source < INPUTS else 1


def _normalised(op: nn.Module, channels: int) -> nn.Module:
    return nn.Sequential(op, nn.BatchNorm2d(channels, affine=False))
