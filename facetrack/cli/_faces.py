"""`facetrack actions film|learn|teach|compare`: the recogniser of facial actions."""

from __future__ import annotations

import argparse
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from facetrack.cli._cluster import add_cluster_arguments, cluster_map, make_absolute, results_of
from facetrack.cli._common import add_options, check_npz, clips_of, model_of, needing_torch
from facetrack.cli._reports import print_tables, shown, write_report
from facetrack.errors import InputError

if TYPE_CHECKING:  # what stands on these loads when a run needs it
    from types import ModuleType

    from facetrack.actions.films import Acted, Part
    from facetrack.datasets.pts_folder import LabelledImage
    from facetrack.fitting.face_model import FaceModel

_EVERY = 3  # rounds of films of the others to one of people who are tested


def add_face_arguments(kinds: Any) -> None:
    """Declare the arguments; `kinds` are the subparsers of `facetrack actions`."""
    film = kinds.add_parser("film", help="film synthetic people who act, and look at their faces")
    film.add_argument("output", type=Path, help="gets an archive for each round of all actions")
    add_options(film, "--portraits", required=True)
    film.add_argument("--rounds", type=int, default=30, help="(default: 30)")
    add_options(film, "--seed", "--model")
    add_cluster_arguments(film, "films")
    learn = kinds.add_parser("learn", help="train the recogniser of facial actions on such films")
    learn.add_argument("films", type=Path, metavar="DIR", help="the output of `film`")
    add_options(learn, "--output")
    add_options(learn, "--work", required=True, help="checkpoint")
    learn.add_argument("--offer", nargs="*", default=[], metavar="CLASS", help="become signals")
    add_options(learn, "--terms")
    learn.add_argument("--epochs", type=int, default=16)
    add_options(learn, "--seed")
    teach = kinds.add_parser("teach", help="add a class from a few examples to a recogniser")
    teach.add_argument("recogniser", metavar="NAME|FILE.npz", help="which is left as it is")
    teach.add_argument("action", metavar="NAME", help="of the events that are examples")
    teach.add_argument(
        "events", nargs="+", type=Path, metavar="CLIP.events.csv", help="where they are marked"
    )
    add_options(teach, "--videos", required=True, help="holds the clips")
    teach.add_argument("--films", type=Path, metavar="DIR", help="of `film`: what is not the class")
    add_options(teach, "--output", "--model")
    compare = kinds.add_parser("compare", help="rules and a recogniser beside another program")
    compare.add_argument("videos", type=Path, metavar="DIR", help="clips of one person each")
    compare.add_argument("--recogniser", metavar="NAME|FILE.npz", help="default: the rules alone")
    add_options(compare, "--channels", required=True, metavar="FILE.npz")
    add_options(compare, "--skip", help="clips with cuts")
    add_options(compare, "--model", "--json")
    add_cluster_arguments(compare, "videos")


def film(args: argparse.Namespace) -> int:
    """Make the films that are not there yet."""
    from facetrack.actions.films import parts, write_acted
    from facetrack.datasets.portraits import load_portraits

    make_absolute(args)
    model = model_of(args)
    portraits = load_portraits(args.portraits, model.shape_model.mean_3d)
    if len(portraits) < 4:
        raise InputError(f"four portraits or more are needed, found {len(portraits)}")
    args.output.mkdir(parents=True, exist_ok=True)
    make = partial(_act, portraits=portraits, model=model)
    with cluster_map(args) as map_:
        for split, rounds in (("train", args.rounds), ("test", -(-args.rounds // _EVERY))):
            plan = parts(rounds, len(portraits), tested=split == "test", seed=args.seed)
            each = len(plan) // rounds
            for number in range(rounds):
                path = args.output / f"{split}.{number}.npz"
                if not path.is_file():
                    door = shown(path.stem, each, map_)
                    write_acted(path, list(door(make, plan[number * each : (number + 1) * each])))
    return 0


def _act(part: Part, *, portraits: list[LabelledImage], model: FaceModel) -> Acted:
    from facetrack.actions.films import act
    from facetrack.networks.expression import load_encoder

    return act(part, portraits, model, load_encoder())


def learn(args: argparse.Namespace) -> int:
    """Train and write the model's file."""
    recogniser = _training(args, "learning").learn(
        args.films,
        args.work,
        name=args.output.stem,
        terms=args.terms,
        offered=args.offer,
        epochs=args.epochs,
        seed=args.seed,
        report=lambda values: tqdm.write(f"epoch {values['epoch']:.0f}: {values['loss']:.4f}"),
    )
    recogniser.write(args.output)
    for name, f1 in recogniser.card["f1_synthetic"].items():
        print(f"{name}: F1 {f1:.3f} on clips of synthetic people who were set aside")
    return 0


def teach(args: argparse.Namespace) -> int:
    """Track the clips, cut the examples out and write the wider model's file."""
    import numpy as np

    from facetrack.actions.films import read_acted
    from facetrack.actions.recogniser import load_recogniser
    from facetrack.evaluation.actions import follow
    from facetrack.formats.events_csv import read_events

    few = _training(args, "few")
    known, model = load_recogniser(args.recogniser), model_of(args)
    others = []
    if args.films is not None:
        films = [one for path in sorted(args.films.glob("train.*.npz")) for one in read_acted(path)]
        others.append(few.rehearsal(films))
    examples = []
    for path in args.events:
        records = read_events(path)
        spans = [(r.event.start, r.event.stop) for r in records if r.event.name == args.action]
        clip = _clip_of(path, args.videos)
        shown, without = few.cut_examples(follow(clip, model).looks, spans)
        lost = sum(not len(clips) for clips in shown)
        print(f"{clip.name}: {len(spans)} examples" + (f", {lost} not seen well" if lost else ""))
        examples += shown
        others.append(without)
    wider = few.teach(known, args.action, examples, np.concatenate(others))
    wider.write(args.output)
    print(f"{args.output}: {args.action} beside {', '.join(known.classes)}")
    return 0


def _clip_of(events: Path, videos: Path) -> Path:
    """Find the clip of an events file: results/a.events.csv is of a.mp4, or whatever it is."""
    name = events.name.removesuffix(".events.csv")
    for path in sorted(videos.iterdir()) if videos.is_dir() else ():
        if path.is_file() and path.stem == name:
            return path
    raise InputError(f"{videos}: holds no clip {name!r}, of which {events} is")


def _training(args: argparse.Namespace, name: str) -> ModuleType:
    check_npz(args.output)
    with needing_torch():
        return import_module(f"facetrack.actions.train.{name}")


def compare(args: argparse.Namespace) -> int:
    """Compare, print and write the JSON file where asked."""
    import numpy as np

    from facetrack.actions.recogniser import load_recogniser
    from facetrack.datasets.channels import read_clip_channels
    from facetrack.evaluation import actions

    make_absolute(args)
    recogniser = load_recogniser(args.recogniser) if args.recogniser else None
    model = model_of(args)
    theirs = {
        action: {clip: values.mean(axis=1) for clip, values in read.items()}
        for action, channels in actions.PEERS.items()
        for read in (read_clip_channels(args.channels, channels),)
    }
    names = [name for name in next(iter(theirs.values())) if name not in args.skip]
    there = clips_of(args.videos, names, f"clips of {args.channels}")
    follow = partial(actions.follow, model=model)
    followed = results_of(args, "clips", follow, list(there.values()))
    clips = dict(zip(there, followed, strict=True))
    rows = actions.compare(clips, theirs, recogniser, np.random.default_rng(0))
    print_tables(actions.action_table(rows))
    details = {"rows": rows, "clips": list(clips)}
    write_report(args, model=(recogniser or model).name, n=len(clips), details=details)
    return 0
