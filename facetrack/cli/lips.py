"""`facetrack lips`: prepare clips, train, evaluate, predict, and enrol words of one's own."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from facetrack.cli._cluster import add_cluster_arguments, cluster_map, make_absolute
from facetrack.cli._common import add_options, check_npz, model_of, needing_torch, written
from facetrack.cli._reports import print_tables, shown, write_report
from facetrack.errors import FormatError, InputError

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.lips.datasets import Item
    from facetrack.lips.enrol import Take
    from facetrack.parallel import Map

HELP = "Read words from lips: prepare, train, evaluate, predict, enrol words of one's own."
EXAMPLES = """\
facetrack lips evaluate grid_s1 --json lips.json
facetrack lips enroll my_words -o words.npz
facetrack lips predict clip.mp4 --words words.npz
facetrack lips train grid_s1 --recipe grid --work run -o mine.npz
facetrack lips train LRW --recipe lrw --work run -o lrw.npz
facetrack lips evaluate LRW --data lrw --reader lrw.npz --robust
facetrack lips train avletters --recipe avletters --data avletters-t01 --work t01 -o t01.npz
facetrack lips evaluate VIDEOS --data talkers --words words.npz
"""
DEFAULT = "lips"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of what can be done."""
    kinds = parser.add_subparsers(dest="kind", metavar="ACTION", required=True)
    prepare = kinds.add_parser("prepare", help="track clips and cut the mouths out")
    prepare.add_argument("root", type=Path, help="a data set's folder")
    add_options(prepare, "--output", metavar="DIR")
    train = kinds.add_parser("train", help="train a model by a recipe")
    train.add_argument("root", type=Path, help="the data set's folder")
    train.add_argument("--recipe", default="grid", metavar="NAME|FILE.toml")
    train.add_argument("--data", default="", metavar="NAME", help="in place of the recipe's: "
                       "`avletters-t01` leaves that talker out")  # fmt: skip
    text = "checkpoints, log and curves; taken up if interrupted"
    add_options(train, "--work", required=True, help=text)
    add_options(train, "--output", required=False, help="the model's file")
    add_options(train, "--terms", "--seed", "--threads")
    evaluate = kinds.add_parser(
        "evaluate", help="score what is read of clips whose words are known"
    )
    evaluate.add_argument("root", type=Path, help="a data set's folder, or one of WORD/clip.mp4")
    evaluate.add_argument("--words", type=Path, metavar="FILE", help="what `enroll` wrote")
    evaluate.add_argument("--robust", action="store_true", help="also with frames removed")
    evaluate.add_argument("--store-reject", action="store_true", help="store in the reader's file "
                          "the reject that GRID's sentences, set aside, choose")  # fmt: skip
    evaluate.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the confusions")
    add_options(evaluate, "--json")
    predict = kinds.add_parser("predict", help="read the words of videos")
    predict.add_argument("videos", nargs="+", type=Path)
    predict.add_argument("--words", type=Path, metavar="FILE", help="what `enroll` wrote")
    enroll = kinds.add_parser("enroll", help="learn a person's own words from a few takes")
    enroll.add_argument("root", type=Path, help="WORD/clip.mp4")
    add_options(enroll, "--output")
    for kind in (prepare, evaluate):
        kind.add_argument(
            "--data",
            default="grid",
            metavar="NAME",
            help="grid, lrw, lrw1000, avletters; grid-named: also clips without an alignment; "
            "talkers: any videos, for words that are heard and not said",
        )
    for kind in (evaluate, predict, enroll):
        kind.add_argument("--reader", default=DEFAULT, metavar="NAME|FILE", help="the model")
    for kind in (prepare, train, evaluate, predict, enroll):
        add_options(kind, "--model")
    for kind in (train, evaluate, enroll):
        kind.add_argument("--crops", type=Path, metavar="DIR", help="keeps prepared clips")
    for kind in (prepare, train, evaluate):
        add_cluster_arguments(kind, "clips")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if hasattr(args, "workers"):
        make_absolute(args)
    kinds = {
        "prepare": _prepare,
        "train": _train,
        "evaluate": _evaluate,
        "predict": _predict,
        "enroll": _enroll,
    }
    return kinds[args.kind](args)


def _listed(name: str, root: Path) -> list[Item]:
    from facetrack.lips.datasets import MEASURED

    if name not in MEASURED:
        raise InputError(f"there is no data set {name!r}; choose from {', '.join(MEASURED)}")
    return MEASURED[name](root, tell=tqdm.write)


def _prepared(args: argparse.Namespace, items: list[Item], crops: Path, mean: Any) -> list[Item]:
    """Cut the mouths out that are not there yet."""
    from facetrack.lips.preparing import prepare

    model = model_of(args)
    with cluster_map(args) as map_:
        door: Map = shown("clips", len(items), map_)
        return prepare(
            items,
            crops,
            model=model,
            mean=model.shape_model.mean if mean is None else mean,
            map_=door,
            tell=tqdm.write,
        )


def _prepare(args: argparse.Namespace) -> int:
    items = _listed(args.data, args.root)
    kept = _prepared(args, items, args.output, None)
    print(f"{len(kept)} of {len(items)} clips are prepared in {args.output}")
    return 0 if kept else 1


def _train(args: argparse.Namespace) -> int:
    if args.output is not None:
        check_npz(args.output)
    with needing_torch():
        from facetrack.lips.train.export import write_run
        from facetrack.lips.train.run import start

    model = model_of(args)
    with cluster_map(args) as map_:
        start(
            args.recipe,
            args.root,
            args.work,
            model=model,
            data=args.data,
            crops=args.crops,
            seed=args.seed,
            threads=args.threads,
            map_=map_,
            say=tqdm.write,
        )
    if args.output is not None:
        write_run(args.work, args.output, mean=model.shape_model.mean, terms=args.terms)
        print(written(args.output))
    return 0


@contextlib.contextmanager
def _crops(args: argparse.Namespace) -> Iterator[Path]:
    """Give the folder of prepared clips, or one for this run only."""
    if args.crops is not None:
        yield args.crops
    else:
        with tempfile.TemporaryDirectory(prefix="facetrack-lips-") as folder:
            yield Path(folder)


def _evaluate(args: argparse.Namespace) -> int:
    if args.data == "talkers":
        return _evaluate_talkers(args)
    if args.words is not None:
        return _evaluate_own(args)
    from facetrack.evaluation.isolated_words import isolated_table, score_isolated
    from facetrack.evaluation.lips import lip_table, plot_confusion, score_sentences
    from facetrack.formats.modelfile import find_model
    from facetrack.lips.reader import load_reader, store_reject
    from facetrack.lips.rejection import Reject

    sentences = args.data in ("grid", "grid-named")
    if args.plot is not None and not sentences:
        raise InputError("--plot draws the confusions of GRID's words only")
    if args.store_reject and not sentences:
        raise InputError("--store-reject needs GRID's sentences")
    reader = load_reader(args.reader)
    items = _listed(args.data, args.root)
    score = score_sentences if sentences else partial(score_isolated, data=args.data)
    details, n = _scored(args, items, partial(score, reader=args.reader, robust=args.robust))
    print_tables((lip_table if sentences else isolated_table)(details))
    if args.plot is not None:
        plot_confusion(args.plot, details)
    if args.store_reject:
        if details["chosen"] is None:
            raise InputError(f"{args.root}: no word was read right, so no reject can be chosen")
        store_reject(find_model(args.reader), Reject(**details["chosen"]))
    measures = {"accuracy": float(details["accuracy"])}
    write_report(args, model=reader.name, n=n, details=details, measures=measures)
    return 0


def _scored(args: argparse.Namespace, items: list[Item], score: Any) -> tuple[dict[str, Any], int]:
    """Prepare clips and score what is read of them; return the details and how many they were."""
    from facetrack.lips.reader import load_reader

    with _crops(args) as crops:
        kept = _prepared(args, items, crops, load_reader(args.reader).mean_shape)
        if not kept:
            raise InputError(f"{args.root}: no clip could be prepared")
        with cluster_map(args) as map_:
            details = score(kept, crops, map_=shown("reading", len(kept), map_))
    details["left_out"] = len(items) - len(kept)
    return details, len(kept)


def _evaluate_talkers(args: argparse.Namespace) -> int:
    from facetrack.evaluation.lip_alarms import alarm_table, score_alarms
    from facetrack.lips.reader import load_reader

    words = "" if args.words is None else str(args.words)
    score = partial(score_alarms, reader=args.reader, words=words)
    details, n = _scored(args, _listed(args.data, args.root), score)
    print_tables(alarm_table(details))
    measures = {f"alarms_{kind}": rate for kind, rate in details["kept"]["per_hour"].items()
                if rate is not None}  # fmt: skip
    name = load_reader(args.reader).name
    write_report(args, model=name, n=n, details=details, measures=measures)
    return 0


def _takes(args: argparse.Namespace) -> Iterator[tuple[str, Take]]:
    """Give the word and the take of each clip of a folder; clips that cannot be read are told."""
    from facetrack.lips.datasets import own_words
    from facetrack.lips.enrol import take_of
    from facetrack.lips.preparing import Prepared, prepare
    from facetrack.lips.reader import load_reader

    reader, model = load_reader(args.reader), model_of(args)
    items = own_words(args.root)
    with _crops(args) as crops:
        door = shown("clips", len(items))
        mean = reader.mean_shape
        kept = prepare(items, crops, model=model, mean=mean, map_=door, tell=tqdm.write)
        for item, one in zip(kept, Prepared(kept, crops, hold=False), strict=True):
            yield item.words[0].text, take_of(reader, one.clip)


def _enroll(args: argparse.Namespace) -> int:
    from facetrack.lips.enrol import enrol
    from facetrack.lips.reader import load_reader

    check_npz(args.output, "a file of words")
    takes = list(_takes(args))
    words = enrol(takes, load_reader(args.reader).version, tell=tqdm.write)
    words.write(args.output)
    print(f"{len(takes)} takes of {len(words.words)} words: {', '.join(words.words)}")
    alike = words.alike()
    if alike is not None:
        print(f"{alike[0]!r} and {alike[1]!r} look most alike: {alike[2]:.2f} times as far apart "
              "as takes of one word are")  # fmt: skip
    print(f"wrote {args.output}")
    return 0


def _evaluate_own(args: argparse.Namespace) -> int:
    from facetrack.evaluation.lip_words import own_table, score_takes
    from facetrack.lips.enrol import load_words
    from facetrack.lips.reader import load_reader

    reader = load_reader(args.reader)
    words = load_words(args.words, reader)
    details = score_takes(words, list(_takes(args)))
    print_tables(own_table(details))
    measures = {"accuracy": float(details["accuracy"])}
    write_report(args, model=reader.name, n=details["takes"], details=details, measures=measures)
    return 0


def _predict(args: argparse.Namespace) -> int:
    from facetrack.cli._progress import prepare as compile_first
    from facetrack.lips.enrol import load_words
    from facetrack.lips.preparing import crop_video
    from facetrack.lips.reader import load_reader
    from facetrack.lips.stream import read_clip

    compile_first()
    reader, model = load_reader(args.reader), model_of(args)
    words = None if args.words is None else load_words(args.words, reader)
    failed = 0
    for path in args.videos:
        try:
            pieces = crop_video(path, model=model, mean=reader.mean_shape)
        except FormatError as error:
            failed += 1
            print(f"facetrack: {error}", file=sys.stderr)
            continue
        for piece in pieces:
            for one in read_clip(reader, piece, words):
                print(f"{path.name}\t{one.start:.2f}\t{one.stop:.2f}\t{one.text}\t"
                      f"{one.probability:.2f}")  # fmt: skip
    return 1 if failed == len(args.videos) else 0
