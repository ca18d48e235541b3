"""Blinks by how far lids are open, and by the expression channel: one table, the same labels.

    python -m benchmarks blinks DATA/lips/grid_s1 --labels DATA/actions/grid_s1_blinks.csv
    python -m benchmarks blinks DATA/videos --channels DATA/blendshapes/videos.npz --skip stage_cuts

The rule is the one that ships. The channel is the mean of eyeBlinkLeft and eyeBlinkRight of an
encoder; an event lies above a level for 2 to 15 frames, as what is labelled by the other program's
channels does, the level being absolute or above the median of the clip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.cli._common import clips_of
from facetrack.datasets.channels import read_clip_channels
from facetrack.datasets.events import NEGATIVE, Label, channel_events, read_labels
from facetrack.evaluation.events import Found, event_details, find_events, score_events
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.parallel import open_map
from facetrack.reading import Readings
from facetrack.reporting.tables import Table
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import choose
from facetrack.tracking.tracker import Tracker

BLINK: Final = "blink"
CHANNELS: Final = ("eyeBlinkLeft", "eyeBlinkRight")
LEVELS: Final = (0.4, 0.5, 0.6)
ABOVE: Final = (0.2, 0.3, 0.4)  # the median of the clip

Floats = npt.NDArray[np.float64]


def watch(clip: Path, model: FaceModel) -> tuple[list[Found], Floats]:
    """Find a clip's blinks by the rule, and return the channel of every frame, (frames,)."""
    pipeline, tracker = Pipeline(choose(",".join(CHANNELS))), Tracker(model, max_faces=1)
    said: list[float] = []
    with open_source(clip) as source:
        for frame in source:
            found = pipeline.update(frame, tracker.update(frame))
            values = [
                np.mean([one.result.values[name].value for name in CHANNELS])
                for one in found
                if isinstance(one.result, Readings)
            ]
            said.append(float(values[0]) if values else np.nan)
    return find_events(clip, BLINK, model), np.array(said)


def by_channel(values: Floats, level: float) -> list[Found]:
    """Find events where a channel is above a level."""
    (labels,) = channel_events({"": values}, BLINK, level=level).values()
    return [Found(one.start, one.apex, one.stop, np.nan, False) for one in labels]


def table(
    watched: Mapping[str, tuple[list[Found], Floats]],
    labels: Mapping[str, Sequence[Label]],
    data: str,
    tolerance: int,
) -> tuple[Table, dict[str, Any]]:
    """Score every way to find blinks."""
    ways = {"rule": {clip: found for clip, (found, _) in watched.items()}}
    for level in LEVELS:
        ways[f"channel > {level}"] = {c: by_channel(v, level) for c, (_, v) in watched.items()}
    for level in ABOVE:
        ways[f"channel > median + {level}"] = {
            clip: by_channel(v - np.nanmedian(v), level) for clip, (_, v) in watched.items()
        }
    kinds = {label.name for said in labels.values() for label in said}
    everywhere = NEGATIVE + BLINK not in kinds
    score = partial(score_events, name=BLINK, tolerance=tolerance, everywhere=everywhere)
    details = {
        way: event_details(data, BLINK, [score(c, f, labels[c]) for c, f in found.items()])
        for way, found in ways.items()
    }
    measures = ("labelled", "found", "missed", "false", "precision", "recall", "f1")
    rows = [[way, *(one[name] for name in measures)] for way, one in details.items()]
    return Table(["blinks by", *measures[:-1], "F1"], rows), details


def main() -> int:
    """Watch the clips, and score."""
    parser = make_parser(__doc__)
    parser.add_argument("folder", type=Path)
    said = parser.add_mutually_exclusive_group(required=True)
    said.add_argument("--labels", type=Path, help="as `facetrack evaluate events` reads them")
    said.add_argument(
        "--channels", type=Path, help="of the other program: events where their mean > 0.5"
    )
    parser.add_argument("--skip", nargs="+", default=[], metavar="CLIP")
    parser.add_argument("--tolerance", type=int, default=2, help="frames between apexes")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.labels:
        labels = read_labels(args.labels)
    else:
        theirs = read_clip_channels(args.channels, CHANNELS)
        labels = channel_events({clip: v.mean(axis=1) for clip, v in theirs.items()}, BLINK)
    labels = {clip: events for clip, events in labels.items() if clip not in args.skip}
    there = clips_of(args.folder, labels, "labelled clips")
    with open_map(workers=args.workers) as map_:
        job = partial(watch, model=load_model())
        found = list(tqdm(map_(job, list(there.values())), "clips", len(there), disable=None))
    watched = dict(zip(there, found, strict=True))
    laid_out, details = table(watched, labels, args.folder.name, args.tolerance)
    show([laid_out], args.json, n=len(there), model="default", details={"ways": details})
    return 0
