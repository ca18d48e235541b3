"""A checksum by which runs know whether they used the same model."""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from facetrack.fitting.face_model import FaceModel
from facetrack.identity.appearance import shipped_whitening


def fingerprint(model: object) -> str:
    """Digest what a model, or a dataclass of arrays, computes with: 64 hexadecimal digits.

    Fields that do not take part in comparisons (buffers) are left out. The shipped whitening of
    appearance counts with a `FaceModel`.
    """
    digest = hashlib.sha256()
    _add(digest, model)
    if isinstance(model, FaceModel):  # by which it is told whose face is tracked
        _add(digest, shipped_whitening())
    return digest.hexdigest()


def _add(digest: Any, value: object) -> None:
    """Feed one value: each with its kind before it, so that no two values look the same."""
    digest.update(f"{type(value).__name__}(".encode())
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.compare:
                digest.update(f"{field.name}=".encode())
                _add(digest, getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            _add(digest, key)
            _add(digest, value[key])
    elif isinstance(value, tuple | list):
        for item in value:
            _add(digest, item)
    else:
        digest.update(repr(value).encode())
    digest.update(b")")
