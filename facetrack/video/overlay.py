"""Drawing what the tracker found onto the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.face import Face
from facetrack.formats.picture import Image, as_bgr
from facetrack.landmarks.markup import REGIONS

Colour = tuple[int, int, int]

CLOSED: Final = frozenset({"right_eye", "left_eye", "outer_mouth", "inner_mouth"})
# Okabe and Ito's colours (BGR), which the colour-blind tell apart; a person keeps one.
COLOURS: Final = (
    (115, 158, 0), (233, 180, 86), (0, 159, 230), (66, 228, 240), (167, 121, 204), (0, 94, 213),
)  # fmt: skip
_SHIFT: Final = 4  # OpenCV draws at sixteenths of a pixel
_DARK: Final = (20, 20, 20)
_WHITE: Final = (255, 255, 255)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_PLATE: Final = 0.75  # opacity of the plate behind text


def draw(image: npt.ArrayLike, faces: Sequence[Face]) -> Image:
    """Draw landmarks, contours, id, quality and state on a BGR copy; list lost faces in a corner.

    Coloured lines have a dark rim and text a dark plate, so that they show on light and on dark.
    """
    canvas = as_bgr(image).copy()
    n_lost = 0
    for face in faces:
        colour = COLOURS[face.id % len(COLOURS)]
        if face.tracked:
            _draw_face(canvas, face, colour)
        else:
            text = f"{face.id}: lost" + (f" - {face.reason}" if face.reason else "")
            n_lost += 1
            _write(canvas, text, (4, n_lost * (_plate_height(canvas) + 2)), colour)
    return canvas


def _draw_face(canvas: Image, face: Face, colour: Colour) -> None:
    # Points far outside would overflow OpenCV's fixed-point coordinates; NaN is not below either.
    known: npt.NDArray[np.bool_] = np.asarray((np.abs(face.points) < 1e5).all(axis=1))
    if not known.any():
        return
    fixed = np.rint(np.where(known[:, None], face.points, 0) * (1 << _SHIFT)).astype(np.int32)
    width = float(np.ptp(face.points[known, 0]))
    radius = max(1.0, width / 110)
    rim = canvas.copy()
    _draw_lines(rim, fixed, known, _DARK, _DARK, thickness=3, radius=radius + 1)
    cv2.addWeighted(rim, 0.6, canvas, 0.4, 0, dst=canvas)
    _draw_lines(canvas, fixed, known, colour, _WHITE, thickness=1, radius=radius)
    left, top = face.points[known].min(axis=0)
    _write(canvas, f"{face.id}: {face.quality:.2f}", (left, top - 0.06 * width - 4), colour)


def _draw_lines(
    canvas: Image,
    fixed: npt.NDArray[np.int32],
    known: npt.NDArray[np.bool_],
    line_colour: Colour,
    point_colour: Colour,
    *,
    thickness: int,
    radius: float,
) -> None:
    """Draw contours and points; `fixed` is in sixteenths of a pixel."""
    for indices, closed in _runs(known):
        line = fixed[indices].reshape(-1, 1, 2)
        cv2.polylines(canvas, [line], closed, line_colour, thickness, cv2.LINE_AA, _SHIFT)
    size = round(radius * (1 << _SHIFT))
    for centre in fixed[known].tolist():
        cv2.circle(canvas, centre, size, point_colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _runs(known: npt.NDArray[np.bool_]) -> list[tuple[list[int], bool]]:
    """Split the regions' lines where points are missing: (indices, whether it closes)."""
    runs: list[tuple[list[int], bool]] = []
    for region, members in REGIONS.items():
        if known[list(members)].all():
            runs.append((list(members), region in CLOSED))
            continue
        run: list[int] = []
        for index in members:
            if known[index]:
                run.append(index)
            elif run:
                runs.append((run, False))
                run = []
        if run:
            runs.append((run, False))
    return runs


def _write(canvas: Image, text: str, place: tuple[float, float], colour: Colour) -> None:
    """Write a line, white on a dark plate, that stays inside the picture.

    The plate's lower left corner is at `place`, in pixels; a stripe on its left has the colour,
    because half of the colours are too dark or too bright to be read on any ground.
    """
    text = text.encode("ascii", "replace").decode()  # OpenCV's font knows no more
    height, width = canvas.shape[:2]
    scale, size_y = _text_scale(canvas), _plate_height(canvas)
    pen, pad = max(round(1.5 * scale), 1), size_y // 5
    size_x = cv2.getTextSize(text, _FONT, scale, pen)[0][0] + 3 * pad
    left = max(min(round(place[0]), width - size_x), 0)
    bottom = max(min(round(place[1]), height), min(size_y, height))
    plate = canvas[max(bottom - size_y, 0) : bottom, left : left + size_x]
    dark = np.full_like(plate, _DARK)
    cv2.addWeighted(dark, _PLATE, plate, 1 - _PLATE, 0, dst=plate)
    plate[:, :pad] = colour
    baseline = left + 2 * pad, bottom - round(1.5 * pad)
    cv2.putText(canvas, text, baseline, _FONT, scale, _WHITE, pen, cv2.LINE_AA)


def _text_scale(canvas: Image) -> float:
    """Give the size of letters, of OpenCV's: the same share of every picture that is not small."""
    height = int(canvas.shape[0])
    return min(max(height / 800, 0.5), 3.0)


def _plate_height(canvas: Image) -> int:
    return round(36 * _text_scale(canvas))
