"""Synthetic people of training pictures: hard light, turned heads and wide mouths with exact truth.

Photographs show few of them, and what is learned of a person needs several frames of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.people import draw_manner, film, is_fit
from facetrack.synthetic.portrait import Portrait
from facetrack.synthetic.proportions import with_room
from facetrack.training.pictures import Picture

_EYES: Final = 130.0  # px between the outer eye corners of a portrait: films show them smaller
_FRAMES: Final = 900  # of a film, at 30 per second
_STILLS: Final = 4  # of them are shown to cascades
_CLIPS: Final = 8  # one person of this many is followed
_STEP, _LENGTH = 2, 75  # of a clip, frames


def still_people(
    pictures: Sequence[Picture], shape_model: ShapeModel, rng: np.random.Generator, *, threads: int
) -> list[Picture]:
    """Bring pictures to life, and take a few frames of each film, 640 x 480 px.

    Of a picture and its mirrored copy, which stand in turn, one becomes a person if it is fit to
    be; the frames have the number of the picture.
    """
    people = _fit(pictures, shape_model)
    films = _film(
        people, shape_model, lambda own: own.integers(_FRAMES, size=_STILLS), rng, threads
    )
    return [picture for film in films for picture in film]


def moving_people(
    pictures: Sequence[Picture], shape_model: ShapeModel, rng: np.random.Generator, *, threads: int
) -> list[list[Picture]]:
    """Bring some of the pictures to life, and take a clip of each film."""

    def clip(own: np.random.Generator) -> npt.NDArray[np.integer]:
        return own.integers(_FRAMES - _STEP * _LENGTH) + _STEP * np.arange(_LENGTH)

    people = _fit(pictures, shape_model)[::_CLIPS]
    return _film(people, shape_model, clip, rng, threads)


def _fit(pictures: Sequence[Picture], shape_model: ShapeModel) -> list[tuple[Picture, Picture]]:
    pairs = zip(pictures[::2], pictures[1::2], strict=True)
    return [pair for pair in pairs if is_fit(pair[0].points, _size(pair[0]), shape_model)]


def _film(
    people: Sequence[tuple[Picture, Picture]],
    shape_model: ShapeModel,
    chosen: Callable[[np.random.Generator], npt.NDArray[np.integer]],
    rng: np.random.Generator,
    threads: int,
) -> list[list[Picture]]:
    seeds = rng.integers(2**63, size=len(people)).tolist()  # of their own: threads cannot reorder

    def work(pair: tuple[Picture, Picture], seed: int) -> list[Picture]:
        own = np.random.default_rng(seed)
        picture, portrait = pair[0], _portrait(pair[own.integers(2)])
        manner, number = draw_manner(own), int(own.integers(2**31))
        video = film(portrait, shape_model, manner, n_frames=_FRAMES, seed=number)
        return [
            Picture(picture.number, video.frame(index).grey, video.truth(index))
            for index in chosen(own).tolist()
        ]

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, people, seeds))


def _portrait(picture: Picture) -> Portrait:
    """Shrink a large picture: no more is seen of it in a film, and it is drawn in less time."""
    factor = min(1.0, _EYES / float(outer_eye_distance(picture.points)))
    size = tuple(round(factor * side) for side in _size(picture))
    grey = cv2.resize(picture.grey, size, interpolation=cv2.INTER_AREA)
    scale = np.array(size) / _size(picture)  # pixel centres at integers
    points = (picture.points + 0.5) * scale - 0.5
    return with_room(Portrait(np.asarray(grey, dtype=np.uint8), points))


def _size(picture: Picture) -> tuple[int, int]:
    height, width = picture.grey.shape
    return width, height
