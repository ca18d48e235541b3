"""Blinks by how far lids are open, by the expression channel, and by a bank of filters.

    facetrack actions film FILMS --portraits DIR ...
    python -m benchmarks blinks DATA/lips/grid_s1 --labels DATA/actions/grid_s1_blinks.csv \
        --videos DATA/videos --channels DATA/blendshapes/videos.npz --skip stage_cuts \
        --films FILMS --work WORK --json blinks.json

One talker with labels, then videos of others beside what another program says of them. The rule is
the one that ships. The channel is the mean of eyeBlinkLeft and eyeBlinkRight of an encoder; an
event lies above a level for 2 to 15 frames, as what is labelled by the other program's channels
does, the level being absolute or above the median of the clip. The banks are recognisers of
actions, one a seed: trained on synthetic people alone, which is measured on both, and on the
talker's clips, too, which is measured on the others.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.actions.classes import CLASSES
from facetrack.actions.films import Acted
from facetrack.actions.looks import LOOK, Looks, look, resampled
from facetrack.actions.recogniser import WINDOW, Recogniser
from facetrack.actions.timeline import Timeline
from facetrack.actions.train.faces import Clips, together, windows
from facetrack.actions.train.learning import learn
from facetrack.cli._common import clips_of
from facetrack.datasets.channels import read_clip_channels
from facetrack.datasets.events import NEGATIVE, Label, channel_events, read_labels
from facetrack.evaluation.events import Found, event_details, score_events
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.parallel import open_map
from facetrack.reporting.tables import Part, Table
from facetrack.signals.expression import EXPRESSION, encoder_of
from facetrack.signals.observation import Observation
from facetrack.signals.pipeline import Pipeline, event_records
from facetrack.signals.registry import choose
from facetrack.tracking.tracker import Tracker

BLINK: Final = "blink"
CHANNELS: Final = ("eyeBlinkLeft", "eyeBlinkRight")
LEVELS: Final = (0.4, 0.5, 0.6)
ABOVE: Final = (0.2, 0.3, 0.4)  # the median of the clip
MEASURES: Final = ("labelled", "found", "missed", "false", "precision", "recall", "f1")
_AROUND: Final = WINDOW - 2  # frames about a blink that a clip with all of it may have

Floats = npt.NDArray[np.float64]
Labels = Mapping[str, Sequence[Label]]


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A clip of one person."""

    looks: Looks
    rule: list[Found]

    @property
    def channel(self) -> Floats:
        """How far lids are closed in each frame, (frames,)."""
        return np.asarray(
            self.looks.values[:, [LOOK.index(name) for name in CHANNELS]].mean(axis=1)
        )


def watch(clip: Path, model: FaceModel) -> Watched:
    """Track a clip, look at each frame and apply the rule."""
    pipeline, tracker = Pipeline(choose(BLINK)), Tracker(model, max_faces=1)
    encoder = encoder_of(EXPRESSION.encoder)
    times, values, told = list[float](), list[Floats](), list[Any]()
    with open_source(clip) as source:
        for frame in source:
            faces = tracker.update(frame)
            told += pipeline.update(frame, faces)
            seen = [
                look(Observation(frame.index, frame.timestamp, face, frame), encoder)[0]
                for face in faces
            ]
            times.append(frame.timestamp)
            found = seen[0] if seen else None
            values.append(np.full(len(LOOK), np.nan) if found is None else found)
    told += pipeline.finish()
    spans = [(r.event.start, r.event.peak, r.event.stop) for r in event_records(told)]
    looks = Looks(np.array(times), np.array(values).reshape(len(times), len(LOOK)))
    return Watched(looks, _found(looks.times, spans))


def by_channel(values: Floats, level: float) -> list[Found]:
    """Find events where a channel is above a level."""
    (labels,) = channel_events({"": values}, BLINK, level=level).values()
    return [Found(one.start, one.apex, one.stop, np.nan, False) for one in labels]


def by_bank(looks: Looks, recogniser: Recogniser) -> list[Found]:
    """Find the blinks that a recogniser names."""
    even, timeline = resampled(looks), Timeline(recogniser)
    found = [action for values in even.values for action in timeline.add(values)]
    spans = [
        tuple(even.times[[action.start, action.peak, action.stop]].tolist())
        for action in (*found, *timeline.finish())
        if action.name == BLINK
    ]
    return _found(looks.times, spans)


def _found(times: Floats, spans: Sequence[tuple[float, ...]]) -> list[Found]:
    """Give events, (start, peak, stop) in seconds, the frames that lie nearest."""
    frames = [[int(np.abs(times - moment).argmin()) for moment in span] for span in spans]
    return [Found(start, peak, stop, np.nan, False) for start, peak, stop in frames]


def clips_of_talker(looks: Looks, labels: Sequence[Label]) -> Clips:
    """Cut clips with and without labelled blinks; of other classes nothing is said.

    Frames without a label are in none but those around a blink.
    """
    blinks = [label for label in labels if label.name == BLINK]
    parts = []
    for label in labels:
        first, last = label.start, label.stop
        if label.name == BLINK:
            others = [one for one in blinks if one is not label]
            ends = [one.stop + 1 for one in others if one.stop < label.start]
            begins = [one.start - 1 for one in others if one.start > label.stop]
            first = max([first - _AROUND, *ends])
            last = min([last + _AROUND, *begins])
        values = np.full_like(looks.values, np.nan)
        values[max(first, 0) : last + 1] = looks.values[max(first, 0) : last + 1]
        shown = label.name == BLINK
        span = (label.start, label.stop) if shown else (-1, -1)
        parts.append(windows(Acted(BLINK if shown else "", -1, values, *span)))
    clips = together(parts)
    known = np.full_like(clips.labels, np.nan)
    known[:, CLASSES.index(BLINK)] = clips.labels[:, CLASSES.index(BLINK)]
    return Clips(clips.values, known)


def score(
    ways: Mapping[str, Mapping[str, Sequence[Found]]], labels: Labels, data: str, tolerance: int
) -> tuple[Table, dict[str, Any]]:
    """Score every way to find blinks."""
    kinds = {label.name for said in labels.values() for label in said}
    one = partial(score_events, name=BLINK, tolerance=tolerance,
                  everywhere=NEGATIVE + BLINK not in kinds)  # fmt: skip
    details = {
        way: event_details(data, BLINK, [one(c, f, labels[c]) for c, f in found.items()])
        for way, found in ways.items()
    }
    rows = [[way, *(said[name] for name in MEASURES)] for way, said in details.items()]
    return Table(["blinks by", *MEASURES[:-1], "F1"], rows), details


def found_by(
    watched: Mapping[str, Watched], banks: Mapping[str, Recogniser]
) -> dict[str, dict[str, list[Found]]]:
    """Find the blinks of all clips in every way."""
    ways = {"rule": {clip: one.rule for clip, one in watched.items()}}
    for level in LEVELS:
        name = f"channel > {level}"
        ways[name] = {clip: by_channel(one.channel, level) for clip, one in watched.items()}
    for level in ABOVE:
        ways[f"channel > median + {level}"] = {
            clip: by_channel(one.channel - np.nanmedian(one.channel), level)
            for clip, one in watched.items()
        }
    for name, bank in banks.items():
        ways[name] = {clip: by_bank(one.looks, bank) for clip, one in watched.items()}
    return ways


def train(args: Namespace, more: Sequence[Clips], name: str) -> dict[str, Recogniser]:
    """Train a recogniser a seed on the films, and on more clips."""
    return {
        f"{name}, seed {seed}": learn(
            args.films, args.work / f"{name.replace(' ', '_')}.{seed}", name=name, more=more,
            epochs=args.epochs, seed=seed,
        )
        for seed in range(args.seeds)
    }  # fmt: skip


def _watch(folder: Path, labels: Labels, workers: int | None) -> dict[str, Watched]:
    there = clips_of(folder, labels, "labelled clips")
    with open_map(workers=workers) as map_:
        found = map_(partial(watch, model=load_model()), list(there.values()))
        shown = tqdm(found, folder.name, len(there), disable=None)
        return dict(zip(there, shown, strict=True))


def main() -> int:
    """Watch the clips, train the banks, and score."""
    parser = make_parser(__doc__)
    parser.add_argument("talker", type=Path, help="clips of one person")
    parser.add_argument("--labels", type=Path, required=True,
                        help="of theirs, as `facetrack evaluate events` reads them")  # fmt: skip
    parser.add_argument("--videos", type=Path, required=True, help="of others")
    parser.add_argument("--channels", type=Path, required=True,
                        help="of the other program: events where their mean > 0.5")  # fmt: skip
    parser.add_argument("--skip", nargs="+", default=[], metavar="CLIP")
    parser.add_argument("--films", type=Path, required=True, help="of `facetrack actions film`")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--tolerance", type=int, default=2, help="frames between apexes")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    theirs = read_clip_channels(args.channels, CHANNELS)
    of_others = channel_events(
        {clip: v.mean(axis=1) for clip, v in theirs.items() if clip not in args.skip}, BLINK
    )
    labels = read_labels(args.labels)
    talker = _watch(args.talker, labels, args.workers)
    others = _watch(args.videos, of_others, args.workers)
    alone = train(args, [], "bank")
    shown = [clips_of_talker(one.looks, labels[clip]) for clip, one in talker.items()]
    both = alone | train(args, [together(shown)], "bank with the talker")
    parts: list[Part] = []
    details = {}
    for about, clips, said, banks in (
        ("The talker, by labels:", talker, labels, alone),
        ("Others, by another program's channels:", others, of_others, both),
    ):
        table, details[about] = score(found_by(clips, banks), said, about, args.tolerance)
        parts += [about, "", table, ""]
    show(parts[:-1], args.json, n=len(talker) + len(others), model="default", details=details)
    return 0
