"""Learning from corrections: correct some frames, track again, judge others (method.md, 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np

from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip
from facetrack.evaluation.difficulty import THIRDS, split_thirds
from facetrack.evaluation.errors import complete, normalised_errors
from facetrack.evaluation.footage import (
    EVERY,
    MOST,
    Corrections,
    Footage,
    Indices,
    Points,
    Spread,
    TracksGrey,
    choose_frames,
    read_footage,
)
from facetrack.parallel import Map

LOST: Final = 1.0  # error of a frame in which the face was not found: a whole eye distance
MARKUP: Final = 51  # points that count: 17 to 67
_FEWEST: Final = 5  # judged frames of a third that make a median


class Method(Protocol):
    """Something that makes a better track of a clip from a few corrected frames."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    def teach(self, footage: Footage, corrections: Corrections) -> Points:
        """Track the whole clip again.

        Parameters
        ----------
        footage : Footage
            Of which a learner looks at the frames and at its own plain track, never at the
            reference.
        corrections : Corrections
            At least one.

        Returns
        -------
        ndarray, shape (n, 68, 2), float64
            Pixels; NaN where the face is not found.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one learner made of some corrections of one clip.

    Attributes
    ----------
    clip, learner : str
    spread : Spread
    count : int
        Number of corrected frames.
    before, after : float
        Median error of the judged frames without and with the corrections: points 17 to 67,
        fraction of the reference's outer-eye distance; frames without a face count as `LOST`.
    judged, lost : int
        Number of judged frames, and of those in which the face was not found afterwards.
    thirds : dict of str to (float, float)
        `before` and `after` of the judged frames in each third of `difficulty.THIRDS`.
    """

    clip: str
    learner: str
    spread: Spread
    count: int
    before: float
    after: float
    judged: int
    lost: int
    thirds: dict[str, tuple[float, float]]

    @property
    def ratio(self) -> float:
        """Error after / error before; below 1 the corrections helped."""
        return self.after / self.before


def give_examples(
    make_tracker: Callable[[], TracksGrey],
    learners: Sequence[Method],
    clips: Sequence[Clip],
    *,
    counts: Sequence[int] = (1, 3, 8),
    reference: str | None = None,
    every: int = EVERY,
    most: int | None = MOST,
    map_: Map = map,
) -> list[Outcome]:
    """Let learners learn from corrections of clips, by both protocols.

    Parameters
    ----------
    make_tracker : callable
        Makes the tracker that users get, for the track without corrections. It finds the face by
        itself: no reference helps it, and frames until it has found one count as lost.
    learners : sequence of Method
    clips : sequence of Clip
    counts : sequence of int
        Numbers of corrected frames, each at least 1.
    reference : str, optional
        Which of the clips' references is the person's opinion; by default the first.
    every, most : int
        One of so many frames is processed, and at most so many of them; None: all.
    map_ : Map
        Where clips are worked on.

    Returns
    -------
    list of Outcome
        Per clip, protocol, count and learner. A clip with fewer trusted frames than corrections,
        or with none left to be judged, gives no example.

    Raises
    ------
    InputError
        If there is no clip, a count or a step makes no sense, or a clip lacks the reference.
    VideoError
        If a clip cannot be decoded.
    """
    if not clips:
        raise InputError("there is no clip to learn from")
    if every < 1 or (most is not None and most < 1) or min(counts, default=1) < 1:
        raise InputError(f"need every, most, counts > 0, got {every}, {most}, {list(counts)}")
    graded = [clip.difficulty for clip in clips if clip.difficulty is not None]
    parts = iter(split_thirds(graded)) if graded else iter(())
    jobs = [(clip, None if clip.difficulty is None else next(parts)) for clip in clips]
    work = partial(_study, make_tracker, learners, tuple(counts), reference, every, most)
    return [example for examples in map_(work, jobs) for example in examples]


def _study(
    make_tracker: Callable[[], TracksGrey],
    learners: Sequence[Method],
    counts: Sequence[int],
    reference: str | None,
    every: int,
    most: int | None,
    job: tuple[Clip, Indices | None],
) -> list[Outcome]:
    clip, thirds = job
    footage = read_footage(
        make_tracker(), clip, reference=reference, every=every, most=most, thirds=thirds
    )
    examples = []
    for spread in Spread:
        for count in counts:
            frames, judged = choose_frames(footage.trusted, count, spread)
            if len(frames) == count and len(judged):
                corrections = Corrections(frames, footage.reference[frames])
                examples += [_outcome(footage, x, spread, corrections, judged) for x in learners]
    return examples


def _outcome(
    footage: Footage, learner: Method, spread: Spread, corrections: Corrections, judged: Indices
) -> Outcome:
    track = learner.teach(footage, corrections)
    truth = footage.reference[judged]
    before, after = (
        np.minimum(normalised_errors(points[judged], truth, MARKUP), LOST)
        for points in (footage.plain, track)
    )
    thirds = {}
    if footage.thirds is not None:
        for number, name in enumerate(THIRDS):
            part = footage.thirds[judged] == number
            if part.sum() >= _FEWEST:
                thirds[name] = float(np.median(before[part])), float(np.median(after[part]))
    return Outcome(
        clip=footage.name,
        learner=learner.name,
        spread=spread,
        count=len(corrections.frames),
        before=float(np.median(before)),
        after=float(np.median(after)),
        judged=len(judged),
        lost=int((~complete(track[judged])).sum()),
        thirds=thirds,
    )
