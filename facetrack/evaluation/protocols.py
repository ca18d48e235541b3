"""How fits are started when a model is measured on labelled images (method.md, 1.4 and 8.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from facetrack.datasets.pts_folder import LabelledImage
from facetrack.detection.detections import Detection
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.choice import choose_face
from facetrack.evaluation.peers import Peer
from facetrack.evaluation.predictions import Predictions
from facetrack.face import Fit
from facetrack.features.pixels import box_of
from facetrack.formats.pts import read_pts
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.parallel import Map
from facetrack.tracking.search import confirm
from facetrack.tracking.track import Fits
from facetrack.training.motion import pair_motions, start_from_motion
from facetrack.training.starts import StartNoise

Points = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]
Draw = Callable[[Points, ShapeModel, np.random.Generator], Points]
_MOST_FACES = 4  # that are looked at in one picture
_EVERYBODY = 1000  # more faces than a picture holds: every size is searched


class Model(Fits, Protocol):
    """What is needed of a trained model here."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...


class Detects(Protocol):
    """What is needed of a face detector here; see `tracking.detection.FaceDetector`."""

    def detect(self, image: Image, *, wanted: int = 1) -> list[Detection]:
        """Search all sizes until so many certain faces are found; best first."""
        ...


def from_tracking_starts(
    model: Model,
    images: Sequence[LabelledImage],
    *,
    seeds: int,
    projected: bool,
    noise: StartNoise | None = None,
    map_: Map = map,
) -> Predictions:
    """Fit a model from moved truths, as a tracker starts from the frame before.

    Start k of an image depends on k and the image's position only. `projected` is the fair
    protocol: the truth is projected on the shape model before it is moved. Moving the truth itself
    leaves the shape's person-specific part in the start (method.md, 1.4).
    """
    kind = "projected" if projected else "moved"
    draw = partial((noise or StartNoise()).move, projected=projected)
    return _from_starts(model, images, draw, f"{kind} truth", seeds, map_)


def from_real_motion(
    model: Model,
    images: Sequence[LabelledImage],
    clips: Sequence[LabelledImage],
    *,
    seeds: int,
    map_: Map = map,
) -> Predictions:
    """Fit a model from where a face was before a real motion of other people's clips."""
    # Each motion ends at a truth, projected on the shape model. No pair of frames may have
    # been trained on. Motion k of an image depends on k and the image's position only.
    draw = partial(_move_really, pair_motions(clips, model.shape_model))
    return _from_starts(model, images, draw, "real motion", seeds, map_)


def _move_really(
    motions: Points, points: Points, shape_model: ShapeModel, rng: np.random.Generator
) -> Points:
    return start_from_motion(points, motions[rng.integers(len(motions))], shape_model)


def _from_starts(
    model: Model, images: Sequence[LabelledImage], draw: Draw, start: str, seeds: int, map_: Map
) -> Predictions:
    if seeds < 1:
        raise InputError(f"at least one start per image is needed, got {seeds}")
    work = partial(_fit_points, model, draw, seeds)
    points = _stack(map_(work, list(enumerate(images))))
    return Predictions(model.name, "", start, points, _truth(images))


def _fit_points(
    model: Model, draw: Draw, seeds: int, numbered: tuple[int, LabelledImage]
) -> Points:
    return np.stack([fit.points for fit in _fit_all(model, draw, seeds, numbered)])


def _fit_all(
    model: Model, draw: Draw, seeds: int, numbered: tuple[int, LabelledImage]
) -> list[Fit]:
    """Fit one image from drawn starts."""
    number, labelled = numbered
    image = labelled.read_bgr()
    fits = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, number])
        fits.append(model.fit(image, draw(np.asarray(labelled.points), model.shape_model, rng)))
    return fits


def fit_starts(
    model: Model,
    numbered: tuple[int, LabelledImage],
    *,
    seeds: int,
    projected: bool,
    noise: StartNoise | None = None,
) -> list[Fit]:
    """Fit one image from its moved truth; see `from_tracking_starts`."""
    draw = partial((noise or StartNoise()).move, projected=projected)
    return _fit_all(model, draw, seeds, numbered)


def from_detector(
    model: Model, images: Sequence[LabelledImage], *, detector: Detects, map_: Map = map
) -> Predictions:
    """Fit a model from the boxes of a face detector, on every image; NaN: nothing found."""
    # Faces of all sizes are searched and confirmed by their fit as the tracker does. Of several the
    # large central one is taken, as a user would; the truth is never asked. Where nothing is
    # confirmed the best fit counts, as for a user who insists.
    points = _stack(map_(partial(_fit_detected, model, detector), images))
    return Predictions(model.name, "", "detector", points, _truth(images))


def _fit_detected(model: Model, detector: Detects, labelled: LabelledImage) -> Points:
    fit = fit_detected(model, detector, labelled)
    return np.full((1, 68, 2), np.nan) if fit is None else np.array(fit.points)[None]


def fit_detected(model: Model, detector: Detects, labelled: LabelledImage) -> Fit | None:
    """Fit one image from a face detector's boxes; see `from_detector`."""
    image = labelled.read_bgr()
    detections = detector.detect(image, wanted=_EVERYBODY)
    faces = confirm(model, image, detections, (), _MOST_FACES)
    if faces:
        height, width = image.shape[:2]
        return faces[choose_face([box_of(f.points) for f in faces], (width, height))]
    fits = [model.fit_box(image, d.box, view=d.view, five=d.five) for d in detections[:_MOST_FACES]]
    return max(fits, key=lambda f: f.quality) if fits else None


def from_peer(peer: Peer, images: Sequence[LabelledImage], *, map_: Map = map) -> Predictions:
    """Run a peer with its own detector on every image; most cannot leave this process."""
    points = _stack(map_(partial(_ask_peer, peer), images))
    return Predictions(peer.name, peer.note, "own detector", points, _truth(images))


def _ask_peer(peer: Peer, labelled: LabelledImage) -> Points:
    points = peer.predict(labelled.read_bgr())
    return np.full((1, 68, 2), np.nan) if points is None else points[None]


def from_folder(name: str, folder: Path, images: Sequence[LabelledImage]) -> Predictions:
    """Read what another program predicted: one .pts file per image, of the same name, 1-based."""
    files = [folder / f"{labelled.name}.pts" for labelled in images]
    if not any(f.is_file() for f in files):
        raise FormatError(
            folder,
            f"none of the {len(images)} images has a prediction here",
            remedy=f"name the files after the images, such as {files[0].name}",
        )
    missing = np.full((68, 2), np.nan)
    points = _stack((read_pts(f) if f.is_file() else missing)[None] for f in files)
    return Predictions(
        name, f"{folder.name}, predicted elsewhere", "own detector", points, _truth(images)
    )


def _stack(results: Iterable[Points]) -> Points:
    collected = list(results)
    if not collected:
        raise InputError("there is no image to evaluate")
    return np.stack(collected)


def _truth(images: Sequence[LabelledImage]) -> Points:
    return np.stack([labelled.points for labelled in images])
