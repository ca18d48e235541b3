"""On whose face each id lies: what tells whether a tracker keeps people apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.face import Face
from facetrack.landmarks.markup import outer_eye_distance

SAME_FACE: Final = 0.25  # mean distance of the points from the truth, of the eye distance

Points = npt.NDArray[np.float64]
Owned = Sequence[dict[int, int]]
"""For each frame, the id of each tracked face and on which true face it lies; -1: on none."""


def find_owners(faces: Sequence[Face], truths: Sequence[Points]) -> dict[int, int]:
    """Tell on which true face each tracked one lies in a frame.

    Parameters
    ----------
    faces : sequence of Face
        As a tracker gave them; those that are lost are left out.
    truths : sequence of ndarray, shape (68, 2), float64
        The people's true landmarks in pixels; NaN where a person is absent.

    Returns
    -------
    dict of int to int
        From ids to places in `truths`; -1 for a face that lies on none of them.
    """
    present = [k for k, truth in enumerate(truths) if np.isfinite(truth).all()]
    owners = {}
    for face in faces:
        if face.tracked:
            distances = {
                k: float(np.linalg.norm(face.raw_points - truths[k], axis=1).mean())
                / float(outer_eye_distance(truths[k]))
                for k in present
            }
            nearest = min(distances, key=distances.__getitem__, default=-1)
            owners[face.id] = nearest if distances.get(nearest, np.inf) < SAME_FACE else -1
    return owners


def owner_of_ids(owned: Owned) -> dict[int, int]:
    """Tell on whose face each id lies in most of some frames.

    Parameters
    ----------
    owned : sequence of dict
        For each frame what `find_owners` returned.

    Returns
    -------
    dict of int to int
        From ids to people; -1: mostly on no true face.
    """
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for owners in owned:
        for number, owner in owners.items():
            counts[number][owner] += 1
    return {number: count.most_common(1)[0][0] for number, count in counts.items()}


def owner_of_first_sight(owned: Owned) -> dict[int, int]:
    """Tell on whose face each id lies when it first comes up.

    Parameters
    ----------
    owned : sequence of dict
        For each frame what `find_owners` returned.

    Returns
    -------
    dict of int to int
        From ids to people; -1: on no true face.
    """
    first: dict[int, int] = {}
    for owners in owned:
        first = owners | first
    return first


def strayed(owned: Owned) -> int:
    """Count the times that an id lies on another face than the one it first came up on.

    Parameters
    ----------
    owned : sequence of dict
        For each frame what `find_owners` returned; times on no true face do not count.

    Returns
    -------
    int
    """
    on_faces = [{n: owner for n, owner in owners.items() if owner >= 0} for owners in owned]
    first = owner_of_first_sight(on_faces)
    return sum(first[n] != owner for owners in on_faces for n, owner in owners.items())
