"""Testing what a recipe trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from facetrack.errors import InputError
from facetrack.formats.archive import read_description
from facetrack.networks.train.devices import available
from facetrack.networks.train.images.recipe import read_recipe, recipe_file
from facetrack.networks.train.images.task import build, find_genotype, read_checked
from facetrack.networks.train.images.views import PictureBatches
from facetrack.networks.train.run import RECIPE
from facetrack.networks.train.steps import load_step

TESTED: Final = 256  # pictures of a batch
BEST: Final = 5


def evaluate(
    config: str, root: Path, work: Path, *, device: str = "cpu", shown: Callable[[Any], Any] = iter
) -> dict[str, Any]:
    """Test the networks of all steps of a run that are done; `config` must be the run's recipe.

    Of each step: its name, whether it is the `last`, `top1`, `top5` (per cent) and, where the
    recipe names a real network, the `gap` to it in points of top-1; beside `steps`: `published`,
    `pictures`, `missing`. `shown` wraps an iterable with a progress bar.
    """
    torch.set_num_threads(1)
    device = available(device)
    if not (work / RECIPE).is_file():
        raise InputError(f"{work}: no folder of a training run; train one with `networks train`")
    if (work / RECIPE).read_bytes() != recipe_file(config).read_bytes():
        raise InputError(f"{work} holds a run of another recipe than {config!r}")
    recipe = read_recipe(config)
    pictures = read_checked(recipe, root, "test")
    batches = PictureBatches(pictures, recipe.view, device)
    rows = list[dict[str, Any]]()
    for step in recipe.steps:
        checkpoint = work / f"{step.name}.npz"
        if not checkpoint.is_file():
            continue
        network = build(recipe, step, find_genotype(work)).to(device)
        load_step(network, work, step)
        top1, top5 = _accuracy(network, batches, shown)
        rows.append(
            {
                "step": step.name,
                "last": step is recipe.steps[-1],
                "epochs": int(read_description(checkpoint, noun="checkpoint")["epochs"]),
                "top1": top1,
                "top5": top5,
            }
        )
    if not rows:
        raise InputError(f"{work}: no step is done yet")
    real = next((row["top1"] for row in rows if row["step"] == recipe.real), None)
    for row in rows:
        row["gap"] = None if real is None else real - row["top1"]
    return {
        "steps": rows,
        "published": dict(recipe.published or {}),
        "pictures": batches.count,
        "missing": list(pictures.missing),
    }


@torch.no_grad()
def _accuracy(
    network: torch.nn.Module, batches: PictureBatches, shown: Callable[[Any], Any] = iter
) -> tuple[float, float]:
    """Return top-1 and top-5 accuracy of a network, per cent."""
    first = among = 0
    for start in shown(range(0, batches.count, TESTED)):
        numbers = np.arange(start, min(start + TESTED, batches.count))
        x, truth = batches.plain(numbers)
        said = network(x)
        best = said.topk(min(BEST, said.shape[1]), dim=1).indices == truth[:, None]
        first += int(best[:, 0].sum())
        among += int(best.any(dim=1).sum())
    return 100 * first / batches.count, 100 * among / batches.count
