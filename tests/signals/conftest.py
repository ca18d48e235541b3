from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

import facetrack
from facetrack.face import Face, Pose, State, read_only_points
from facetrack.signals import Observation
from facetrack.video.frame import Frame, frame_of

UPPER = (37, 38, 43, 44)
LOWER = (41, 40, 47, 46)
SIZE = 200  # px, of the picture


@dataclass
class Actor:
    """A face whose eyes, mouth and head do what a test says, as functions of the time."""

    mean: np.ndarray  # (68, 2), upright, one px a unit
    eyes: Callable[[float], float] = lambda t: 0.35  # aspect ratio
    left_eye: Callable[[float], float] | None = None
    pitch: Callable[[float], float] = lambda t: 0.0  # degrees
    yaw: Callable[[float], float] = lambda t: 0.0
    noise: float = 0.0
    id: int = 0
    lost: Sequence[tuple[float, float]] = ()
    seed: int = 0
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def face(self, time: float) -> Face:
        if any(start <= time < stop for start, stop in self.lost):
            nothing = read_only_points(np.full((68, 2), np.nan))
            return Face(self.id, State.LOST, "covered", nothing, nothing, 0.0, None)
        points = self.mean.copy()
        right = self.eyes(time)
        left = self.left_eye(time) if self.left_eye is not None else right
        for (a, b), ratio, upper, lower in (
            ((36, 39), right, UPPER[:2], LOWER[:2]),
            ((42, 45), left, UPPER[2:], LOWER[2:]),
        ):
            width = np.linalg.norm(points[b] - points[a])
            middle = (points[a, 1] + points[b, 1]) / 2
            points[list(upper), 1] = middle - ratio * width / 2
            points[list(lower), 1] = middle + ratio * width / 2
            points[list(lower), 0] = points[list(upper), 0]
        points += self.noise * self._rng.standard_normal(points.shape)
        shape = read_only_points(points)
        angles = math.radians(self.pitch(time)), math.radians(self.yaw(time)), 0.0
        return Face(self.id, State.TRACKED, "", shape, shape, 0.9, Pose(angles, (0.0, 0.0, 500.0)))

    def play(self, seconds: float, rate: float = 25.0) -> list[Observation]:
        """Observe the face from the first frame on; with pixels, though they show nothing."""
        picture = frame_of(np.full((SIZE, SIZE, 3), 90, np.uint8)).picture
        seen = []
        for index in range(round(seconds * rate)):
            time = index / rate
            frame = Frame(index, time, picture)
            seen.append(Observation(index, time, self.face(time), frame))
        return seen


@pytest.fixture(scope="session")
def mean() -> np.ndarray:
    """The mean face in the middle of a picture of 200 px, eyes 80 px apart."""
    shape = facetrack.load_model().shape_model.mean
    scale = 80 / np.linalg.norm(shape[45] - shape[36])
    placed: np.ndarray = (shape - shape.mean(axis=0)) * scale + SIZE / 2
    return placed


@pytest.fixture
def actor(mean: np.ndarray) -> Callable[..., Actor]:
    return lambda **wishes: Actor(mean, **wishes)


def course(
    blinks: Sequence[float] = (),
    *,
    depth: float = 0.5,
    close: float = 0.06,
    stay: float = 0.04,
    rise: float = 0.12,
    usual: Callable[[float], float] = lambda t: 0.35,
) -> Callable[[float], float]:
    """Openings of an eye that blinks: each blink is closed first at the time that is named."""

    def opening(t: float) -> float:
        open_share = 1.0
        for apex in blinks:
            past = t - apex
            if -close < past < 0:
                open_share = min(open_share, 1 - depth * (1 + past / close))
            elif 0 <= past <= stay:
                open_share = min(open_share, 1 - depth)
            elif stay < past < stay + rise:
                open_share = min(open_share, 1 - depth * (1 - (past - stay) / rise))
        return usual(t) * open_share

    return opening
