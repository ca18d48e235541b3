"""When and where to look for faces that are not tracked yet, at bounded cost per frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from facetrack.detection.detections import Detection, Finds
from facetrack.face import Fit
from facetrack.features.pixels import Box, Image, box_of, overlap
from facetrack.identity.people import Missing
from facetrack.tracking.track import WELL_FITTED, Fits, is_plausible

_SEARCH_EVERY: Final = 2  # frames, while no face at all is tracked
_LOOK_AROUND_EVERY: Final = 15  # frames, while some are and more are wanted
_LOOK_BACK_EVERY: Final = 3  # frames, near the place where a person was lost ...
_LOOK_BACK_FOR: Final = 90  # ... this many frames ago at most

_CONFIRMED: Final = 0.3  # quality of the fit that makes a certain detection a face
_CONFIRMED_WEAK: Final = 0.9  # the same for a candidate with a low score
_MOST_TRIES: Final = 4  # fits per search, and twice what is wanted
_MOST_MOVED: Final = 2  # of them also from the boxes around the detection; certain ones: as wanted
# Right, down (in box widths) and factor of size: what is tried while the detector's own box gives
# no well-fitted face. Small steps first; a box may be a fifth too large and off by a tenth at once.
_MOVES: Final = tuple(
    sorted(
        itertools.product((0.0, -0.12, 0.12), (0.0, -0.12, 0.12), (1.0, 0.85, 1.15)),
        key=lambda move: (move[0] != 0) + (move[1] != 0) + (move[2] != 1),
    )
)
_UPRIGHT: Final = 7  # of these are tried without the five points: steps in one direction
_TAKEN: Final = 0.4  # overlap with a tracked face


def look(
    detector: Finds,
    image: Image,
    *,
    idle: int,
    frame: int,
    tracked: int,
    wanted: int,
    missing: Sequence[Missing],
) -> list[Detection]:
    """Look for faces as far as this frame's share of the work allows; best first, none implausible.

    `idle` counts frames since the last thorough search would have been due: 0 at the start and
    after a cut; `wanted` faces are looked for beyond those tracked. Detections may be known faces
    or no faces at all.
    """
    every = _LOOK_AROUND_EVERY if tracked else _SEARCH_EVERY
    back = [m for m in missing if frame - m.since <= _LOOK_BACK_FOR]
    found: list[Detection] = []
    if not tracked and idle == 0:
        found = detector.detect(image, wanted=wanted)
    elif idle % every == 0:
        found = detector.search(image, idle // every)
    elif back and idle % _LOOK_BACK_EVERY == 1:
        found = detector.detect_near(image, back[idle // _LOOK_BACK_EVERY % len(back)].box)
    return [detection for detection in found if detection.plausible]


def confirm(
    model: Fits, image: Image, detections: Sequence[Detection], taken: Sequence[Box], wanted: int
) -> list[Fit]:
    """Fit the model to detections, best first, and keep at most `wanted` that are faces.

    `taken` are the boxes of the faces that are tracked, which are left out.
    """
    occupied, found = list(taken), list[Fit]()
    free = [d for d in detections if all(overlap(d.box, box) < _TAKEN for box in occupied)]
    for rank, detection in enumerate(free[: max(_MOST_TRIES, 2 * wanted)]):
        if len(found) >= wanted:
            break
        needed = _CONFIRMED if detection.confirms else _CONFIRMED_WEAK
        most = max(_MOST_MOVED, wanted) if detection.confirms else _MOST_MOVED
        moves = _MOVES if rank < most else _MOVES[:1]
        fit = _fit_around(model, image, detection, needed, moves)
        if fit is None:
            continue
        box = box_of(fit.points)
        if all(overlap(box, other) < _TAKEN for other in occupied):
            occupied.append(box)
            found.append(fit)
    return found


def _beside(
    detection: Detection, moves: Sequence[tuple[float, float, float]]
) -> Iterator[Detection]:
    """Yield where fits begin: on the five points, which may be turned, then in the upright box."""
    yield from (detection.moved(*move) for move in moves)
    if detection.five is not None:
        upright = replace(detection, five=None)
        yield from (upright.moved(*move) for move in moves[:_UPRIGHT])


def _fit_around(
    model: Fits,
    image: Image,
    detection: Detection,
    needed: float,
    moves: Sequence[tuple[float, float, float]],
) -> Fit | None:
    """Fit from a box, and from its neighbours while no fit is believed; returns the best one."""
    best: Fit | None = None
    for beside in _beside(detection, moves):
        fit = model.fit_box(image, beside.box, view=beside.view, five=beside.five)
        if is_plausible(fit, model.shape_model):
            best = fit if best is None or fit.quality > best.quality else best
        if best is not None and best.quality >= max(needed, WELL_FITTED):
            break
    return best if best is not None and best.quality >= needed else None
