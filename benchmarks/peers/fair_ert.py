"""Train a fair baseline: dlib's ensemble of regression trees, on the images we train on.

    python -m benchmarks fair_ert lfpw_train helen_train afw -o ert.dat

`--ert ert.dat` then puts it beside a model in `facetrack evaluate` and in the benchmarks of speed
and of peers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import dlib
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.command import make_parser
from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.errors import InputError
from facetrack.evaluation.peers import HogDetector, Image
from facetrack.formats.atomic import atomic_path
from facetrack.landmarks.markup import mirror
from facetrack.training.pictures import set_aside
from facetrack.training.w300vw import refuse_test_folder

_MARGIN = 0.4  # of the face's size: the trees look hardly outside the face


def main() -> int:
    """Train and write the file."""
    parser = make_parser(__doc__)
    parser.add_argument("pictures", nargs="+", type=Path, help="folders of NAME.jpg and NAME.pts")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.dat")
    parser.add_argument(
        "--set-aside",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of the pictures, chosen as `facetrack train` chooses them",
    )
    args = parser.parse_args()
    for folder in args.pictures:
        refuse_test_folder(folder)
    images = [image for folder in args.pictures for image in load_folder(folder)]
    kept, _ = set_aside(images, args.set_aside)
    train_ert(kept, args.output, progress=lambda items: tqdm(list(items), desc="reading"))
    return 0


@dataclass(frozen=True, slots=True)
class ErtSettings:
    """Settings of dlib's trainer; the defaults are those of dlib's public 68-point model.

    Its author names dlib's C++ defaults with a few differences that he did not keep; 15 levels
    of 500 trees of depth 4 agree with the size of its file.
    """

    cascade_depth: int = 15
    trees_per_level: int = 500
    tree_depth: int = 4
    oversampling: int = 20
    feature_pool: int = 400
    test_splits: int = 20
    nu: float = 0.1
    regularisation: float = 0.1

    def options(self) -> dlib.shape_predictor_training_options:
        """Return what dlib's trainer takes."""
        options = dlib.shape_predictor_training_options()
        options.cascade_depth = self.cascade_depth
        options.num_trees_per_cascade_level = self.trees_per_level
        options.tree_depth = self.tree_depth
        options.oversampling_amount = self.oversampling
        options.feature_pool_size = self.feature_pool
        options.num_test_splits = self.test_splits
        options.nu = self.nu
        options.lambda_param = self.regularisation
        options.num_threads = 1
        options.random_seed = "facetrack"
        options.be_verbose = False
        return options


@dataclass(frozen=True, slots=True)
class _Example:
    """One face for the trainer: an enlarged grey crop, its box and points in the crop's pixels."""

    image: Image
    box: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]


def train_ert(
    images: Sequence[LabelledImage],
    path: Path,
    *,
    settings: ErtSettings | None = None,
    progress: Callable[[Iterable[LabelledImage]], Iterable[LabelledImage]] = iter,
) -> None:
    """Train dlib's trees on labelled images and their mirror images.

    Parameters
    ----------
    images : sequence of LabelledImage
        The images that our own model is trained on.
    path : Path
        Where the `.dat` file goes.
    settings : ErtSettings, optional
        dlib's public settings if not given.
    progress : callable
        Wraps the images while their boxes are searched, such as `tqdm`.

    Raises
    ------
    InputError
        If there is no image, or dlib's detector finds none of the faces.
    OutputError
        If the file cannot be written.

    Notes
    -----
    The boxes are those of dlib's detector, as at test time; where it is silent or finds something
    else, a box lies around the points as the others do on the median. dlib's trainer takes whole
    pixels only, so all pictures are enlarged two times.
    """
    if not len(images):
        raise InputError("there is no image to train the trees on")
    examples = _examples(progress(images))
    crops = [e.image for e in examples]
    objects = [[_detection(e)] for e in examples]
    with atomic_path(path) as temporary:
        predictor = dlib.train_shape_predictor(
            crops, objects, (settings or ErtSettings()).options()
        )
        predictor.save(str(temporary))


def _examples(images: Iterable[LabelledImage]) -> list[_Example]:
    detector = HogDetector()
    faces, boxes = [], []
    for labelled in images:
        image = labelled.read_bgr()
        flipped = np.ascontiguousarray(image[:, ::-1])
        for picture, points in (
            (image, labelled.points),
            (flipped, mirror(labelled.points, image.shape[1])),
        ):
            found = [b for b in detector.boxes(picture) if _overlap(b, points) > 0.3]
            box = max(found, key=lambda b: _overlap(b, points), default=None)
            crop, origin = _crop(picture, points)
            faces.append((crop, 2 * (points - origin) + 0.5))
            boxes.append(None if box is None else 2 * (np.array(box).reshape(2, 2) - origin) + 0.5)
    relation = _median_relation([p for _, p in faces], boxes)
    return [
        _Example(crop, box if box is not None else _place(relation, points), points)
        for (crop, points), box in zip(faces, boxes, strict=True)
    ]


def _crop(image: Image, points: npt.NDArray[np.float64]) -> tuple[Image, npt.NDArray[np.float64]]:
    """Cut the face out with some margin, grey and enlarged two times; also the cut's origin."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * (high - low)
    size = np.array(image.shape[1::-1])
    x0, y0 = np.clip(np.floor(low - margin).astype(int), 0, size - 2)
    x1, y1 = np.clip(np.ceil(high + margin).astype(int), (x0 + 2, y0 + 2), size)
    grey = cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
    large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, dtype=np.uint8), np.array([x0, y0], dtype=np.float64)


def _overlap(box: Sequence[float], points: npt.NDArray[np.float64]) -> float:
    """Intersection over union of a box and the box of the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    b = np.asarray(box, dtype=np.float64)
    common = np.maximum(np.minimum(b[2:], high) - np.maximum(b[:2], low), 0).prod()
    union = (b[2:] - b[:2]).prod() + (high - low).prod() - common
    return float(common / union)


def _median_relation(
    points: Sequence[npt.NDArray[np.float64]], boxes: Sequence[npt.NDArray[np.float64] | None]
) -> npt.NDArray[np.float64]:
    """Median corners of the detector's boxes in the frame of the landmarks' boxes."""
    relations = []
    for p, box in zip(points, boxes, strict=True):
        if box is not None:
            low, width = p.min(axis=0), np.ptp(p[:, 0])
            relations.append((box - low) / width)
    if not relations:
        raise InputError("dlib's detector finds none of the faces; are the labels right?")
    return np.asarray(np.median(relations, axis=0), dtype=np.float64)


def _place(
    relation: npt.NDArray[np.float64], points: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    corners: npt.NDArray[np.float64] = points.min(axis=0) + relation * np.ptp(points[:, 0])
    return corners


def _detection(example: _Example) -> dlib.full_object_detection:
    rectangle = dlib.rectangle(*(round(float(v)) for v in example.box.ravel()))
    whole = np.round(example.points).astype(int)
    return dlib.full_object_detection(rectangle, [dlib.point(int(x), int(y)) for x, y in whole])
