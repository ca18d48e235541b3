"""How many corrections a clip needs, with and without learning, by a simulated annotator.

    python -m benchmarks annotating TRUTH VIDEO
    python -m benchmarks annotating VIDEOS --reference PFLD --points 51 --json annotating.json
    python -m benchmarks annotating --people helen_test lfpw_test

The worst frame is corrected until 95 % of the points are within 5 % of the outer-eye distance in
every frame; corrected frames are counted, with learning, without, and for simpler means.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.learning.learning import clips_of
from benchmarks.learning.rivals import InterpolatedResidual, LucasKanade
from benchmarks.learning.simulated_annotator import Annotated, TrackAnew, annotate
from benchmarks.learning.teaching import Method
from benchmarks.showing import show
from facetrack.errors import InputError
from facetrack.evaluation.footage import read_footage
from facetrack.landmarks.markup import MARKUPS
from facetrack.model import load_model
from facetrack.reporting.tables import Part, Table
from facetrack.tracking.tracker import Tracker


def main() -> int:
    """Simulate and show."""
    parser = make_parser(__doc__)
    parser.add_argument(
        "inputs",
        type=Path,
        nargs="*",
        metavar="INPUT",
        help="TRUTH VIDEO, or videos and folders of videos with a track beside each",
    )
    parser.add_argument(
        "--people",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="also ten synthetic people with exact truth, made from these labelled pictures",
    )
    parser.add_argument(
        "--reference",
        metavar="NAME",
        help="whose points are the annotator's, where a track holds several",
    )
    parser.add_argument("--points", type=int, choices=list(MARKUPS), default=68)
    parser.add_argument("--every", type=int, default=1, help="process every Nth frame (default: 1)")
    parser.add_argument(
        "--frames", type=int, default=0, help="process at most so many; 0: all (default: 0)"
    )
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    args.truth = None
    if len(args.inputs) == 2 and args.inputs[0].is_file():  # TRUTH VIDEO
        args.truth, args.inputs = args.inputs[0], args.inputs[1:]
    model = load_model(args.model)
    clips = clips_of(args, model.shape_model)
    methods: list[Method] = [
        TrackAnew(model, learning=True),
        TrackAnew(model, learning=False),
        InterpolatedResidual(model.shape_model),
        LucasKanade(),
    ]
    done: list[Annotated] = []
    for clip in tqdm(clips, desc="clips", disable=None, leave=False):
        footage = read_footage(
            Tracker(model), clip,
            reference=args.reference, every=args.every, most=args.frames or None,
        )  # fmt: skip
        if footage.trusted.any():
            done += [annotate(footage, method, markup=args.points) for method in methods]
    if not done:
        raise InputError("no clip has frames whose reference can be trusted")
    details = {"clips": [_plain(a) for a in done], "points": args.points}
    show(annotation_table(details), args.json, n=len(clips), model=model.name, details=details)
    return 0


def annotation_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out corrected frames per 1,000, a column for each method."""
    done = details["clips"]
    methods = list(dict.fromkeys(a["method"] for a in done))
    rows: list[list[object]] = []
    for clip, found in itertools.groupby(done, key=lambda a: a["clip"]):
        by_method = {a["method"]: a for a in found}
        one = next(iter(by_method.values()))
        cells = [f"{by_method[m]['per_thousand']:.0f}" for m in methods]
        rows.append([clip, one["frames"], one["wrong_before"], *cells])
    medians = [np.median([a["per_thousand"] for a in done if a["method"] == m]) for m in methods]
    rows.append(["median", "", "", *(f"{m:.0f}" for m in medians)])
    return [Table(["clip", "frames", "wrong before", *(f"{m} /1000" for m in methods)], rows)]


def _plain(annotated: Annotated) -> dict[str, object]:
    return {
        "clip": annotated.clip,
        "method": annotated.method,
        "frames": annotated.frames,
        "corrected": annotated.corrected,
        "wrong_before": annotated.wrong_before,
        "per_thousand": annotated.per_thousand,
    }
