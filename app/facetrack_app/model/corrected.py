# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections as the store holds them."""

from __future__ import annotations

import numpy as np

from facetrack.annotation.corrections import Correction
from facetrack_app.model.claims import Claims
from facetrack_app.model.rows import Row, unpack_points
from facetrack_app.model.store import Store


def read_corrections(store: Store, claims: Claims, person: int) -> dict[int, Correction]:
    """Read all that was said of a person, by frame."""
    found: dict[int, Correction] = {}
    for strand, frame, *row in store.read(
        "SELECT strand, frame, points, source, origin FROM correction ORDER BY frame, strand"
    ):
        if claims.owner(strand, frame) == person:
            found.setdefault(frame, correction_of(tuple(row)))
    return found


def correction_of(row: Row) -> Correction:
    """Unpack a row's values: points, sources, who said it."""
    return Correction(unpack_points(row[0]), np.frombuffer(row[1], dtype=np.uint8))
