"""What single signals cost in one thread, beside the tracker's update in the same run.

    python -m benchmarks signal_cost VIDEO --signals pain
    python -m benchmarks signal_cost VIDEO --signals lips --words lips

Words are read in two parts: each frame is looked at once, and once a pause has come the stretch of
speech is read; so beside the median stand the mean, which holds both, and the longest frame.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.lips.signal import with_words
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reporting.tables import Quantity, Table
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.registry import choose
from facetrack.tracking.tracker import Tracker

_WARM: Final = 30  # frames that do not count


def spent(args: argparse.Namespace) -> dict[str, list[float]]:
    """Time tracker and signals, milliseconds by frame."""
    model, choice = load_model(), choose(args.signals)
    tracker = Tracker(model, max_faces=1)
    pipeline = Pipeline(with_words(choice, args.words) if args.words else choice)
    found: dict[str, list[float]] = {"tracker": [], args.signals: []}
    with open_source(args.video) as source:
        for frame in source:
            frame.grey  # noqa: B018 - converted once, for both
            begin = time.perf_counter()
            faces = tracker.update(frame)
            between = time.perf_counter()
            pipeline.update(frame, faces)
            end = time.perf_counter()
            if frame.index >= _WARM:
                found["tracker"].append(1e3 * (between - begin))
                found[args.signals].append(1e3 * (end - between))
    return found


def main() -> int:
    """Measure and show."""
    parser = make_parser(__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--signals", required=True, metavar="NAMES")
    parser.add_argument("--words", default="", metavar="NAME|FILE", help="as `facetrack track`")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    found = spent(args)
    rows = []
    for name, ms in found.items():
        told = (*np.percentile(ms, (50, 95)), np.mean(ms), max(ms))
        rows.append([name, *(Quantity(float(value), 2) for value in told)])
    table = Table(["ms a frame, one thread", "p50", "p95", "mean", "longest"], rows)
    show([table], args.json, n=len(found["tracker"]), details={"milliseconds": found})
    return 0
