"""Actions along a stream: clips that slide over a face's looks, and the events that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from facetrack.actions.cues import named_cues
from facetrack.actions.recogniser import EVERY, MEMORY, WINDOW, Recogniser
from facetrack.formats.encoding import NO_STATE, Stateful

HOP: Final = 4  # frames between two clips
_GAP: Final = 3  # frames that may lack within an event
_SHORTEST: Final = 2  # frames of an event

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Action:
    """One event."""

    name: str
    start: int  # first frame that belongs to it, from 0
    peak: int  # frame where the strongest filter found its cue
    stop: int  # last frame
    score: float  # the largest probability of a clip that shows it
    cues: Mapping[str, float]  # where it was seen at its peak, see `cues`


class _Score(NamedTuple):
    """What clips say of a class in one frame."""

    chance: float = 0.0  # the largest probability
    response: float = -np.inf  # the largest of a filter
    cues: Mapping[str, float] = {}  # of the clip with that response


@dataclass
class Timeline(Stateful):
    """The actions of one face, 25 frames per second.

    A clip names a class where its probability reaches the threshold; the frames of the clip in
    which a filter of the class responds above the class's level belong to the event.
    """

    recogniser: Recogniser = field(metadata=NO_STATE)
    _count: int = field(default=0, init=False)
    # Every third look of the last 30 s, and the last clip's; None where lost.
    _usual: list[list[float]] = field(default_factory=list, init=False)
    _recent: list[list[float] | None] = field(default_factory=list, init=False)
    # Of each frame of the last clip, each class.
    _scores: list[list[_Score]] = field(default_factory=list, init=False)
    _open: dict[str, dict[str, float]] = field(default_factory=dict, init=False)
    _cues: dict[str, Mapping[str, float]] = field(default_factory=dict, init=False)  # of `_open`

    def add(self, values: Floats | None) -> list[Action]:
        """Take the next look, (inputs,), None if lost; return the actions that became certain."""
        kept = None if values is None or not np.isfinite(values).all() else values.tolist()
        if kept is not None and self._count % EVERY == 0:
            self._usual = [*self._usual[-(MEMORY // EVERY) + 1 :], kept]
        self._recent.append(kept)
        self._scores.append([_Score()] * len(self.recogniser.classes))
        self._count += 1
        ended: list[Action] = []
        if len(self._recent) > WINDOW:
            self._recent.pop(0)
            ended = self._settle(self._count - 1 - WINDOW, self._scores.pop(0))
        if self._count % HOP == 0:
            self._look()
        return ended

    def finish(self) -> list[Action]:
        """End, when no further frame comes, and return the actions that were not certain yet."""
        first = self._count - len(self._scores)
        ended = [a for i, s in enumerate(self._scores) for a in self._settle(first + i, s)]
        self._scores, self._recent = [], []
        return [*ended, *(a for name in list(self._open) for a in self._close(name))]

    def begun(self) -> list[int]:
        """Return the first frames of the events that are going on."""
        return [int(event["start"]) for event in self._open.values()]

    def _look(self) -> None:
        """Look at the clip that ends here, if the face is seen in all of it."""
        if len(self._recent) < WINDOW or None in self._recent or not self._usual:
            return
        clip = np.array(self._recent) - np.median(np.array(self._usual), axis=0)
        seen = self.recogniser.see(clip)
        strongest = seen.responses.max(axis=1)
        for i, name in enumerate(self.recogniser.classes):
            chance = float(seen.probabilities[i])
            if chance < self.recogniser.thresholds[name]:
                continue
            frames = np.flatnonzero(strongest[i] >= self.recogniser.levels[name]).tolist()
            cues = named_cues(self.recogniser.cues(clip, name)) if frames else {}
            for t in frames:
                old, response = self._scores[t][i], float(strongest[i, t])
                if response > old.response:
                    old = old._replace(response=response, cues=cues)
                self._scores[t][i] = old._replace(chance=max(old.chance, chance))

    def _settle(self, frame: int, scores: list[_Score]) -> list[Action]:
        """Take what no further clip will change."""
        ended: list[Action] = []
        for name, (chance, response, cues) in zip(self.recogniser.classes, scores, strict=True):
            event = self._open.get(name)
            if event is not None and frame - event["stop"] > _GAP + 1:
                ended += self._close(name)
                event = None
            if not chance:
                continue
            if event is None:
                event = self._open[name] = {"start": frame, "peak": frame, "most": response,
                                            "score": chance}  # fmt: skip
                self._cues[name] = cues
            elif response > event["most"]:
                event |= {"peak": frame, "most": response}
                self._cues[name] = cues
            event["stop"], event["score"] = frame, max(event["score"], chance)
        return ended

    def _close(self, name: str) -> list[Action]:
        event, cues = self._open.pop(name), self._cues.pop(name)
        start, peak, stop = (int(event[key]) for key in ("start", "peak", "stop"))
        if stop - start + 1 < _SHORTEST:
            return []
        return [Action(name, start, peak, stop, event["score"], cues)]
