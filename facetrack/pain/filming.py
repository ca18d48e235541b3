"""One film of a synthetic person: pictures, labels and landmarks as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance, to_markup
from facetrack.pain.archive_folders import KINDS, frame_name
from facetrack.pain.pspi import pspi
from facetrack.pain.script import labels, write_script
from facetrack.synthetic.actor import Actor
from facetrack.synthetic.dynamics import curves
from facetrack.synthetic.portrait import Portrait
from facetrack.tracking.tracker import Tracker

Points = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

_JITTER, _CORRELATION, _GROSS = 0.008, 0.7, 0.01
_FAR: Final = 0.12  # outer-eye distances: how far a gross error carries the face
_COMPRESSION: Final = 1  # of PNG files: larger than the best, and many times as fast


@dataclass(frozen=True, slots=True)
class Film:
    """What a film is like."""

    name: str
    frames: int
    frame_rate: float
    size: tuple[int, int]  # width, height in pixels
    person: tuple[int, ...]  # seed of how the person looks and moves
    script: tuple[int, ...]  # seed of what happens
    tracked: bool  # landmarks are the tracker's; otherwise the true ones with its jitter


def shoot(film: Film, portrait: Portrait, model: FaceModel, folder: Path) -> dict[str, Any]:
    """Make a film's files in a folder for each of `archive_folders.KINDS`; say what happens."""
    # Where the tracker loses the face, the file of landmarks is missing. `tightest` is the smallest
    # determinant of a warp's Jacobian, which folds below 0.
    rng = np.random.default_rng(film.script)
    times = np.arange(film.frames) / film.frame_rate
    moves = write_script(rng, film.frames / film.frame_rate)
    own = np.random.default_rng(film.person)
    actor = Actor.drawn(own, portrait, model.shape_model, size=film.size)
    tracker = Tracker(model, max_faces=1) if film.tracked else None
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
    points, tightest = np.full((film.frames, 68, 2), np.nan), 1.0
    shots = actor.film(moves, times, rng)
    for i, (units, shot) in enumerate(zip(labels(moves, times), shots, strict=True)):
        tightest = min(tightest, actor.puppet.tightest(shot.expression))
        points[i] = shot.points if tracker is None else _seen(tracker, shot.image, times[i])
        _write_picture(folder / "images" / frame_name("images", film.name, i + 1), shot.image)
        rows = "".join(f"  {u:.7e}  {z:.7e}  {0:.7e}  {0:.7e}\n" for u, z in units.items())
        (folder / "facs" / frame_name("facs", film.name, i + 1)).write_text(rows)
        score = f"  {float(pspi(units)):.7e}\n"
        (folder / "pspi" / frame_name("pspi", film.name, i + 1)).write_text(score)
    if tracker is None:
        points = jittered(points, rng)
    for i in np.flatnonzero(np.isfinite(points).all(axis=(1, 2))).tolist():
        rows = "".join(f"  {x:.7e}  {y:.7e}\n" for x, y in to_markup(points[i], 66))
        (folder / "landmarks" / frame_name("landmarks", film.name, i + 1)).write_text(rows)
    shown = {unit: np.round(z, 3).tolist() for unit, z in curves(moves, times).items()}
    return {
        "landmarks": "tracker" if film.tracked else "jitter",
        "tightest": round(tightest, 3),
        "curves": shown,
    }


def jittered(points: Points, rng: np.random.Generator) -> Points:
    """Add the errors of a tracker to true landmarks (n, 68, 2), frame after frame."""
    # Noise of 0.008 outer-eye distances follows itself from frame to frame by 0.7; in one frame of
    # a hundred the whole face lies elsewhere.
    scale = outer_eye_distance(points)[:, None, None]
    steps = rng.normal(0, _JITTER * np.sqrt(1 - _CORRELATION**2), points.shape)
    noise = np.empty_like(points)
    noise[0] = rng.normal(0, _JITTER, points.shape[1:])
    for i in range(1, len(points)):
        noise[i] = _CORRELATION * noise[i - 1] + steps[i]
    gross = rng.random(len(points)) < _GROSS
    noise[gross] += rng.normal(0, _FAR, (int(gross.sum()), 1, 2))
    return np.asarray(points + scale * noise)


def _seen(tracker: Tracker, image: Image, time: float) -> Points:
    faces = [face for face in tracker.update(image, time) if face.tracked]
    return faces[0].points if faces else np.full((68, 2), np.nan)


def _write_picture(path: Path, image: Image) -> None:
    content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION])[1]
    path.write_bytes(content.tobytes())
