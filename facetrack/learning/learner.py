"""Learning one person's face from lessons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.features.maps import MapBuilder
from facetrack.learning.lesson import STARTS, Lesson
from facetrack.learning.own_level import OwnLevel, Samples, learn_own_level, read_patches
from facetrack.learning.prior import LevelPrior
from facetrack.regression.cascade import Cascade, Level
from facetrack.regression.expansion import pseudo_samples, read_frame, shifted
from facetrack.regression.incremental import IncrementalRegressor

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

WEIGHT: Final = 1.0  # of a corrected frame, in units of the whole training
_MANY: Final = 200  # columns: beyond, solving the sums anew is faster than changing their inverse


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of a person; the same lessons in the same order give the same.

    Attributes
    ----------
    cascade : Cascade
        The tracking cascade with the person's regressors.
    own : OwnLevel or None
        What follows it; None where no correction was made.
    """

    cascade: Cascade
    own: OwnLevel | None

    def run(self, maps: list[Features], start: Array) -> tuple[Array, Array]:
        """Fit a shape.

        Parameters
        ----------
        maps : list of ndarray
            Orientation maps of the frame.
        start : ndarray, shape (68, 2), float64
            Pixels of the reference frame.

        Returns
        -------
        generic : ndarray, shape (68, 2), float64
            Where the cascade ends: what the model's quality and confidence judge.
        shape : ndarray, shape (68, 2), float64
            The person's landmarks.
        """
        generic = self.cascade.run(maps, start)
        return generic, generic if self.own is None else self.own.finish(maps, generic)


@dataclass(slots=True)
class Start:
    """One start of a lesson on its way down the cascade.

    Attributes
    ----------
    maps : list of ndarray
        Orientation maps of its frame.
    shape, label : ndarray, shape (68, 2), float64
        Where it is by now, and what it should become; pixels of the frame.
    mask : ndarray, shape (68,), bool
        The points that are vouched for.
    """

    maps: list[Features]
    shape: Array
    label: Array
    mask: npt.NDArray[np.bool_]

    def advance(self, level: Level, basis: Features) -> None:
        """Let a level correct the shape; `basis` is the cascade's."""
        self.shape = np.array(self.shape)
        level.correct(self.maps, self.shape, basis)


class Learner:
    """Learns from lessons: iCCR on the last levels, and a level of the person's own behind them.

    Parameters
    ----------
    cascade : Cascade
        The generic tracking cascade.
    priors : sequence of LevelPrior
        Of the levels that learn.

    Attributes
    ----------
    regressors : dict of int to IncrementalRegressor
        After `learn`, by the number of the level: where learning can go on.

    Notes
    -----
    The own level is learned first, from where the generic cascade ends: it says what a constant and
    a change with pose and expression can say, and that holds in frames that look otherwise too. The
    levels learn what it leaves over, which is memory of how the corrected frames look.
    """

    def __init__(self, cascade: Cascade, priors: Iterable[LevelPrior]) -> None:
        self._cascade = cascade
        self._priors = {prior.number: prior for prior in priors}
        self._builder = MapBuilder(cascade.maps)
        self.regressors: dict[int, IncrementalRegressor] = {}

    def learn(self, lessons: Iterable[Lesson]) -> Learned | None:
        """Learn from lessons, all anew.

        A function of the lessons alone, so that undoing a correction undoes what it taught.

        Parameters
        ----------
        lessons : iterable of Lesson

        Returns
        -------
        Learned or None
            None without lessons.
        """
        starts = list(self.starts(lessons))
        if not starts:
            return None
        own = self._learn_own_level(starts)
        return Learned(replace(self._cascade, levels=self._learn_levels(starts)), own)

    def starts(self, lessons: Iterable[Lesson]) -> Iterator[Start]:
        """Give every start of every lesson, its maps read.

        Parameters
        ----------
        lessons : iterable of Lesson

        Yields
        ------
        Start
        """
        for lesson in lessons:
            for patch, shape, label in zip(
                lesson.patches, lesson.starts, lesson.labels, strict=True
            ):
                maps = [readings.copy() for readings in self._builder.build(patch)]
                yield Start(maps, shape, label, lesson.mask)

    def _learn_own_level(self, starts: list[Start]) -> OwnLevel:
        """Learn the own level, and leave the rest of every label to the cascade."""
        last = self._cascade.levels[-1]
        ends = [self._cascade.run(start.maps, start.shape) for start in starts]
        # where the face is placed right, nothing is missing: that is worth a sample, too
        places = [(start, end) for start, end in zip(starts, ends, strict=True)]
        places += [(start, start.label) for start in starts]
        samples = Samples(
            np.stack([last.features(start.maps, shape) for start, shape in places]),
            np.stack([read_patches(last, start.maps, shape) for start, shape in places]),
            np.stack([start.label - shape for start, shape in places]),
            np.stack([start.mask for start, _ in places]),
        )
        own = learn_own_level(last, samples, np.mean(ends, axis=0))
        for start, end in zip(starts, ends, strict=True):
            start.label = start.label - (own.finish(start.maps, end) - end)
        return own

    def _learn_levels(self, starts: list[Start]) -> tuple[Level, ...]:
        levels = []
        for number, level in enumerate(self._cascade.levels):
            if number in self._priors:
                level = self._learn_level(level, self._priors[number], starts)
            for start in starts:
                start.advance(level, self._cascade.basis)
            levels.append(level)
        return tuple(levels)

    def _learn_level(self, level: Level, prior: LevelPrior, starts: list[Start]) -> Level:
        pairs = [columns_of(level, prior, start, self._cascade.basis) for start in starts]
        weight = np.float32(np.sqrt(WEIGHT / STARTS))
        columns, targets = (weight * np.hstack(parts) for parts in zip(*pairs, strict=True))
        if columns.shape[1] > _MANY:
            learned = IncrementalRegressor.anew(level.regressor, prior.gram(), columns, targets)
        else:
            learned = IncrementalRegressor(level.regressor, prior.inverse())
            learned.learn(columns, targets)
        self.regressors[prior.number] = learned
        return replace(level, regressor=learned.regressor)


def columns_of(
    level: Level, prior: LevelPrior, start: Start, basis: Features
) -> tuple[Features, Features]:
    """Form the columns by which a level learns one start.

    Parameters
    ----------
    level : Level
    prior : LevelPrior
        Of that level.
    start : Start
        On its way, before this level.
    basis : ndarray, shape (136, m), float32
        The cascade's.

    Returns
    -------
    columns, targets : ndarray
        See `expansion.pseudo_samples`.
    """
    readings = read_frame(level, start.maps, shifted(start.shape, start.label, prior.step))
    return pseudo_samples(readings, start.shape, start.label, basis, prior.spread, prior.step)
