"""How far eyes close in the tracks of blinks that a person or another program labelled.

    python benchmarks/openings.py DATA/lips/grid_s1 --labels DATA/actions/grid_s1_blinks.csv

The opening (mean aspect ratio of both eyes) in the frame of a blink's apex, or beside it, over the
clip's 80th percentile. `labels` is what the labels say of this: in GRID another program's opinion,
of eyes that are wholly closed wherever they were looked at.
"""

from __future__ import annotations

import argparse
import csv
import shlex
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from tqdm import tqdm

from facetrack.errors import FacetrackError, InputError
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reporting.envelope import document, write_json
from facetrack.reporting.tables import Table
from facetrack.signals.geometry import eye_openings
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.tracker import Tracker

_OPEN: Final = 80  # percentile of a clip's openings
_BESIDE: Final = 1  # frames: the labels' apex may be one off


def labelled_blinks(labels: Path) -> dict[str, list[tuple[int, float]]]:
    """Read the apexes of blinks, and how open the labels call the eye there, by clip."""
    blinks: dict[str, list[tuple[int, float]]] = defaultdict(list)
    with labels.open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row["label"] == "blink":
                blinks[row["clip"]].append((int(row["apex"]), float(row["openness_at_apex"])))
    if not blinks:
        raise InputError(f"{labels}: no blinks")
    return blinks


def closing(
    model: FaceModel, folder: Path, item: tuple[str, list[tuple[int, float]]]
) -> list[float]:
    """Track a clip and return the opening at each apex over that of the open eye."""
    name, blinks = item
    tracker, openings = Tracker(model), []
    with open_source(folder / f"{name}.mp4") as source:
        for frame in source:
            faces = [face for face in tracker.update(frame) if face.tracked]
            openings.append(np.mean(eye_openings(faces[0])) if faces else np.nan)
    values = np.array(openings)
    usual = np.nanpercentile(values, _OPEN)
    near = (values[max(0, apex - _BESIDE) : apex + _BESIDE + 1] for apex, _ in blinks)
    return [float(np.nanmin(part) / usual) for part in near if np.isfinite(part).any()]


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="clips, NAME.mp4")
    parser.add_argument("--labels", type=Path, required=True, help="a CSV of labelled blinks")
    parser.add_argument("--every", type=int, default=1, help="only each n-th clip")
    parser.add_argument("--model", help="a model's name or file")
    parser.add_argument("--json", type=Path, help="where the figures are written")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    model = load_model(args.model)
    clips = sorted(labelled_blinks(args.labels).items())[:: args.every]
    work = map(partial(closing, model, args.folder), clips)
    ratios = [r for found in tqdm(work, total=len(clips), disable=None) for r in found]
    said = [openness for _, blinks in clips for _, openness in blinks]
    quartiles = (f"{np.percentile(ratios, q):.2f}" for q in (25, 50, 75))
    row = [str(len(clips)), str(len(ratios)), *quartiles, f"{np.median(said):.2f}"]
    table = Table(["clips", "blinks", "first quartile", "median", "third", "labels"], [row])
    sys.stdout.write(table.text() + "\n")
    if args.json:
        command = shlex.join(["python", "benchmarks/openings.py", *sys.argv[1:]])
        details = {"ratios": ratios, "labels": said}
        content = document(command=command, model=model.name, n=len(ratios), details=details)
        write_json(args.json, content)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FacetrackError as error:
        sys.exit(f"error: {error}")
