"""One training from the command line: a folder with recipe, checkpoints, log and curves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import torch

from facetrack.errors import FormatError, InputError
from facetrack.formats.atomic import write_text
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.networks.expression import write_encoder
from facetrack.networks.samples import TARGETS, Progress, load_samples
from facetrack.networks.train.chain import load_encoder, run_recipe
from facetrack.networks.train.encoder import Encoder
from facetrack.networks.train.model_file import form_of
from facetrack.networks.train.recipe import Recipe, read_recipe, recipe_file
from facetrack.networks.train.shipped import load_shipped
from facetrack.networks.train.standard import Standard
from facetrack.reporting.plots import save_figure, titled_axes
from facetrack.version import installed_version

RECIPE: Final = "recipe.toml"
ABOUT: Final = "run.json"
STANDARD: Final = "standard.npz"
LOG: Final = "log.jsonl"
CURVES: Final = "curves.png"


def start(
    config: str,
    pictures: Sequence[Path],
    channels: Path,
    work: Path,
    *,
    shape_model: ShapeModel,
    teacher: Path | None = None,
    seed: int = 0,
    threads: int = 1,
    progress: Progress = list,
    say: Callable[[str], None] = lambda line: None,
) -> Encoder:
    """Train by a recipe (name or file) in a folder, or take up what was interrupted there.

    For `pictures`, `channels` and `progress` see `load_samples`; faces are aligned to the shape
    model's mean. `teacher` is the folder of a finished run, or the name or file of a float encoder.
    `say` takes a line after each epoch. Raises InputError if the folder holds another run or the
    teacher is missing.
    """
    torch.set_num_threads(threads)
    recipe = read_recipe(config, seed=seed)
    about = {
        "recipe": recipe.name,
        "pictures": [folder.resolve().name for folder in pictures],
        "seed": seed,
        "teacher": teacher.resolve().name if teacher is not None else "",
        "version": installed_version(),
    }
    open_run(work, recipe_file(config), about)
    guide = load_teacher(teacher) if teacher is not None else None
    samples = load_samples(
        pictures, channels, shape_model, copies=recipe.copies, seed=seed, progress=progress
    )
    Standard.of(samples, shape_model.mean).write(work / STANDARD)
    return run_recipe(recipe, samples, work, teacher=guide, report=logged(work, say))


def load_teacher(named: Path) -> Encoder:
    """Load what guides a student: a finished run, or a model file."""
    return load_run(named)[0] if named.is_dir() else load_shipped(str(named))


def load_run(work: Path) -> tuple[Encoder, Recipe]:
    """Load the encoder of a finished run and its recipe."""
    if not (work / RECIPE).is_file():
        raise InputError(f"{work}: no folder of a training run; train one with `networks train`")
    recipe = read_recipe(str(work / RECIPE))
    return load_encoder(recipe, work), recipe


def export(work: Path, output: Path, *, name: str, terms: str, measured: dict[str, float]) -> None:
    """Write the model file of a finished run.

    `measured`: correlation of channels on people who were not trained on.
    """
    encoder, recipe = load_run(work)
    about = json.loads((work / ABOUT).read_text("utf-8"))
    card = {**about, "about": recipe.about, "terms": terms, "correlations": measured}
    standard = Standard.read(work / STANDARD).arrays()
    write_encoder(output, form_of(encoder), name=name, names=TARGETS, standard=standard, card=card)


def draw_curves(work: Path) -> None:
    """Draw the losses of all steps from the log; an epoch that was done twice counts once."""
    losses: dict[str, dict[int, float]] = {}
    for line in (work / LOG).read_text("utf-8").splitlines():
        values = json.loads(line)
        losses.setdefault(values["step"], {})[values["epoch"]] = values["loss"]
    figure, axes = titled_axes("training loss")
    for step, by_epoch in losses.items():
        axes.plot(list(by_epoch), list(by_epoch.values()), marker=".", label=step)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss, mean over the epoch")
    axes.legend()
    save_figure(figure, work / CURVES)


def logged(work: Path, say: Callable[[str], None]) -> Callable[[str, dict[str, float]], None]:
    """Return what a training reports to: a line of the log, the curves, a line for people."""
    began = perf_counter()

    def report(step: str, values: dict[str, float]) -> None:
        with open(work / LOG, "a", encoding="utf-8") as log:
            log.write(json.dumps({"step": step, **values}) + "\n")
        draw_curves(work)
        aside = f", set aside {values['accuracy']:.3f}" if "accuracy" in values else ""
        say(
            f"{perf_counter() - began:6.0f} s  {step}, epoch {values['epoch']:.0f} of "
            f"{values['epochs']:.0f}: loss {values['loss']:.4f}{aside}"
        )

    return report


def open_run(work: Path, recipe: Path, about: dict[str, Any]) -> None:
    """Make the folder of a run, or check that what was interrupted there is this training.

    `about` is what makes it this training, JSON-able; InputError if the folder holds another run.
    """
    known = work / ABOUT
    if known.is_file():
        try:
            same = json.loads(known.read_text("utf-8")) == about
        except ValueError as error:
            raise FormatError(known, f"not readable: {error}", remedy="choose another") from error
        if not same or (work / RECIPE).read_bytes() != recipe.read_bytes():
            raise InputError(f"{work} holds another run; choose another folder for --work")
        return
    work.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(recipe, work / RECIPE)
    write_text(known, json.dumps(about, indent=1))
