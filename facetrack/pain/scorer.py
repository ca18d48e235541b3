"""Scoring a face frame by frame, as `PainModel.score` does with all frames at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.pain.calibration import HIGHEST
from facetrack.pain.history import GAP, STEPS, Usual
from facetrack.pain.influence import Influence, Region
from facetrack.pain.looks import Look
from facetrack.pain.model import PainModel

Floats = npt.NDArray[np.float64]

SOON: Final = 1.0  # seconds after which it is said what is usual for a face
_EPS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PainEstimate:
    """The score of one frame, as in `Scores`."""

    score: float
    low: float
    high: float
    nearest: Mapping[str, float]  # the largest kernel value of each set
    influences: Mapping[str, float]  # by region: how much lower with it at rest


@dataclass(slots=True)
class Scorer(Stateful):
    """Scores one face; it remembers as far back as the model looks."""

    model: PainModel = field(metadata=NO_STATE)
    regions: Mapping[str, Region] = field(default_factory=dict, metadata=NO_STATE)
    _times: list[float] = field(default_factory=list, init=False)
    _bases: dict[str, list[Floats]] = field(default_factory=dict, init=False)
    _fused: list[tuple[float, float]] = field(default_factory=list, init=False)
    _usual: dict[str, Usual] = field(default_factory=dict, init=False)
    _usual_parts: dict[str, Usual] = field(default_factory=dict, init=False)
    _influences: dict[str, Influence] = field(init=False, metadata=NO_STATE)

    def __post_init__(self) -> None:
        self._usual = {one.name: Usual() for one in self.model.sets if one.form == "usual"}
        self._influences = {one.name: Influence(one, self.regions) for one in self.model.sets}
        parts = ((name, one.usual) for name, one in self._influences.items())
        self._usual_parts = {name: usual for name, usual in parts if usual is not None}

    def known(self, time: float) -> bool:
        """Return whether the face was seen for long enough to say what is usual for it."""
        return all(u.count and time - u.since >= SOON - _EPS for u in self._usual.values())

    def push(self, time: float, look: Look) -> PainEstimate:
        """Take the face's next look, at a time in seconds that grows."""
        if self._times and time - self._times[-1] > GAP + _EPS:
            self.forget()
        self._times.append(time)
        scores, nearest = [], {}
        for one in self.model.sets:
            bases, values = self._bases.setdefault(one.name, []), look.values[one.source]
            base = one.base(values[None])[0]
            usual = self._usual.get(one.name)
            bases.append(base if usual is None else usual.update(time, base))
            seen = one.features(self._times, np.array(bases), len(bases) - 1)
            changed = self._influences[one.name].without(time, seen, values)
            score, near = one.score(np.concatenate([seen, changed]))
            scores.append(score)
            nearest[one.name] = float(near[0])
        fused, *others = self.model.fusion.apply(np.stack(scores, axis=1)).tolist()
        influences = {n: fused - less for n, less in zip(self.regions, others, strict=True)}
        score_now = self._smoothed(time, fused)
        low, high = self.model.calibration.interval([score_now])
        self._drop(time)
        shown = min(max(score_now, 0.0), HIGHEST)
        return PainEstimate(shown, float(low[0]), float(high[0]), nearest, influences)

    def forget(self) -> None:
        """Begin anew, as after a gap; what is usual for the face stays known."""
        self._times, self._bases, self._fused = [], {}, []

    def restore(self, state: Any) -> None:
        """Continue where another scorer of the same model stood."""
        names = set(self._usual), set(self._usual_parts)
        Stateful.restore(self, state)
        looks = {name: len(found) for name, found in self._bases.items()}
        if looks not in ({}, {one.name: len(self._times) for one in self.model.sets}):
            raise InputError(f"the saved state has {looks} looks for {len(self._times)} moments")
        if names != (set(self._usual), set(self._usual_parts)):
            raise InputError("the saved state is of a model with other sets")
        for name, one in self._influences.items():
            one.usual = self._usual_parts.get(name)

    def _smoothed(self, time: float, fused: float) -> float:
        self._fused.append((time, fused))
        while self._fused[0][0] < time - self.model.window - _EPS:
            del self._fused[0]
        return sum(p for _, p in self._fused) / len(self._fused)

    def _drop(self, time: float) -> None:
        """Forget what no later frame looks back at; one frame more, to interpolate from."""
        reach = max(one.step for one in self.model.sets) * (STEPS - 1)
        while len(self._times) > 2 and self._times[1] < time - reach - _EPS:
            del self._times[0]
            for bases in self._bases.values():
                del bases[0]
