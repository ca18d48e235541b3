"""Searching and training by a recipe, from folders of pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from facetrack.datasets.image_classes import Pictures
from facetrack.errors import InputError
from facetrack.formats.archive import write_archive
from facetrack.networks.train.bats.genotype import Genotype, read_genotype, write_genotype
from facetrack.networks.train.bats.latency import LatencyTable, measure
from facetrack.networks.train.bats.search import search
from facetrack.networks.train.devices import Place, available, open_places
from facetrack.networks.train.fitting import KIND, WEIGHT, weights
from facetrack.networks.train.images.network import Classifier, load_published
from facetrack.networks.train.images.recipe import Recipe, read_recipe, recipe_file
from facetrack.networks.train.images.task import GENOTYPE, Naming, find_genotype, read_checked
from facetrack.networks.train.images.views import PictureBatches
from facetrack.networks.train.recipe import Step
from facetrack.networks.train.resnet import read_image_weights
from facetrack.networks.train.run import logged, open_run
from facetrack.networks.train.steps import PART, run_steps
from facetrack.version import installed_version

SEARCH: Final = "search"  # its checkpoint, and its name in the log
_NAMED: Final = 5  # of what is missing

Say = Callable[[str], None]


def start(
    config: str,
    root: Path,
    work: Path,
    *,
    init: Path | None = None,
    genotype: Path | None = None,
    latency: Path | None = None,
    search_only: bool = False,
    seed: int = 0,
    threads: int = 1,
    device: str = "cpu",
    processes: int | None = None,
    say: Say = print,
) -> None:
    """Do all stages of a recipe in a folder, or take up what was interrupted there.

    `init` has published weights for the first step's network, which is not trained then; without
    `genotype`, the recipe's search finds the cells; the times for it in `latency` are measured
    where there is no such file. `threads` are of torch on the
    processor, and those that decode pictures; device and processes: see `open_places`.
    """
    recipe = read_recipe(config, seed=seed)
    if search_only and recipe.search is None:
        raise InputError(f"the recipe {recipe.name} searches nothing")
    if recipe.of_cells and not search_only and genotype is None and recipe.search is None:
        raise InputError(f"the recipe {recipe.name} needs a genotype (--genotype)")
    about = {
        "recipe": recipe.name,
        "data": root.resolve().name,
        "init": init.name if init is not None else "",
        "seed": seed,
        "version": installed_version(),
    }
    open_run(work, recipe_file(config), about)
    if genotype is not None:
        _keep(work / GENOTYPE, read_genotype(genotype))
    torch.set_num_threads(threads)
    if recipe.search is not None and not (work / GENOTYPE).is_file():
        place = Place(available(device))
        write_genotype(work / GENOTYPE, _search(recipe, root, work, latency, place, threads, say))
    if not search_only:
        job = partial(_train, init=init, threads=threads)
        open_places(job, device, processes, recipe, root, work, say)


def _train(
    place: Place,
    recipe: Recipe,
    root: Path,
    work: Path,
    say: Say,
    *,
    init: Path | None,
    threads: int,
) -> None:
    """Do all steps in one of the processes."""
    torch.set_num_threads(threads)
    report = logged(work, say)
    if not place.writes:
        say, report = lambda line: None, lambda step, values: None
    pictures = _pictures(recipe, root, say)
    batches = PictureBatches(pictures, recipe.view, place.device, threads)
    genotype = find_genotype(work) if recipe.of_cells else None
    task, done = Naming(recipe, batches, genotype), dict[str, Any]()
    if init is not None:
        first = recipe.steps[0]
        done[first.name] = _adopted(task, first, init, work, place)
    run_steps(recipe.steps, task, work, done, report, place, say)


def _pictures(recipe: Recipe, root: Path, say: Say) -> Pictures:
    """Read the pictures of a training, and say what is missing."""
    pictures = read_checked(recipe, root, "train")
    if missing := pictures.missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        named = ", ".join(missing[:_NAMED])
        say(f"{root}: {len(pictures.labels)} pictures; missing: {named}{more}")
    return pictures


def _search(
    recipe: Recipe,
    root: Path,
    work: Path,
    latency: Path | None,
    place: Place,
    threads: int,
    say: Say,
) -> Genotype:
    plan = recipe.search
    assert plan is not None
    size = (plan.view.size, plan.view.size)
    times = None
    if latency is not None:
        if not latency.is_file():
            say(f"measuring the times of operations into {latency}")
            measure(plan.form, size).write(latency)
        times = LatencyTable.read(latency)
    batches = PictureBatches(_pictures(recipe, root, say), plan.view, place.device, threads)
    net = search(
        plan.form,
        plan.strategy,
        plan.schedule,
        batches.augmented,
        batches.count,
        recipe.classes,
        size,
        checkpoint=work / f"{SEARCH}.npz",
        times=times,
        place=place,
        report=partial(logged(work, say), SEARCH),
        note=say,
    )
    return net.genotype()


def _adopted(task: Naming, step: Step, init: Path, work: Path, place: Place) -> Any:
    """Take published weights for a step, and keep them as its checkpoint."""
    network = task.network(step).to(place.device)
    if not isinstance(network, Classifier):
        raise InputError("published weights are of usual residual networks")
    load_published(network, read_image_weights(init))
    if place.writes:
        arrays = {WEIGHT + PART + name: array for name, array in weights(network).items()}
        meta = {"training": f"published: {init.name}", "epochs": 0}
        write_archive(work / f"{step.name}.npz", arrays, meta, kind=KIND, schema=1)
    place.wait()
    return network.eval()


def _keep(path: Path, genotype: Genotype) -> None:
    if path.is_file() and read_genotype(path) != genotype:
        raise InputError(f"{path.parent} has another genotype; choose another folder for --work")
    write_genotype(path, genotype)
