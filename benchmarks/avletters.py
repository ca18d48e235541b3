"""Letters of AVLetters: takes 1-2 against 3, each talker left out, and enrolled by two takes.

    python -m benchmarks avletters DATA/lips/avletters --work runs --json avletters.json

Trains eleven networks by the recipe, one after the other (each is taken up if interrupted), and
scores each on its test part. A talker who was left out then enrols: the first two takes of every
letter, the third tests, for all letters and for ten random sets of five, by the network's trunk
and by warping of pixels and of the mouth's shape: the data set has no landmarks, so that is area,
height and width of what is darkest in the middle of the mouth.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.evaluation.isolated_words import score_isolated
from facetrack.evaluation.lip_words import nearest_by, score_takes
from facetrack.fitting.face_model import FaceModel
from facetrack.lips.clips import LipClip
from facetrack.lips.datasets import DATASETS, Item
from facetrack.lips.enrol import Take, enrol, take_of_part
from facetrack.lips.preparing import Prepared, prepare
from facetrack.lips.reader import LipReader, load_reader
from facetrack.lips.train.export import write_run
from facetrack.lips.train.run import start
from facetrack.model import load_model
from facetrack.reporting.tables import Part, Table

_SETS: Final = 10  # of letters
_LETTERS: Final = 5  # in each
_DARK: Final = 10.0  # percentile of a clip's grey levels below which it is the open mouth
_SHAPES: Final = "warped mouth shapes"

Takes = Mapping[tuple[str, int], tuple[Take, Take]]  # what is seen of it, and its shape in place


def mouth_shape(clip: LipClip) -> npt.NDArray[np.float32]:
    """Return area, height and width of the dark of a mouth in each frame, in deviations."""
    middle = clip.pixels[:, 24:72, 16:80]
    dark = middle < np.percentile(middle, _DARK)
    shape = np.stack(
        [dark.sum(axis=(1, 2)), dark.any(axis=2).sum(axis=1), dark.any(axis=1).sum(axis=1)], axis=1
    )
    found: npt.NDArray[np.float32] = (shape - shape.mean(axis=0)) / (shape.std(axis=0) + 1)
    return found.astype(np.float32)


def seen_takes(reader: LipReader, items: Sequence[Item], crops: Path) -> Takes:
    """Look at every take of a talker."""
    found = {}
    for item, one in zip(items, Prepared(items, crops, hold=False), strict=True):
        letter, _, number = item.key.partition("/")[2].partition("_")
        take = take_of_part(one.clip, reader.features(one.clip))
        found[letter, int(number)] = take, Take(take.seen, mouth_shape(one.clip), take.pixels)
    return found


def enrolled(takes: Takes, letters: Sequence[str], reader: str) -> dict[str, float]:
    """Return the share of third takes that is right by each way, after two takes of each letter."""
    known = [key for key in takes if key[0] in letters and key[1] < 3]
    tested = [key for key in takes if key[0] in letters and key[1] == 3]
    words = enrol([(key[0], takes[key][0]) for key in known], reader)
    right = dict(score_takes(words, [(key[0], takes[key][0]) for key in tested])["systems"])
    shapes = enrol([(key[0], takes[key][1]) for key in known], reader)
    found = [nearest_by(shapes, takes[key][1], "points") == key[0] for key in tested]
    return {**right, _SHAPES: float(np.mean(found))}


def trained(args: argparse.Namespace, data: str, model: FaceModel) -> Path:
    """Train a network, or take up what was interrupted, and write its model."""
    work: Path = args.work / data
    path = work / "reader.npz"
    if not path.is_file():
        start(args.recipe, args.root, work, model=model, data=data, crops=args.work / "crops",
              threads=args.threads, say=tqdm.write)  # fmt: skip
        write_run(work, path, mean=model.shape_model.mean, terms="research only: AVLetters")
    return path


def scored(args: argparse.Namespace, data: str, model: FaceModel) -> dict[str, Any]:
    """Train and score on one division of the data; a talker left out also enrols."""
    path, crops = trained(args, data, model), args.work / "crops"
    items = prepare(
        DATASETS[data](args.root, tell=tqdm.write), crops, model=model, mean=model.shape_model.mean
    )
    details = score_isolated(items, crops, data=data, reader=str(path))
    if data == "avletters":
        return details
    reader = load_reader(path)
    takes = seen_takes(reader, [item for item in items if item.part == "test"], crops)
    letters = sorted({letter for letter, _ in takes})
    rng = np.random.default_rng(0)
    few = min(_LETTERS, len(letters))
    sets = [rng.choice(letters, few, replace=False).tolist() for _ in range(_SETS)]
    rights = [enrolled(takes, chosen, reader.version) for chosen in sets]
    details["enrolled"] = enrolled(takes, letters, reader.version)
    details["enrolled_few"] = {
        name: float(np.mean([right[name] for right in rights])) for name in rights[0]
    }
    return details


def laid_out(found: Mapping[str, Mapping[str, Any]]) -> list[Part]:
    """Lay out the accuracies, and their spread over the talkers who were left out."""
    parts: list[Part] = []
    if "avletters" in found:
        whole = found["avletters"]
        parts.append(f"Takes 1 and 2 against 3: {whole['accuracy']:.3f} of {whole['clips']}.")
    folds = {name: one for name, one in found.items() if name != "avletters"}
    if folds:
        every = [one["accuracy"] for one in folds.values()]
        rows = [[name.rpartition("-")[2], one["accuracy"]] for name, one in folds.items()]
        parts += [f"One talker left out: {np.mean(every):.3f}, from {min(every):.3f} to "
                  f"{max(every):.3f}, deviation {np.std(every):.3f}.",
                  "", Table(["left out", "right"], rows), ""]  # fmt: skip
        rows = [
            [name, *(float(np.mean([one[key][name] for one in folds.values()]))
                     for key in ("enrolled", "enrolled_few"))]
            for name in next(iter(folds.values()))["enrolled"]
        ]  # fmt: skip
        parts.append(Table(["enrolled by two takes", "all letters", "sets of five"], rows))
    return parts


def main() -> int:
    """Train, score and show."""
    parser = make_parser(__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--recipe", default="avletters", metavar="NAME|FILE.toml")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="`avletters`, `avletters-t01`")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    names = args.only or [name for name in DATASETS if name.startswith("avletters")]
    model = load_model()
    found = {name: scored(args, name, model) for name in names}
    clips = sum(one["clips"] for one in found.values())
    show(laid_out(found), args.json, n=clips, details={"divisions": found})
    return 0
