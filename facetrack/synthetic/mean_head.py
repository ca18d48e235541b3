"""What the mean head in three dimensions says of a portrait: its camera, its turns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.synthetic.portrait import Points


def fit_camera(
    points: Points, mean_3d: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64]]:
    """Fit the mean head to a portrait under scaled orthography.

    The jaw is left out, as its points slide along the contour.

    Parameters
    ----------
    points : ndarray, shape (68, 2), float64
        Landmarks in pixels of the portrait.
    mean_3d : ndarray, shape (68, 3), float64
        See `ShapeModel`.

    Returns
    -------
    rotation : ndarray, shape (3, 3), float64
    scale : float
        Pixels per millimetre.
    shift : ndarray, shape (2,), float64
        Where the head's origin lies, pixels.
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
    """Give the directions in which small yaw and pitch move the mean shape.

    Parameters
    ----------
    shape_model : ShapeModel

    Returns
    -------
    ndarray, shape (2, 68, 2), float64
        Orthonormal. A turn moves every point by its depth; what scale, roll and translation
        explain is left out.
    """
    depth = shape_model.mean_3d[:, 2]
    turns = np.zeros((2, 68, 2))
    turns[0, :, 0] = turns[1, :, 1] = depth
    rigid = shape_model.basis[:, :N_RIGID]
    columns = turns.reshape(2, -1).T
    columns = np.linalg.qr(columns - rigid @ (rigid.T @ columns))[0]
    return np.asarray(columns.T.reshape(2, 68, 2), dtype=np.float64)
