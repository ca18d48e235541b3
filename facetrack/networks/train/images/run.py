"""Training, searching and testing by a recipe, from folders of pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facetrack.datasets.image_classes import Pictures, read_pictures
from facetrack.errors import InputError
from facetrack.formats.archive import read_description, write_archive
from facetrack.networks.train.bats.genotype import Genotype, read_genotype, write_genotype
from facetrack.networks.train.bats.latency import LatencyTable, measure
from facetrack.networks.train.bats.network import CellNetwork, CellsForm
from facetrack.networks.train.bats.search import search
from facetrack.networks.train.devices import Place, available, open_places
from facetrack.networks.train.fitting import KIND, weights
from facetrack.networks.train.images.network import Classifier, load_published
from facetrack.networks.train.images.recipe import Recipe, read_recipe, recipe_file
from facetrack.networks.train.images.views import PictureBatches
from facetrack.networks.train.recipe import Step
from facetrack.networks.train.resnet import read_image_weights
from facetrack.networks.train.run import RECIPE, logged, open_run
from facetrack.networks.train.steps import PREFIX, Numbers, load_step, run_steps
from facetrack.version import installed_version

__all__ = ["evaluate", "find_genotype", "start"]

GENOTYPE: Final = "genotype.json"
SEARCH: Final = "search"  # its checkpoint, and its name in the log
TESTED: Final = 256  # pictures of a batch
BEST: Final = 5

Say = Callable[[str], None]


class Naming:
    """What a network of pictures learns; see `Task`.

    Parameters
    ----------
    recipe : Recipe
    batches : PictureBatches
    genotype : Genotype, optional
        Of networks of cells.
    """

    def __init__(
        self, recipe: Recipe, batches: PictureBatches, genotype: Genotype | None = None
    ) -> None:
        self._recipe, self._batches, self._genotype = recipe, batches, genotype
        self.count = batches.count

    def network(self, step: Step) -> Classifier | CellNetwork:
        """Build the network of a step."""
        return build(self._recipe, step, self._genotype)

    def augmented(self, numbers: Numbers, rng: np.random.Generator) -> tuple[Any, Tensor]:
        """Return pictures and labels, each time a little different."""
        return self._batches.augmented(numbers, rng)

    def plain(self, numbers: Numbers) -> tuple[Any, Tensor]:
        """Return pictures and labels as a test sees them."""
        return self._batches.plain(numbers)

    def loss(self, said: Tensor, truth: Tensor) -> Tensor:
        """Return the cross entropy."""
        return functional.cross_entropy(said, truth)


def build(recipe: Recipe, step: Step, genotype: Genotype | None) -> Classifier | CellNetwork:
    """Build the new network of a step.

    Raises
    ------
    InputError
        If it is of cells and there is no genotype.
    """
    form = recipe.networks[step.network]
    if not isinstance(form, CellsForm):
        return Classifier(form, recipe.classes)
    if genotype is None:
        raise InputError(f"the recipe {recipe.name} needs a genotype (--genotype)")
    return CellNetwork(form, genotype, recipe.classes)


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

    Parameters
    ----------
    config : str
        Name or file of the recipe.
    root : Path
        Of the data.
    work : Path
        Made where it is missing.
    init : Path, optional
        Weights that are published for the first step's network: it is not trained then.
    genotype : Path, optional
        Of networks of cells; without it, the recipe's search finds one.
    latency : Path, optional
        Table of times for the search, measured if the file is not there.
    search_only : bool
    seed : int
    threads : int
        Of torch on the processor, and those that decode pictures.
    device, processes
        See `open_places`.
    say : callable
        Takes lines for people.

    Raises
    ------
    InputError
        If the folder holds another run, or data, genotype or device are missing.
    FormatError
        If a file is damaged, or a checkpoint is of another training.
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
    job = partial(_start, search_only=search_only, init=init, latency=latency, threads=threads)
    open_places(job, device, processes, recipe, root, work, say)


def _start(
    place: Place,
    recipe: Recipe,
    root: Path,
    work: Path,
    say: Say,
    *,
    search_only: bool,
    init: Path | None,
    latency: Path | None,
    threads: int,
) -> None:
    """Do all stages in one process."""
    torch.set_num_threads(threads)
    if not place.writes:
        say = _silent
    pictures = read_checked(recipe, root, "train")
    if pictures.missing:
        missing = ", ".join(pictures.missing[:5])
        say(f"{root}: {len(pictures.labels)} pictures; missing: {missing}, ...")
    report = logged(work, say) if place.writes else _unheard
    found = work / GENOTYPE
    if recipe.search is not None and not found.is_file():
        if place.writes:  # one process searches, the others wait for what it finds
            alone = Place(place.device)
            write_genotype(found, _search(recipe, pictures, work, latency, alone, threads, say))
        place.wait()
    if search_only:
        return
    genotype = read_genotype(found) if recipe.of_cells else None
    batches = PictureBatches(pictures, recipe.view, place.device, threads)
    task, done = Naming(recipe, batches, genotype), dict[str, Any]()
    if init is not None:
        first = recipe.steps[0]
        done[first.name] = _adopted(task, first, init, work, place)
    run_steps(recipe.steps, task, work, done, report, place, say)


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


def _search(
    recipe: Recipe,
    pictures: Pictures,
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
    batches = PictureBatches(pictures, plan.view, place.device, threads)
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
        arrays = {PREFIX + name: array for name, array in weights(network).items()}
        meta = {"training": f"published: {init.name}", "epochs": 0}
        write_archive(work / f"{step.name}.npz", arrays, meta, kind=KIND, schema=1)
    place.wait()
    return network.eval()


def _keep(path: Path, genotype: Genotype) -> None:
    if path.is_file() and read_genotype(path) != genotype:
        raise InputError(f"{path.parent} has another genotype; choose another folder for --work")
    write_genotype(path, genotype)


def _silent(line: str) -> None:
    pass


def _unheard(step: str, values: dict[str, float]) -> None:
    pass


def evaluate(
    config: str,
    root: Path,
    work: Path,
    *,
    device: str = "cpu",
    threads: int = 1,
    shown: Callable[[Any], Any] = iter,
) -> dict[str, Any]:
    """Test the networks of all steps of a run that are done.

    Parameters
    ----------
    config : str
        Must be the run's recipe.
    root, work : Path
    device : str
        Of torch, or "auto".
    threads : int
    shown : callable
        Wraps an iterable with a progress bar.

    Returns
    -------
    dict
        `steps`: of each its name, whether it is the `last`, `top1`, `top5` (per cent) and `gap` to
        the real network, in points of top-1, where the recipe names one; `published`; `pictures`;
        `missing`.

    Raises
    ------
    InputError
        If it is no folder of a run of this recipe, or no step is done.
    FormatError
        If a file is damaged.
    """
    torch.set_num_threads(threads)
    device = available(device)
    if not (work / RECIPE).is_file():
        raise InputError(f"{work}: no folder of a training run; train one with `networks train`")
    if (work / RECIPE).read_bytes() != recipe_file(config).read_bytes():
        raise InputError(f"{work} holds a run of another recipe than {config!r}")
    recipe = read_recipe(config)
    pictures = read_checked(recipe, root, "test")
    batches = PictureBatches(pictures, recipe.view, device, threads)
    rows = list[dict[str, Any]]()
    for step in recipe.steps:
        if not (work / f"{step.name}.npz").is_file():
            continue
        network = build(recipe, step, find_genotype(work)).to(device)
        load_step(network, work, step)
        top1, top5 = accuracy(network, batches, shown)
        rows.append(
            {
                "step": step.name,
                "last": step is recipe.steps[-1],
                "epochs": _epochs(work, step),
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
def accuracy(
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


def _epochs(work: Path, step: Step) -> int:
    return int(read_description(work / f"{step.name}.npz", noun="checkpoint")["epochs"])
