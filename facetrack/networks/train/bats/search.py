"""The search: strengths of operations on one half of the pictures, weights on the other.

First-order bilevel optimisation (Liu, Simonyan, Yang, *DARTS*, ICLR 2019) with the temperature and
the binary activations of BATS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.networks.train.bats.latency import LatencyTable, edge_sizes, expected
from facetrack.networks.train.bats.supernet import SearchForm, SuperNet
from facetrack.networks.train.binary import Stage, clip_latent, recompute_statistics, set_stage
from facetrack.networks.train.devices import HERE, Place
from facetrack.networks.train.fitting import Fitting, Schedule

Numbers = npt.NDArray[np.int64]
Take = Callable[[Numbers, np.random.Generator], tuple[Tensor, Tensor]]

_TESTED: Final = 256  # pictures of a batch where nothing is learned


@dataclass(frozen=True, slots=True)
class Strategy:
    """How to search."""

    # ACTIVATIONS as in the paper (real weights); or both real, or both binary
    stage: Stage = Stage.ACTIVATIONS
    # at the beginning and at the end, falling geometrically
    temperature: tuple[float, float] = (1.0, 0.2)
    noisy: bool = False  # see `SuperNet`
    # share of the epochs in which the strengths rest until the weights have learned
    frozen: float = 0.25
    # weight of the log of the expected time, of all operations in equal shares
    latency: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < min(self.temperature) <= max(self.temperature) or not 0 <= self.frozen < 1:
            raise InputError(f"temperatures are above 0, the frozen share below 1; got {self}")

    def temperature_at(self, progress: float) -> float:
        """Return the temperature at a share of the search."""
        first, last = self.temperature
        return float(first * (last / first) ** progress)


def search(
    form: SearchForm,
    strategy: Strategy,
    schedule: Schedule,
    take: Take,
    count: int,
    classes: int,
    size: tuple[int, int],
    *,
    checkpoint: Path | None = None,
    times: LatencyTable | None = None,
    place: Place = HERE,
    report: Callable[[dict[str, float]], None] = lambda values: None,
    note: Callable[[str], None] = lambda line: None,
) -> SuperNet:
    """Search a genotype, or take up a search that was interrupted.

    `schedule` is that of the weights; `take` gives pictures and labels by their numbers; `times` is
    needed for a weight of the latency. `report` (see `Fitting`) is also told `temperature`, `free`
    (operations without parameters in the genotype) and `free_mass` (their share in the super-net).
    """
    if count < 2:
        raise InputError(f"a search halves its pictures, but there are {count}")
    torch.manual_seed(schedule.seed)
    net = SuperNet(form, classes).to(place.device)
    net.alphas.begin()
    net.noisy = strategy.noisy
    set_stage(net, strategy.stage)
    halves = np.array_split(np.random.default_rng(schedule.seed).permutation(count), 2)
    penalty = _penalty(net, strategy, times, size)

    def loss(batch: Numbers, rng: np.random.Generator) -> Tensor:
        progress = fitting.epoch / max(schedule.epochs - 1, 1)
        net.temperature = strategy.temperature_at(progress)
        if fitting.epoch >= strategy.frozen * schedule.epochs:
            other = rng.choice(halves[1], len(batch))
            net.alphas.step(_entropy(net, take(other, rng)) + penalty())
        return _entropy(net, take(halves[0][batch], rng), fixed=True)

    def told(values: dict[str, float]) -> None:
        free = {"free": float(net.genotype().free), "free_mass": net.free_mass()}
        report({**values, "temperature": net.temperature, **free})

    fitting = Fitting(net, schedule, checkpoint, place=place, note=note)
    if strategy.stage == Stage.BINARY:
        fitting.after_step = lambda: clip_latent(net)
    fitting.run(len(halves[0]), loss, told)
    net.temperature = strategy.temperature[1]
    return net


def gap(
    net: SuperNet, take: Take, tested: Numbers, trained: Numbers, batch: int = _TESTED
) -> tuple[float, float]:
    """Measure what a super-net loses when only its strongest operations are left.

    Returns the accuracies on `tested` with the learned shares and with the genotype's operations
    alone; statistics of normalisations are computed anew by `trained`. `take` does not augment.
    """
    rng, found = np.random.default_rng(0), []
    for shares in (None, net.chosen()):

        def batches(numbers: Numbers) -> Iterator[tuple[Tensor, Tensor]]:
            return (take(numbers[i : i + batch], rng) for i in range(0, len(numbers), batch))

        given: tuple[Any, ...] = () if shares is None else (shares,)
        with torch.no_grad():
            recompute_statistics(net, ((x, *given) for x, _ in batches(trained)))
            net.eval()
            right = [(net(x, *given).argmax(dim=1) == y).sum() for x, y in batches(tested)]
        found.append(float(sum(map(float, right))) / len(tested))
    return found[0], found[1]


def _entropy(net: SuperNet, batch: tuple[Tensor, Tensor], *, fixed: bool = False) -> Tensor:
    """Return the loss; with fixed shares nothing flows into the strengths."""
    x, truth = batch
    shares = net.shares()
    if fixed:
        shares = {kind: s.detach() for kind, s in shares.items()}
    return functional.cross_entropy(net(x, shares), truth)


def _penalty(
    net: SuperNet, strategy: Strategy, times: LatencyTable | None, size: tuple[int, int]
) -> Callable[[], Tensor | float]:
    if not strategy.latency:
        return lambda: 0.0
    if times is None:
        raise InputError("a weight of the latency needs a table of times (--latency)")
    if (times.space, times.groups) != (net.form.space, net.form.groups):
        raise InputError("the table of times is of another space or other groups; measure it anew")
    sizes = edge_sizes(net.form, size)
    equal = {kind: torch.full_like(s, 1 / s.shape[1]) for kind, s in net.shares().items()}
    reference = expected(equal, sizes, times).detach()
    return lambda: strategy.latency * torch.log(expected(net.shares(), sizes, times) / reference)
