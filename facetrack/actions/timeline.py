"""Actions along a stream: clips that slide over a face's looks, and the events that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.actions.recogniser import EVERY, MEMORY, WINDOW, Recogniser

__all__ = ["HOP", "Action", "Timeline"]

HOP: Final = 4  # frames between two clips
_GAP: Final = 3  # frames that may lack within an event
_SHORTEST: Final = 2  # frames of an event

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Action:
    """One event.

    Attributes
    ----------
    name : str
    start, peak, stop : int
        Frames from 0 that belong to it; of the peak, where the strongest filter found its cue.
    score : float
        The largest probability of a clip that shows it.
    """

    name: str
    start: int
    peak: int
    stop: int
    score: float


class Timeline:
    """The actions of one face, 25 frames per second.

    A clip names a class where its probability reaches the threshold; the frames of the clip in
    which a filter of the class responds above the class's level belong to the event.

    Parameters
    ----------
    recogniser : Recogniser
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._count = 0
        self._usual: list[list[float]] = []  # every third look of the last 30 s
        self._recent: list[list[float] | None] = []  # of the last clip; None where lost
        # of each frame of the last clip: probability and response of each class
        self._scores: list[list[tuple[float, float]]] = []
        self._open: dict[str, dict[str, float]] = {}

    def add(self, values: Floats | None) -> list[Action]:
        """Take the look of the next frame.

        Parameters
        ----------
        values : ndarray, shape (inputs,), float64, or None
            As `Recogniser.inputs` names them; None where the face is lost.

        Returns
        -------
        list of Action
            Those that became certain.
        """
        kept = None if values is None or not np.isfinite(values).all() else values.tolist()
        if kept is not None and self._count % EVERY == 0:
            self._usual = [*self._usual[-(MEMORY // EVERY) + 1 :], kept]
        self._recent.append(kept)
        self._scores.append([(0.0, -np.inf)] * len(self._recogniser.classes))
        self._count += 1
        ended: list[Action] = []
        if len(self._recent) > WINDOW:
            self._recent.pop(0)
            ended = self._settle(self._count - 1 - WINDOW, self._scores.pop(0))
        if self._count % HOP == 0:
            self._look()
        return ended

    def finish(self) -> list[Action]:
        """End, when no further frame comes.

        Returns
        -------
        list of Action
            Those that were not certain yet.
        """
        first = self._count - len(self._scores)
        ended = [a for i, s in enumerate(self._scores) for a in self._settle(first + i, s)]
        self._scores, self._recent = [], []
        return [*ended, *(a for name in list(self._open) for a in self._close(name))]

    def begun(self) -> list[int]:
        """Return the first frames of the events that are going on.

        Returns
        -------
        list of int
        """
        return [int(event["start"]) for event in self._open.values()]

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs.

        Returns
        -------
        dict
            As JSON knows it.
        """
        return {
            "count": self._count,
            "usual": self._usual,
            "recent": self._recent,
            "scores": [[[p, None if np.isinf(r) else r] for p, r in one] for one in self._scores],
            "open": self._open,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where another timeline of the same recogniser stood.

        Parameters
        ----------
        state : mapping
            What `state` gave.
        """
        self._count, self._usual, self._recent = state["count"], state["usual"], state["recent"]
        self._open = state["open"]
        self._scores = [
            [(p, -np.inf if r is None else r) for p, r in one] for one in state["scores"]
        ]

    def _look(self) -> None:
        """Look at the clip that ends here, if the face is seen in all of it."""
        if len(self._recent) < WINDOW or None in self._recent or not self._usual:
            return
        clip = np.array(self._recent) - np.median(np.array(self._usual), axis=0)
        seen = self._recogniser.see(clip)
        strongest = seen.responses.max(axis=1)
        for i, name in enumerate(self._recogniser.classes):
            chance = float(seen.probabilities[i])
            if chance < self._recogniser.thresholds[name]:
                continue
            for t in np.flatnonzero(strongest[i] >= self._recogniser.levels[name]).tolist():
                best = self._scores[t][i]
                self._scores[t][i] = (max(best[0], chance), max(best[1], float(strongest[i, t])))

    def _settle(self, frame: int, scores: list[tuple[float, float]]) -> list[Action]:
        """Take what no further clip will change."""
        ended: list[Action] = []
        for name, (chance, response) in zip(self._recogniser.classes, scores, strict=True):
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
