"""`facetrack evaluate events`: whether events are found, against labels or another program."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facetrack.cli._cluster import results_of
from facetrack.cli._common import add_options, clips_of, model_of
from facetrack.cli._reports import print_tables, write_report

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.datasets.events import Label


def add_event_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare clips and labels."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the clips, NAME.mp4")
    parser.add_argument("--event", default="blink", metavar="NAME", help="(default: blink)")
    labels = parser.add_mutually_exclusive_group(required=True)
    labels.add_argument(
        "--labels",
        type=Path,
        metavar="FILE.csv",
        help="columns clip, label, start, apex, end in frames from 0; where stretches are labelled "
        "no_NAME, false alarms are counted only in them",
    )
    labels.add_argument(
        "--channels",
        nargs=2,
        metavar=("FILE.npz", "NAMES"),
        help="channels of another program, with commas; their mean above --level for 2 to 15 "
        "frames, gaps of up to 2 joined, counts as an event",
    )
    parser.add_argument("--level", type=float, default=0.5, help="of the channels (default: 0.5)")
    add_options(parser, "--skip", help="clips to leave out, such as those with cuts")
    parser.add_argument(
        "--tolerance", type=int, default=2, help="frames that apexes may be apart (default: 2)"
    )


def evaluate_events(args: argparse.Namespace) -> int:
    """Find events and compare them with labels; write the JSON file where asked."""
    from facetrack.datasets.events import NEGATIVE
    from facetrack.evaluation.events import event_details, event_table, find_events, score_events

    labels = {clip: said for clip, said in _labels(args).items() if clip not in args.skip}
    there = clips_of(args.folder, labels, "labelled clips")
    model = model_of(args)
    find = partial(find_events, name=args.event, model=model)
    found = results_of(args, "clips", find, list(there.values()))
    kinds = {label.name for said in labels.values() for label in said}
    score = partial(
        score_events,
        name=args.event,
        tolerance=args.tolerance,
        everywhere=NEGATIVE + args.event not in kinds,
    )
    scores = [score(clip, f, labels[clip]) for clip, f in zip(there, found, strict=True)]
    details = event_details(args.folder.name, args.event, scores)
    print_tables(event_table(details))
    write_report(args, model=model.name, n=len(scores), details=details)
    return 0


def _labels(args: argparse.Namespace) -> dict[str, list[Label]]:
    from facetrack.datasets.channels import read_clip_channels
    from facetrack.datasets.events import channel_events, read_labels

    if args.labels is not None:
        return read_labels(args.labels)
    file, names = args.channels
    channels = read_clip_channels(file, [name.strip() for name in names.split(",")])
    means = {clip: scores.mean(axis=1) for clip, scores in channels.items()}
    return channel_events(means, args.event, level=args.level)
