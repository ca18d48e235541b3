"""`facetrack networks`: train, distil, search, export and evaluate networks."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from facetrack.cli._cluster import add_cluster_arguments, make_absolute, results_of
from facetrack.cli._common import add_options, check_npz, clips_of, model_of, needing_torch, written
from facetrack.cli._naming import add_data_arguments, evaluate_on_data, train_on_data
from facetrack.cli._reports import print_tables, write_report
from facetrack.errors import InputError

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.fitting.face_model import FaceModel

HELP = "Train, distil, search, export and evaluate networks that read a face or name a picture."
EXAMPLES = """\
facetrack networks train lfpw_train helen_train --channels blendshapes --work teacher
facetrack networks distil lfpw_train helen_train --channels blendshapes --teacher teacher --work bin
facetrack networks evaluate expression --videos videos --channels blendshapes --json measured.json
facetrack networks export binary -o expression.npz --measured measured.json
facetrack networks train --config r2b_cifar100 --data cifar-100-binary
facetrack networks distil --config adain_imagenet --data imagenet
facetrack networks search --config bats_cifar10 --data cifar-10-batches-bin
facetrack networks evaluate --config r2b_cifar100 --data cifar-100-binary
"""
TRAIN, DISTIL = "expression_teacher", "expression_binary"  # recipes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of what can be done."""
    kinds = parser.add_subparsers(dest="kind", metavar="ACTION", required=True)
    train = kinds.add_parser("train", help="train a network without a teacher")
    distil = kinds.add_parser("distil", help="train a network with a teacher")
    search = kinds.add_parser("search", help="search the cells of a binary network")
    for kind, recipe in ((train, TRAIN), (distil, DISTIL), (search, "")):
        kind.add_argument(
            "--config",
            metavar="NAME|FILE.toml",
            help=f"(of faces, default: {recipe})" if recipe else None,
        )
        text = "checkpoints, log and curves; what was interrupted there is taken up (default with "
        add_options(kind, "--work", help=text + "--data: the recipe's name)")
        add_options(kind, "--seed", "--threads")
        add_data_arguments(kind, trains=True)
    for kind in (train, distil):
        kind.add_argument(
            "pictures", nargs="*", type=Path, help="of faces: folders of NAME.jpg and NAME.pts"
        )
        _add_channels(kind)
    distil.add_argument(
        "--teacher",
        type=Path,
        metavar="DIR|NAME",
        help="of faces: the folder of a finished run, or a float encoder (`expression`)",
    )
    export = kinds.add_parser("export", help="make a model file of a finished run")
    export.add_argument("work", type=Path, metavar="DIR", help="the folder of a finished run")
    add_options(export, "--output", "--name", "--terms")
    export.add_argument(
        "--measured",
        type=Path,
        metavar="FILE.json",
        help="of `evaluate --videos`: its correlations go into the card, and only channels of 0.6 "
        "or more are offered as signals",
    )
    _add_evaluation(
        kinds.add_parser(
            "evaluate",
            help="compare an encoder with the other program, or test a recipe's networks",
        )
    )


def _add_evaluation(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument("encoder", nargs="?", help="a model's name or file")
    evaluate.add_argument("--config", metavar="NAME|FILE.toml", help="with --data")
    add_options(evaluate, "--work", help="with --data: of the run")
    add_data_arguments(evaluate, trains=False)
    add_options(evaluate, "--videos")
    add_options(evaluate, "--skip", help="clips to leave out, with cuts")
    add_options(evaluate, "--pictures")
    _add_channels(evaluate)
    add_options(evaluate, "--model", "--json")
    add_cluster_arguments(evaluate, "videos")


def _add_channels(parser: argparse.ArgumentParser) -> None:
    text = "of faces: the other program's channels, FOLDER.npz for each folder, videos.npz"
    add_options(parser, "--channels", help=text)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if args.kind == "export":
        return _export(args)
    if args.data is not None:
        if args.kind == "evaluate":
            return evaluate_on_data(args)
        return train_on_data(args, search_only=args.kind == "search")
    if args.kind == "search":
        raise InputError("a search needs pictures with classes: give --data")
    needed = {"train": ("pictures", "channels", "work"), "evaluate": ("encoder", "channels")}
    needed["distil"] = (*needed["train"], "teacher")
    if lacking := [name for name in needed[args.kind] if not getattr(args, name)]:
        names = ", ".join(f"--{n}" if n not in ("pictures", "encoder") else n for n in lacking)
        raise InputError(f"give {names}, or --data for recipes of pictures with classes")
    return _evaluate(args) if args.kind == "evaluate" else _train(args)


def _train(args: argparse.Namespace) -> int:
    with needing_torch():
        from facetrack.networks.train.run import start
    from facetrack.model import load_model

    start(
        args.config or (DISTIL if args.kind == "distil" else TRAIN),
        args.pictures,
        args.channels,
        args.work,
        shape_model=load_model().shape_model,
        teacher=args.teacher if args.kind == "distil" else None,
        seed=args.seed,
        threads=args.threads,
        progress=partial(tqdm, desc="patches", disable=None, leave=False),
        say=tqdm.write,
    )
    return 0


def _export(args: argparse.Namespace) -> int:
    check_npz(args.output)
    with needing_torch("exporting needs"):
        from facetrack.networks.train.run import export
    name = args.name or args.output.stem
    export(args.work, args.output, name=name, terms=args.terms, measured=_measured(args.measured))
    print(written(args.output))
    return 0


def _measured(path: Path | None) -> dict[str, float]:
    """Read the median correlations of a report."""
    if path is None:
        return {}
    from facetrack.evaluation.expression import median
    from facetrack.reporting.envelope import read_report

    clips = read_report(path)["details"].get("clips")
    if not clips:
        raise InputError(f"{path}: has no correlations; measure with `evaluate --videos`")
    return {name: round(median(found), 3) for name, found in clips.items() if found}


def _evaluate(args: argparse.Namespace) -> int:
    from facetrack.evaluation.expression import expression_table, score_pictures
    from facetrack.networks.expression import load_encoder

    make_absolute(args)
    if args.videos is None and not args.pictures:
        raise InputError("nothing to evaluate on: give --videos or --pictures")
    encoder, model = load_encoder(args.encoder), model_of(args)
    details: dict[str, Any] = {"encoder": encoder.name, "checksum": encoder.version}
    if args.videos is not None:
        details |= _on_videos(args, model)
    details["pictures"] = {
        folder.name if folder.name != "test" else f"{folder.parent.name}/test": score_pictures(
            folder, args.channels, encoder=encoder, model=model
        )
        for folder in args.pictures
    }
    print_tables(expression_table(details))
    write_report(args, model=model.name, n=len(details.get("names", ())), details=details)
    return 0


def _on_videos(args: argparse.Namespace, model: FaceModel) -> dict[str, Any]:
    from facetrack.datasets.channels import read_clip_channels
    from facetrack.evaluation.expression import correlations, steadiness, track_and_encode
    from facetrack.networks.samples import CHANNELS

    theirs = read_clip_channels(args.channels / "videos.npz", CHANNELS)
    names = [name for name in theirs if name not in args.skip]
    there = clips_of(args.videos, names, "clips of videos.npz")
    items = [(path, theirs[name]) for name, path in there.items()]
    task = partial(track_and_encode, encoder=args.encoder, model=model)
    clips = results_of(args, "clips", task, items)
    return {
        "names": [clip.clip for clip in clips],
        "clips": correlations(clips, CHANNELS),
        "steadiness": steadiness(clips),
    }
