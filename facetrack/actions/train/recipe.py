"""Recipes of action networks, as TOML: data, backbone, head, how clips are looked at, schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from facetrack.actions.train.bank import HeadForm
from facetrack.actions.train.views import View
from facetrack.datasets.action_lists import FORMS
from facetrack.networks.train.fitting import Schedule
from facetrack.networks.train.recipe_files import find_recipe, recipe_content, recipes_of, tuples
from facetrack.networks.train.resnet import BackboneForm


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training of an action network."""

    name: str
    about: str
    data: str  # of `FORMS`, see `datasets.action_lists.read_clips`
    backbone: BackboneForm
    head: Mapping[str, Any]  # of `HeadForm`, without the number of classes
    view: View
    schedule: Schedule
    speeds: Mapping[str, float]  # see `Fitting`
    frozen: bool  # whether normalisations keep their statistics

    def head_of(self, classes: int) -> HeadForm:
        """Return the form of the head."""
        return HeadForm(classes, **self.head)


recipes = partial(recipes_of, "facetrack.actions.train")
recipe_file = partial(find_recipe, "facetrack.actions.train")


def read_recipe(name: str, *, seed: int = 0) -> Recipe:
    """Read a recipe by its name, or from a file."""
    path = recipe_file(name)
    with recipe_content(path) as content:
        view = content.pop("view")
        view["short"] = tuple(view["short"])
        about, data = content.pop("about"), content.pop("data")
        backbone = tuples(content.pop("backbone"))
        recipe = Recipe(
            path.stem,
            about,
            data,
            BackboneForm.of_depth(**backbone) if "depth" in backbone else BackboneForm(**backbone),
            content.pop("head"),
            View(**view),
            Schedule(seed=seed, **content.pop("schedule")),
            content.pop("speeds", {}),
            content.pop("frozen_statistics", False),
        )
        if content:
            raise ValueError(f"unknown entries: {', '.join(content)}")
        if recipe.data not in FORMS:
            raise ValueError(f"data are {', '.join(FORMS)}, got {recipe.data!r}")
        recipe.head_of(1)
    return recipe
