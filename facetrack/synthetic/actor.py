"""A person who acts: a portrait, how this person moves, and a camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.dynamics import Move, Traits, play
from facetrack.synthetic.portrait import Points, Portrait
from facetrack.synthetic.puppet import Expression, Puppet
from facetrack.synthetic.render import CameraEffects, noise_field

Image = npt.NDArray[np.uint8]

_LIGHT, _BLUR, _NOISE = 0.15, 0.6, 2.0  # see `CameraEffects`
_EYE_DISTANCE: Final = (0.32, 0.38)  # of the frame's height
_MIDDLE: Final = ((0.46, 0.34), (0.54, 0.4))
_FURROWS: Final = (0.5, 1.5)
_LASHES: Final = (0.3, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame of a film."""

    image: Image  # (H, W, 3) BGR
    points: Points  # (68, 2), true landmarks in pixels
    expression: Expression


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """One person."""

    puppet: Puppet
    traits: Traits

    @staticmethod
    def drawn(
        rng: np.random.Generator,
        portrait: Portrait,
        shape_model: ShapeModel,
        *,
        size: tuple[int, int] = (320, 240),
        eye_distance: float | None = None,
    ) -> Actor:
        """Draw how a person moves, how deep furrows are, and where the face is in the frame.

        The portrait is near neutral; `size` (width, height) and the outer-eye distance are those of
        the frames, pixels; the distance is drawn where it is not said.
        """
        traits = Traits.drawn(rng)
        usual = rng.uniform(*_EYE_DISTANCE) * size[1]
        x, y = rng.uniform(*_MIDDLE).tolist()
        puppet = Puppet(
            portrait,
            shape_model,
            size=size,
            eye_distance=usual if eye_distance is None else eye_distance,
            middle=(x, y),
            depth=rng.uniform(*_FURROWS),
            lashes=rng.uniform(*_LASHES),
        )
        return Actor(puppet, traits)

    def film(
        self, moves: Sequence[Move], times: npt.NDArray[np.float64], rng: np.random.Generator
    ) -> Iterator[Shot]:
        """Film what the person does at times in seconds, (n,), in light that wanders.

        `rng` is of light, blur and noise.
        """
        field = noise_field(rng, self.puppet.size, _NOISE)
        effects = CameraEffects(rng, light=_LIGHT, blur=_BLUR, noise=field)
        seed = int(rng.integers(1 << 31))
        for i, expression in enumerate(play(moves, times, self.traits)):
            image, points = self.puppet.draw(expression)
            yield Shot(effects.apply(image, float(times[i]), i, seed), points, expression)
