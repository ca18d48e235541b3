"""Whether faces are found, and only faces: pictures made worse, faceless patches, crowds.

    python -m benchmarks detection recall DATA/lfpw_test DATA/helen_test --json recall.json
    python -m benchmarks detection false DATA/lfpw_train DATA/helen_train --pictures FOLDER
    python -m benchmarks detection crowds DATA/lfpw_train --json crowds.json

A face is found where the first fit is believed that starts from what the detector says, as in a
tracker. `--detector dlib` measures dlib's templates alone. Patches are squares of labelled pictures
beside the labelled face; `--pictures` adds a folder of pictures without faces. Dark and light skin
are told apart by the individual typology angle of both cheeks (dark: below 19 degrees), which light
and camera change as well as skin.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.detection.detections import Finds
from facetrack.detection.face_detector import FaceDetector
from facetrack.detection.hog import HogDetector
from facetrack.errors import InputError
from facetrack.features.pixels import Box, Image, agreement, box_of, overlap
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.picture import SUFFIXES, read_bgr
from facetrack.model import load_model
from facetrack.reporting.tables import Table
from facetrack.tracking.search import confirm

WORDS: Final = {
    "recall": (
        "Found, % of pictures. Dimmed to a quarter; blurred by a Gaussian of 4 % of the face's "
        "width; the face 40 px wide; turned in the picture, degrees. Dark skin: individual "
        "typology angle of the cheeks below 19 degrees, which light and camera change as well as "
        "skin. ms: median of a search with its fits."
    ),
    "false": "Patches beside the labelled faces, enlarged three times.",
    "crowds": (
        "5 to 30 faces of 40 to 300 px in a picture. What is found elsewhere are other people's "
        "faces in the pasted pictures, cut by their border."
    ),
}

Points = npt.NDArray[np.float64]
Worse = Callable[[Image, Points], tuple[Image, Points]]

_DARK: Final = 19.0  # degrees of the typology angle
_MANY: Final = 60  # faces that are asked for
_PATCHES: Final = 300
_PATCH: Final = 40  # px, at least
_CROWDS: Final = 20
_CROWD_SIZES: Final = ((1920, 1080), (3840, 2160))
_FACE_WIDTHS: Final = (40.0, 300.0)  # px
_AROUND: Final = 0.5  # of a face's size, pasted with it
_MISPLACED: Final = 0.25  # agreement of boxes that is no longer this face


def as_it_is(image: Image, points: Points) -> tuple[Image, Points]:
    """Leave a picture alone."""
    return image, points


def dimmed(image: Image, points: Points) -> tuple[Image, Points]:
    """Leave a quarter of the light."""
    return (image // 4).astype(np.uint8), points


def blurred(image: Image, points: Points) -> tuple[Image, Points]:
    """Blur by a Gaussian of 4 % of the face's width."""
    sigma = 0.04 * float(np.ptp(points[:, 0]))
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8, copy=False), points


def shrunk(image: Image, points: Points) -> tuple[Image, Points]:
    """Make the face 40 px wide, in a picture of its old size."""
    factor = 40 / float(np.ptp(points[:, 0]))
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    border = [max(0, (a - b) // 2) for a, b in zip(image.shape[:2], size[::-1], strict=True)]
    framed = cv2.copyMakeBorder(
        small, border[0], border[0], border[1], border[1], cv2.BORDER_REPLICATE
    )
    scale = np.array(size) / (image.shape[1], image.shape[0])
    return framed.astype(np.uint8, copy=False), (points + 0.5) * scale - 0.5 + border[::-1]


def turned(degrees: float) -> Worse:
    """Turn pictures around their middle, in a frame that holds all of them."""

    def turn(image: Image, points: Points) -> tuple[Image, Points]:
        height, width = image.shape[:2]
        side = round(float(np.hypot(height, width)))
        middle = ((width - 1) / 2, (height - 1) / 2)
        matrix = np.array(cv2.getRotationMatrix2D(middle, -degrees, 1.0), dtype=np.float64)
        matrix[:, 2] += (side - 1) / 2 - np.array(middle)
        framed = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
        return framed.astype(np.uint8, copy=False), points @ matrix[:, :2].T + matrix[:, 2]

    return turn


VARIANTS: Final[dict[str, Worse]] = {
    "upright": as_it_is,
    "dimmed": dimmed,
    "blurred": blurred,
    "40 px": shrunk,
    "turned 30": turned(30),
    "turned 90": turned(90),
    "turned 180": turned(180),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One picture in one variant."""

    folder: str
    name: str
    variant: str
    dark: bool
    found: bool
    milliseconds: float


def typology(image: Image, points: Points) -> float:
    """Return the individual typology angle of the cheeks, degrees; small for dark skin."""
    eyes, mouth = points[36:48], points[48:60]
    size = max(2, round(float(np.ptp(eyes[:, 0])) / 10))
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    values = []
    for eye, corner in ((eyes[:6], mouth[0]), (eyes[6:], mouth[6])):
        x, y = np.rint((eye.mean(axis=0) + corner) / 2).astype(int).tolist()
        patch = lab[max(0, y - size) : y + size, max(0, x - size) : x + size]
        values.append(patch.reshape(-1, 3))
    lightness, _, blue = np.median(np.concatenate(values), axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, blue)))


def _fitted(model: FaceModel, detector: Finds, image: Image, most: int) -> list[Box]:
    """Return the boxes of the faces that a tracker would begin with."""
    found = [d for d in detector.detect(image, wanted=1) if d.plausible]
    return [box_of(fit.points) for fit in confirm(model, image, found, (), most)]


def recall(
    model: FaceModel, detector: Finds, folder: str, images: Sequence[LabelledImage]
) -> list[Found]:
    """Search every picture in every variant."""
    results = []
    for labelled in tqdm(images, desc=folder, disable=None):
        image, points = labelled.read_bgr(), np.asarray(labelled.points)
        dark = typology(image, points) < _DARK
        for variant, worse in VARIANTS.items():
            picture, truth = worse(image, points)
            begun = time.perf_counter()
            boxes = _fitted(model, detector, picture, 4)
            spent = 1e3 * (time.perf_counter() - begun)
            found = any(agreement(box, box_of(truth)) > _MISPLACED for box in boxes)
            results.append(Found(folder, labelled.name, variant, dark, found, spent))
    return results


def recall_table(results: Sequence[Found]) -> Table:
    """Show the share of faces that are found."""
    rows = []
    for folder in dict.fromkeys(r.folder for r in results):
        for who, chosen in (("all", (True, False)), ("dark", (True,)), ("light", (False,))):
            own = [r for r in results if r.folder == folder and r.dark in chosen]
            cells = [_share([r.found for r in own if r.variant == v]) for v in VARIANTS]
            pictures = len(own) // len(VARIANTS)
            time_ = f"{np.median([r.milliseconds for r in own]):.0f}" if own else ""
            rows.append([folder, f"{who} ({pictures})", *cells, time_])
    return Table(["folder", "skin", *VARIANTS, "ms"], rows)


def _share(found: Sequence[bool]) -> str:
    return f"{100 * np.mean(found):.1f}" if found else "-"


def patches(images: Sequence[LabelledImage], count: int, rng: np.random.Generator) -> list[Image]:
    """Cut squares out of pictures, beside the labelled face, and enlarge them three times."""
    cut: list[Image] = []
    for _ in range(1000 * count):
        labelled = images[int(rng.integers(len(images)))]
        image = labelled.read_bgr()
        largest = min(image.shape[:2]) // 2
        if largest <= _PATCH:
            continue
        side = int(rng.integers(_PATCH, largest))
        x, y = (int(rng.integers(0, s - side)) for s in (image.shape[1], image.shape[0]))
        if overlap((x, y, x + side, y + side), _whole(np.asarray(labelled.points))) < 0.05:
            patch = image[y : y + side, x : x + side]
            cut.append(np.asarray(cv2.resize(patch, None, fx=3, fy=3), dtype=np.uint8))
        if len(cut) == count:
            return cut
    raise InputError(f"only {len(cut)} of {count} patches lie beside faces; name more pictures")


def _whole(points: Points) -> Box:
    """Bound a whole head around its landmarks."""
    x0, y0, x1, y1 = box_of(points)
    width, height = x1 - x0, y1 - y0
    return x0 - 0.2 * width, y0 - 0.5 * height, x1 + 0.2 * width, y1 + 0.1 * height


def false_alarms(model: FaceModel, detector: Finds, pictures: Sequence[Image]) -> list[list[Box]]:
    """Return the faces that are believed in each picture without a face."""
    return [_fitted(model, detector, p, 4) for p in tqdm(pictures, desc="faceless", disable=None)]


def crowd(
    images: Sequence[LabelledImage], size: tuple[int, int], rng: np.random.Generator
) -> tuple[Image, list[Box]]:
    """Put 5 to 30 faces into one picture, apart from each other."""
    width, height = size
    canvas = cv2.resize(
        rng.integers(90, 160, (9, 16, 3), dtype=np.uint8), size, interpolation=cv2.INTER_CUBIC
    ).astype(np.uint8, copy=False)
    boxes: list[Box] = []
    places: list[Box] = []
    wanted = int(rng.integers(5, 31))
    for _ in range(50 * wanted):
        labelled = images[int(rng.integers(len(images)))]
        image, (x0, y0, x1, y1) = labelled.read_bgr(), box_of(np.asarray(labelled.points))
        across = float(np.exp(rng.uniform(*np.log(_FACE_WIDTHS))))
        left, top = max(0, int(x0 - _AROUND * (x1 - x0))), max(0, int(y0 - _AROUND * (y1 - y0)))
        part = image[top : int(y1 + _AROUND / 2 * (y1 - y0)), left : int(x1 + _AROUND * (x1 - x0))]
        factor = across / (x1 - x0)
        small = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        h, w = small.shape[:2]
        if w >= width or h >= height:
            continue
        x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
        place = (float(x), float(y), float(x + w), float(y + h))
        if any(overlap(place, other) > 0 for other in places):
            continue
        canvas[y : y + h, x : x + w] = small
        places.append(place)
        corner = np.array([x, y]) - factor * np.array([left, top])
        boxes.append(box_of(corner + factor * np.array([[x0, y0], [x1, y1]])))
        if len(boxes) == wanted:
            break
    return canvas, boxes


def crowds(
    model: FaceModel, detector: Finds, images: Sequence[LabelledImage], count: int
) -> list[dict[str, Any]]:
    """Search pictures of many faces."""
    results = []
    for seed in tqdm(range(count), desc="crowds", disable=None):
        size = _CROWD_SIZES[seed % len(_CROWD_SIZES)]
        picture, truths = crowd(images, size, np.random.default_rng(seed))
        begun = time.perf_counter()
        detections = [d for d in detector.detect(picture, wanted=_MANY) if d.plausible]
        fits = confirm(model, picture, detections, (), _MANY)
        spent = time.perf_counter() - begun
        boxes = [box_of(fit.points) for fit in fits]
        on_face = [sum(agreement(b, t) > _MISPLACED for b in boxes) for t in truths]
        results.append(
            {
                "seed": seed,
                "size": f"{size[0]}x{size[1]}",
                "faces": len(truths),
                "found": sum(n > 0 for n in on_face),
                "double": sum(max(0, n - 1) for n in on_face),
                "elsewhere": len(boxes) - sum(on_face),
                "seconds": spent,
            }
        )
    return results


def crowd_table(results: Sequence[dict[str, Any]]) -> Table:
    """Add the crowds up by size of picture."""
    keys = ("faces", "found", "double", "elsewhere")
    rows = []
    for size in dict.fromkeys(r["size"] for r in results):
        own = [r for r in results if r["size"] == size]
        seconds = f"{np.mean([r['seconds'] for r in own]):.1f}"
        rows.append([size, str(len(own)), *(str(sum(r[k] for r in own)) for k in keys), seconds])
    return Table(["picture", "pictures", *keys, "seconds each"], rows)


def _arguments() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument("what", choices=("recall", "false", "crowds"))
    parser.add_argument("folders", nargs="+", type=Path, help="labelled pictures")
    parser.add_argument("--detector", choices=("both", "dlib"), default="both")
    parser.add_argument("--every", type=int, default=1, help="only each n-th picture")
    parser.add_argument("--count", type=int, help="patches, or crowds")
    parser.add_argument("--pictures", type=Path, help="a folder of pictures without faces")
    parser.add_argument("--keep", type=Path, help="a folder for patches that are taken for faces")
    parser.add_argument("--model", help="a model's name or file")
    parser.add_argument("--json", type=Path, help="where the figures are written")
    return parser.parse_args()


def _keep(folder: Path, number: int, picture: Image, boxes: Sequence[Box]) -> None:
    """Write a picture with what was taken for a face, to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = np.ascontiguousarray(picture)
    for box in boxes:
        x0, y0, x1, y1 = np.rint(box).astype(int).tolist()
        cv2.rectangle(drawn, (x0, y0), (x1, y1), (0, 255, 255))
    cv2.imwrite(str(folder / f"{number:03}.png"), drawn)


def _named(folder: Path) -> str:
    """Name a folder; the parts of a data set by both names."""
    return f"{folder.parent.name}/{folder.name}" if folder.name == "test" else folder.name


def main() -> int:
    """Run what was asked for."""
    args = _arguments()
    cv2.setNumThreads(1)
    model = load_model(args.model)
    detector: Finds = HogDetector() if args.detector == "dlib" else FaceDetector()
    by_folder = {_named(folder): load_folder(folder)[:: args.every] for folder in args.folders}
    together = [labelled for images in by_folder.values() for labelled in images]
    data: dict[str, Any]
    if args.what == "recall":
        found = [
            r for name, images in by_folder.items() for r in recall(model, detector, name, images)
        ]
        table, data = recall_table(found), {"pictures": [asdict(r) for r in found]}
    elif args.what == "false":
        pictures = patches(together, args.count or _PATCHES, np.random.default_rng(0))
        if args.pictures:
            paths = sorted(p for p in args.pictures.iterdir() if p.suffix.lower() in SUFFIXES)
            pictures += [read_bgr(path) for path in paths]
        believed = false_alarms(model, detector, pictures)
        for number, boxes in enumerate(believed):
            if boxes and args.keep:
                _keep(args.keep, number, pictures[number], boxes)
        row = [str(len(pictures)), str(sum(map(bool, believed)))]
        table = Table(["pictures", "taken for a face"], [row])
        data = {"pictures": len(pictures), "false": sum(map(bool, believed))}
    else:
        groups = crowds(model, detector, together, args.count or _CROWDS)
        table, data = crowd_table(groups), {"crowds": groups}
    show([WORDS[args.what], table], args.json, n=len(together), model=model.name, details=data)
    return 0
