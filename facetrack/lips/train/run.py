"""One training in a folder: recipe, crops, checkpoints, log and curves; and the model of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from facetrack.errors import FormatError, InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.lips.datasets import DATASETS, TRAIN, VALIDATION, set_aside, words_of
from facetrack.lips.preparing import Prepared, prepare
from facetrack.lips.train.network import LipNetwork, gather
from facetrack.lips.train.objective import Average, Objective
from facetrack.lips.train.recipe import Recipe, Step, read_recipe, recipe_file
from facetrack.lips.train.sentences import Sentences
from facetrack.lips.views import View
from facetrack.lips.words import GRID_WORDS
from facetrack.networks.train.fitting import Fitting, load_weights
from facetrack.networks.train.run import ABOUT, RECIPE, logged, open_run
from facetrack.parallel import Map
from facetrack.version import installed_version

_EVERY: Final = 4  # epochs between validations
_HELD: Final = 5000  # clips that are kept in memory

Say = Callable[[str], None]


class Trained(nn.Module):
    """A network in training beside its running average, which is what is kept."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective = objective
        self.average = Average(objective.network, objective.terms.average)


def start(
    config: str,
    root: Path,
    work: Path,
    *,
    model: FaceModel,
    data: str = "",
    crops: Path | None = None,
    seed: int = 0,
    threads: int = 1,
    map_: Map = map,
    say: Say = lambda line: None,
) -> LipNetwork:
    """Train by a recipe in a folder, or take up what was interrupted there.

    `model` tracks the clips, and faces are aligned to its mean shape. `data`, one of `DATASETS`,
    stands in place of the recipe's; prepared clips lie in `crops`, or in `work`. Returns the
    average after the last step, in evaluation mode.
    """
    torch.set_num_threads(threads)
    recipe = read_recipe(config, seed=seed)
    if data and data not in DATASETS:
        raise InputError(f"there is no data set {data!r}; choose from {', '.join(DATASETS)}")
    items = DATASETS[data or recipe.data](root, tell=say)
    if recipe.aside:
        items = set_aside(items, recipe.aside)
    words = GRID_WORDS if recipe.data == "grid" else words_of([i for i in items if i.part == TRAIN])
    about: dict[str, Any] = {"recipe": recipe.name, "data": root.resolve().name, "seed": seed,
             "words": [*words, *([""] if recipe.silence else [])],
             "version": installed_version(), **({"of": data} if data else {})}  # fmt: skip
    open_run(work, recipe_file(config), about)
    crops = work / "crops" if crops is None else crops
    items = prepare(items, crops, model=model, mean=model.shape_model.mean, map_=map_, tell=say)
    hold = len(items) <= _HELD
    parts = [Prepared([i for i in items if i.part == part], crops, hold=hold)
             for part in (TRAIN, VALIDATION)]  # fmt: skip
    trained = _train(recipe, about["words"], parts, work, say)
    if recipe.paper is not None:
        say(f"the paper reports {recipe.paper} % of the words right on the test part")
    return trained


def _train(
    recipe: Recipe, words: Sequence[str], parts: Sequence[Prepared], work: Path, say: Say
) -> LipNetwork:
    """Do all steps; one that is done already is only loaded."""
    if not parts[0]:
        raise InputError("no clip of the training part could be prepared")
    done: dict[str, LipNetwork] = {}
    told = logged(work, say)
    classes = {word: number for number, word in enumerate(words)}
    for step in recipe.steps:
        trained = _fresh(recipe, step, len(words), done.get(step.start))
        training = Sentences(parts[0], classes, step.augmentation)
        aside = Sentences(parts[1], classes, step.augmentation)
        fitting = Fitting(trained, step.schedule, work / f"{step.name}.npz", until=step.until)
        fitting.after_step = partial(trained.average.follow, trained.objective.network)
        shown = partial(_shown, fitting, step, recipe.view)

        def loss(numbers: Any, rng: np.random.Generator, *, o: Any = trained.objective,
                 data: Sentences = training, shown: Any = shown) -> torch.Tensor:  # fmt: skip
            return o.loss(data.augmented(numbers, shown(), rng), rng)  # type: ignore[no-any-return]

        def report(values: dict[str, float], *, step: Step = step, trained: Trained = trained,
                   aside: Sentences = aside, shown: Any = shown) -> None:  # fmt: skip
            last = values["epoch"] == values["epochs"]
            if aside.clips and (values["epoch"] % _EVERY == 0 or last):
                network = trained.average.network
                values["accuracy"] = accuracy(network, aside, shown(), step.terms.whole)
            told(step.name, values)

        fitting.run(len(parts[0]), loss, report)
        done[step.name] = trained.average.network.eval()
    return done[recipe.steps[-1].name]


def _fresh(recipe: Recipe, step: Step, classes: int, earlier: LipNetwork | None) -> Trained:
    torch.manual_seed(step.schedule.seed)
    network = LipNetwork(replace(recipe.network, classes=classes))
    if earlier is not None:
        network.load_state_dict(earlier.state_dict())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Trained(Objective(network, step.terms))


def _shown(fitting: Fitting, step: Step, whole: View) -> View:
    return step.view(fitting.epoch, whole)


def accuracy(network: LipNetwork, data: Sentences, view: View, whole: bool = False) -> float:
    """Return the share of words that a network reads right, boundaries given.

    `whole`: words are read where they lie in whole sentences, see `Terms`; else by windows.
    """
    network.eval()
    words = [number for word, number in data.classes.items() if word]
    right, count = 0, 0
    with torch.no_grad():
        for first in range(0, len(data.clips), 5):
            numbers = range(first, min(first + 5, len(data.clips)))
            batch = data.plain(numbers, view, own=whole)
            features = network.features(batch.pixels, batch.mask, batch.points)
            if whole:
                logits = network.read_whole(features, batch.mask, batch.windows)
            else:
                logits = network.read(*gather(features, batch.mask, batch.windows))
            right += int((logits[:, words].argmax(dim=1) == batch.labels).sum())
            count += len(batch.labels)
    return right / max(count, 1)


def finished(work: Path) -> tuple[LipNetwork, Recipe, dict[str, Any]]:
    """Load the network of a finished run, its recipe and what it says of itself.

    An `InputError` says that it is no folder of a run, a `FormatError` that it is not finished, or
    damaged.
    """
    if not (work / RECIPE).is_file() or not (work / ABOUT).is_file():
        raise InputError(f"{work}: no folder of a training run; train one with `lips train`")
    about = json.loads((work / ABOUT).read_text("utf-8"))
    recipe = read_recipe(str(work / RECIPE), seed=about["seed"])
    step = recipe.steps[-1]
    path = work / f"{step.name}.npz"
    if not path.is_file():
        raise FormatError(path, "no such file", remedy="train to the end: the command takes it up")
    trained = _fresh(recipe, step, len(about["words"]), None)
    meta = load_weights(trained, path)
    if meta["epochs"] < step.last:
        cause = f"after epoch {meta['epochs']} of {step.last}"
        raise FormatError(path, cause, remedy="train to the end: the command takes it up")
    return trained.average.network.eval(), recipe, about
