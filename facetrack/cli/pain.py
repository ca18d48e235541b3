"""`facetrack pain`: train and test estimators of the facial expression of pain."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from facetrack.cli._cluster import add_cluster_arguments, cluster_map, make_absolute
from facetrack.cli._reports import shown, write_report
from facetrack.errors import InputError, MissingDependencyError

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.pain.archive import Archive
    from facetrack.pain.fitting import Options, Tune
    from facetrack.pain.frames import Frames
    from facetrack.pain.gather import Gathered
    from facetrack.parallel import Map

HELP = "Train and test scores of the facial expression of pain (never of pain itself)."
EXAMPLES = """\
facetrack pain synthesize corpus --portraits helen_train lfpw_train --subjects 16 --workers 2
facetrack pain evaluate corpus --work runs --plots plots --json measured.json
facetrack pain evaluate --unbc /data/UNBC-McMaster --work runs --workers 4
facetrack pain train corpus --pictures lfpw_train --channels blendshapes --work runs -o pain.npz
facetrack pain evaluate --videos videos --units openface_au --model pain.npz
facetrack pain predict corpus --model pain.npz -o scores
"""
CAUTION: Final = "demonstration model, not trained on pain"
PATIENTS: Final = (
    "this model was trained on recordings of patients: it holds features of single frames, from "
    "which faces may be recognised, and must not be published or passed on"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of what can be done."""
    kinds = parser.add_subparsers(dest="kind", metavar="ACTION", required=True)
    _add_synthesize(kinds)
    train = kinds.add_parser("train", help="train a model")
    train.add_argument("corpus", type=Path, help="in the layout of the UNBC-McMaster archive")
    train.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.npz")
    train.add_argument("--name", help="the model's name (default: the file's)")
    train.add_argument("--terms", default="", help="terms of use, stored in the model's card")
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
    evaluate.add_argument("--model", metavar="NAME", help="with --videos: the pain model")
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
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    _add_fitting(evaluate, required=False)
    _add_pictures(evaluate)
    add_cluster_arguments(evaluate, "folds")
    predict = kinds.add_parser("predict", help="score every frame of a corpus")
    predict.add_argument("corpus", type=Path, help="in the UNBC-McMaster layout")
    predict.add_argument("--model", metavar="NAME", help="a name or file")
    predict.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    predict.add_argument("--rate", type=float, metavar="FPS", help=_RATE)
    add_cluster_arguments(predict, "sequences")


_RATE: Final = "frames per second of the corpus (default: what it says, or 25)"


def _add_fitting(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument(
        "--work", type=Path, required=required, metavar="DIR",
        help="what was looked at and finished folds; an interrupted run continues from there",
    )  # fmt: skip
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
        "--tune",
        action="store_true",
        help="also train a layer on the encoder's features, in every fold (needs torch)",
    )
    parser.add_argument("--seed", type=int, default=0)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--pictures", nargs="+", type=Path, default=[], metavar="DIR",
        help="also train on pictures of real faces with pseudo-labels",
    )  # fmt: skip
    parser.add_argument(
        "--channels", type=Path, metavar="DIR",
        help="another program's channels of the pictures: FOLDER.npz",
    )  # fmt: skip


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
    make.add_argument(
        "--portraits",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help="folders of NAME.jpg and NAME.pts; near-neutral faces that no network was trained on "
        "are taken (default: all subjects are made of the one portrait that ships)",
    )
    make.add_argument("--seed", type=int, default=0)
    make.add_argument("--model", metavar="NAME", help="the tracker's model: a name or file")
    add_cluster_arguments(make, "sequences")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    make_absolute(args)
    if args.kind == "synthesize":
        return _synthesize(args)
    if args.kind == "train":
        return _train(args)
    if args.kind == "predict":
        return _predict(args)
    return _evaluate_clips(args) if args.videos is not None else _evaluate(args)


def _options(args: argparse.Namespace) -> Options:
    from facetrack.pain.fitting import Options

    if args.rows < 50 or not 0 <= args.balance <= 1:
        raise InputError("--rows is 50 or more, --balance from 0 to 1")
    plain = Options(rows=args.rows, balance=args.balance)
    return replace(plain, sets=(*plain.sets, "tuned")) if args.tune else plain


def _tune(args: argparse.Namespace) -> Tune | None:
    """Return what trains a layer, where one is asked for."""
    if not args.tune:
        return None
    try:
        from facetrack.pain.train.tuning import tune
    except ImportError as error:
        raise MissingDependencyError(
            f"--tune needs torch ({error}); install it with: pip install 'facetrack[train]'"
        ) from error
    return tune


def _looked_at(
    args: argparse.Namespace, root: Path, encoder: str, door: Any
) -> tuple[Archive, Gathered]:
    """Read a corpus and look at its frames; say what is wrong with them."""
    from tqdm import tqdm

    from facetrack.pain.archive import read_archive
    from facetrack.pain.gather import stored_looks

    archive = read_archive(root)
    args.work.mkdir(parents=True, exist_ok=True)
    map_ = shown("sequences", len(archive.sequences), door)
    found = stored_looks(args.work / "looks.npz", archive, encoder, rate=args.rate, map_=map_)
    for line in (*archive.problems, *archive.disagreements, *found.problems):
        tqdm.write(f"note: {line}")
    tqdm.write(
        f"{len(found.frames)} frames of {len(archive.subjects)} subjects can be assessed, "
        f"{found.dropped} cannot; {len(archive.disagreements)} scores differ from their action "
        "units"
    )
    return archive, found


def _pictures(args: argparse.Namespace) -> list[Frames]:
    """Look at pictures with pseudo-labels, where they are asked for."""
    if not args.pictures:
        return []
    if args.channels is None:
        raise InputError("--pictures needs --channels: what another program says of them")
    from tqdm import tqdm

    from facetrack.model import load_model
    from facetrack.networks.expression import load_encoder
    from facetrack.pain.looks import Looker
    from facetrack.pain.pictures import pictured

    bar = partial(tqdm, desc="pictures", disable=None, leave=False)
    looker = Looker(load_encoder(args.encoder))
    shape_model = load_model().shape_model
    return [pictured(args.pictures, args.channels, looker, shape_model, progress=bar)]


def _step(archive: Archive, rate: float | None) -> float:
    from facetrack.pain.gather import RATE

    return 1 / (rate or archive.frame_rate or RATE)


def _train(args: argparse.Namespace) -> int:
    if args.output.suffix != ".npz":
        raise InputError(f"a model file ends in .npz, got {args.output.name}")
    from tqdm import tqdm

    from facetrack.networks.expression import load_encoder
    from facetrack.pain.archive import DESCRIPTION
    from facetrack.pain.fitting import fit_model, fit_set
    from facetrack.pain.frames import join
    from facetrack.pain.geometry import unit_shape
    from facetrack.pain.measures import agreement
    from facetrack.pain.model import write_pain_model

    with cluster_map(args) as door:
        archive, found = _looked_at(args, args.corpus, args.encoder, door)
    frames = join([found.frames, *_pictures(args)])
    encoder, options = load_encoder(args.encoder), _options(args)
    mean, step = unit_shape(encoder.mean_shape), _step(archive, args.rate)
    fitted = [
        fit_set(name, frames, mean, step, options, args.seed, _tune(args))
        for name in tqdm(options.sets, desc="sets", disable=None, leave=False)
    ]
    synthetic = (args.corpus / DESCRIPTION).is_file()
    card = {
        "data": [args.corpus.name, *(folder.name for folder in args.pictures)],
        "frames": len(frames),
        "subjects": len(set(frames.subjects.tolist())),
        "terms": args.terms or ("" if synthetic else PATIENTS),
        "caution": CAUTION if synthetic else "",
        "options": {"rows": args.rows, "balance": args.balance, "seed": args.seed},
    }
    name = args.name or args.output.stem
    said = (args.encoder, encoder.version)
    model, fit = fit_model(
        frames, fitted, options, name=name, encoder=said, card=card, seed=args.seed
    )
    left_out = agreement(frames.labels, fit.left_out)
    measured = {key: round(value, 4) for key, value in left_out.items() if value == value}
    model = replace(model, card={**card, "people left out": measured})
    write_pain_model(args.output, model)
    print(
        f"wrote {args.output} ({args.output.stat().st_size / 1e6:.2f} MB); people left out in "
        f"groups: RMSE {left_out['rmse']:.2f}, PCC {left_out['pcc']:.2f}"
    )
    if not synthetic:
        print(f"note: {PATIENTS}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    if args.work is None:
        raise InputError("--work DIR is needed: looks and finished folds are kept there")
    from facetrack.networks.expression import load_encoder
    from facetrack.pain.report import score_plots, score_table
    from facetrack.reporting.tables import as_text

    root = args.unbc or args.corpus
    with cluster_map(args) as door:
        archive, found = _looked_at(args, root, args.encoder, door)
        details, pooled = _folds(args, found, _pictures(args), _step(archive, args.rate), door)
    details |= {
        "corpus": root.name,
        "encoder": [args.encoder, load_encoder(args.encoder).version],
        "dropped": found.dropped,
        "disagreements": len(archive.disagreements),
        "unbc": args.unbc is not None,
    }
    print(as_text(score_table(details)))
    if args.plots is not None:
        written = score_plots(args.plots, found.frames, found.names, pooled)
        print(f"wrote {len(written)} plots to {args.plots}")
    write_report(args, model="", n=details["frames"], details=details)
    return 0


def _folds(
    args: argparse.Namespace,
    found: Gathered,
    extra: Sequence[Frames],
    step: float,
    door: Map,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run all folds that were asked for; returns the report's details and the pooled scores."""
    import numpy as np

    from facetrack.networks.expression import load_encoder
    from facetrack.pain.frames import join, write_frames
    from facetrack.pain.geometry import unit_shape
    from facetrack.pain.protocol import Fold, frame_folds, run_folds, subject_folds
    from facetrack.pain.report import measure, pool

    frames, path = found.frames, args.work / "frames.npz"
    everything = join([frames, *extra])
    others = np.arange(len(frames), len(everything))  # pictures, which are always trained on
    write_frames(path, everything)
    mean, options = unit_shape(load_encoder(args.encoder).mean_shape), _options(args)

    tune = _tune(args)

    def tested(folds: list[Fold], *, static: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        done = list(
            run_folds(
                [replace(fold, train=np.append(fold.train, others)) for fold in folds],
                path,
                args.work / "folds",
                step=step,
                mean=mean,
                options=options,
                static=static,
                seed=args.seed,
                tune=tune,
                map_=shown("folds", len(folds), door),
            )
        )
        pooled = pool(done, len(frames))
        return measure(frames, pooled, done, seed=args.seed), pooled

    details, pooled = tested(
        subject_folds(frames, count=args.folds, seed=args.seed), static=not extra
    )
    details["fewer"] = {}
    for count in args.subjects:
        some = subject_folds(frames, count=args.folds, trained_on=count, seed=args.seed)
        details["fewer"][str(count)] = tested(some)[0]["arms"]
    if args.random_frames is not None:
        details["random"] = tested(frame_folds(frames, args.random_frames, args.seed))[0]["arms"]
    return details, pooled


def _evaluate_clips(args: argparse.Namespace) -> int:
    from facetrack.model import load_model
    from facetrack.pain.clips import clip_table, compare_clips, other_pspi, score_clip
    from facetrack.pain.model import DEFAULT, load_pain_model
    from facetrack.reporting.tables import as_text

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
    with cluster_map(args) as door:
        task = partial(score_clip, model=model, pain=name)
        clips = list(shown("clips", len(items), door)(task, items))
    compared = compare_clips(clips, theirs)
    if pain.caution:
        print(f"{pain.name}: {pain.caution}")
    print(as_text(clip_table(compared)))
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
    from facetrack.model import load_model
    from facetrack.pain.synthesis import Plan, synthesize

    model = load_model(args.model)
    portraits = load_portraits(args.portraits, model.shape_model.mean_3d)
    plan = Plan(args.subjects, args.sequences, args.frames, args.seed, args.fps)
    with cluster_map(args) as map_:
        door = shown("sequences", plan.subjects * plan.sequences, map_)
        description = synthesize(args.output, plan, portraits, model, door)
    print(f"{plan.subjects} subjects, {plan.sequences} sequences each; see {description}")
    return 0
