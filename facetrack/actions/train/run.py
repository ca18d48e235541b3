"""Training and testing action networks by a recipe, from folders of clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facetrack.actions.train.bank import ActionNetwork
from facetrack.actions.train.network import build, start_from_images
from facetrack.actions.train.recipe import Recipe, read_recipe, recipe_file
from facetrack.actions.train.views import training_view, views_of_test
from facetrack.datasets.action_lists import ClipList, LabelledClip, read_clips
from facetrack.errors import InputError, VideoError
from facetrack.formats.atomic import write_text
from facetrack.networks.train.fitting import Fitting, load_weights
from facetrack.networks.train.resnet import freeze_statistics, read_image_weights
from facetrack.networks.train.run import RECIPE, logged, open_run
from facetrack.version import installed_version

CHECKPOINT: Final = "network.npz"
CLASSES: Final = "classes.txt"
MISSING: Final = "missing.txt"


def start(
    config: str,
    root: Path,
    work: Path,
    *,
    init: Path | None = None,
    seed: int = 0,
    threads: int = 1,
    device: str = "cpu",
    say: Callable[[str], None] = lambda line: None,
) -> ActionNetwork:
    """Train by a recipe in a folder, or take up what was interrupted there.

    `work` gets the classes and the names of missing clips, too; `init` has weights of an image
    network of that depth, a state dict of torch; `threads` read clips.
    """
    recipe = read_recipe(config, seed=seed)
    clips = read_clips(root, recipe.data, "train")
    about = {
        "recipe": recipe.name,
        "data": root.resolve().name,
        "clips": len(clips.clips),
        "init": init.name if init is not None else "",
        "seed": seed,
        "version": installed_version(),
    }
    open_run(work, recipe_file(config), about)
    write_text(work / CLASSES, "".join(f"{name}\n" for name in clips.classes))
    write_text(work / MISSING, "".join(f"{name}\n" for name in clips.missing))
    if clips.missing:
        total = len(clips.missing) + len(clips.clips)
        say(f"{len(clips.missing)} of {total} clips are missing; {work / MISSING} names them")
    torch.manual_seed(seed)
    network = build(recipe.backbone, recipe.head_of(len(clips.classes)))
    if init is not None:
        start_from_images(network, read_image_weights(init))
    network.to(device)
    with ThreadPoolExecutor(threads) as pool:
        loss = partial(_loss, network, recipe, clips.clips, pool, device)
        fitting = Fitting(network, recipe.schedule, work / CHECKPOINT, speeds=recipe.speeds)
        report = logged(work, say)
        fitting.run(len(clips.clips), loss, lambda values: report("network", values))
    return network


def load_network(work: Path) -> tuple[ActionNetwork, Recipe, tuple[str, ...]]:
    """Load the network of a run, its recipe and its classes.

    An `InputError` says that it is no folder of a run, a `FormatError` that it has no checkpoint
    yet, or is damaged.
    """
    if not (work / RECIPE).is_file() or not (work / CLASSES).is_file():
        raise InputError(f"{work}: no folder of a training run; train one with `actions train`")
    recipe = read_recipe(str(work / RECIPE))
    classes = tuple((work / CLASSES).read_text("utf-8").splitlines())
    network = build(recipe.backbone, recipe.head_of(len(classes)))
    load_weights(network, work / CHECKPOINT)
    return network.eval(), recipe, classes


def predict(
    network: ActionNetwork, recipe: Recipe, paths: Iterable[Path], device: str = "cpu"
) -> Iterator[npt.NDArray[np.float32] | VideoError]:
    """Name the classes of clips: probabilities (classes,), averaged over clips and crops of each.

    Or the error of a clip that cannot be read.
    """
    network.to(device).eval()
    for path in paths:
        try:
            views = views_of_test(path, recipe.view)
        except VideoError as error:
            yield error
            continue
        with torch.no_grad():
            each = [network(view[None].to(device)).probabilities()[0] for view in views]
        yield torch.stack(each).mean(dim=0).cpu().numpy()


def evaluate(
    work: Path, root: Path, *, device: str = "cpu", shown: Callable[[Any], Any] = iter
) -> dict[str, Any]:
    """Test the network of a run on the test split.

    `top1` and `top5` are fractions of the `clips` that could be read, `missing` and `broken` names,
    `by_class` the share of right ones; `labels` and `found` are of each clip. `shown` wraps an
    iterable with a progress bar. An `InputError` says that no clip is there, or that the classes
    differ.
    """
    network, recipe, classes = load_network(work)
    clips = read_clips(root, recipe.data, "test")
    _check_classes(clips, classes, root)
    broken, labels, orders = [], [], []
    found = predict(network, recipe, (clip.path for clip in clips.clips), device)
    for clip, said in zip(clips.clips, shown(found), strict=True):
        if isinstance(said, VideoError):
            broken.append(str(said))
        else:
            labels.append(clip.label)
            orders.append(np.argsort(-said)[:5].tolist())
    right = [order[0] == label for order, label in zip(orders, labels, strict=True)]
    among = [label in order for order, label in zip(orders, labels, strict=True)]
    by_class = {
        name: float(np.mean([r for r, label in zip(right, labels, strict=True) if label == i]))
        for i, name in enumerate(classes)
        if i in labels
    }
    return {
        "top1": float(np.mean(right)) if right else float("nan"),
        "top5": float(np.mean(among)) if among else float("nan"),
        "clips": len(labels),
        "missing": list(clips.missing),
        "broken": broken,
        "by_class": by_class,
        "labels": labels,
        "found": [order[0] for order in orders],
    }


def _check_classes(clips: ClipList, classes: Sequence[str], root: Path) -> None:
    unknown = sorted(set(clips.classes) - set(classes))
    if tuple(clips.classes) != tuple(classes):
        what = f"such as {unknown[0]!r}" if unknown else "or in another order"
        raise InputError(f"{root}: has other classes than the run was trained on, {what}")


def _loss(
    network: ActionNetwork,
    recipe: Recipe,
    clips: Sequence[LabelledClip],
    pool: ThreadPoolExecutor,
    device: str,
    batch: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> Tensor:
    if recipe.frozen:
        freeze_statistics(network)
    chosen = [clips[i] for i in batch.tolist()]
    generators = rng.spawn(len(chosen))
    views = pool.map(lambda c, r: training_view(c.path, recipe.view, r), chosen, generators)
    labels = torch.tensor([clip.label for clip in chosen])
    return network.loss(torch.stack(list(views)).to(device), labels.to(device))
