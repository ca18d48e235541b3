"""How far the tracker trusts its fit."""

from __future__ import annotations

from typing import Final

from facetrack.reading import Kind, Spec
from facetrack.signals.estimator import FaceEstimator

QUALITY: Final = FaceEstimator(
    "quality",
    (Spec("quality", "probability of a well-fitted face", kind=Kind.PROBABILITY),),
    lambda face: (face.quality,),
)
