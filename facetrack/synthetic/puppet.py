"""A portrait that makes faces: action units, closed eyes, an open mouth, turns of the head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.cavity import LOWER, REACH, UPPER, below_seam, fill
from facetrack.synthetic.furrows import furrows, shadow
from facetrack.synthetic.lids import close_lids, closed_points
from facetrack.synthetic.mesh import HeadState, rotation
from facetrack.synthetic.portrait import Points, Portrait
from facetrack.synthetic.proportions import with_room
from facetrack.synthetic.units import CHEEKS, displacements
from facetrack.synthetic.warps import Field, Spline, grid, inverse, look_up, sample, stretch

Image = npt.NDArray[np.uint8]

_FOREHEAD: Final = ((-0.4, -0.62), (0.0, -0.66), (0.4, -0.62))  # stay
_MILLIMETRES: Final = 90.0  # of the mean head's outer-eye distance
_RELIEF: Final = (-0.3, 0.15)  # how far points count as before and behind the eyes
_BESIDE: Final = ((36, 48), (39, 31), (45, 54), (42, 35))  # landmarks around `CHEEKS`
_PIVOT: Final = (0.0, 0.44, 0.78)  # below and behind the eyes, around which the head turns
_CAMERA: Final = 8.0  # its distance, outer-eye distances
_LIDS: Final = [37, 38, 40, 41, 43, 44, 46, 47]
_LOWER_SIDE: Final = [*range(55, 60), *LOWER]
_TIGHTEST: Final = 0.1  # determinant of the Jacobian
_LESS: Final = 0.9  # of the way, where a warp would fold
_LASHES_AT: Final = 0.3  # closed by so much, the lashes are as dark as they get


class _Warp(NamedTuple):
    """Where control points go, what both splines make of it, and how tight that is."""

    shifts: Points
    fields: tuple[Field, Field]
    tightest: float


@dataclass(frozen=True, slots=True)
class Expression:
    """What a face does at one moment; `units` and `turns` as `displacements` takes them."""

    units: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    turns: Mapping[str, float] = field(default_factory=dict)
    # How far the person's right and left eye are closed, 0 to 1.
    shut: tuple[float, float] = (0.0, 0.0)
    yaw: float = 0.0  # of the head against the portrait, radians: to the image's right
    pitch: float = 0.0  # down
    roll: float = 0.0  # clockwise
    shift: tuple[float, float] = (0.0, 0.0)  # to the right and down, outer-eye distances


class Puppet:
    """Draws one person with any expression.

    The portrait is near neutral: what it shows is the face at rest. The mean head of `shape_model`
    says how far points lie before each other when the head turns. `size` (width, height) and the
    outer-eye distance are those of the frames, pixels; `middle` is where the middle of the outer
    eye corners is at rest, parts of width and height; `depth` is how deep the person's furrows are,
    1 is usual; `lashes` is how dark the lashes are, 0 to 1.
    """

    def __init__(
        self,
        portrait: Portrait,
        shape_model: ShapeModel,
        *,
        size: tuple[int, int] = (320, 240),
        eye_distance: float = 84.0,
        middle: tuple[float, float] = (0.5, 0.38),
        depth: float = 1.0,
        lashes: float = 0.7,
    ) -> None:
        roomy = with_room(portrait)
        self._image, self._points = roomy.image, np.array(roomy.points)
        corners = self._points[[36, 45]]
        a, b = (corners[1] - corners[0]).tolist()
        self._to_portrait = Similarity(a, b, *corners.mean(axis=0).tolist())
        self._to_head = self._to_portrait.inverse()
        self.size, self.eye_distance, self._middle = size, eye_distance, middle
        self._depth, self._lashes = depth, lashes
        self.rest: Points = np.concatenate([self._to_head.apply(self._points), CHEEKS])
        z = shape_model.mean_3d[:, 2] / _MILLIMETRES
        relief = np.clip(z - z[[36, 39, 42, 45]].mean(), *_RELIEF)
        self._relief = np.concatenate([relief, relief[np.array(_BESIDE)].mean(axis=1)])
        # Each warp leaves out the other lip's inner edge; see `cavity`.
        self._kept = [np.setdiff1d(np.arange(len(self.rest)), lip) for lip in (LOWER, UPPER)]
        fixed = np.array(_FOREHEAD)
        self._splines = [Spline(self.rest[kept], fixed) for kept in self._kept]
        self._prepare_furrows()
        x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        self._pixels = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)
        self._follow = [spline.weights(self.rest[:68]) for spline in self._splines]
        self._below = below_seam(self.rest[:68], grid()) > 0.5
        self._last: tuple[Expression, _Warp] | None = None

    def draw(self, expression: Expression) -> tuple[Image, Points]:
        """Draw a frame, (H, W, 3) BGR; return it and the true landmarks in its pixels, (68, 2).

        They went where their pixels did.
        """
        shut = expression.shut
        light = self._shaded(expression)
        lashes = [self._lashes * min(s / _LASHES_AT, 1.0) for s in shut]
        source, _ = close_lids(light, self._points, shut, (lashes[0], lashes[1]))
        moved, plane = self._moved(expression), self._plane(expression)
        lookup = self._lookup([inverse(f) for f in self._warp(expression).fields], moved, plane)
        frame: Image = look_up(source, lookup)
        points = _project(plane, moved)
        fill(frame, points, self._parted(moved), self.eye_distance)
        return frame, points

    def landmarks(self, expression: Expression) -> Points:
        """Return the true landmarks alone, (68, 2), in pixels of the frame."""
        return _project(self._plane(expression), self._moved(expression))

    def tightest(self, expression: Expression) -> float:
        """Return the smallest determinant of the warp's Jacobian; above 0 nothing folds."""
        return self._warp(expression).tightest

    def _warp(self, expression: Expression) -> _Warp:
        """Compute the warp of an expression; one that would fold goes only as far as it can."""
        if self._last is None or self._last[0] is not expression:
            shifts = displacements(expression.units, self.rest, turns=expression.turns)
            shifts = shifts - self._relief[:, None] * np.sin([expression.yaw, expression.pitch])
            warp = self._warped(shifts)
            while warp.tightest < _TIGHTEST:
                warp = self._warped(_LESS * warp.shifts)
            self._last = expression, warp
        return self._last[1]

    def _warped(self, shifts: Points) -> _Warp:
        pairs = zip(self._splines, self._kept, strict=True)
        upper, lower = (spline.field(shifts[kept]) for spline, kept in pairs)
        tightest = np.where(self._below, stretch(lower), stretch(upper)).min()
        return _Warp(shifts, (upper, lower), float(tightest))

    def _moved(self, expression: Expression) -> Points:
        """Return the landmarks in the head's frame."""
        at_rest = self.rest[:68].copy()
        upper, lower = self._follow
        if max(expression.shut) > 0:
            lids = closed_points(self._points, expression.shut)[_LIDS]
            at_rest[_LIDS], upper = self._to_head.apply(lids), upper.copy()
            upper[_LIDS] = self._splines[0].weights(at_rest[_LIDS])
        shifts = self._warp(expression).shifts
        above, below = (w @ shifts[k] for w, k in zip((upper, lower), self._kept, strict=True))
        above[_LOWER_SIDE] = below[_LOWER_SIDE]
        return np.asarray(at_rest + above)

    def _parted(self, moved: Points) -> float:
        def gap(points: Points) -> float:
            return float((points[list(LOWER), 1] - points[list(UPPER), 1]).mean())

        return gap(moved) - max(gap(self.rest), 0.0)

    def _plane(self, expression: Expression) -> Points:
        """Return the homography from the head's frame to pixels, shape (3, 3)."""
        e, (width, height) = expression, self.size
        turn = rotation(HeadState(e.yaw, e.pitch, e.roll, np.zeros(0), 0.0, 0.0))
        solid = np.zeros((3, 3))
        solid[:, :2] = turn[:, :2]
        solid[:, 2] = _PIVOT - turn @ _PIVOT + (*e.shift, 0)
        scale, (x, y) = self.eye_distance, self._middle
        camera = np.array(
            [[scale, 0, x * width / _CAMERA], [0, scale, y * height / _CAMERA], [0, 0, 1 / _CAMERA]]
        )
        solid[2, 2] += _CAMERA
        return np.asarray(camera @ solid)

    def _lookup(self, back: list[Field], moved: Points, plane: Points) -> npt.NDArray[np.float32]:
        """For every pixel of the frame the place in the portrait, shape (H, W, 2)."""
        solid = self._pixels @ np.linalg.inv(plane).T.astype(np.float32)
        places = solid[..., :2] / solid[..., 2:]
        shown = places + sample(back[0], places)
        near = self._around_mouth(_project(plane, moved))
        shift = sample(back[1], places[near]) + places[near] - shown[near]
        shown[near] += below_seam(moved, places[near])[..., None] * shift
        map_ = self._to_portrait.matrix.astype(np.float32)
        return np.asarray(shown @ map_[:, :2].T + map_[:, 2])

    def _around_mouth(self, points: Points) -> tuple[slice, slice]:
        """Return rows and columns of the frame in which both warps differ."""
        reach = 1.2 * REACH * self.eye_distance
        x, y = 0.5 * (points[62] + points[66])
        (x0, x1), (y0, y1) = ((max(round(v - reach), 0), max(round(v + reach), 0)) for v in (x, y))
        return slice(y0, y1), slice(x0, x1)

    def _prepare_furrows(self) -> None:
        low = np.floor(self._to_portrait.apply([[-0.9, -0.7]])[0]).astype(int)
        high = np.ceil(self._to_portrait.apply([[0.9, 1.4]])[0]).astype(int)
        (x0, x1), (y0, y1) = (sorted(side) for side in zip(low, high, strict=True))
        self._window = np.s_[max(y0, 0) : y1, max(x0, 0) : x1]
        rows, columns = self._image[self._window].shape[:2]
        x, y = np.meshgrid(np.arange(columns) + max(x0, 0), np.arange(rows) + max(y0, 0))
        places = self._to_head.apply(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64))
        self._furrows = furrows(self.rest[:68], places.reshape(rows, columns, 2))

    def _shaded(self, expression: Expression) -> Image:
        image: Image = self._image.copy()
        part = image[self._window]
        light = shadow(self._furrows, expression.units, self._depth)
        part[:] = np.rint(part * light[..., None])
        return image


def _project(plane: Points, points: Points) -> Points:
    solid = np.column_stack([points, np.ones(len(points))]) @ plane.T
    return np.asarray(solid[:, :2] / solid[:, 2:])
