"""The steps of a training one after the other, whatever is trained, each with a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facetrack.networks.train.binary import Stage, clip_latent, recompute_statistics, set_stage
from facetrack.networks.train.devices import HERE, Place
from facetrack.networks.train.fitting import Fitting, load_weights
from facetrack.networks.train.guidance import Guidance
from facetrack.networks.train.real_to_binary import take_over
from facetrack.networks.train.recipe import Step

Numbers = npt.NDArray[np.int64]
Report = Callable[[str, dict[str, float]], None]

_STATISTICS: Final = 16  # batches by which normalisations are computed anew
PART: Final = "encoder."  # of what is trained, by its name in `Taught`


class Batches(Protocol):
    """Samples that are asked for by their numbers."""

    count: int

    def augmented(self, numbers: Numbers, rng: np.random.Generator) -> tuple[Any, Tensor]:
        """Return inputs and truth of a batch, each time a little different."""
        ...

    def plain(self, numbers: Numbers) -> tuple[Any, Tensor]:
        """Return inputs and truth of a batch as they are."""
        ...


class Task(Protocol):
    """What is learned: networks, samples and a loss."""

    @property
    def batches(self) -> Batches:
        """Return the samples."""
        ...

    def network(self, step: Step) -> Any:
        """Build the new network of a step, a `Guided`."""
        ...

    def loss(self, said: Tensor, truth: Tensor) -> Tensor:
        """Compare what a network said with the truth."""
        ...


class Taught(nn.Module):
    """What is trained in a step: a network, and the connectors of its guide."""

    def __init__(self, network: Any, guide: Any | None, step: Step, task: Task) -> None:
        super().__init__()
        self.encoder = network
        if guide is not None:
            self.guidance = Guidance(network, guide, step.weights, step.judge)
        self._truth, self._loss = step.weights.truth, task.loss

    def forward(self, inputs: Any, truth: Tensor) -> Tensor:
        """Return the loss of a batch."""
        said, taps = self.encoder.tapped(inputs)
        total: Tensor = self._loss(said, truth)
        if hasattr(self, "guidance"):
            total = self._truth * total + self.guidance(inputs, said, taps)
        if self.training and hasattr(self.encoder, "extra_loss"):
            total = total + self.encoder.extra_loss(truth)
        return total


def run_steps(
    steps: Sequence[Step],
    task: Task,
    folder: Path,
    done: dict[str, Any],
    report: Report = lambda step, values: None,
    place: Place = HERE,
    note: Callable[[str], None] = lambda line: None,
) -> None:
    """Train by steps; those that are done already are only loaded.

    `done` holds networks that are not trained, such as a teacher, by name, and gets those of the
    other steps, in evaluation mode.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for step in steps:
        if step.name in done:
            continue
        done[step.name] = _run_step(step, task, folder, done, report, place, note)


def load_step(network: nn.Module, folder: Path, step: Step) -> None:
    """Give a network the weights that a step was trained to, and its stage."""
    load_weights(network, folder / f"{step.name}.npz", PART)
    set_stage(network, step.stage)
    network.eval()


def _run_step(
    step: Step,
    task: Task,
    folder: Path,
    done: Mapping[str, Any],
    report: Report,
    place: Place,
    note: Callable[[str], None],
) -> Any:
    torch.manual_seed(step.schedule.seed)
    network = task.network(step).to(place.device)
    set_stage(network, step.stage)
    checkpoint = folder / f"{step.name}.npz"
    if step.start and not checkpoint.exists():
        take_over(network, done[step.start], step.stage)
        recompute_statistics(network, _plain(task, step))
    place.wait()  # or another process may see a checkpoint of the first one already
    guide = done[step.guide] if step.guide and step.weights.taught else None
    trained = Taught(network, guide, step, task).to(place.device)
    objective = place.wrapped(trained)

    def loss(numbers: Numbers, rng: np.random.Generator) -> Tensor:
        value: Tensor = objective(*task.batches.augmented(numbers, rng))
        return value

    fitting = Fitting(trained, step.schedule, checkpoint, place=place, note=note)
    if step.stage == Stage.BINARY:
        fitting.after_step = lambda: clip_latent(network)
    fitting.run(task.batches.count, loss, lambda values: report(step.name, values))
    return network.eval()


def _plain(task: Task, step: Step) -> Iterator[tuple[Any]]:
    rng = np.random.default_rng(step.schedule.seed)
    order = rng.permutation(task.batches.count)
    size = step.schedule.batch
    parts = (order[i : i + size] for i in range(0, len(order), size))
    return ((task.batches.plain(part)[0],) for part in islice(parts, _STATISTICS))
