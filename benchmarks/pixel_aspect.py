"""Whether an anamorphic clip is tracked as its square twin, and what of the difference is coding.

    python benchmarks/pixel_aspect.py SQUARE STORED

SQUARE and STORED show the same frames, the second in pixels that are not square. Each line compares
the tracks of two clips: points in eye distances after the stretch, yaw in degrees. Besides both
clips as they are, copies without loss are tracked: STORED's own pictures stretched to SQUARE's
size, and SQUARE's squeezed to STORED's. Where two clips show the same decoded pictures, what is
left is the work of the geometry; where only the coding differs, it is that of the coding.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt
from showing import show

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reporting.tables import Table
from facetrack.tracking.face_model import FaceModel
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Image
from facetrack.video.square import stretch_of

_RATE: Final = 25
_QUALITY: Final = 24  # x264's, as good as the stored clip of the cases


class Track(NamedTuple):
    """Points of a clip in square pixels, shape (n, 68, 2), over its width; yaw in degrees."""

    points: npt.NDArray[np.float64]
    yaw: npt.NDArray[np.float64]


def track(model: FaceModel, path: Path) -> Track:
    """Track the one face of a clip; NaN where it is lost."""
    tracker, points, yaw = Tracker(model), [], []
    with open_source(path) as source:
        stretch = stretch_of(source.pixel_aspect)
        width = stretch.size(source.size)[0]
        for frame in source:
            face = next((face for face in tracker.update(frame) if face.tracked), None)
            if face is None or face.pose is None:
                points.append(np.full((68, 2), np.nan))
                yaw.append(np.nan)
                continue
            points.append(stretch.square(face.points) / width)
            yaw.append(np.degrees(face.pose.rotation[1]))
    return Track(np.array(points), np.array(yaw))


def written(
    path: Path, source: Path, size: tuple[int, int], aspect: Fraction, quality: int = 0
) -> Path:
    """Write a clip's pictures at another size or the same, without loss or at a quality of x264."""
    with open_source(source) as frames, av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=_RATE, options={"crf": str(quality)})
        (stream.width, stream.height), stream.sample_aspect_ratio = size, aspect
        stream.pix_fmt = "yuv420p" if quality else "yuv444p"
        for frame in frames:
            picture = resized(frame.image, size)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def resized(image: Image, size: tuple[int, int]) -> Any:
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


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("square", type=Path)
    parser.add_argument("stored", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args(arguments)
    model = load_model(chosen.model)
    with open_source(chosen.square) as a, open_source(chosen.stored) as b:
        size, stored = a.size, b.size
        aspect = Fraction(b.pixel_aspect).limit_denominator(255)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        clips = {
            "square": chosen.square,
            "stored": chosen.stored,
            "stored, stretched": written(place / "a.mp4", chosen.stored, size, Fraction(1)),
            "square, squeezed": written(place / "b.mp4", chosen.square, stored, aspect),
            "square, coded again": written(
                place / "c.mp4", chosen.square, size, Fraction(1), _QUALITY
            ),
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
    head = ["", "points %", "most", "yaw deg", "most", "lost"]
    table = Table(head, [compared(n, tracks[a], tracks[b]) for n, (a, b) in pairs.items()])
    show([table], chosen.json, n=len(tracks), model=model.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
