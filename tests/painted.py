"""A small world of painted faces, with a model and a detector that know the truth.

Pictures and appearance signatures are real; only the fit and the detection are oracles. A fit is
drawn to the nearest face that can be seen, as a real one is: also to the wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
import pytest

from facetrack.detection.detections import Detection
from facetrack.face import Fit, read_only_points
from facetrack.features.pixels import box_of
from facetrack.landmarks.shape_model import train_shape_model

EYE = 60.0  # px: outer-eye distance of every painted face


def head_68():
    """Make a plausible flat face: 68 points, outer eye corners 1 apart."""
    turn = np.linspace(0, np.pi, 17)
    jaw = np.stack([-0.8 * np.cos(turn), 1.2 * np.sin(turn)], axis=1)
    brow = np.stack([np.linspace(-0.6, -0.15, 5), -0.25 - 0.08 * np.sin(np.linspace(0, 3, 5))], 1)
    bridge = np.stack([np.zeros(4), np.linspace(0, 0.4, 4)], axis=1)
    base = np.stack([np.linspace(-0.18, 0.18, 5), 0.5 + 0.05 * np.sin(np.linspace(0, 3, 5))], 1)
    eye = np.array(
        [[-0.5, 0], [-0.4, -0.07], [-0.27, -0.07], [-0.17, 0], [-0.27, 0.06], [-0.4, 0.06]]
    )
    around = np.pi + np.linspace(0, 2 * np.pi, 13)[:12]
    lip = np.stack([0.32 * np.cos(around), 0.8 + 0.14 * np.sin(around)], axis=1)
    around = np.pi + np.linspace(0, 2 * np.pi, 9)[:8]
    inner = np.stack([0.24 * np.cos(around), 0.8 + 0.06 * np.sin(around)], axis=1)
    flip = [-1, 1]
    other_eye = (eye * flip)[[3, 2, 1, 0, 5, 4]]
    return np.concatenate(
        [jaw, brow, (brow * flip)[::-1], bridge, base, eye, other_eye, lip, inner]
    )


@cache
def small_shape_model():
    rng = np.random.default_rng(0)
    shapes = head_68() + 0.03 * rng.standard_normal((60, 68, 2))
    return train_shape_model(shapes, n_modes=8, eye_distance=55.0, centre=(80.0, 80.0))


@dataclass
class Puppet:
    """A person: a texture of their own and a path."""

    seed: int
    place: Callable[[int], object]  # frame number -> (x, y) of the face's centre, None when away
    texture: np.ndarray = field(init=False)

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        coarse = rng.uniform(30, 225, (7, 7)).astype(np.float32)
        fine = rng.uniform(-40, 40, (14, 14)).astype(np.float32)
        texture = cv2.resize(coarse, (140, 160), interpolation=cv2.INTER_CUBIC)
        texture = texture + cv2.resize(fine, (140, 160), interpolation=cv2.INTER_CUBIC)
        self.texture = np.clip(texture, 0, 255).astype(np.uint8)

    def points(self, frame):
        place = self.place(frame)
        if place is None:
            return None
        shape = head_68() * EYE
        return shape - shape.mean(axis=0) + place


class World:
    """The later a puppet stands in the list, the nearer to the camera it is."""

    def __init__(self, puppets, *, size=(640, 480), background=0, contrast=1.0):
        self.puppets, self.size, self.frame = list(puppets), size, 0
        rng = np.random.default_rng(1000 + background)
        coarse = contrast * rng.uniform(60, 190, (9, 12)).astype(np.float32)
        self._background = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        self.shape_model = small_shape_model()
        self._images, self._seen = {}, {}  # by frame: tests ask often

    def image(self):
        if self.frame not in self._images:
            self._images[self.frame] = self._render()
        return self._images[self.frame].copy()

    def _render(self):
        picture = np.clip(self._background, 0, 255).astype(np.uint8)
        for puppet in self.puppets:
            mask, _ = self._mask(puppet)
            if mask is not None:
                x, y = self._corner(puppet)
                layer = cv2.warpAffine(puppet.texture, np.array([[1, 0, x], [0, 1, y]]), self.size)
                picture[mask] = layer[mask]
        rng = np.random.default_rng(self.frame)
        noise = rng.integers(0, 5, picture.shape, dtype=np.uint8)
        return cv2.add(picture, noise)

    def seen(self):
        """Puppets of which at least 70 % can be seen, with their points."""
        if self.frame not in self._seen:
            self._seen[self.frame] = self._find_seen()
        return self._seen[self.frame]

    def _find_seen(self):
        result = []
        for number, puppet in enumerate(self.puppets):
            mask, full = self._mask(puppet)
            if mask is None:
                continue
            for other in self.puppets[number + 1 :]:
                cover, _ = self._mask(other)
                if cover is not None:
                    mask = mask & ~cover
            if mask.sum() > 0.7 * full:
                result.append((puppet, puppet.points(self.frame)))
        return result

    def _corner(self, puppet):
        x0, y0, x1, y1 = box_of(puppet.points(self.frame))
        return (x0 + x1 - 140) / 2, (y0 + y1 - 160) / 2

    def _mask(self, puppet):
        if puppet.points(self.frame) is None:
            return None, 0
        x, y = self._corner(puppet)
        mask = np.zeros((self.size[1], self.size[0]), np.uint8)
        cv2.ellipse(mask, (round(x + 70), round(y + 80)), (66, 78), 0, 0, 360, 1, -1)
        return mask.astype(bool), np.pi * 66 * 78


class OracleModel:
    """Fits to the nearest face that can be seen within its reach, in outer-eye distances."""

    def __init__(self, world, reach=0.5):
        self.world, self.reach, self.fits = world, reach, 0
        self.shape_model = world.shape_model

    def fit(self, image, start):
        assert np.isfinite(start).all()
        self.fits += 1
        return self._nearest(np.asarray(start), self.reach)

    def fit_box(self, image, box, *, view=0, five=None):
        centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        shape = head_68() * EYE
        return self._nearest(shape - shape.mean(axis=0) + centre, 1.0)

    def _nearest(self, start, reach):
        centre = start.mean(axis=0)
        seen = [
            (float(np.linalg.norm(points.mean(axis=0) - centre)), puppet.seed, points)
            for puppet, points in self.world.seen()
        ]
        best = min(seen, default=(np.inf, 0, start))
        if best[0] > reach * EYE:
            return Fit(read_only_points(start), 0.03)
        rng = np.random.default_rng(self.world.frame)
        return Fit(read_only_points(best[2] + 0.2 * rng.standard_normal((68, 2))), 0.97)


class OracleDetector:
    """Finds every face that can be seen; counts what it was asked."""

    def __init__(self, world):
        self.world, self.calls = world, 0

    def detect(self, image, *, wanted=1):
        self.calls += 1
        return [Detection(box_of(points), 1.0, 0) for _, points in self.world.seen()]

    def search(self, image, rung):
        return self.detect(image)

    def detect_near(self, image, box):
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        reach = 1.3 * max(box[2] - box[0], box[3] - box[1])
        return [
            d
            for d in self.detect(image)
            if abs((d.box[0] + d.box[2]) / 2 - x) < reach
            and abs((d.box[1] + d.box[3]) / 2 - y) < reach
        ]


@dataclass
class Stage:
    """A world with everything that a test needs to track it."""

    world: World
    model: OracleModel
    detector: OracleDetector

    def run(self, tracker, frames):
        """Track frames; gives for each the list of faces."""
        result = []
        for number in frames:
            self.world.frame = number
            result.append(tracker.update(self.world.image()))
        return result

    def owner(self, frame, face):
        """Seed of the puppet on whose face a tracked face lies."""
        self.world.frame = frame
        return min(
            (float(np.linalg.norm(points - face.raw_points)), puppet.seed)
            for puppet, points in self.world.seen()
        )[1]


@pytest.fixture
def puppet():
    return Puppet


@pytest.fixture
def shape_model():
    return small_shape_model()


@pytest.fixture
def head():
    return head_68() * EYE


@pytest.fixture
def stage():
    def make(*puppets, **options):
        world = World(puppets, **options)
        return Stage(world, OracleModel(world), OracleDetector(world))

    return make
