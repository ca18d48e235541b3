"""Models that track landmarks, as files."""

from __future__ import annotations

import os

from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.packing import pack, unpack
from facetrack.formats.modelfile import ModelKind, register_kind

LANDMARK_TRACKER = ModelKind("facetrack model", "landmark tracker", schema=1, load=unpack)
register_kind(LANDMARK_TRACKER)


def load_model(name: str | os.PathLike[str] | None = None) -> FaceModel:
    """Load a model that tracks landmarks.

    Parameters
    ----------
    name : str or path-like, optional
        A name in the shipped models, or the path of a file; the shipped default without it.

    Returns
    -------
    FaceModel

    Raises
    ------
    ModelError
        If there is no such model, or the file is cut short, changed, of a newer schema, of
        another kind, or no model at all.
    """
    return LANDMARK_TRACKER.read(name)


def save_model(model: FaceModel, path: str | os.PathLike[str]) -> None:
    """Save a model: written beside, then renamed.

    Parameters
    ----------
    model : FaceModel
    path : path-like
        Ends in .npz.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    LANDMARK_TRACKER.write(path, *pack(model))
