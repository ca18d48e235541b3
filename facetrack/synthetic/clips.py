"""Synthetic clips with a purpose: the demo, two people who cross, one who stays away a while."""

from __future__ import annotations

from typing import Final

import numpy as np

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.motion import Amplitudes, Placement, Trajectory, straight
from facetrack.synthetic.portrait import Portrait, astronaut, stranger
from facetrack.synthetic.proportions import with_room
from facetrack.synthetic.video import Clock, SyntheticFace, SyntheticVideo

AWAY: Final = 10.0  # seconds for which the first person of `absence_video` is not there
_SEEN: Final = 4.0  # seconds before and after
_RATE: Final = 6.0  # frames per second: few suffice, as little happens
_EMPTY: Final = 1.0  # seconds in which no person is there, twice


def demo_video(
    shape_model: ShapeModel,
    *,
    n_frames: int = 300,
    size: tuple[int, int] = (640, 480),
    clock: Clock | None = None,
) -> SyntheticVideo:
    """Make the demo clip: ten seconds, unless said otherwise, of the astronaut talking."""
    # Drawn out beyond its border, the portrait would show streaks where the head moves down.
    face = SyntheticFace(with_room(astronaut()), whole=True)
    video = SyntheticVideo(
        shape_model, n_frames=n_frames, size=size, seed=1, faces=[face], clock=clock
    )
    video.name = "demo"
    return video


def crossing_video(
    shape_model: ShapeModel, *, seed: int = 0, size: tuple[int, int] = (640, 480)
) -> SyntheticVideo:
    """Make two people who pass each other, one before the other, in 90 frames."""
    rng = np.random.default_rng(seed)
    width, height = size
    eye_distances = rng.uniform(0.11, 0.15, size=2) * height
    heights = rng.uniform(0.4, 0.5, size=(2, 2)) * height
    sides = np.array([0.2, 0.8]) * width
    people = [astronaut(), stranger()]
    calm = Amplitudes(yaw=0.2, pitch=0.1, roll=0.08)
    faces = []
    for k, portrait in enumerate(people):
        start = Placement(sides[k], heights[k, 0], eye_distances[k])
        end = Placement(sides[1 - k], heights[k, 1], eye_distances[k])
        path = straight(start, end, seconds=89 / 30)
        faces.append(SyntheticFace(portrait, trajectory=path, amplitudes=calm))
    if rng.random() < 0.5:
        faces.reverse()
    return SyntheticVideo(shape_model, n_frames=90, size=size, seed=seed, faces=faces)


def absence_video(
    shape_model: ShapeModel,
    portraits: tuple[Portrait, Portrait] | None = None,
    *,
    seed: int = 0,
    size: tuple[int, int] = (640, 480),
) -> SyntheticVideo:
    """Make a person who leaves for ten seconds, another person who is there meanwhile.

    The first face is there for 4 s, away for 10 s, and there again for 4 s at another place; for
    every second seed the other person sits where the first one sat. By default they are the
    astronaut and the stranger.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    before, after, other = (
        Placement(*(rng.uniform((0.3, 0.4, 0.15), (0.7, 0.5, 0.22)) * (width, height, height)))
        for _ in range(3)
    )
    if seed % 2:
        other = Placement(before.x, before.y, other.eye_distance)
    calm = Amplitudes(yaw=0.25, pitch=0.12, roll=0.1, pace=0.4)
    first, second = portraits if portraits is not None else (astronaut(), stranger())
    leave, enter = round(_SEEN * _RATE), round((_SEEN + _EMPTY) * _RATE)
    exit_, back = round((_SEEN + AWAY - _EMPTY) * _RATE), round((_SEEN + AWAY) * _RATE)
    n_frames = round((2 * _SEEN + AWAY) * _RATE)
    faces = [
        SyntheticFace(
            first,
            trajectory=_moved_at(back / _RATE, before, after),
            amplitudes=calm,
            absent=((leave, back),),
        ),
        SyntheticFace(second, home=other, amplitudes=calm, absent=((0, enter), (exit_, n_frames))),
    ]
    video = SyntheticVideo(
        shape_model, n_frames=n_frames, size=size, fps=_RATE, seed=seed, faces=faces
    )
    video.name = "absence"
    return video


def _moved_at(moment: float, before: Placement, after: Placement) -> Trajectory:
    """Stay at one place until a moment in seconds, then at another."""

    def place(time: float) -> Placement:
        return before if time < moment - 1e-9 else after

    return place
