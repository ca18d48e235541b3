"""`facetrack pain`: train and test estimators of the facial expression of pain."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, Final

from facetrack.cli._cluster import add_cluster_arguments, cluster_map, make_absolute, results_of
from facetrack.cli._common import add_options, model_of
from facetrack.cli._pain import evaluate, train
from facetrack.cli._reports import print_tables, shown, write_report
from facetrack.errors import InputError

HELP = "Train and test scores of the facial expression of pain (never of pain itself)."
EXAMPLES = """\
facetrack pain synthesize corpus --portraits helen_train lfpw_train --subjects 16 --workers 2
facetrack pain evaluate corpus --work runs --plots plots --json measured.json
facetrack pain evaluate --unbc /data/UNBC-McMaster --work runs --workers 4
facetrack pain train corpus --pictures lfpw_train --channels blendshapes --work runs -o pain.npz
facetrack pain evaluate --videos videos --units openface_au --model pain.npz
facetrack pain predict corpus --model pain.npz -o scores
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of what can be done."""
    kinds = parser.add_subparsers(dest="kind", metavar="ACTION", required=True)
    _add_synthesize(kinds)
    train = kinds.add_parser("train", help="train a model")
    train.add_argument(
        "corpus", type=Path, nargs="?", help="in the layout of the UNBC-McMaster archive"
    )
    add_options(train, "--output", "--name", "--terms")
    _add_fitting(train)
    _add_pictures(train)
    add_cluster_arguments(train, "sequences")
    evaluate = kinds.add_parser("evaluate", help="test on people left out, or on real clips")
    what = evaluate.add_mutually_exclusive_group(required=True)
    what.add_argument("corpus", type=Path, nargs="?", help="in the UNBC-McMaster layout")
    what.add_argument(
        "--unbc", type=Path, metavar="ROOT", help="the archive itself: the paper's protocol"
    )
    what.add_argument("--videos", type=Path, metavar="DIR", help="clips of one person each")
    evaluate.add_argument(
        "--units", type=Path, metavar="DIR",
        help="with --videos: NAME.npz of another program's action units",
    )  # fmt: skip
    add_options(evaluate, "--model", help="with --videos: the pain model")
    evaluate.add_argument("--folds", type=int, metavar="K", help="of subjects (default: one each)")
    evaluate.add_argument(
        "--random-frames", type=int, metavar="K",
        help="also split frames at random into K, which looks better and is wrong",
    )  # fmt: skip
    evaluate.add_argument(
        "--subjects", type=int, nargs="+", default=[], metavar="N",
        help="also train on so many subjects only",
    )  # fmt: skip
    evaluate.add_argument("--plots", type=Path, metavar="DIR", help="score and label over time")
    add_options(evaluate, "--json")
    _add_fitting(evaluate, required=False)
    _add_pictures(evaluate)
    add_cluster_arguments(evaluate, "folds")
    predict = kinds.add_parser("predict", help="score every frame of a corpus")
    predict.add_argument("corpus", type=Path, help="in the UNBC-McMaster layout")
    add_options(predict, "--model", help="a name or file")
    add_options(predict, "--output", metavar="DIR")
    predict.add_argument("--rate", type=float, metavar="FPS", help=_RATE)
    add_cluster_arguments(predict, "sequences")


_RATE: Final = "frames per second of the corpus (default: what it says, or 25)"


def _add_fitting(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    text = "what was looked at and finished folds; an interrupted run continues from there"
    add_options(parser, "--work", required=required, help=text)
    parser.add_argument("--encoder", default="expression", help="(default: expression)")
    parser.add_argument("--rate", type=float, metavar="FPS", help=_RATE)
    parser.add_argument(
        "--rows", type=int, default=1500, help="frames that a regression is fitted on (1500)"
    )
    parser.add_argument(
        "--balance", type=float, default=0.5,
        help="0: frames as they are distributed, 1: as many of each level (0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--form",
        choices=("static", "window", "usual"),
        help="look at one frame, at five, or at what differs from the last ten seconds (default: "
        "the last, with the encoder's features of one frame)",
    )
    parser.add_argument(
        "--tune",
        action="store_true",
        help="also train a layer on the encoder's features, in every fold (needs torch)",
    )
    add_options(parser, "--seed")


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    text = "also train on pictures of real faces with pseudo-labels"
    add_options(parser, "--pictures", help=text)
    text = "another program's channels of the pictures: FOLDER.npz"
    add_options(parser, "--channels", help=text)


def _add_synthesize(kinds: Any) -> None:
    make = kinds.add_parser("synthesize", help="make a corpus of synthetic people")
    make.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="its folder; an interrupted run continues there, and subjects may be added",
    )
    make.add_argument(
        "--subjects", type=int, default=16, metavar="N", help="(default: %(default)s)"
    )
    make.add_argument(
        "--sequences", type=int, default=6, metavar="N", help="of each (default: %(default)s)"
    )
    make.add_argument(
        "--frames",
        type=int,
        default=90,
        metavar="N",
        help="of each sequence (default: %(default)s)",
    )
    make.add_argument("--fps", type=float, default=15.0, help="(default: %(default)s)")
    add_options(
        make,
        "--portraits",
        default=[],
        help="folders of NAME.jpg and NAME.pts, of which near-neutral faces are taken: where some "
        "are set aside from the training of networks, only those (default: all subjects are made "
        "of the one portrait that ships)",
    )
    add_options(make, "--seed", "--model")
    add_cluster_arguments(make, "sequences")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    make_absolute(args)
    if args.kind == "synthesize":
        return _synthesize(args)
    if args.kind == "train":
        return train(args)
    if args.kind == "predict":
        return _predict(args)
    return _evaluate_clips(args) if args.videos is not None else evaluate(args)


def _evaluate_clips(args: argparse.Namespace) -> int:
    from facetrack.model import load_model
    from facetrack.pain.clips import clip_table, compare_clips, other_pspi, score_clip
    from facetrack.pain.model import DEFAULT, load_pain_model

    if args.units is None:
        raise InputError("--videos needs --units: another program's action units, NAME.npz")
    name = args.model or DEFAULT
    pain, model = load_pain_model(name), load_model()
    theirs = {path.stem: other_pspi(path) for path in sorted(args.units.glob("*.npz"))}
    items = [
        (args.videos / f"{clip}.mp4", len(values))
        for clip, values in theirs.items()
        if (args.videos / f"{clip}.mp4").is_file()
    ]
    if not items:
        raise InputError(f"{args.videos}: holds no clip NAME.mp4 of the files in {args.units}")
    clips = results_of(args, "clips", partial(score_clip, model=model, pain=name), items)
    compared = compare_clips(clips, theirs)
    if pain.caution:
        print(f"{pain.name}: {pain.caution}")
    print_tables(clip_table(compared))
    details = {"clips": compared, "pain_model": [pain.name, pain.version]}
    write_report(args, model=pain.name, n=len(compared), details=details)
    return 0


def _predict(args: argparse.Namespace) -> int:
    from facetrack.pain.archive import read_archive
    from facetrack.pain.gather import gather
    from facetrack.pain.model import DEFAULT, load_pain_model
    from facetrack.pain.predictions import write_predictions

    model = load_pain_model(args.model or DEFAULT)
    archive = read_archive(args.corpus)
    with cluster_map(args) as door:
        map_ = shown("sequences", len(archive.sequences), door)
        found = gather(archive, model.encoder, rate=args.rate, map_=map_)
    for line in (*archive.problems, *found.problems):
        print(f"note: {line}")
    written = write_predictions(args.output, archive, found, model)
    print(f"wrote {len(written)} files to {args.output}")
    if model.caution:
        print(f"note: {model.caution}")
    return 0


def _synthesize(args: argparse.Namespace) -> int:
    from facetrack.datasets.portraits import load_portraits
    from facetrack.pain.synthesis import Plan, synthesize

    model = model_of(args)
    portraits = load_portraits(args.portraits, model.shape_model.mean_3d)
    plan = Plan(args.subjects, args.sequences, args.frames, args.seed, args.fps)
    with cluster_map(args) as map_:
        door = shown("sequences", plan.subjects * plan.sequences, map_)
        description = synthesize(args.output, plan, portraits, model, door)
    print(f"{plan.subjects} subjects, {plan.sequences} sequences each; see {description}")
    return 0
