"""The pain-expression score as a signal: readings with an interval and a reason, and episodes.

It says how strongly a face shows expressions associated with pain. It measures no pain.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from math import degrees, nan
from typing import Final, Self

from facetrack.errors import FacetrackError, ModelError
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.pain.influence import REGIONS, Region, regions_of
from facetrack.pain.looks import Looker
from facetrack.pain.model import DEFAULT, PAIN_MODEL, PainModel, load_pain_model
from facetrack.pain.scorer import PainEstimate, Scorer
from facetrack.reading import Kind, Reading, Readings, Spec
from facetrack.signals.episodes import LEVEL, LONGEST, Episodes
from facetrack.signals.estimator import Result, lost, nothing
from facetrack.signals.expression import encoder_of, encoding_of, patches_of
from facetrack.signals.observation import Observation
from facetrack.signals.rest import Rest

LOGGER = logging.getLogger(__name__)

SCORE: Final = "pain"
EPISODE: Final = "pain_episode"
_YAW, _PITCH = 30.0, 25.0  # degrees, of the data that such models are trained on
_UNFAMILIAR: Final = "the face is unlike all that the model was trained on"


@dataclass(frozen=True, slots=True)
class Pain:
    """The estimator; its model is loaded when it is first asked for."""

    model: str = DEFAULT  # name or file
    rest: Rest | None = None  # from whose score, each face's own, the score is measured
    name: str = "pain"
    delay: float = LONGEST + 1.0
    needs_pixels: bool = True

    @property
    def version(self) -> str:
        """The checksum of the model, and that of the rest."""
        model = _checksum(self.model)
        return model if self.rest is None else f"{model}-{self.rest.digest}"

    @property
    def frame_rate(self) -> float | None:
        """None: moments are looked at by their time."""
        return None

    @property
    def specs(self) -> tuple[Spec, ...]:
        """The score, the influence of each region, and episodes."""
        return _specs(self.model)

    def start(self) -> _PainRun:
        """Begin with a face."""
        return _PainRun(load_once(self.model), self.specs, self.rest, self.episodes()[SCORE])

    def with_rest(self, rest: Rest) -> Self:
        """Return the same estimator, its score measured from that rest."""
        return replace(self, rest=rest)

    def episodes(self) -> Mapping[str, Episodes]:
        """Return what finds the episodes of the score."""
        return {SCORE: Episodes(EPISODE, self.specs[0].model)}


PAIN: Final = Pain()


@dataclass(slots=True)
class _PainRun(Stateful):
    """The score of one face."""

    model: PainModel = field(metadata=NO_STATE)
    specs: Sequence[Spec] = field(metadata=NO_STATE)
    rest: Rest | None = field(metadata=NO_STATE)
    episodes: Episodes
    _looker: Looker = field(init=False, metadata=NO_STATE)
    _scorer: Scorer = field(init=False)

    def __post_init__(self) -> None:
        self._looker, regions = looker_of(self.model)
        self._scorer = Scorer(self.model, regions)

    def update(self, seen: Observation) -> Sequence[Result]:
        readings = self._read(seen)
        episodes = self.episodes.update(seen.timestamp, readings[SCORE].value)
        return (Readings(seen.index, readings), *episodes)

    def finish(self) -> Sequence[Result]:
        return self.episodes.finish()

    def _read(self, seen: Observation) -> Mapping[str, Reading]:
        problem = _not_assessable(seen)
        if problem:
            return nothing(self.specs, problem)
        encoder = self._looker.encoder
        cut = partial(seen.cut, mean=encoder.mean_shape)
        try:
            patches, encoding = patches_of(seen, encoder), encoding_of(seen, encoder)
            look = self._looker.put_together(cut, seen.face.points, patches, encoding)
        except FacetrackError as error:
            return nothing(self.specs, str(error))
        if look.problem:
            return nothing(self.specs, look.problem)
        limits = self.model.limits
        moment = self._scorer.push(seen.timestamp, look)
        if not self._scorer.known(seen.timestamp):
            return nothing(self.specs, "what is usual for this face is not known yet")
        if all(near < limits.get(f"nearest {n}", 0.0) for n, near in moment.nearest.items()):
            return nothing(self.specs, _UNFAMILIAR)
        return self._readings(moment, seen.face.id)

    def _readings(self, moment: PainEstimate, face: int) -> dict[str, Reading]:
        found = {f"pain_{name}": Reading(value) for name, value in moment.influences.items()}
        found[SCORE] = Reading(moment.score, moment.low, moment.high)
        if self.rest is None:
            return found
        neutral = self.rest.values.get(face, {})
        missing = Reading(nan, reason=self.rest.missing)
        return {
            name: _less(said, neutral[name]) if name in neutral else missing
            for name, said in found.items()
        }


def _less(said: Reading, neutral: float) -> Reading:
    return Reading(said.value - neutral, said.low - neutral, said.high - neutral)


def _not_assessable(seen: Observation) -> str:
    """Say why a frame cannot be scored, before it is looked at; empty where it can."""
    if not seen.face.tracked:
        return lost(seen.face)
    if seen.frame is None:
        return "there is no picture of this frame"
    if seen.face.pose is not None:
        pitch, yaw, _ = seen.face.pose.rotation
        if abs(degrees(yaw)) > _YAW or abs(degrees(pitch)) > _PITCH:
            return "the head is turned too far"
    return ""


@cache
def load_once(name: str) -> PainModel:
    """Load a model once for all faces."""
    return load_pain_model(name)


def looker_of(model: PainModel) -> tuple[Looker, dict[str, Region]]:
    """Return what looks at faces for a model, and the regions of what it sees."""
    encoder = encoder_of(model.encoder)
    if encoder.version != model.encoder_version:
        raise ModelError(
            model.name,
            f"was trained with another version of the encoder {model.encoder!r}",
            remedy="train it again, or install the encoder that it names",
        )
    looker = Looker(encoder)
    values = [len(s.projection.mean) for s in model.sets if s.kind == "deep" and s.projection]
    features = values[0] - len(encoder.names) if values else 0
    return looker, regions_of(encoder, looker.hog, features)


@cache
def _checksum(name: str) -> str:
    return str(PAIN_MODEL.describe(name)["checksum"])[:16]


@cache
def _specs(name: str) -> tuple[Spec, ...]:
    try:
        caution = str(PAIN_MODEL.describe(name)["card"].get("caution", ""))
    except FacetrackError as error:  # whatever became of this model, the other signals stay
        LOGGER.warning("the pain-expression score is left out: %s", error)
        return ()
    what = "how strongly the face shows expressions associated with pain"
    return (
        Spec(SCORE, what, range=(0.0, 16.0), interval=True, level=LEVEL, model=caution),
        *(
            Spec(f"pain_{region}", f"by how much the {region} raise or lower the score of pain",
                 range=(-8.0, 8.0), model=caution, part_of=SCORE)
            for region in REGIONS
        ),
        Spec(EPISODE, f"the score is {LEVEL:g} or more; score: the highest",
             range=(0.0, 16.0), kind=Kind.EVENT, model=caution),
    )  # fmt: skip
