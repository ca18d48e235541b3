"""Whether an anamorphic clip is tracked as its square twin, and what of the difference is coding.

    python -m benchmarks pixel_aspect CLIP
    python -m benchmarks pixel_aspect SQUARE STORED

Each line compares the tracks of two clips that show the same frames, the second in pixels that are
not square: points in eye distances after the stretch, yaw in degrees. Of a CLIP both are made, for
the sizes of PAL, NTSC and HDV: without loss, so that what is left is the work of the geometry, and
coded. Beside these stands the square one against itself coded: what coding alone moves. A pair that
exists is compared as it is, and with copies without loss: STORED's own pictures stretched to
SQUARE's size, and SQUARE's squeezed to STORED's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reporting.tables import Table
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Image
from facetrack.video.square import stretch_of

Size = tuple[int, int]

_RATE: Final = 25
_QUALITY: Final = 24  # x264's, as good as the stored clip of the cases
# Stored size, a pixel's width by its height, and the size of the square twin.
_KINDS: Final[dict[str, tuple[Size, Fraction, Size]]] = {
    "PAL 16:9": ((720, 576), Fraction(64, 45), (1024, 576)),
    "NTSC 16:9": ((720, 480), Fraction(32, 27), (1280, 720)),
    "HDV 4:3": ((1440, 1080), Fraction(4, 3), (1920, 1080)),
}


class Track(NamedTuple):
    """Points of a clip in square pixels, shape (n, 68, 2), over its width; yaw in degrees."""

    points: npt.NDArray[np.float64]
    yaw: npt.NDArray[np.float64]


def track(model: FaceModel, path: Path) -> Track:
    """Track the one face of a clip; NaN where it is lost."""
    tracker, points, yaw = Tracker(model), [], []
    with open_source(path) as source:
        stretch = stretch_of(source.pixel_aspect)
        width = source.size[0] * stretch.x
        for frame in source:
            face = next((face for face in tracker.update(frame) if face.tracked), None)
            if face is None or face.pose is None:
                points.append(np.full((68, 2), np.nan))
                yaw.append(np.nan)
                continue
            points.append((stretch.square(face.points) + 0.5) / width)
            yaw.append(np.degrees(face.pose.rotation[1]))
    return Track(np.array(points), np.array(yaw))


def written(
    path: Path, source: Path, size: Size, aspect: Fraction, quality: int = 0, *, cut: bool = False
) -> Path:
    """Write a clip's pictures at another size or the same, without loss or at a quality of x264."""
    with open_source(source) as frames, av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=_RATE, options={"crf": str(quality)})
        (stream.width, stream.height), stream.sample_aspect_ratio = size, aspect
        stream.pix_fmt = "yuv420p" if quality else "yuv444p"
        for frame in frames:
            picture = resized(middle(frame.image, size) if cut else frame.image, size)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def middle(image: Image, size: Size) -> Image:
    """Cut the largest part of a size's form out of the middle of a picture."""
    height, width = image.shape[:2]
    wide = min(width, height * size[0] // size[1])
    high = min(height, width * size[1] // size[0])
    x, y = (width - wide) // 2, (height - high) // 2
    return image[y : y + high, x : x + wide]


def resized(image: Image, size: Size) -> Any:
    """Bring a picture to a size: averaged where it shrinks, cubic where it grows."""
    shrinks = size[0] < image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def compared(name: str, one: Track, other: Track) -> list[object]:
    """Compare two tracks."""
    lost = int(np.isnan(one.yaw).sum()), int(np.isnan(other.yaw).sum())
    eyes = outer_eye_distance(one.points)
    apart = 100 * np.linalg.norm(one.points - other.points, axis=2).mean(axis=1) / eyes
    turns = np.abs(one.yaw - other.yaw)
    return [
        name, f"{np.nanmean(apart):.2f}", f"{np.nanmax(apart):.2f}",
        f"{np.nanmean(turns):.2f}", f"{np.nanmax(turns):.2f}", f"{lost[0]}, {lost[1]}",
    ]  # fmt: skip


def made(model: FaceModel, clip: Path, place: Path) -> Iterator[list[object]]:
    """Compare twins of a clip, kind by kind."""
    for kind, (stored, aspect, size) in _KINDS.items():
        one = Fraction(1)
        square = written(place / "square.mp4", clip, size, one, cut=True)
        clips = {
            "square": square,
            "stored": written(place / "stored.mp4", square, stored, aspect),
            "square, coded": written(place / "square_coded.mp4", square, size, one, _QUALITY),
            "stored, coded": written(place / "coded.mp4", square, stored, aspect, _QUALITY),
        }
        tracks = {name: track(model, path) for name, path in clips.items()}
        yield compared(f"{kind}, without loss", tracks["square"], tracks["stored"])
        yield compared(f"{kind}, both coded", tracks["square, coded"], tracks["stored, coded"])
        yield compared(
            f"{kind}, the square one and itself coded", tracks["square"], tracks["square, coded"]
        )


def given(model: FaceModel, square: Path, stored: Path, place: Path) -> Iterator[list[object]]:
    """Compare a pair that exists, and copies of it without loss."""
    with open_source(square) as a, open_source(stored) as b:
        size, narrow = a.size, b.size
        aspect = Fraction(b.pixel_aspect).limit_denominator(255)
    clips = {
        "square": square,
        "stored": stored,
        "stored, stretched": written(place / "a.mp4", stored, size, Fraction(1)),
        "square, squeezed": written(place / "b.mp4", square, narrow, aspect),
        "square, coded again": written(place / "c.mp4", square, size, Fraction(1), _QUALITY),
    }
    tracks = {name: track(model, path) for name, path in clips.items()}
    pairs = {
        "both as they are": ("square", "stored"),
        "the same pictures, those of the stored clip": ("stored, stretched", "stored"),
        "the same pictures, those of the square clip": ("square", "square, squeezed"),
        "square pixels both, coding differs": ("square", "stored, stretched"),
        "stored pixels both, coding differs": ("square, squeezed", "stored"),
        "square pixels both, coded once more": ("square", "square, coded again"),
    }
    for name, (one, other) in pairs.items():
        yield compared(name, tracks[one], tracks[other])


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = make_parser(__doc__)
    parser.add_argument("square", type=Path, metavar="CLIP")
    parser.add_argument("stored", type=Path, nargs="?", help="the anamorphic twin; else made")
    parser.add_argument("--model", default="default")
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args(arguments)
    model = load_model(chosen.model)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if chosen.stored is None:
            rows = list(made(model, chosen.square, place))
        else:
            rows = list(given(model, chosen.square, chosen.stored, place))
    head = ["", "points %", "most", "yaw deg", "most", "lost"]
    show([Table(head, rows)], chosen.json, n=len(rows), model=model.name)
    return 0
