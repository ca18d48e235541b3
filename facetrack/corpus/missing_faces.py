"""Why a video has few faces: the likely reason and a remedy, from a second look at some frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

import numpy as np

from facetrack.detection.detections import Detection
from facetrack.detection.face_detector import FaceDetector
from facetrack.video.frame import Frame, Image

FEW: Final = 0.5  # share of the frames with a face, below which the reason is looked for
_FIRST: Final = 250  # frames among which ...
_EVERY: Final = 25  # ... these are looked at
_DARK: Final = 40  # grey levels, of all but a twentieth of the picture
_SMALL: Final = 15.0  # px: smaller faces than that are not looked for
_NONE: Final = "no face is seen: turned far, covered, very blurred, or none there?"
_DOUBTED: Final = "faces are seen, but no fit is good enough: turned far, covered or blurred?"


def likely_reason(frames: Iterable[Frame], smallest: float) -> str:
    """Look again at some frames of a video with few tracked faces: the likely reason, and a remedy.

    `smallest` is the width of the smallest face that was looked for, pixels.
    """
    detector = FaceDetector(min(_SMALL, smallest))
    looked_at = islice(frames, 0, _FIRST, _EVERY)
    reasons = Counter(_reason(frame.square.grey, detector, smallest) for frame in looked_at)
    return reasons.most_common(1)[0][0] if reasons else _NONE


def _reason(picture: Image, detector: FaceDetector, smallest: float) -> str:
    confirming = [found for found in detector.detect(picture) if found.confirms]
    if not confirming:
        dark = np.quantile(picture, 0.95) < _DARK
        return "the picture is dark: more light, or a brighter copy, helps" if dark else _NONE
    width = max(map(_width, confirming))
    if width >= smallest:
        return _DOUBTED
    return f"the faces are small, about {width:.0f} px: --smallest-face {max(width // 2, 12):.0f}"


def _width(found: Detection) -> float:
    return found.box[2] - found.box[0]
