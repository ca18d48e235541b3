"""A portrait as a mesh in three dimensions that can turn, talk and blink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.synthetic.mean_head import fit_camera, small_turns
from facetrack.synthetic.palsy import Palsy
from facetrack.synthetic.portrait import Points, Portrait
from facetrack.synthetic.warps import rim

# Where vertices lie that are no landmarks, in the head's frame: origin between the outer eye
# corners, x towards the person's left, y down, in outer-eye distances.
_FOREHEAD: Final = [
    (side * x, y) for side in (-1, 1) for x, y in ((0.86, -0.3), (0.6, -0.66), (0.2, -0.8))
]
_SKULL: Final = [
    (1.28 * np.sin(a), -0.2 - 1.3 * np.cos(a)) for a in np.linspace(-0.62, 0.62, 9) * np.pi
]
_NECK: Final = [(-0.66, 1.5), (0.0, 1.72), (0.66, 1.5)]
_STILL: Final = [
    (2.6 * np.sin(a), 0.1 - 2.6 * np.cos(a)) for a in np.linspace(0, 2, 16, endpoint=False) * np.pi
]
_NECK_FOLLOWS: Final = 0.35  # how much of the head's motion the neck makes

_PIVOT: Final = np.array([0.0, 40.0, 70.0])  # mm: where the head turns, in the frame of mean_3d
_SKULL_CENTRE: Final = np.array([0.0, -10.0, 75.0])  # mm
_SKULL_RADII: Final = np.array([85.0, 130.0, 90.0])  # mm

# How far points follow the lower lip when the mouth opens.
_JAW_FOLLOWS: Final = {
    3: 0.05, 4: 0.2, 5: 0.45, 6: 0.65, 7: 0.78, 8: 0.8, 9: 0.78, 10: 0.65, 11: 0.45, 12: 0.2,
    13: 0.05, 48: 0.3, 54: 0.3, 60: 0.3, 64: 0.3, 59: 0.75, 55: 0.75, 58: 0.97, 57: 1.0, 56: 0.97,
    67: 1.0, 66: 1.0, 65: 1.0,
}  # fmt: skip
_LIDS: Final = ((37, 41), (38, 40), (43, 47), (44, 46))  # upper, lower
_INNER_LIPS: Final = ((61, 67), (62, 66), (63, 65))  # upper, lower
_LIP_EDGES: Final = ((60, 67), (64, 65))  # the lower lip between corner and middle
_LID_REST: Final = 0.12  # of the opening that stays when the eye is shut
_LIP_REST: Final = 0.4
_TEETH: Final = 0.75  # how far the upper teeth reach down a smiling mouth, as a part of its opening


@dataclass(frozen=True, slots=True)
class HeadState:
    """What a head does at one moment."""

    yaw: float  # against the portrait, radians, to the image's right
    pitch: float  # down
    roll: float  # clockwise
    modes: npt.NDArray[np.float64]  # (k,), non-rigid parameters in standard deviations
    mouth: float  # -1: lips together; 0: as in the portrait; 1: open
    blink: float  # 0: eyes as in the portrait; 1: shut
    turning: float = 1.0  # part of the modes' own turns of the head that is kept


class HeadMesh:
    """Landmarks, head, neck and surroundings of a portrait as triangles.

    In pixels of the portrait: `vertices` (n, 2), of which the landmarks come first, their `depth`
    (n,) from the viewer, `eye_distance` between the outer corners, `eyes`, the middle of them, and
    `axes`, the head's x and y axis per outer-eye distance. `triangles` (m, 3) are all wound the
    same way (positive area with y down).
    """

    def __init__(
        self, portrait: Portrait, shape_model: ShapeModel, *, palsy: Palsy | None = None
    ) -> None:
        points = portrait.points
        self.eye_distance = float(outer_eye_distance(points))
        self.eyes = points[[36, 45]].mean(axis=0)
        across = points[45] - points[36]
        self.axes = np.stack([across, [-across[1], across[0]]])
        self._shape_model, self._palsy = shape_model, palsy
        self._to_portrait = shape_model.to_reference(points).inverse()
        self._turn, self._scale, self._shift = fit_camera(points, shape_model.mean_3d)
        self._mode_turns = small_turns(shape_model)

        inside = [points[u] + _TEETH * (points[v] - points[u]) for u, v in _INNER_LIPS]
        inside += [0.5 * (points[u] + points[v]) for u, v in _LIP_EDGES]
        self._teeth_length = np.array(
            [[np.linalg.norm(inside[i] - points[u])] for i, (u, _) in enumerate(_INNER_LIPS)]
        )
        head = np.array(_FOREHEAD + _SKULL + _NECK + _STILL) @ self.axes + self.eyes
        height, width = portrait.image.shape[:2]
        border = _border(width, height)
        self.vertices = np.concatenate([points, inside, head, border])
        self._teeth, self._lip_edges = np.arange(68, 71), np.arange(71, 73)
        self._neck = slice(73 + len(_FOREHEAD) + len(_SKULL), 73 + len(_FOREHEAD + _SKULL + _NECK))
        self._follows = np.ones(len(self.vertices))
        self._follows[self._neck] = _NECK_FOLLOWS
        self._follows[self._neck.stop :] = 0
        self.depth = self._lift(shape_model.mean_3d)
        self._spread = self._spread_weights()
        self.triangles = _triangulate(self.vertices)

    def pose(self, state: HeadState) -> tuple[Points, npt.NDArray[np.float64]]:
        """Move the vertices; return places (n, 2), true landmarks first, and depths (n,)."""
        flat = self.vertices + self._deform(state)
        pivot = self._scale * (_PIVOT @ self._turn.T) + [*self._shift, 0.0]
        solid = np.column_stack([flat, self.depth]) - pivot
        turned = solid @ rotation(state).T
        moved = solid + self._follows[:, None] * (turned - solid) + pivot
        return moved[:, :2], moved[:, 2]

    def _deform(self, state: HeadState) -> Points:
        """Displacements by expression: non-rigid modes, mouth, lids."""
        parameters = np.zeros(self._shape_model.n_parameters)
        k = len(state.modes)
        parameters[N_RIGID : N_RIGID + k] = state.modes
        parameters[N_RIGID:] *= self._shape_model.deviations[N_RIGID:]
        offset = (self._shape_model.basis @ parameters).reshape(68, 2)
        if state.turning != 1:
            turns = self._mode_turns
            offset -= (1 - state.turning) * np.tensordot((turns * offset).sum((1, 2)), turns, 1)
        map_ = self._to_portrait.matrix[:, :2]
        moved, mobility = offset @ map_.T, np.ones(68)
        if self._palsy is not None:
            mobility = self._palsy.mobility
            moved = mobility[:, None] * moved + self._palsy.droop[:, None] * self.axes[1]
        shift = self._spread @ moved
        self._open_mouth(shift, state.mouth)
        for vertex, (u, v) in zip(self._lip_edges, _LIP_EDGES, strict=True):
            shift[vertex] = 0.5 * (shift[u] + shift[v])
        for upper, lower in _LIDS:
            opening = self.vertices[lower] + shift[lower] - self.vertices[upper] - shift[upper]
            shift[upper] += mobility[upper] * state.blink * (1 - _LID_REST) * opening
        return shift

    def _open_mouth(self, shift: Points, mouth: float) -> None:
        down = self.axes[1] / self.eye_distance
        moved = self.vertices + shift
        upper, lower = (moved[list(side)] for side in zip(*_INNER_LIPS, strict=True))
        gap = max(float(((lower - upper) @ down).min()), 0.0)
        drop = mouth * (0.17 * self.eye_distance if mouth > 0 else (1 - _LIP_REST) * gap)
        for index, part in _JAW_FOLLOWS.items():
            shift[index] += part * drop * down
        shift[self._neck] += 0.5 * max(drop, 0.0) * down
        # The teeth hang on the upper jaw, and give way to the lower lip when the mouth shuts.
        opening = lower + drop * down - upper
        length = np.linalg.norm(opening, axis=1, keepdims=True)
        shown = np.minimum(self._teeth_length / np.maximum(length, 1e-9), _TEETH)
        shift[self._teeth] = upper + shown * opening - self.vertices[self._teeth]

    def cavity(self, vertices: Points) -> Points:
        """Give the outline, (10, 2), of the dark inside of the mouth below the upper teeth."""
        left, right = self._lip_edges
        return vertices[[60, *self._teeth, 64, right, 65, 66, 67, left]]

    def _lift(self, mean_3d: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Depth of every vertex in pixels: of the mean head, of an ellipsoid where it has none."""
        millimetres = 90.0 * ((self.vertices - self.eyes) @ np.linalg.inv(self.axes))
        unit = (millimetres - _SKULL_CENTRE[:2]) / _SKULL_RADII[:2]
        bulge = np.sqrt(np.clip(1 - (unit**2).sum(axis=1), 0, None))
        depth: npt.NDArray[np.float64] = _SKULL_CENTRE[2] - _SKULL_RADII[2] * bulge
        depth *= self._scale
        depth[:68] = self._scale * (mean_3d @ self._turn[2])
        for vertex, (u, v) in zip(range(68, 73), _INNER_LIPS + _LIP_EDGES, strict=True):
            depth[vertex] = 0.5 * (depth[u] + depth[v])
        return depth

    def _spread_weights(self) -> npt.NDArray[np.float64]:
        """How the other vertices follow the landmarks' displacements, shape (n, 68)."""
        distance = np.linalg.norm(self.vertices[:, None] - self.vertices[None, :68], axis=-1) / (
            0.35 * self.eye_distance
        )
        weights: npt.NDArray[np.float64] = np.exp(-(distance**2))
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
        weights[:68] = np.eye(68)
        weights[self._neck.stop :] = 0
        return weights


def _border(width: int, height: int) -> Points:
    """Vertices far outside the picture: what continues beyond its border fills the frame."""
    x = np.array([-1.5, 0.0, 0.5, 1.0, 2.5]) * (width - 1)
    y = np.array([-1.5, 0.0, 0.5, 1.0, 2.5]) * (height - 1)
    return rim(x, y)


def _triangulate(vertices: Points) -> npt.NDArray[np.int64]:
    triangles = _delaunay(vertices)
    flipped = triangle_areas(vertices, triangles) < 0
    triangles[flipped] = triangles[flipped][:, ::-1]
    return triangles


def _delaunay(vertices: Points) -> npt.NDArray[np.int64]:
    """Span triangles by OpenCV, which is loaded already: scipy's module takes 0.2 s to load."""
    low, high = np.floor(vertices.min(axis=0)) - 1, np.ceil(vertices.max(axis=0)) + 1
    plane: Any = cv2.Subdiv2D((*low.astype(int).tolist(), *(high - low).astype(int).tolist()))
    plane.insert(vertices.astype(np.float32))
    numbers = {tuple(place): i for i, place in enumerate(vertices.astype(np.float32).tolist())}
    triangles = plane.getTriangleList().reshape(-1, 3, 2).tolist()
    found = [[numbers.get(tuple(corner), -1) for corner in corners] for corners in triangles]
    return np.array(sorted(f for f in found if min(f) >= 0), dtype=np.int64)  # -1: OpenCV's frame


def triangle_areas(vertices: Points, triangles: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Measure signed areas, (m,); negative where a triangle shows its back."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    u, v = b - a, c - a
    areas: npt.NDArray[np.float64] = 0.5 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    return areas


def rotation(state: HeadState) -> npt.NDArray[np.float64]:
    """Compute how a head is turned against its portrait."""
    angles = state.yaw, state.pitch, state.roll
    cy, sy, cp, sp, cr, sr = (f(a) for a in angles for f in (np.cos, np.sin))
    # The nose (negative z) goes to +x for positive yaw and to +y for positive pitch.
    around_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    around_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    around_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    product: npt.NDArray[np.float64] = around_z @ around_x @ around_y
    return product
