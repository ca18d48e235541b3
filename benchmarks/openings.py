"""How far eyes close and mouths open in tracks, against blinks that are labelled and exact truth.

    python -m benchmarks openings eyes DATA/lips/grid_s1 --labels DATA/actions/grid_s1_blinks.csv
    python -m benchmarks openings mouths DATA/lfpw_test DATA/helen_test

`eyes`: the opening (mean aspect ratio of both eyes) in the frame of a blink's apex, or beside it,
over the clip's 80th percentile. `labels` is what the labels say of this: in GRID another program's
opinion, of eyes that are wholly closed wherever they were looked at. `mouths`: the gap between the
inner lips over the true one, in frames of ten synthetic people, made from the pictures, in which
it is wider than a tenth of the outer-eye distance.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets.pts_folder import load_folder
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip
from facetrack.evaluation.people import synthetic_people
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.openings import INNER_LIPS, opening
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reporting.tables import Quantity, Table
from facetrack.signals.geometry import eye_openings
from facetrack.tracking.tracker import Tracker

_OPEN: Final = 80  # percentile of a clip's openings
_BESIDE: Final = 1  # frames: the labels' apex may be one off
_EYES: Final = (36, 45)
_WIDE: Final = (0.1, 0.2, 0.3, 1.0)  # outer-eye distances that lips are apart

Values = npt.NDArray[np.float64]


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


def mouths(model: FaceModel, clip: Clip) -> Values:
    """Track a clip and return how far the lips are apart in each frame, truly and as tracked."""
    (truth,) = clip.references.values()
    tracker, rows = Tracker(model, max_faces=1), []
    with clip.open() as source:
        for frame, points in zip(source, truth, strict=True):
            faces = [face for face in tracker.update(frame) if face.tracked]
            shapes = [points, faces[0].points if faces else np.full_like(points, np.nan)]
            rows.append([opening(shape.tolist(), INNER_LIPS, _EYES) for shape in shapes])
    return np.array(rows)


def eye_row(args: argparse.Namespace, model: FaceModel) -> tuple[Table, int]:
    """Measure how far eyes close."""
    clips = sorted(labelled_blinks(args.labels).items())[:: args.every]
    work = map(partial(closing, model, args.folders[0]), clips)
    ratios = [r for found in tqdm(work, total=len(clips), disable=None) for r in found]
    said = float(np.median([openness for _, blinks in clips for _, openness in blinks]))
    row = [len(clips), len(ratios), *_quartiles(ratios), Quantity(said, 2)]
    heads = ["clips", "blinks", "first quartile", "median", "third", "labels"]
    return Table(heads, [row]), len(ratios)


def mouth_rows(args: argparse.Namespace, model: FaceModel) -> tuple[Table, int]:
    """Measure how far mouths open, of all people and of each."""
    pictures = [picture for folder in args.folders for picture in load_folder(folder)]
    clips = synthetic_people(pictures, model.shape_model)
    found = {clip.name: mouths(model, clip) for clip in tqdm(clips, desc="people", disable=None)}
    pooled = np.concatenate(list(found.values()))
    groups = {
        f"all, {low:.1f} to {high:.1f}": pooled[(pooled[:, 0] > low) & (pooled[:, 0] <= high)]
        for low, high in pairwise(_WIDE)
    }
    groups |= {name: values[values[:, 0] > _WIDE[0]] for name, values in found.items()}
    rows = [[name, len(v), *_quartiles(v[:, 1] / v[:, 0])] for name, v in groups.items()]
    return Table(["lips apart", "frames", "first quartile", "median", "third"], rows), len(pooled)


def _quartiles(ratios: Sequence[float] | Values) -> list[Quantity]:
    return [Quantity(float(np.nanpercentile(ratios, q)), 2) for q in (25, 50, 75)]


def main() -> int:
    """Run what was asked for."""
    parser = make_parser(__doc__)
    parser.add_argument("what", choices=("eyes", "mouths"))
    parser.add_argument(
        "folders", nargs="+", type=Path, help="of clips, NAME.mp4; or of labelled pictures"
    )
    parser.add_argument("--labels", type=Path, help="a CSV of labelled blinks")
    parser.add_argument("--every", type=int, default=1, help="only each n-th clip")
    parser.add_argument("--model", help="a model's name or file")
    parser.add_argument("--json", type=Path, help="where the figures are written")
    args = parser.parse_args()
    if args.what == "eyes" and args.labels is None:
        parser.error("eyes need --labels")
    cv2.setNumThreads(1)
    model = load_model(args.model)
    table, n = (eye_row if args.what == "eyes" else mouth_rows)(args, model)
    show([table], args.json, n=n, model=model.name)
    return 0
