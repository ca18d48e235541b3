"""Training an encoder by a recipe, step by step, each with a checkpoint of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.formats.archive import read_archive
from facetrack.networks.samples import CHANNELS, TARGETS, Samples
from facetrack.networks.train.batches import Batches
from facetrack.networks.train.binary import Stage, clip_latent, recompute_statistics, set_stage
from facetrack.networks.train.encoder import Encoder
from facetrack.networks.train.fitting import KIND, Fitting, set_weights
from facetrack.networks.train.guidance import Guidance
from facetrack.networks.train.real_to_binary import take_over
from facetrack.networks.train.recipe import TEACHER, Recipe, Step

_STATISTICS: Final = 16  # batches by which normalisations are computed anew
_SHAPE_WEIGHT: Final = 0.5  # of shape parameters and openings beside channels

Report = Callable[[str, dict[str, float]], None]


def run_recipe(
    recipe: Recipe,
    samples: Samples,
    folder: Path,
    *,
    teacher: Encoder | None = None,
    report: Report = lambda step, values: None,
) -> Encoder:
    """Train an encoder; steps that are done already are only loaded.

    Parameters
    ----------
    recipe : Recipe
    samples : Samples
    folder : Path
        Of the checkpoints.
    teacher : Encoder, optional
        For recipes that need one.
    report : callable (name of the step, values)
        See `Fitting.run`.

    Returns
    -------
    Encoder
        After the last step, in evaluation mode.

    Raises
    ------
    InputError
        If the teacher is missing, or the loss is no number.
    FormatError
        If a checkpoint is damaged or of another training.
    """
    if recipe.taught and teacher is None:
        raise InputError(f"the recipe {recipe.name} needs a teacher (--teacher)")
    folder.mkdir(parents=True, exist_ok=True)
    batches = Batches(samples, recipe.coarse)
    done: dict[str, Encoder] = {} if teacher is None else {TEACHER: teacher}
    for step in recipe.steps:
        done[step.name] = _run_step(recipe, step, batches, folder, done, report)
    return done[recipe.steps[-1].name]


def load_encoder(recipe: Recipe, folder: Path, step: str | None = None) -> Encoder:
    """Load what a step of a recipe was trained to, the last one without a name.

    Raises
    ------
    FormatError
        If there is no checkpoint, or it is damaged.
    """
    chosen = next(s for s in reversed(recipe.steps) if step in (None, s.name))
    arrays, _ = read_archive(folder / f"{chosen.name}.npz", kind=KIND, schema=1)
    encoder = Encoder(recipe.network, len(TARGETS))
    prefix = "weight/encoder."
    set_weights(
        encoder, {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
    )
    set_stage(encoder, chosen.stage)
    return encoder.eval()


def _run_step(
    recipe: Recipe,
    step: Step,
    batches: Batches,
    folder: Path,
    done: dict[str, Encoder],
    report: Report,
) -> Encoder:
    torch.manual_seed(step.schedule.seed)
    encoder = Encoder(recipe.network, len(TARGETS))
    set_stage(encoder, step.stage)
    checkpoint = folder / f"{step.name}.npz"
    if step.start and not checkpoint.exists():
        take_over(encoder, done[step.start], step.stage)
        recompute_statistics(encoder, _plain(batches, step))
    trained = nn.ModuleDict({"encoder": encoder})
    if step.guide and step.weights.taught:
        trained["guidance"] = Guidance(encoder, done[step.guide], step.weights, step.judge)
    importance = torch.full((len(TARGETS),), _SHAPE_WEIGHT)
    importance[: len(CHANNELS)] = 1.0

    def loss(numbers: npt.NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        patches, targets = batches.augmented(numbers, rng)
        said, taps = encoder.tapped(patches)
        total = (functional.smooth_l1_loss(said, targets, reduction="none") * importance).mean()
        if "guidance" in trained:
            total = total + trained["guidance"](patches, said, taps)
        return total

    fitting = Fitting(trained, step.schedule, checkpoint)
    if step.stage == Stage.BINARY:
        fitting.after_step = lambda: clip_latent(encoder)
    fitting.run(batches.count, loss, lambda values: report(step.name, values))
    return encoder.eval()


def _plain(batches: Batches, step: Step) -> Iterator[tuple[Any]]:
    rng = np.random.default_rng(step.schedule.seed)
    order = rng.permutation(batches.count)
    size = step.schedule.batch
    parts = (order[i : i + size] for i in range(0, len(order), size))
    return ((batches.plain(part)[0],) for part in islice(parts, _STATISTICS))
