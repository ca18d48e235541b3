"""Recipes of trainings: the network, and the steps that train it, as TOML."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from facetrack.networks.train.binary import Stage
from facetrack.networks.train.encoder import Architecture
from facetrack.networks.train.fitting import Schedule
from facetrack.networks.train.guidance import Weights
from facetrack.networks.train.recipe_files import find_recipe, recipe_content, recipes_of

TEACHER: Final = "teacher"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a training."""

    name: str  # also of its checkpoint
    schedule: Schedule
    stage: Stage = Stage.BINARY  # how far the network is binary
    start: str = ""  # the earlier step whose weights it starts from; empty for new ones
    # the earlier step that guides it, "teacher" for the one that is given, or empty
    guide: str = ""
    weights: Weights = field(default_factory=Weights)  # of the guide's terms
    judge: str = "features"  # see `AdaIn`
    network: str = ""  # which of a recipe's networks is trained, where it has several


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole training."""

    name: str
    about: str
    network: Architecture
    steps: tuple[Step, ...]
    copies: int  # jittered ones of each picture
    coarse: float = 0.0  # share of the batches that lose some of their resolution

    @property
    def taught(self) -> bool:
        """Whether a teacher has to be given."""
        known = {step.name for step in self.steps}
        return any(step.guide not in ("", *known) for step in self.steps)


recipes = partial(recipes_of, "facetrack.networks.train")
recipe_file = partial(find_recipe, "facetrack.networks.train")


def read_recipe(name: str, *, seed: int = 0) -> Recipe:
    """Read a recipe by its name, or from a file."""
    path = recipe_file(name)
    with recipe_content(path) as content:
        steps = read_steps(content.pop("steps"), seed)
        network = content.pop("network")
        network["widths"] = tuple(network["widths"])
        about, copies = content.pop("about"), content.pop("copies")
        coarse = float(content.pop("coarse", 0.0))
        recipe = Recipe(path.stem, about, Architecture(**network), steps, copies, coarse)
        if content:
            raise ValueError(f"unknown entries: {', '.join(content)}")
    return recipe


def read_steps(entries: list[dict[str, Any]], seed: int) -> tuple[Step, ...]:
    """Read the steps of a recipe."""
    steps = tuple(_step(entry, seed) for entry in entries)
    earlier: set[str] = set()
    for step in steps:
        if step.start not in ("", *earlier) or step.guide not in ("", TEACHER, *earlier):
            raise ValueError(f"step {step.name!r} needs a step that comes before it")
        if step.weights.taught and not step.guide:
            raise ValueError(f"step {step.name!r} has weights of a guide, but none")
        earlier.add(step.name)
    return steps


def _step(entry: dict[str, Any], seed: int) -> Step:
    made: dict[str, Any] = {
        "schedule": Schedule.taken(entry, seed),
        "stage": Stage(entry.pop("stage", Stage.BINARY)),
        "weights": Weights(**entry.pop("weights", {})),
    }
    return Step(**entry, **made)
