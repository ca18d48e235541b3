"""Actions along a stream: clips that slide over a face's looks, and the events that they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

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
    # Of each frame of the last clip: probability and response of each class.
    _scores: list[list[tuple[float, float]]] = field(default_factory=list, init=False)
    _open: dict[str, dict[str, float]] = field(default_factory=dict, init=False)

    def add(self, values: Floats | None) -> list[Action]:
        """Take the next look, (inputs,), None if lost; return the actions that became certain."""
        kept = None if values is None or not np.isfinite(values).all() else values.tolist()
        if kept is not None and self._count % EVERY == 0:
            self._usual = [*self._usual[-(MEMORY // EVERY) + 1 :], kept]
        self._recent.append(kept)
        self._scores.append([(0.0, -np.inf)] * len(self.recogniser.classes))
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
            for t in np.flatnonzero(strongest[i] >= self.recogniser.levels[name]).tolist():
                best = self._scores[t][i]
                self._scores[t][i] = (max(best[0], chance), max(best[1], float(strongest[i, t])))

    def _settle(self, frame: int, scores: list[tuple[float, float]]) -> list[Action]:
        """Take what no further clip will change."""
        ended: list[Action] = []
        for name, (chance, response) in zip(self.recogniser.classes, scores, strict=True):
            event = self._open.get(name)
            if event is not None and frame - event["stop"] > _GAP + 1:
                ended += self._close(name)
                event = None
            if not chance:
                continue
            if event is None:
                event = self._open[name] = {"start": frame, "peak": frame, "most": response,
                                            "score": chance}  # fmt: skip
            elif response > event["most"]:
                event |= {"peak": frame, "most": response}
            event["stop"], event["score"] = frame, max(event["score"], chance)
        return ended

    def _close(self, name: str) -> list[Action]:
        event = self._open.pop(name)
        start, peak, stop = (int(event[key]) for key in ("start", "peak", "stop"))
        if stop - start + 1 < _SHORTEST:
            return []
        return [Action(name, start, peak, stop, event["score"])]
