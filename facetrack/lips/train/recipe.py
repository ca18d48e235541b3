"""Recipes of trainings: the data, the network and the steps, as TOML."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from facetrack.lips.datasets import DATASETS
from facetrack.lips.train.architecture import Architecture
from facetrack.lips.train.objective import Terms
from facetrack.lips.train.sentences import Augmentation
from facetrack.lips.views import View
from facetrack.networks.train.fitting import Schedule
from facetrack.networks.train.recipe_files import find_recipe, recipe_content, recipes_of

_TUPLES: Final = ("widths", "kernels")


@dataclass(frozen=True, slots=True)
class Step:
    """One training of all weights."""

    name: str  # also of its checkpoint
    schedule: Schedule
    terms: Terms = field(default_factory=Terms)
    augmentation: Augmentation = field(default_factory=Augmentation)
    # (epochs, width, height): shown at first, smaller than the recipe's view
    sizes: tuple[tuple[int, int, int], ...] = ()
    start: str = ""  # the earlier step whose average it starts from; empty for new weights
    until: int | None = None  # see `Fitting`

    @property
    def last(self) -> int:
        """The number of the epoch with which it ends."""
        return self.until or self.schedule.epochs

    def view(self, epoch: int, whole: View) -> View:
        """Choose what is shown in an epoch, from 0; `whole` is the recipe's view, after `sizes`."""
        for epochs, width, height in self.sizes:
            if epoch < epochs:
                return View((width, height), whole.width)
            epoch -= epochs
        return whole


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole training."""

    name: str
    about: str
    data: str  # one of `DATASETS`
    network: Architecture  # its number of classes is that of the data
    view: View
    steps: tuple[Step, ...]
    aside: int = 0  # clips of GRID set aside for validation; the others name theirs
    silence: bool = False  # whether there is a class for no word
    paper: float | None = None  # accuracy that the paper reports, %


recipes = partial(recipes_of, "facetrack.lips.train")
recipe_file = partial(find_recipe, "facetrack.lips.train")


def read_recipe(name: str, *, seed: int = 0) -> Recipe:
    """Read a recipe by its name, or from a file."""
    path = recipe_file(name)
    with recipe_content(path) as content:
        view = content.pop("view")
        network: dict[str, Any] = {
            k: tuple(v) if k in _TUPLES else v for k, v in content.pop("network", {}).items()
        }
        steps = tuple(_step(entry, seed) for entry in content.pop("steps"))
        recipe = Recipe(
            name=path.stem,
            network=Architecture(**network),
            view=View((int(view["size"][0]), int(view["size"][1])), float(view["width"])),
            steps=steps,
            **content,
        )
        _check(recipe)
    return recipe


def _step(entry: dict[str, Any], seed: int) -> Step:
    return Step(
        schedule=Schedule.taken(entry, seed),
        terms=Terms(**entry.pop("terms", {})),
        augmentation=Augmentation(**entry.pop("augmentation", {})),
        sizes=tuple((int(e), int(w), int(h)) for e, w, h in entry.pop("sizes", [])),
        **entry,
    )


def _check(recipe: Recipe) -> None:
    if recipe.data not in DATASETS:
        raise ValueError(f"data is one of {', '.join(DATASETS)}, got {recipe.data!r}")
    earlier = {""}
    for step in recipe.steps:
        if step.start not in earlier:
            raise ValueError(f"step {step.name!r} needs a step that comes before it")
        if step.augmentation.elsewhere and not recipe.silence:
            raise ValueError(f"step {step.name!r} has windows without a word, but no class for it")
        earlier.add(step.name)
