"""The face detector: networks everywhere, dlib's templates where these are missing or blind."""

from __future__ import annotations

from functools import partial
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.detection.detections import (
    SMALLEST_FACE,
    Detection,
    as_five,
    check_smallest,
    count_confirming,
    distinct,
    square,
    surroundings,
)
from facetrack.detection.hog import HogDetector
from facetrack.detection.mtcnn import BEYOND_DOUBT, CELL, Mtcnn, Seen, Tile, tiles, weights
from facetrack.errors import MissingDependencyError
from facetrack.features.pixels import SMALLEST_SIDE, Box, Image, checked_image, grey

# Pixels that the first network reads at once, and proposals that the others look at then: all of
# most pictures at once, in bounded memory; live what takes about 20 ms.
_AREA, _MOST = 500_000, 1000
_LIVE_AREA, _LIVE_MOST = 70_000, 15
# Probabilities that count as certain, and as worth a look; see benchmarks/detection.py.
_CONFIRMING: Final = 0.9
_PLAUSIBLE: Final = 0.7
_NEAR_MARGIN: Final = 0.8  # of the expected box's size, on each side
_NEAR_SIZES: Final = (0.6, 1.7)  # of the expected size

# How a picture is looked at: turned by quarters, in the order in which people are seen turned, and
# made clearer. Dim and blurred faces are seen so (5 of 9 of 170 training pictures that were dimmed
# to a quarter, or blurred by 4 % of the face, in which no network saw the face before).
_WAYS: Final = ((0, False), (1, False), (3, False), (2, False), (0, True))
_CONTRAST: Final = 2.0  # limit of the local equalisation, ...
_SHARP: Final = 0.035  # ... and of the shorter side: radius that is sharpened then, ...
_MORE: Final = 1.5  # ... by so many times the difference


class FaceDetector:
    """Finds faces of any roll from a smallest width in pixels on, see `check_smallest`.

    `live` searches in steps that keep a camera's rate on one core, instead of most pictures at
    once; `detect` is the first of them then. `missing` says what is lost because the networks'
    package is not installed; it is empty where it is.
    """

    def __init__(self, smallest: float = SMALLEST_FACE, *, live: bool = False) -> None:
        check_smallest(smallest)
        self._smallest, self._live = smallest, live
        self._area, self._most = (_LIVE_AREA, _LIVE_MOST) if live else (_AREA, _MOST)
        self._hog = HogDetector()
        self._networks: Mtcnn | None = None
        self.missing = without_networks()
        if not self.missing:
            self._networks = Mtcnn()

    def __reduce__(self) -> tuple[partial[FaceDetector], tuple[float]]:
        """Let a detector travel to other processes, which load the networks anew."""
        return partial(FaceDetector, live=self._live), (self._smallest,)

    def detect(self, image: npt.ArrayLike, *, wanted: int = 1) -> list[Detection]:
        """Search the whole picture, in every way while fewer faces are found than wanted.

        Returns certain faces, then candidates, best first. For the image see
        `pixels.checked_image`.
        """
        picture = checked_image(image)
        found: list[Detection] = []
        if min(picture.shape[:2]) < SMALLEST_SIDE:
            return found
        if self._live and self._networks:
            return self.search(picture, 0)
        for turn, clearer in _WAYS if self._networks else ():
            shown = _clearer(picture) if clearer else picture
            found = distinct(found + self._find(shown, self._tiles(picture, turn), turn))
            if sum(d.score >= _scored(BEYOND_DOUBT) for d in found) >= wanted:
                return found
        if not count_confirming(found):
            found = distinct(found + self._hog.detect(picture, wanted=wanted))
        return found

    def search(self, image: npt.ArrayLike, step: int) -> list[Detection]:
        """Search a part of what there is to search: some sizes, in one of the ways; best first.

        `step` counts on from search to search. Upright faces are searched in every other step.
        """
        picture = checked_image(image)
        if self._networks is None or min(picture.shape[:2]) < SMALLEST_SIDE:
            return self._hog.search(picture, step)
        others = len(_WAYS) - 1
        way, number = (
            (0, step // 2) if step % 2 == 0 else (1 + step // 2 % others, step // 2 // others)
        )
        turn, clearer = _WAYS[way]
        parts = self._parts(self._tiles(picture, turn))
        if not parts:
            return []
        shown = _clearer(picture) if clearer else picture
        return self._find(shown, parts[number % len(parts)], turn)

    def detect_near(self, image: npt.ArrayLike, box: Box) -> list[Detection]:
        """Search around the place and at about the size where a face was last seen.

        Returns faces and candidates, best first, in coordinates of the whole picture.
        """
        picture = checked_image(image)
        if self._networks is None:
            return self._hog.detect_near(picture, box)
        left, top, right, bottom = surroundings(picture.shape, box, _NEAR_MARGIN)
        if min(right - left, bottom - top) < SMALLEST_SIDE:
            return []
        size = max(box[2] - box[0], box[3] - box[1])
        part = picture[top:bottom, left:right]
        sizes = max(size * _NEAR_SIZES[0], CELL), size * _NEAR_SIZES[1]
        found: list[Detection] = []
        for turn, clearer in _WAYS:
            where = list(tiles(_turned(part.shape, turn), *sizes, self._area))
            shown = _clearer(part) if clearer else part
            found = distinct(found + self._find(shown, where, turn, (left, top)))
            if count_confirming(found):
                break
        return found

    def _tiles(self, picture: Image, turn: int) -> list[Tile]:
        shape = _turned(picture.shape, turn)
        return list(tiles(shape, self._smallest, float(max(shape)), self._area))

    def _parts(self, where: list[Tile]) -> list[list[Tile]]:
        """Group tiles into steps of bounded cost, large faces first."""
        parts: list[list[Tile]] = []
        area = 0
        for tile in where:
            if not parts or area + tile.area > self._area:
                parts.append([])
                area = 0
            parts[-1].append(tile)
            area += tile.area
        return parts

    def _find(
        self, image: Image, where: list[Tile], turn: int, origin: tuple[int, int] = (0, 0)
    ) -> list[Detection]:
        assert self._networks is not None
        return distinct(detections(self._networks.find(image, where, turn, self._most), origin))


def without_networks() -> str:
    """Return what is lost because the networks' package is not installed; empty where it is."""
    try:
        weights()
    except MissingDependencyError as error:
        return f"{error}; small, dim and turned faces are missed without it"
    return ""


def detections(seen: Seen, origin: tuple[int, int] = (0, 0)) -> list[Detection]:
    """Bring what the networks see to the scale on which all detections are judged."""
    squares, found = seen.squares, []
    for number in range(len(squares)):
        x, y = (squares.centre[number] + origin).tolist()
        score = _scored(float(squares.score[number]))
        five = as_five(seen.five[number] + np.array(origin))
        found.append(Detection(square(x, y, float(squares.side[number]) / 2), score, five=five))
    return found


def _scored(probability: float) -> float:
    return 0.5 * (probability - _CONFIRMING) / (_CONFIRMING - _PLAUSIBLE)


def _clearer(image: Image) -> Image:
    """Raise the contrast everywhere, and sharpen."""
    equalised = cv2.createCLAHE(_CONTRAST, (8, 8)).apply(grey(image))
    side = 2 * round(_SHARP * min(image.shape[:2])) + 1
    smooth = cv2.blur(equalised, (side, side))
    sharp = cv2.addWeighted(equalised, 1 + _MORE, smooth, -_MORE, 0)
    return sharp.astype(np.uint8, copy=False)


def _turned(shape: tuple[int, ...], turn: int) -> tuple[int, int]:
    return (shape[1], shape[0]) if turn % 2 else (shape[0], shape[1])
