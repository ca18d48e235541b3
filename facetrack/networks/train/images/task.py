"""What networks of pictures learn, and what every run of a recipe needs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from torch import Tensor
from torch.nn import functional

from facetrack.datasets.image_classes import Pictures, read_pictures
from facetrack.errors import InputError
from facetrack.networks.train.bats.genotype import Genotype, read_genotype
from facetrack.networks.train.bats.network import CellNetwork, CellsForm
from facetrack.networks.train.images.network import Classifier
from facetrack.networks.train.images.recipe import Recipe
from facetrack.networks.train.images.views import PictureBatches
from facetrack.networks.train.recipe import Step

GENOTYPE: Final = "genotype.json"


class Naming:
    """What a network of pictures learns; see `Task`. Networks of cells need a genotype."""

    def __init__(
        self, recipe: Recipe, batches: PictureBatches, genotype: Genotype | None = None
    ) -> None:
        self._recipe, self.batches, self._genotype = recipe, batches, genotype

    def network(self, step: Step) -> Classifier | CellNetwork:
        """Build the network of a step."""
        return build(self._recipe, step, self._genotype)

    def loss(self, said: Tensor, truth: Tensor) -> Tensor:
        """Return the cross entropy."""
        return functional.cross_entropy(said, truth)


def build(recipe: Recipe, step: Step, genotype: Genotype | None) -> Classifier | CellNetwork:
    """Build the new network of a step."""
    form = recipe.networks[step.network]
    if not isinstance(form, CellsForm):
        return Classifier(form, recipe.classes)
    if genotype is None:
        raise InputError(f"the recipe {recipe.name} needs a genotype (--genotype)")
    return CellNetwork(form, genotype, recipe.classes)


def read_checked(recipe: Recipe, root: Path, split: str) -> Pictures:
    """Read pictures of a recipe; an `InputError` says so if there are too many classes."""
    pictures = read_pictures(root, recipe.data, split)
    if len(pictures.classes) > recipe.classes:
        has = f"{len(pictures.classes)} classes, and not {recipe.classes}"
        raise InputError(f"{root}: has {has}")
    return pictures


def find_genotype(work: Path) -> Genotype | None:
    """Return the genotype of a run, if it has one."""
    path = work / GENOTYPE
    return read_genotype(path) if path.is_file() else None
