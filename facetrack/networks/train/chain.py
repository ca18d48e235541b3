"""Training an encoder by a recipe, step by step, each with a checkpoint of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.networks.samples import CHANNELS, TARGETS, Samples
from facetrack.networks.train.batches import Batches
from facetrack.networks.train.devices import HERE, Place
from facetrack.networks.train.encoder import Encoder
from facetrack.networks.train.recipe import TEACHER, Recipe, Step
from facetrack.networks.train.steps import Report, load_step, run_steps

_SHAPE_WEIGHT: Final = 0.5  # of shape parameters and openings beside channels


class _Expressions:
    """What an encoder learns; see `Task`."""

    def __init__(self, recipe: Recipe, samples: Samples) -> None:
        self._recipe, self.batches = recipe, Batches(samples, recipe.coarse)
        self._importance = torch.full((len(TARGETS),), _SHAPE_WEIGHT)
        self._importance[: len(CHANNELS)] = 1.0

    def network(self, step: Step) -> Encoder:
        return Encoder(self._recipe.network, len(TARGETS))

    def loss(self, said: Tensor, truth: Tensor) -> Tensor:
        errors = functional.smooth_l1_loss(said, truth, reduction="none")
        return (errors * self._importance).mean()


def run_recipe(
    recipe: Recipe,
    samples: Samples,
    folder: Path,
    *,
    teacher: Encoder | None = None,
    report: Report = lambda step, values: None,
    place: Place = HERE,
) -> Encoder:
    """Train an encoder; steps that are done already are only loaded from checkpoints in `folder`.

    Returns it after the last step, in evaluation mode. Raises InputError if the teacher is missing
    or the loss is no number, FormatError if a checkpoint is damaged or of another training.
    """
    if recipe.taught and teacher is None:
        raise InputError(f"the recipe {recipe.name} needs a teacher (--teacher)")
    done: dict[str, Any] = {} if teacher is None else {TEACHER: teacher}
    run_steps(recipe.steps, _Expressions(recipe, samples), folder, done, report, place)
    trained = done[recipe.steps[-1].name]
    assert isinstance(trained, Encoder)
    return trained


def load_encoder(recipe: Recipe, folder: Path) -> Encoder:
    """Load what the last step of a recipe was trained to."""
    encoder = Encoder(recipe.network, len(TARGETS))
    load_step(encoder, folder, recipe.steps[-1])
    return encoder
