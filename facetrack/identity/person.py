"""Who is who: appearance signatures and the people that were seen.

A signature describes the middle of the face (brows to mouth) in the reference frame as `appearance`
says, plus mean and contrast of the grey values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt

from facetrack.features.crops import aligned_patch
from facetrack.features.pixels import Image
from facetrack.formats.encoding import Makers
from facetrack.identity.appearance import N_VALUES, SIDE, gradients, shipped_whitening
from facetrack.identity.person_state import PersonState, teachable
from facetrack.landmarks.shape_model import ShapeModel

Points = npt.NDArray[np.float64]
SIGNATURE_SIZE: Final = N_VALUES + 2
Signature = Annotated[npt.NDArray[np.float32], (SIGNATURE_SIZE,)]

_GREY_WEIGHT: Final = 0.1  # similarity lost per 40 grey levels of difference in mean and contrast
_GREY_LEVELS: Final = 40.0
_MOST_GREY_LOSS: Final = 0.15

UNKNOWN: Final = -1  # the id of a face without an owner

_EXEMPLARS: Final = 6  # signatures kept per person, of different poses
_NEW_EXEMPLAR: Final = 0.75  # less agreement with all of them makes another one worth keeping
_MEMORY: Final = 0.9  # weight of the old signature when a like one is averaged in


def signature(image: Image, points: Points, shape_model: ShapeModel) -> Signature:
    """Describe a face's appearance, aligned to the model's mean shape, (SIGNATURE_SIZE,).

    A unit vector of what tells people apart, then mean and standard deviation of the grey values.
    """
    patch = aligned_patch(image, points, shape_model.mean, SIDE)
    values = shipped_whitening().apply(gradients(patch))
    return np.append(values, [patch.mean(), patch.std()]).astype(np.float32)


def similarity(a: Signature, b: Signature) -> float:
    """Compare two signatures."""
    loss = _GREY_WEIGHT / _GREY_LEVELS * float(np.abs(a[-2:] - b[-2:]).sum())
    return float(a[:-2] @ b[:-2]) - min(_MOST_GREY_LOSS, loss)


@dataclass(slots=True, eq=False)
class Person:
    """A person who was seen."""

    id: int  # never handed to another person
    # signatures, the oldest first, each of another pose
    exemplars: list[Signature] = field(default_factory=list)
    model_state: PersonState | None = None  # what was taught of the face; None while nothing was

    def likeness(self, seen: Signature) -> float:
        """Compare a signature with all exemplars; returns the best agreement, -1 without any."""
        return max((similarity(seen, exemplar) for exemplar in self.exemplars), default=-1.0)

    def learn(self, seen: Signature) -> None:
        """Remember how the person looks now."""
        agreements = [similarity(seen, exemplar) for exemplar in self.exemplars]
        if not agreements or max(agreements) < _NEW_EXEMPLAR:
            self.exemplars.append(seen)
            # The first is kept: it is the one least likely to have drifted to another person.
            del self.exemplars[1 : max(1, len(self.exemplars) - _EXEMPLARS + 1)]
            return
        nearest = int(np.argmax(agreements))
        mixed = _MEMORY * self.exemplars[nearest] + (1 - _MEMORY) * seen
        mixed[:-2] /= np.sqrt(mixed[:-2] @ mixed[:-2]) + 1e-9
        self.exemplars[nearest] = mixed.astype(np.float32)


def person_makers(model: object) -> Makers:
    """Return what `decode` needs to make persons."""
    return {PersonState: lambda state: PersonState.from_state(state, teachable(model))}
