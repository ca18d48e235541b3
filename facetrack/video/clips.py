"""Synthetic clips with a purpose: the demo, and two people who cross."""

from __future__ import annotations

import numpy as np

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.video.motion import Amplitudes, Placement, straight
from facetrack.video.portrait import astronaut, stranger
from facetrack.video.synthetic import SyntheticFace, SyntheticVideo


def demo_video(shape_model: ShapeModel) -> SyntheticVideo:
    """Make the demo clip: ten seconds of the astronaut moving, talking, turning.

    Parameters
    ----------
    shape_model : ShapeModel

    Returns
    -------
    SyntheticVideo
    """
    video = SyntheticVideo(shape_model, n_frames=300, seed=1)
    video.name = "demo"
    return video


def crossing_video(
    shape_model: ShapeModel, *, seed: int = 0, size: tuple[int, int] = (640, 480)
) -> SyntheticVideo:
    """Make two people who pass each other, one before the other, in 90 frames.

    Parameters
    ----------
    shape_model : ShapeModel
    seed : int
        Of who comes from where, how high, how large and who is in front.
    size : tuple of int
        Width and height in pixels.

    Returns
    -------
    SyntheticVideo
    """
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
