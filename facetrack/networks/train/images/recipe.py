"""Recipes of networks that name pictures, as TOML: data, view, networks, search, steps, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from facetrack.datasets.image_classes import FORMS
from facetrack.networks.train.bats.network import CellsForm
from facetrack.networks.train.bats.search import Strategy
from facetrack.networks.train.bats.supernet import SearchForm
from facetrack.networks.train.binary import Stage
from facetrack.networks.train.fitting import Schedule
from facetrack.networks.train.images.network import ResidualForm
from facetrack.networks.train.images.views import View
from facetrack.networks.train.recipe import Step, read_steps
from facetrack.networks.train.recipe_files import find_recipe, recipe_content, recipes_of, tuples


@dataclass(frozen=True, slots=True)
class Search:
    """A search: its super-net, its strategy, the schedule of its weights, its view."""

    form: SearchForm
    strategy: Strategy
    schedule: Schedule
    view: View


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole training."""

    name: str
    about: str
    data: str  # "cifar10", "cifar100", "imagenet" or "arrays"
    classes: int
    view: View
    networks: Mapping[str, ResidualForm | CellsForm]
    steps: tuple[Step, ...]
    search: Search | None = None  # what finds the genotype of cells; without it one has to be given
    real: str = ""  # the step whose network the others are compared with, or empty
    # the paper's top-1 and top-5 of the last step, where sure, %
    published: Mapping[str, float] | None = None

    @property
    def of_cells(self) -> bool:
        """Whether a genotype is needed."""
        return any(isinstance(form, CellsForm) for form in self.networks.values())


recipes = partial(recipes_of, "facetrack.networks.train.images")
recipe_file = partial(find_recipe, "facetrack.networks.train.images")


def read_recipe(name: str, *, seed: int = 0) -> Recipe:
    """Read a recipe by its name, or from a file."""
    path = recipe_file(name)
    with recipe_content(path) as content:
        view = content.pop("view")
        search = content.pop("search", None)
        recipe = Recipe(
            path.stem,
            content.pop("about"),
            content.pop("data"),
            int(content.pop("classes")),
            View(**tuples(view)),
            {name: _network(entry) for name, entry in content.pop("networks", {}).items()},
            read_steps(content.pop("steps", []), seed),
            _search(search, view, seed) if search is not None else None,
            content.pop("real", ""),
            content.pop("published", {}),
        )
        _check(recipe, content)
    return recipe


def _network(entry: dict[str, Any]) -> ResidualForm | CellsForm:
    cells = entry.get("blocks") == "cells"
    made = {key: value for key, value in tuples(entry).items() if not (cells and key == "blocks")}
    return CellsForm(**made) if cells else ResidualForm(**made)


def _search(entry: dict[str, Any], view: dict[str, Any], seed: int) -> Search:
    strategy = tuples(entry.pop("strategy", {}))
    strategy["stage"] = Stage(strategy.get("stage", Stage.ACTIVATIONS))
    return Search(
        SearchForm(**entry.pop("network")),
        Strategy(**strategy),
        Schedule(**{"seed": seed, **tuples(entry.pop("schedule"))}),
        View(**{**tuples(view), "cutout": 0, **tuples(entry)}),
    )


def _check(recipe: Recipe, unknown: Mapping[str, Any]) -> None:
    if unknown:
        raise ValueError(f"unknown entries: {', '.join(unknown)}")
    if recipe.data not in FORMS:
        raise ValueError(f"data are {', '.join(FORMS)}, got {recipe.data!r}")
    if lacking := [s.network for s in recipe.steps if s.network not in recipe.networks]:
        raise ValueError(f"no network {lacking[0]!r}; there are {', '.join(recipe.networks)}")
    if recipe.real and recipe.real not in {step.name for step in recipe.steps}:
        raise ValueError(f"no step {recipe.real!r} to compare with")
    if not recipe.steps and recipe.search is None:
        raise ValueError("neither steps nor a search")
