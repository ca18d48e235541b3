"""Synthetic video: moving, talking heads with exact landmarks in every frame."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.synthetic.mesh import HeadState
from facetrack.synthetic.motion import Amplitudes, HeadMotion, Placement, Trajectory
from facetrack.synthetic.palsy import Palsy
from facetrack.synthetic.portrait import Points, Portrait, astronaut
from facetrack.synthetic.render import HeadRenderer, noise_field
from facetrack.synthetic.scene import Look, Scene, draw_board, make_scene
from facetrack.video.frame import ArrayPicture, Frame
from facetrack.video.source import ClosesItself, DecodeReport

Ranges = tuple[tuple[int, int], ...]
"""Ranges of frames: from the first, up to but without the second."""

HEAD_SIZE: Final = 0.2  # outer-eye distance of a head that is not placed, of the frame's height


class Clock(Protocol):
    """What a fake camera needs to know of time."""

    def now(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticFace:
    """One head of a synthetic video."""

    portrait: Portrait
    home: Placement | None = None  # around which it wanders; None: the middle of the frame
    trajectory: Trajectory | None = None  # where it is at each time, instead of wandering
    amplitudes: Amplitudes = Amplitudes()  # noqa: RUF009  (frozen)
    absent: Ranges = ()  # frames in which it is not there
    covered: Ranges = ()  # frames in which a board hides it
    whole: bool = False  # show the whole portrait, which fills the frame
    palsy: Palsy | None = None


class SyntheticVideo(ClosesItself):
    """A video source that makes its frames, each on its own and always the same.

    Frame i is at i / fps. Later `faces` stand before earlier ones; by default it is the astronaut's
    whole portrait. Light, blur and contrast as of `CameraEffects`, noise in grey levels,
    `side_light` as of `Lamp`. In `still` frames nothing moves but the noise, and motion then
    continues; at `cuts` another scene begins. With a `clock` it behaves like a camera: frames come
    when they are due, and those that a slow consumer missed are left out. Raises InputError if a
    number makes no sense.
    """

    def __init__(
        self,
        shape_model: ShapeModel,
        *,
        n_frames: int = 300,
        size: tuple[int, int] = (640, 480),
        fps: float = 30.0,
        seed: int = 0,
        faces: Sequence[SyntheticFace] | None = None,
        light: float = 0.2,
        blur: float = 0.8,
        noise: float = 3.0,
        contrast: float = 1.0,
        side_light: float | None = None,
        still: Ranges = (),
        cuts: Sequence[int] = (),
        clock: Clock | None = None,
    ) -> None:
        if n_frames < 1 or min(size) < 16 or not fps > 0:
            raise InputError(
                f"need n_frames > 0, size of at least 16 and fps > 0, got {n_frames}, {size}, {fps}"
            )
        self.name = "synthetic"
        self.size, self.fps, self.n_frames = size, float(fps), n_frames
        self.duration: float = n_frames / fps
        self.report = DecodeReport()
        self.faces = list(faces) if faces is not None else [SyntheticFace(astronaut(), whole=True)]
        self._seed, self._clock, self._closed = seed, clock, False
        self._n_modes = len(shape_model.deviations) - N_RIGID
        moving = np.ones(n_frames, dtype=bool)
        for start, stop in still:
            moving[start:stop] = False
        self._motion_index = np.maximum(np.cumsum(moving) - 1, 0)
        self._starts = sorted({0, *cuts})
        field = noise_field(np.random.default_rng(seed), size, noise)
        look = Look(light, blur, contrast, field, side_light)
        self._scenes = [self._make_scene(k, start, look) for k, start in enumerate(self._starts)]
        self._renderers = [
            HeadRenderer(
                f.portrait,
                shape_model,
                eye_distance=self._head_size(f),
                whole=f.whole,
                palsy=f.palsy,
            )
            for f in self.faces
        ]

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames from the first on."""
        self.report, self._closed = DecodeReport(), False
        begin = self._clock.now() if self._clock is not None else 0.0
        index = 0
        while index < self.n_frames and not self._closed:
            if self._clock is not None:
                ahead = index / self.fps - (self._clock.now() - begin)
                if ahead > 0:
                    self._clock.sleep(ahead)
                index = min(max(index, int(-ahead * self.fps) + index), self.n_frames - 1)
            yield self._frame(index, self.report.decoded)
            self.report.decoded += 1
            index += 1

    def close(self) -> None:
        """End a running iteration."""
        self._closed = True

    def time(self, index: int) -> float:
        """Give the time of a frame in seconds."""
        self._check(index)
        return index / self.fps

    def frame(self, index: int) -> Frame:
        """Render one frame."""
        return self._frame(index, index)

    def truth(self, index: int, *, face: int = 0) -> Points:
        """Give a face's exact landmarks, hidden ones too; NaN where it is absent or covered."""
        self._check(index)
        person = self.faces[face]
        if _inside(index, person.absent) or _inside(index, person.covered):
            return np.full((68, 2), np.nan)
        scene, time = self._moment(index)
        place = self._place(scene, face, time)
        return self._renderers[face].vertices(place, self.head(index, face=face))[0][:68].copy()

    def head(self, index: int, *, face: int = 0) -> HeadState:
        """Return what a head does in a frame, from 0: how it is turned, its expression."""
        scene, time = self._moment(index)
        return scene.motions[face].head(time, self._n_modes)

    def unevenness(self, index: int) -> float:
        """Return how one-sided the side light is in a frame, from 0 (or no lamp) to 1."""
        scene, time = self._moment(index)
        return 0.0 if scene.lamp is None else scene.lamp.unevenness(time)

    def visible(self, index: int, *, face: int = 0) -> bool:
        """Return whether most of a face can be seen.

        Not where it is absent, covered, or has half of its points behind another face or outside.
        """
        points = self.truth(index, face=face)
        inside = (points >= 0) & (points <= np.subtract(self.size, 1))
        seen: npt.NDArray[np.bool_] = np.asarray(inside.all(axis=1))
        for other in range(face + 1, len(self.faces)):
            before = self.truth(index, face=other)
            if np.isfinite(before).all():
                hull = cv2.convexHull(before.astype(np.float32))
                seen &= np.array(
                    [cv2.pointPolygonTest(hull, p.tolist(), False) < 0 for p in points]
                )
        return bool(seen.mean() > 0.5)

    def _frame(self, index: int, count: int) -> Frame:
        scene, time = self._moment(index)
        image = scene.background.copy()
        lamp = None if scene.lamp is None else scene.lamp.lamp(time)
        for number, (person, renderer) in enumerate(zip(self.faces, self._renderers, strict=True)):
            if _inside(index, person.absent):
                continue
            head = self.head(index, face=number)
            points = renderer.draw(image, self._place(scene, number, time), head, lamp)
            if _inside(index, person.covered):
                draw_board(image, points)
        image = scene.effects.apply(image, time, index, self._seed)
        return Frame(count, index / self.fps, ArrayPicture(image))

    def _check(self, index: int) -> None:
        if not 0 <= index < self.n_frames:
            raise InputError(f"frame {index} is none of {self.n_frames}")

    def _moment(self, index: int) -> tuple[Scene, float]:
        self._check(index)
        scene = self._scenes[bisect.bisect_right(self._starts, index) - 1]
        time = (self._motion_index[index] - self._motion_index[scene.start]) / self.fps
        return scene, float(time)

    def _place(self, scene: Scene, face: int, time: float) -> Placement:
        trajectory = self.faces[face].trajectory
        return trajectory(time) if trajectory is not None else scene.motions[face].place(time)

    def _head_size(self, face: SyntheticFace) -> float:
        if face.trajectory is not None:
            return face.trajectory(0.0).eye_distance
        return face.home.eye_distance if face.home is not None else HEAD_SIZE * self.size[1]

    def _make_scene(self, number: int, start: int, look: Look) -> Scene:
        width, height = self.size
        middle = Placement(0.5 * width, 0.45 * height, HEAD_SIZE * height)
        motions = [
            HeadMotion(
                np.random.default_rng((self._seed, number, k)),
                face.amplitudes,
                home=face.home or middle,
                reach=height,
                seconds=self.duration,
            )
            for k, face in enumerate(self.faces)
        ]
        return make_scene(start, motions, look, self.size, seed=(self._seed, number))


def _inside(index: int, ranges: Ranges) -> bool:
    return any(start <= index < stop for start, stop in ranges)
