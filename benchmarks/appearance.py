"""Learn and measure what tells people apart: facetrack/tracking/appearance.npz.

    python benchmarks/appearance.py lfpw_train helen_train afw --clips ytf/train -o appearance.npz

People are known from two kinds of footage: pairs of frames of one clip, NAME_a and NAME_b, and
pictures that are brought to life with known landmarks, from which the model's fits start. Measured
is on a share of the people of each kind that is set aside; what is written was learnt from all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.errors import FacetrackError
from facetrack.evaluation.people import choose_portraits
from facetrack.features.crops import aligned_patch
from facetrack.formats.atomic import atomic_path
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.model import load_model
from facetrack.reporting.tables import Table
from facetrack.synthetic.motion import Amplitudes, Placement
from facetrack.synthetic.portrait import Portrait
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo
from facetrack.tracking.appearance import SIDE, gradients
from facetrack.tracking.face_model import FaceModel
from facetrack.training.appearance import Looks, Separation, learn_whitening, separation

SIZE: Final = (640, 480)
LOOKS: Final = 12  # of each portrait ...
APART: Final = 1.3  # ... in seconds
EVERY: Final = 4  # one person in so many is set aside for the measures


def main(argv: Sequence[str] | None = None) -> int:
    """Learn, measure, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path, help="folders of pictures with .pts")
    parser.add_argument("--clips", type=Path, required=True, help="a folder of NAME_a and NAME_b")
    parser.add_argument("--portraits", type=int, default=300, help="brought to life (default: 300)")
    parser.add_argument("--model", help="a name or a file; default: the one that ships")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    try:
        return run(args)
    except FacetrackError as error:
        print(f"appearance: {error}", file=sys.stderr)
        return 1


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks."""
    model = load_model(args.model)
    pictures = [picture for folder in args.pictures for picture in load_folder(folder)]
    clips = looks_of_clips(load_folder(args.clips), model.shape_model)
    portraits = choose_portraits(pictures, model.shape_model, args.portraits)
    alive = [
        looks_of_portrait(portrait, model, seed)
        for seed, portrait in enumerate(tqdm(portraits, desc="portraits", disable=None))
    ]
    faces = np.stack([look_at(picture, model.shape_model) for picture in pictures])
    kinds = {"frames of a clip": clips, "portraits": alive}
    learnt = learn_whitening([leave_out(people) for people in kinds.values()], faces)
    rows = [
        row(name, separation(people[::EVERY], learnt), len(people[::EVERY]))
        for name, people in kinds.items()
    ]
    print(Table(["set aside", "people", *Separation.__slots__], rows).text())
    if args.output is not None:
        final = learn_whitening(list(kinds.values()), faces)
        with atomic_path(args.output) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, mean=final.mean, matrix=final.matrix.astype(np.float16))
    return 0


def look_at(picture: LabelledImage, shape_model: ShapeModel) -> Looks:
    """Describe one labelled picture."""
    return gradients(aligned_patch(picture.read_grey(), picture.points, shape_model.mean, SIDE))


def looks_of_clips(pictures: Sequence[LabelledImage], shape_model: ShapeModel) -> list[Looks]:
    """Describe pairs of frames."""
    by_name = {picture.name: picture for picture in pictures}
    pairs = [
        (picture, by_name[name[:-2] + "_b"])
        for name, picture in by_name.items()
        if name.endswith("_a") and name[:-2] + "_b" in by_name
    ]
    return [np.stack([look_at(picture, shape_model) for picture in pair]) for pair in pairs]


def looks_of_portrait(portrait: Portrait, model: FaceModel, seed: int) -> Looks:
    """Bring a portrait to life and describe it where the model's fits say that it is."""
    width, height = SIZE
    place = Placement(0.5 * width, 0.45 * height, 0.2 * height)
    motion = Amplitudes(yaw=0.3, pitch=0.15, roll=0.12, travel=0.05)
    face = SyntheticFace(portrait, home=place, amplitudes=motion)
    video = SyntheticVideo(
        model.shape_model, n_frames=LOOKS, size=SIZE, fps=1 / APART, seed=seed, faces=[face]
    )
    looks = []
    for frame in video:
        start = model.shape_model.project(video.truth(frame.index))
        fitted = np.array(model.fit(frame.grey, start).points)
        looks.append(gradients(aligned_patch(frame.grey, fitted, model.shape_model.mean, SIDE)))
    return np.stack(looks)


def leave_out(people: Sequence[Looks]) -> list[Looks]:
    """Drop those who are set aside."""
    return [looks for k, looks in enumerate(people) if k % EVERY]


def row(name: str, measured: Separation, people: int) -> list[object]:
    """Lay out one kind of footage."""
    values = (getattr(measured, field) for field in Separation.__slots__)
    return [name, people, *(f"{value:.3f}" for value in values)]


if __name__ == "__main__":
    sys.exit(main())
