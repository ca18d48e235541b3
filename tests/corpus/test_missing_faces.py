"""Why few frames of a video have a face."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from facetrack.corpus.ledger import Ledger
from facetrack.corpus.missing_faces import likely_reason
from facetrack.synthetic.portrait import astronaut
from facetrack.video.frame import Frame, frame_of

NOISE = np.random.default_rng(0).integers(90, 160, (240, 320, 3), dtype=np.uint8)


def frames(image: np.ndarray, n: int = 30) -> list[Frame]:
    return [Frame(i, i / 25, frame_of(image).picture) for i in range(n)]


def far(share: float) -> np.ndarray:
    """The portrait, so much smaller, on a grey ground."""
    small = cv2.resize(astronaut().image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    image = np.full((360, 480, 3), 120, dtype=np.uint8)
    image[50 : 50 + small.shape[0], 60 : 60 + small.shape[1]] = small
    return image


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (NOISE, "no face is seen"),
        (NOISE // 8, "the picture is dark: more light"),
        (far(0.25), "the faces are small, about 2. px: --smallest-face 1."),
        (far(0.6), "faces are seen, but no fit is good enough"),
    ],
)
def test_the_likely_reason_is_named(image: np.ndarray, reason: str) -> None:
    assert re.match(reason, likely_reason(frames(image), 40.0))


def test_what_most_frames_say_counts() -> None:
    mixed = frames(NOISE // 8, 26)[:26] + frames(NOISE, 25)
    assert likely_reason(mixed, 40.0).startswith("the picture is dark")


def test_without_a_frame_nothing_is_known_better() -> None:
    assert likely_reason([], 40.0).startswith("no face is seen")


def test_the_account_says_how_many_frames_have_a_face_and_why_few() -> None:
    ledger = Ledger({}, 72, 72, 72, 3, 0, 0, why_few="the picture is dark")
    assert ledger.faces == "a face in 3 of 72 frames (the picture is dark)"
    assert ledger.summary().endswith(ledger.faces)
