"""Learning one person's face from examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError, LearningError
from facetrack.features.maps import MapBuilder
from facetrack.learning.example import STARTS, Example
from facetrack.learning.personal_residual import (
    PER_EXAMPLE,
    PersonalResidual,
    ResidualLearner,
    Samples,
    read_patches,
)
from facetrack.learning.prior import LevelPrior
from facetrack.parallel import one_blas_thread
from facetrack.regression.cascade import Cascade, Level
from facetrack.regression.expansion import pseudo_samples, read_frame, shifted
from facetrack.regression.incremental import IncrementalRegressor

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

WEIGHT: Final = 4.0  # of a corrected frame, in units of the whole training


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of a person; the same examples in the same order give the same."""

    cascade: Cascade  # the tracking cascade with the person's regressors
    own: PersonalResidual | None  # follows the cascade; None where no correction was made

    def run(self, maps: list[Features], start: Array) -> tuple[Array, Array]:
        """Fit a shape (68, 2) from a start in pixels of the reference frame.

        Returns where the generic cascade ends, which the model's quality and confidence judge, and
        the person's landmarks.
        """
        generic = self.cascade.run(maps, start)
        return generic, generic if self.own is None else self.own.finish(maps, generic)


class MapReader:
    """Builds the orientation maps of one patch after the other.

    The maps of a patch take 1 MB and a fifth of a millisecond: they are built anew, not kept.
    """

    def __init__(self, cascade: Cascade) -> None:
        self._builder = MapBuilder(cascade.maps)
        self._patch: npt.NDArray[np.uint8] | None = None
        self._maps: list[Features] = []

    def maps(self, patch: npt.NDArray[np.uint8]) -> list[Features]:
        """Return a (160, 160) patch's maps, valid until the next call; it must not change."""
        if patch is not self._patch:
            self._maps, self._patch = self._builder.build(patch), patch
        return self._maps


@dataclass(slots=True)
class Start:
    """One start of an example on its way down the cascade."""

    patch: npt.NDArray[np.uint8]  # (160, 160), its reference frame
    shape: Array  # (68, 2), where it is by now, pixels of the frame
    label: Array  # (68, 2), what it should become
    mask: npt.NDArray[np.bool_]  # (68,), the points that are vouched for
    reader: MapReader = field(repr=False)  # shared by the starts

    @property
    def maps(self) -> list[Features]:
        """Orientation maps of its frame, valid until those of another start are asked for."""
        return self.reader.maps(self.patch)

    def advance(self, level: Level, basis: Features) -> None:
        """Let a level correct the shape; `basis` is the cascade's."""
        self.shape = np.array(self.shape)
        level.correct(self.maps, self.shape, basis)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one example says, whatever other examples there are.

    The three samples are for the personal residual: where the generic cascade ends from the starts
    drawn towards the label, on average; where it ends from the one that was not; and the label.
    """

    samples: Samples
    # by level that learns: E (d, r + 3), Y (m, r + 3)
    columns: dict[int, tuple[Features, Features]]


class Learner:
    """Learns from examples: iCCR on the last levels, and a level of the person's own behind them.

    The personal residual (`own`) says where the person wants the landmarks, seen from where the
    generic cascade ends. The levels learn to end there for this face from wherever they start:
    their target is where the generic cascade ends on average; without `own` it is the label. So
    what an example asks for depends on it alone, and each is learned by what it adds: rows of the
    personal residual's Cholesky factors, and a block of columns of each level by Woodbury's
    identity. `levels` holds what the levels learned, by number, float64.
    """

    def __init__(self, cascade: Cascade, priors: Iterable[LevelPrior], *, own: bool = True) -> None:
        self._cascade = cascade
        self._priors = {prior.number: prior for prior in priors}
        self._with_own = own
        self._readers = tuple(MapReader(cascade) for _ in range(STARTS))
        self._begin()

    def _begin(self) -> None:
        """Know nothing of the person."""
        self._examples: list[Example] = []
        self._readings: list[Reading] = []
        # What scaling adds: the mean shape
        mean = self._cascade.basis[:, 0].astype(np.float64).reshape(-1, 2)
        own = ResidualLearner(self._cascade.levels[-1], mean) if self._with_own else None
        self.own: ResidualLearner | None = own
        self.levels = self._untaught()

    @one_blas_thread()
    def learn(self, examples: Iterable[Example]) -> Learned | None:
        """Learn from examples; None without any.

        A function of the examples and their order alone, to the byte: those that the last call
        began with too are not learned again, those that it had and this one lacks are unlearned.
        LearningError if the sums are not positive definite any more.
        """
        wanted = list(examples)
        known = {id(x): y for x, y in zip(self._examples, self._readings, strict=True)}
        pairs = zip(self._examples, wanted, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))
        try:
            self._go_back(same)
            for example in wanted[same:]:
                self._add(example, known.get(id(example)) or self.read(example))
        except (InputError, LearningError):
            self._begin()  # one level may have learned what another refuses
            raise
        if not wanted:
            return None
        levels = list(self._cascade.levels)
        for number, learned in self.levels.items():
            regressor = learned.regressor.astype(np.float32)
            levels[number] = replace(levels[number], regressor=regressor)
        own = None if self.own is None else self.own.residual()
        return Learned(replace(self._cascade, levels=tuple(levels)), own)

    def regressors(self) -> dict[int, IncrementalRegressor]:
        """Return the levels after `learn` by number, in float32, to continue learning with."""
        return {
            number: IncrementalRegressor(
                learned.regressor.astype(np.float32), learned.inverse.astype(np.float32)
            )
            for number, learned in self.levels.items()
        }

    def read(self, example: Example) -> Reading:
        """Read all that an example says."""
        starts, last = list(self.starts([example])), self._cascade.levels[-1]
        paths = self._down(starts)
        ends = [read_patches(last, start.maps, start.shape) for start in starts]
        labels = [read_patches(last, start.maps, start.label) for start in starts]
        missing = [start.label - start.shape for start in starts]
        # Apart from the others the start that was not drawn towards the label: if all were, a
        # larger correction would look like more of a displacement, and that would be learned
        patches = np.stack([np.mean(ends[:-1], axis=0), ends[-1], np.mean(labels, axis=0)])
        samples = Samples(
            np.stack([last.reduced(descriptors) for descriptors in patches]),
            patches,
            np.stack([np.mean(missing[:-1], axis=0), missing[-1], 0 * missing[-1]]),
            np.stack([example.mask] * PER_EXAMPLE),
        )
        if self._with_own:
            said = np.mean(missing, axis=0)
            for start in starts:
                start.label = start.label - said
        columns = {}
        for number, prior in self._priors.items():
            for start, shape in zip(starts, paths[number], strict=True):
                start.shape = shape
            columns[number] = self._columns(number, prior, starts)
        return Reading(samples, columns)

    def starts(self, examples: Iterable[Example]) -> Iterator[Start]:
        """Yield every start of every example."""
        for example in examples:
            for patch, shape, label, reader in zip(
                example.patches, example.starts, example.labels, self._readers, strict=True
            ):
                yield Start(patch, shape, label, example.mask, reader)

    def _down(self, starts: list[Start]) -> dict[int, list[Array]]:
        """Let the generic cascade fit the starts; where they stand before each level that learns.

        Level by level: what a level reads by is still in the processor's cache for the next start.
        """
        paths = {}
        for number, level in enumerate(self._cascade.levels):
            if number in self._priors:
                paths[number] = [start.shape for start in starts]
            for start in starts:
                start.advance(level, self._cascade.basis)
        return paths

    def _columns(
        self, number: int, prior: LevelPrior, starts: list[Start]
    ) -> tuple[Features, Features]:
        """Form the columns of an example: derivatives are read at its first start alone."""
        level, basis = self._cascade.levels[number], self._cascade.basis
        columns, targets = columns_of(level, prior, starts[0], basis)
        ends = [read_patches(level, start.maps, start.shape) for start in starts]
        labels = [read_patches(level, start.maps, start.label) for start in starts]
        columns[:, 0] = level.reduced(np.mean(ends, axis=0))
        moves = np.mean([start.shape - start.label for start in starts], axis=0)
        targets[:, 0] = basis.T @ moves.ravel()
        # where the face is placed right, nothing is missing: without it levels repeat each other
        weight = np.float32(np.sqrt(WEIGHT))
        nothing = np.zeros(len(targets), np.float32)
        return (
            weight * np.column_stack([columns, level.reduced(np.mean(labels, axis=0))]),
            weight * np.column_stack([targets, nothing]),
        )

    def _untaught(self) -> dict[int, IncrementalRegressor]:
        return {
            number: IncrementalRegressor(
                self._cascade.levels[number].regressor.astype(np.float64), prior.inverse()
            )
            for number, prior in self._priors.items()
        }

    def _add(self, example: Example, reading: Reading) -> None:
        if self.own is not None:
            self.own.add(reading.samples)
        for number, learned in self.levels.items():
            learned.learn(*reading.columns[number])
        self._examples.append(example)
        self._readings.append(reading)

    def _go_back(self, count: int) -> None:
        """Unlearn all examples but the first so many."""
        gone = len(self._examples) - count
        if not gone:
            return
        if self.own is not None:
            self.own.keep(PER_EXAMPLE * count)
        del self._examples[count:], self._readings[count:]
        if gone == 1 and all(learned.take_back() for learned in self.levels.values()):
            return
        self.levels = self._untaught()
        for reading in self._readings:
            for number, learned in self.levels.items():
                learned.learn(*reading.columns[number])


def columns_of(
    level: Level, prior: LevelPrior, start: Start, basis: Features
) -> tuple[Features, Features]:
    """Form E and Y of `expansion.pseudo_samples`, by which a level learns one start.

    The start has not passed this level yet; `basis` is the cascade's, (136, m).
    """
    readings = read_frame(level, start.maps, shifted(start.shape, start.label, prior.step))
    return pseudo_samples(readings, start.shape, start.label, basis, prior.spread, prior.step)
