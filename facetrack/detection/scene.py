"""Recognising shot cuts: after one, no face is known to be the same person's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Final

import cv2
import numpy as np
import numpy.typing as npt

from facetrack.features.pixels import Image
from facetrack.features.resize import average

# Measured on twelve clips: at cuts the correlation was at most 0.26 and the histograms differed by
# at least 0.19; in the fastest motion of a face that fills the frame 0.65 and 0.08.
_CORRELATION: Final = 0.5
_HISTOGRAM: Final = 0.12

# A person who comes into a plain room, or leaves it, changes both as much as a cut does; but the
# room stays. Of 3,000 pairs of pictures that have nothing to do with each other at most 22 % of
# the thumbnail agree so well, when a person appears in front of a plain wall at least 67 % do.
_SAME_LEVEL: Final = 6.0  # grey levels
_BLACK: Final = 24.0  # grey levels: black is in every picture and says nothing
_STAYS: Final = 0.4

_SIZE: Final = (32, 24)
_SAMPLES: Final = 3  # samples per thumbnail pixel and axis: enough against aliasing, and cheap
_BLANK: Final = 3.0  # grey levels; less contrast is no picture (black frame, lens covered)

Thumbnail = Annotated[npt.NDArray[np.float32], (_SIZE[1], _SIZE[0])]


@dataclass(slots=True)
class CutDetector:
    """Compares each frame's thumbnail with that of the frame before.

    A change of light keeps the correlation, the motion of a face keeps the histogram, a person who
    comes or goes keeps the background; a cut changes all three. Frames without contrast are passed
    over, so one black frame is no cut.
    """

    _last: Thumbnail | None = None

    def update(self, image: Image) -> bool:
        """Look at the next frame."""
        current = _thumbnail(image)
        centred = _centred(current)
        energy = float(centred @ centred)
        if energy < _BLANK * _BLANK * centred.size:
            return False
        last, self._last = self._last, current
        if last is None:
            return False
        before = _centred(last)
        correlation = float(before @ centred) / math.sqrt(float(before @ before) * energy)
        # numpy's histogram costs more than all the rest: only ask where the correlation is low
        if correlation >= _CORRELATION or _distance(last, current) <= _HISTOGRAM:
            return False
        return _unchanged(last, current) < _STAYS

    def forget(self) -> None:
        """Compare the next frame with none."""
        self._last = None


def _thumbnail(image: Image) -> Thumbnail:
    """Reduce a frame to a few hundred averages; of colours the green channel stands for grey."""
    if not image.size:
        return np.zeros((_SIZE[1], _SIZE[0]), np.float32)
    step_y = max(1, image.shape[0] // (_SAMPLES * _SIZE[1]))
    step_x = max(1, image.shape[1] // (_SAMPLES * _SIZE[0]))
    sampled = image[::step_y, ::step_x] if image.ndim == 2 else image[::step_y, ::step_x, 1]
    if sampled.shape[0] < _SIZE[1] or sampled.shape[1] < _SIZE[0]:
        small = cv2.resize(np.ascontiguousarray(sampled), _SIZE, interpolation=cv2.INTER_AREA)
        return small.astype(np.float32)
    return average(sampled, _SIZE).astype(np.float32)


def _centred(thumbnail: Thumbnail) -> Thumbnail:
    centred: Thumbnail = (thumbnail - thumbnail.sum() / thumbnail.size).ravel()
    return centred


def _distance(a: Thumbnail, b: Thumbnail) -> float:
    """Half the absolute difference of two histograms: 0 equal, 1 without common grey values."""
    histograms = [np.histogram(x, 16, (0, 256))[0] / x.size for x in (a, b)]
    return float(0.5 * np.abs(histograms[0] - histograms[1]).sum())


def _unchanged(a: Thumbnail, b: Thumbnail) -> float:
    """Return the share of a picture in which something is to be seen and is what it was."""
    lit = np.maximum(a, b) >= _BLACK
    return float((lit & (np.abs(a - b) <= _SAME_LEVEL)).mean())
