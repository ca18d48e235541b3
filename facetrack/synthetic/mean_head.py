"""What the mean head in three dimensions says of a portrait: its camera, its turns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.synthetic.portrait import Points


def fit_camera(
    points: Points, mean_3d: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64]]:
    """Fit the mean head, (68, 3), to landmarks in pixels under scaled orthography, without the jaw.

    Points of the jaw slide along the contour. Return rotation, pixels per millimetre, and where the
    head's origin lies in pixels.
    """
    head = np.column_stack([mean_3d[17:], np.ones(51)])
    camera = np.linalg.lstsq(head, points[17:], rcond=None)[0].T
    u, d, vt = np.linalg.svd(camera[:, :3])
    first_two = u @ vt[:2]
    rotation = np.stack([*first_two, np.cross(*first_two)])
    scale = float(d.mean())
    shift = points[17:].mean(axis=0) - scale * mean_3d[17:].mean(axis=0) @ first_two.T
    return rotation, scale, shift


def small_turns(shape_model: ShapeModel) -> npt.NDArray[np.float64]:
    """Give orthonormal directions, (2, 68, 2), in which small yaw and pitch move the mean shape.

    A turn moves every point by its depth; what scale, roll and translation explain is left out.
    """
    depth = shape_model.mean_3d[:, 2]
    turns = np.zeros((2, 68, 2))
    turns[0, :, 0] = turns[1, :, 1] = depth
    rigid = shape_model.basis[:, :N_RIGID]
    columns = turns.reshape(2, -1).T
    columns = np.linalg.qr(columns - rigid @ (rigid.T @ columns))[0]
    return np.asarray(columns.T.reshape(2, 68, 2), dtype=np.float64)
