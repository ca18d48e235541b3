"""The network that is searched in: every operation on every edge, in shares that are learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.networks.train.bats.cells import mixed_nodes, reductions, stack
from facetrack.networks.train.bats.genotype import (
    FREE,
    INPUTS,
    KEPT,
    OPERATIONS,
    SPACES,
    Edges,
    Genotype,
)

KINDS: Final = ("normal", "reduce")
_RATE, _BETAS, _DECAY = 3e-4, (0.5, 0.999), 1e-3  # of alpha, as in DARTS
_STEM: Final = 3  # times the channels of the first cells
_START: Final = 1e-3  # standard deviation of new alphas


@dataclass(frozen=True, slots=True)
class SearchForm:
    """How a super-net is built."""

    cells: int = 8
    channels: int = 24  # of the first cells
    nodes: int = 4
    groups: int = 12  # of grouped convolutions
    space: str = "grouped"  # or "separable"

    def __post_init__(self) -> None:
        if self.space not in SPACES or min(self.cells, self.nodes, self.groups) < 1:
            raise InputError(f"spaces are {', '.join(SPACES)}, numbers 1 or more; got {self}")


class Alphas(nn.Module):
    """The strengths of operations and their optimiser, which checkpoints hold with them."""

    normal: Tensor
    reduce: Tensor

    def __init__(self, edges: int) -> None:
        super().__init__()
        for kind in KINDS:  # no parameters: the optimiser of the weights must not see them
            drawn = _START * torch.randn(edges, len(OPERATIONS))
            self.register_buffer(kind, drawn.requires_grad_())
        self.begin()

    def begin(self) -> None:
        """Begin a new optimisation, after a change of device."""
        for kind in KINDS:
            setattr(self, kind, getattr(self, kind).detach().requires_grad_())
        self._optimiser = torch.optim.Adam(
            [self.normal, self.reduce], lr=_RATE, betas=_BETAS, weight_decay=_DECAY
        )

    def step(self, loss: Tensor) -> None:
        """Follow the gradient of a loss; that of the weights stays as it is."""
        self._optimiser.zero_grad()
        strengths = [self.normal, self.reduce]
        gradients = torch.autograd.grad(loss, strengths, materialize_grads=True)
        self.normal.grad, self.reduce.grad = gradients
        self._optimiser.step()

    def get_extra_state(self) -> Tensor:
        """Return the moments of the optimiser and the number of its steps."""
        state = [self._optimiser.state.get(a, {}) for a in (self.normal, self.reduce)]
        moments = [
            s.get(name, torch.zeros_like(a)).flatten()
            for s, a in zip(state, (self.normal, self.reduce), strict=True)
            for name in ("exp_avg", "exp_avg_sq")
        ]
        steps = torch.tensor([float(state[0].get("step", 0.0))], device=self.normal.device)
        return torch.cat([*moments, steps])

    def set_extra_state(self, state: Tensor) -> None:
        """Set what `get_extra_state` returned."""
        size = self.normal.numel()
        for number, alpha in enumerate((self.normal, self.reduce)):
            first, second = state[2 * number * size : 2 * (number + 1) * size].chunk(2)
            self._optimiser.state[alpha] = {
                "step": state[-1].clone().cpu(),
                "exp_avg": first.reshape(alpha.shape).to(alpha.device, copy=True),
                "exp_avg_sq": second.reshape(alpha.shape).to(alpha.device, copy=True),
            }


class SuperNet(nn.Module):
    """Pictures -> classes, through all operations.

    A `temperature` below 1 makes the shares sharper; `noisy` adds Gumbel noise before the softmax
    while training.
    """

    def __init__(self, form: SearchForm, classes: int) -> None:
        super().__init__()
        self.form = form
        self.temperature, self.noisy = 1.0, False
        wide = _STEM * form.channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()
        )
        concat = range(INPUTS, INPUTS + form.nodes)
        make = mixed_nodes(form.space, form.nodes, form.groups)
        self.cells, widths = stack(
            form.cells, form.channels, (wide, wide), make, lambda reduces: concat
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes)
        )
        self.alphas = Alphas(sum(INPUTS + node for node in range(form.nodes)))

    def shares(self) -> dict[str, Tensor]:
        """Return the shares of operations, (edges, operations), of normal and reducing cells."""
        return {kind: self._softmax(getattr(self.alphas, kind)) for kind in KINDS}

    def forward(self, x: Tensor, shares: dict[str, Tensor] | None = None) -> Tensor:
        """Return logits; with the learned shares, or those given."""
        shares = self.shares() if shares is None else shares
        older = newer = self.stem(x)
        for cell, reduces in zip(self.cells, self.reduces(), strict=True):
            kind = KINDS[reduces]
            older, newer = newer, cell(older, newer, shares[kind])
        logits: Tensor = self.head(newer)
        return logits

    def reduces(self) -> list[bool]:
        """Return which cells reduce."""
        return [number in reductions(self.form.cells) for number in range(self.form.cells)]

    def genotype(self) -> Genotype:
        """Derive the genotype: the two strongest edges of each node, `none` left out."""
        with torch.no_grad():
            shares = {k: torch.softmax(getattr(self.alphas, k), dim=1) for k in KINDS}
        edges = {kind: tuple(_strongest(s, self.form.nodes)) for kind, s in shares.items()}
        concat = tuple(range(INPUTS, INPUTS + self.form.nodes))
        return Genotype(edges["normal"], concat, edges["reduce"], concat, self.form.space)

    def chosen(self) -> dict[str, Tensor]:
        """Return shares that are 1 where the genotype has an operation, and `none` elsewhere."""
        genotype = self.genotype()
        return {
            "normal": _one_hot(genotype.normal, self.alphas.normal),
            "reduce": _one_hot(genotype.reduce, self.alphas.reduce),
        }

    @torch.no_grad()
    def free_mass(self) -> float:
        """Return the mean share of operations without parameters, over all edges."""
        masses = [s[:, : len(FREE)].sum(dim=1) for s in self.shares().values()]
        return float(torch.cat(masses).mean())

    def _softmax(self, alpha: Tensor) -> Tensor:
        if self.noisy and self.training:
            alpha = alpha - torch.empty_like(alpha).exponential_().log()
        return functional.softmax(alpha / self.temperature, dim=1)


def _strongest(shares: Tensor, nodes: int) -> Iterator[tuple[str, int]]:
    first = 0
    for node in range(nodes):
        inside = shares[first : first + INPUTS + node, 1:]
        best, which = inside.max(dim=1)
        for source in sorted(best.argsort(descending=True, stable=True)[:KEPT].tolist()):
            yield OPERATIONS[1 + int(which[source])], source
        first += INPUTS + node


def _one_hot(edges: Edges, like: Tensor) -> Tensor:
    shares = torch.zeros_like(like, requires_grad=False)
    shares[:, 0] = 1.0
    for number, (name, source) in enumerate(edges):
        node = number // KEPT
        edge = node * INPUTS + node * (node - 1) // 2 + source
        shares[edge] = 0.0
        shares[edge, OPERATIONS.index(name)] = 1.0
    return shares
