"""Faces that meet: one of two tracks on one face is dropped, and ids stay with their people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np

from facetrack.features.pixels import Box, Image, overlap
from facetrack.identity.people import Missing
from facetrack.identity.person import signature
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.tracking.track import Track

_TOUCHING: Final = 0.1  # overlap of the heads' boxes, of the smaller one
_HAIR: Final = 0.2  # how far a head reaches beyond its points on either side, of their box
_ON_ONE_FACE: Final = 0.35  # mean distance of the points in outer-eye distances
_WATCHED: Final = 10  # frames after a meeting in which the ids are checked
_EXCHANGED: Final = 0.2  # by how much the exchanged ids must agree better with the looks


def settle_crossings(
    tracks: Sequence[Track], missing: Sequence[Missing], image: Image, shape_model: ShapeModel
) -> list[tuple[Track, str]]:
    """Find two tracks on one face, and give persons back to the faces that are theirs.

    After this frame's fits; `apart` is counted here, and persons of tracks and of the missing may
    be exchanged. Returns the tracks that follow another person's face, and why they end.
    """
    for track in tracks:
        track.apart += 1
    ended: list[tuple[Track, str]] = []
    for a, b in _meeting(tracks):
        if _on_one_face(a, b) and not any(t is a or t is b for t, _ in ended):
            owner, other = _by_right(a, b, image, shape_model)
            name = f"face {owner.person.id}" if owner.decided else "another face"
            ended.append((other, f"hidden behind {name}"))
    watched = [t for t in tracks if t.apart <= _WATCHED and all(t is not e for e, _ in ended)]
    looks = [signature(image, track.points, shape_model) for track in watched]
    for (a, look_a), (b, look_b) in combinations(zip(watched, looks, strict=True), 2):
        if not (a.person.exemplars and b.person.exemplars):
            continue
        kept = a.person.likeness(look_a) + b.person.likeness(look_b)
        if b.person.likeness(look_a) + a.person.likeness(look_b) > kept + _EXCHANGED:
            a.person, b.person = b.person, a.person
    for track, look in zip(watched, looks, strict=True):
        if not track.person.exemplars:
            continue
        for gone in missing:
            if gone.person.likeness(look) > track.person.likeness(look) + _EXCHANGED:
                track.person, gone.person = gone.person, track.person
    return ended


def _meeting(tracks: Sequence[Track]) -> Iterator[tuple[Track, Track]]:
    """Find the pairs that touch, and note it in both."""
    for a, b in combinations(tracks, 2):
        if overlap(_head(a), _head(b)) > _TOUCHING:
            a.apart = b.apart = 0
            yield a, b


def _head(track: Track) -> Box:
    """Box of the whole head: hair hides another face before the landmarks reach it."""
    x0, y0, x1, y1 = track.box
    width, height = _HAIR * (x1 - x0), _HAIR * (y1 - y0)
    return x0 - width, y0 - 2 * height, x1 + width, y1


def _on_one_face(a: Track, b: Track) -> bool:
    distance = float(np.linalg.norm(a.points - b.points, axis=1).mean())
    return distance < _ON_ONE_FACE * float(
        max(outer_eye_distance(a.points), outer_eye_distance(b.points))
    )


def _by_right(a: Track, b: Track, image: Image, shape_model: ShapeModel) -> tuple[Track, Track]:
    """Order two tracks on one face: first the one whose person it shows."""
    better = a if a.quality >= b.quality else b
    look = signature(image, better.points, shape_model)
    ranks = [(track.person.likeness(look), track.age, track.quality) for track in (a, b)]
    return (a, b) if ranks[0] >= ranks[1] else (b, a)
