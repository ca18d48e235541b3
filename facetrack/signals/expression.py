"""Expression channels, as ARKit names them, and gaze, from the patches of eyes and mouth.

They are learned from another program's outputs: an opinion, no ground truth, and no FACS coding.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import nan
from typing import Final, Self

from facetrack.errors import FacetrackError
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.networks.expression import (
    DEFAULT,
    EXPRESSION_ENCODER,
    Encoding,
    ExpressionEncoder,
    load_encoder,
    offered_channels,
)
from facetrack.networks.patches import ENOUGH, Patch, take
from facetrack.reading import Reading, Readings, Spec
from facetrack.signals.episodes import Episodes
from facetrack.signals.estimator import Result, lost, nothing
from facetrack.signals.observation import Observation
from facetrack.signals.rest import Rest

LOGGER = logging.getLogger(__name__)
GAZE: Final = {
    "gaze_x": Spec("gaze_x", "where the eyes look, to the person's left 1, to the right -1",
                   range=(-1.0, 1.0)),
    "gaze_y": Spec("gaze_y", "where the eyes look, up 1, down -1", range=(-1.0, 1.0)),
}  # fmt: skip
_LOOKS: Final = tuple(
    f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right")
)
_REGIONS: Final = {"eye": "eyes", "brow": "eyes", "gaze": "eyes", "jaw": "mouth", "mouth": "mouth"}
_NO_PICTURE: Final = "there is no picture of this frame"


@dataclass(frozen=True, slots=True)
class Expression:
    """The estimator of expressions; the encoder is loaded when it is first asked for."""

    encoder: str = DEFAULT  # name or file
    rest: Rest | None = None  # what the channels are measured from; None: what the encoder says
    name: str = "expression"
    delay: float = 0.0
    needs_pixels: bool = True
    frame_rate: float | None = None

    @property
    def version(self) -> str:
        """The checksum of the model, and that of the rest."""
        model = _checksum(self.encoder)
        return model if self.rest is None else f"{model}-{self.rest.digest}"

    @property
    def specs(self) -> tuple[Spec, ...]:
        """The channels that are worth offering, and gaze where all its channels are."""
        return _specs(self.encoder)

    def start(self) -> _ExpressionRun:
        """Begin with a face."""
        return _ExpressionRun(encoder_of(self.encoder), self.specs, self.rest)

    def with_rest(self, rest: Rest) -> Self:
        """Return the same estimator, its values measured from that rest."""
        return replace(self, rest=rest)

    def episodes(self) -> Mapping[str, Episodes]:
        """Return none: it has no events."""
        return {}


EXPRESSION: Final = Expression()


@dataclass(slots=True)
class _ExpressionRun(Stateful):
    """Each frame by itself."""

    encoder: ExpressionEncoder = field(metadata=NO_STATE)
    specs: Sequence[Spec] = field(metadata=NO_STATE)
    rest: Rest | None = field(metadata=NO_STATE)

    def update(self, seen: Observation) -> Sequence[Result]:
        return (Readings(seen.index, self._read(seen)),)

    def finish(self) -> Sequence[Result]:
        return ()

    def _read(self, seen: Observation) -> Mapping[str, Reading]:
        if not seen.face.tracked:
            return nothing(self.specs, lost(seen.face))
        if seen.frame is None:
            return nothing(self.specs, _NO_PICTURE)
        encoder = self.encoder
        try:
            patches = patches_of(seen, encoder)
        except FacetrackError as error:
            return nothing(self.specs, str(error))
        outside = cut_off(patches)
        targets = encoding_of(seen, encoder).targets
        values = dict(zip(encoder.names, map(float, targets), strict=True))
        values |= _gaze(values)
        rest = None if self.rest is None else self.rest.values.get(seen.face.id, {})
        readings = {}
        for spec in self.specs:
            value, reason = values[spec.name], outside.get(_region(spec.name), "")
            if self.rest is not None and rest is not None and not reason:
                reason = "" if spec.name in rest else self.rest.missing
                value -= rest.get(spec.name, nan)
            readings[spec.name] = Reading(nan if reason else value, reason=reason)
        return readings


def patches_of(seen: Observation, encoder: ExpressionEncoder) -> dict[str, Patch]:
    """Take a face's patches, once for all estimators with this encoder."""
    cut = partial(seen.cut, mean=encoder.mean_shape)
    return seen.shared("patches", encoder.mean_shape, lambda: take(cut, seen.face.points))


def encoding_of(seen: Observation, encoder: ExpressionEncoder) -> Encoding:
    """Encode a face, once for all estimators with this encoder."""
    patches = patches_of(seen, encoder)
    return seen.shared(encoder.version, encoder.mean_shape, lambda: encoder.encode(patches))


def cut_off(patches: Mapping[str, Patch]) -> dict[str, str]:
    """Say by region which patches lie too far outside the picture."""
    return {
        region: f"the {region} {'are' if region == 'eyes' else 'is'} partly outside the picture"
        for region, patch in patches.items()
        if patch.valid < ENOUGH
    }


@cache
def encoder_of(name: str) -> ExpressionEncoder:
    """Load an encoder once, so that all estimators have the same one."""
    return load_encoder(name)


def _gaze(values: Mapping[str, float]) -> dict[str, float]:
    """Put both eyes' channels together; empty where the encoder lacks one."""
    if not all(name in values for name in _LOOKS):
        return {}
    v = values
    across = v["eyeLookOutLeft"] - v["eyeLookInLeft"] + v["eyeLookInRight"] - v["eyeLookOutRight"]
    up = sum(v[f"eyeLookUp{side}"] - v[f"eyeLookDown{side}"] for side in ("Left", "Right"))
    return {"gaze_x": min(max(across / 2, -1.0), 1.0), "gaze_y": min(max(up / 2, -1.0), 1.0)}


def _region(name: str) -> str:
    return next(region for start, region in _REGIONS.items() if name.startswith(start))


def _words(channel: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f" {found[1].lower()}", channel)


@cache
def _checksum(name: str) -> str:
    return str(EXPRESSION_ENCODER.describe(name)["checksum"])[:16]


@cache
def _specs(name: str) -> tuple[Spec, ...]:
    try:
        channels = offered_channels(name)
    except FacetrackError as error:  # whatever became of this model, the other signals stay
        LOGGER.warning("expressions are left out: %s", error)
        return ()
    looks = GAZE.values() if all(look in channels for look in _LOOKS) else ()
    return (*(Spec(c, f"{_words(c)}, learned from another program") for c in channels), *looks)
