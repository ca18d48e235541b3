"""Learning one person's face from lessons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.features.maps import MapBuilder
from facetrack.learning.lesson import STARTS, Lesson
from facetrack.learning.own_level import OwnLevel, Samples, learn_own_level, read_patches
from facetrack.learning.prior import LevelPrior
from facetrack.parallel import one_blas_thread
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


class MapReader:
    """Builds the orientation maps of one patch after the other.

    Parameters
    ----------
    cascade : Cascade
        Whose levels read the maps.

    Notes
    -----
    The maps of a patch take 1 MB and a fifth of a millisecond: they are built anew, not kept.
    """

    def __init__(self, cascade: Cascade) -> None:
        self._builder = MapBuilder(cascade.maps)
        self._patch: npt.NDArray[np.uint8] | None = None
        self._maps: list[Features] = []

    def maps(self, patch: npt.NDArray[np.uint8]) -> list[Features]:
        """Give the maps of a patch.

        Parameters
        ----------
        patch : ndarray, shape (160, 160), uint8
            Of the reference frame; must not change.

        Returns
        -------
        list of ndarray
            Valid until another patch is asked for.
        """
        if patch is not self._patch:
            self._maps, self._patch = self._builder.build(patch), patch
        return self._maps


@dataclass(slots=True)
class Start:
    """One start of a lesson on its way down the cascade.

    Attributes
    ----------
    patch : ndarray, shape (160, 160), uint8
        Its reference frame.
    shape, label : ndarray, shape (68, 2), float64
        Where it is by now, and what it should become; pixels of the frame.
    mask : ndarray, shape (68,), bool
        The points that are vouched for.
    reader : MapReader
        Shared by the starts.
    """

    patch: npt.NDArray[np.uint8]
    shape: Array
    label: Array
    mask: npt.NDArray[np.bool_]
    reader: MapReader = field(repr=False)

    @property
    def maps(self) -> list[Features]:
        """Orientation maps of its frame, valid until those of another start are asked for."""
        return self.reader.maps(self.patch)

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
        self._reader = MapReader(cascade)
        self.regressors: dict[int, IncrementalRegressor] = {}

    @one_blas_thread()
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
        """Give every start of every lesson.

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
                yield Start(patch, shape, label, lesson.mask, self._reader)

    def _learn_own_level(self, starts: list[Start]) -> OwnLevel:
        """Learn the own level, and leave the rest of every label to the cascade."""
        last = self._cascade.levels[-1]
        ends, read = [], []
        for start in starts:  # where the face is placed right, nothing is missing: a sample, too
            ends.append(self._cascade.run(start.maps, start.shape))
            for shape in (ends[-1], start.label):
                features = last.features(start.maps, shape)
                read.append((features, read_patches(last, start.maps, shape), start.label - shape))
        order = [*range(0, len(read), 2), *range(1, len(read), 2)]
        features, patches, missing = (
            np.stack([parts[i] for i in order]) for parts in zip(*read, strict=True)
        )
        masks = np.stack([start.mask for start in starts])
        samples = Samples(features, patches, missing, np.concatenate([masks, masks]))
        own = learn_own_level(last, samples, np.mean(ends, axis=0))
        for start, end in zip(starts, ends, strict=True):
            start.label = start.label - (own.finish(start.maps, end) - end)
        return own

    def _learn_levels(self, starts: list[Start]) -> tuple[Level, ...]:
        levels, basis, reached = list(self._cascade.levels), self._cascade.basis, 0
        for number, prior in sorted(self._priors.items()):
            pairs = []
            for start in starts:
                for level in levels[reached:number]:
                    start.advance(level, basis)
                pairs.append(columns_of(levels[number], prior, start, basis))
            levels[number] = self._learn_level(levels[number], prior, pairs)
            reached = number
        return tuple(levels)

    def _learn_level(
        self, level: Level, prior: LevelPrior, pairs: list[tuple[Features, Features]]
    ) -> Level:
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
