"""Fits of people that a cascade was not trained on, with the errors of all points.

A cascade fits the pictures that it was trained on too well. So the tracking cascade is trained
again on parts of the pictures, and each of these cascades is tried on the rest, from starts as they
come up in tracking, on pictures as bad as they come up in videos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from facetrack.face import N_POINTS
from facetrack.features.crops import warp_to_frame
from facetrack.features.maps import MapBuilder
from facetrack.fitting.confidence import End, contrast_of
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.example import make_example
from facetrack.learning.learner import Learner
from facetrack.learning.personal_residual import PersonalResidual
from facetrack.regression.cascade import Cascade
from facetrack.tracking.track import KEEP, is_large
from facetrack.training.augmentation import augment
from facetrack.training.cascade import CascadePlan, train_cascade
from facetrack.training.frames import TrainingFrames
from facetrack.training.pictures import Picture
from facetrack.training.starts import StartNoise

Array = npt.NDArray[np.float64]

FOLDS: Final = 5  # parts of the pictures, each left out once

_CHAINS: Final = 2  # of fits per picture
_AUGMENTED: Final = 0.5  # share of the chains that are fitted in a worse picture
_MOST_REPEATS: Final = 3  # fits after a chain's first one, each from the end of the one before
_DRIFT: Final = 0.02  # of the face from fit to fit, outer-eye distances
_CHUNK: Final = 64  # pictures that a thread takes at a time

EXAMPLES: Final = (1, 3, 8)  # taught frames of a film
_EVERY: Final = 3  # of a film's frames: neighbours say the same
_LOST: Final = 0.25  # mean error in outer-eye distances


class HeldOutFit(NamedTuple):
    """One fit, and how far each point is from the truth."""

    end: End
    errors: Array  # (68,), in outer-eye distances of the truth
    picture: int  # `Picture.number`
    examples: int = 0  # how many the cascade had of the person


def train_held_out(
    frames: TrainingFrames,
    whole: Cascade,
    basis: Array,
    plan: CascadePlan,
    rng: np.random.Generator,
    *,
    threads: int = 2,
) -> list[Cascade]:
    """Train the whole cascade again without pictures whose number is f modulo `FOLDS`, for each f.

    The whole one gives the reductions of the descriptors, so that features mean the same to all.
    """
    cascades = []
    for fold in range(FOLDS):
        others = frames.select(frames.pictures % FOLDS != fold)
        trained = train_cascade(others, basis, plan, rng=rng, threads=threads, like=whole)
        cascades.append(trained.cascade)
    return cascades


def fit_held_out(
    held_out: Sequence[Cascade],
    shape_model: ShapeModel,
    pictures: Sequence[Picture],
    rng: np.random.Generator,
    *,
    threads: int = 2,
) -> list[HeldOutFit]:
    """Fit each picture with the cascade that was not trained on it.

    Return first and last fits of chains as in tracking, half of them in pictures made worse.
    """
    seeds = rng.integers(2**63, size=len(pictures)).tolist()  # of their own: threads cannot reorder
    parts = [slice(i, i + _CHUNK) for i in range(0, len(pictures), _CHUNK)]

    def work(part: slice) -> list[HeldOutFit]:
        runner = _Runner(shape_model, MapBuilder(held_out[0].maps))
        found: list[HeldOutFit] = []
        for picture, seed in zip(pictures[part], seeds[part], strict=True):
            own = np.random.default_rng(seed)
            cascade = held_out[picture.number % len(held_out)]
            for _ in range(_CHAINS):
                seen = augment(picture, own) if own.random() < _AUGMENTED else picture
                found += runner.chain(cascade, seen, own)
        return found

    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        return [fit for found in pool.map(work, parts) for fit in found]


def fit_taught(
    held_out: Sequence[Cascade],
    shape_model: ShapeModel,
    films: Sequence[Sequence[Picture]],
    *,
    threads: int = 2,
) -> list[HeldOutFit]:
    """Teach frames of films to the cascade that was not trained on their person, and follow it.

    Return fits of frames that were not taught, after each number of examples. A level of the
    person's own alone is learned: it is most of what a correction teaches.
    """
    everything = np.ones(N_POINTS, dtype=np.bool_)

    def work(film: Sequence[Picture]) -> list[HeldOutFit]:
        cascade = held_out[film[0].number % len(held_out)]
        runner, learner = _Runner(shape_model, MapBuilder(cascade.maps)), Learner(cascade, ())
        found: list[HeldOutFit] = []
        for count in EXAMPLES:
            frames = (2 * np.arange(count) + 1) * len(film) // (2 * count)
            examples = [
                make_example(film[i].grey, film[i].points, everything, shape_model, key=i)
                for i in frames.tolist()
            ]
            learned = learner.learn(examples)
            tried = runner.follow(cascade, film, None if learned is None else learned.own)
            found += [
                fit._replace(examples=count)
                for index, fit in tried
                if index not in frames and index % _EVERY == 0
            ]
        return found

    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        return [fit for found in pool.map(work, films) for fit in found]


@dataclass(frozen=True, slots=True)
class _Runner:
    """Fits pictures one by one, on one thread."""

    shape_model: ShapeModel
    builder: MapBuilder

    def chain(
        self, cascade: Cascade, picture: Picture, rng: np.random.Generator
    ) -> Iterator[HeldOutFit]:
        """Fit from near the truth, then again from where that ended, as a tracker does."""
        wide = 1.0 if rng.random() < 0.5 else rng.uniform(0.3, 1.5)
        start = _scaled(StartNoise(), wide).move(
            picture.points, self.shape_model, rng, projected=True
        )
        eyes = float(outer_eye_distance(picture.points))
        last = int(rng.integers(_MOST_REPEATS + 1))
        for turn in range(last + 1):
            fit = self._fit(cascade, picture, start)
            if not is_large(fit.end.points):
                return
            if turn in (0, last):
                yield fit
            drift = _DRIFT * eyes * rng.standard_normal(2)
            start = self.shape_model.relax(fit.end.points, keep=KEEP) + drift

    def follow(
        self, cascade: Cascade, film: Sequence[Picture], own: PersonalResidual | None
    ) -> Iterator[tuple[int, HeldOutFit]]:
        """Track a film from the mean shape at its place; a face that is lost starts there again."""
        start: Array | None = None
        for index, picture in enumerate(film):
            if start is None:
                start = self.shape_model.relax(picture.points, keep=0.0)
            fit = self._fit(cascade, picture, start, own)
            start = None
            if fit.errors.mean() < _LOST and is_large(fit.end.points):
                start = self.shape_model.relax(fit.end.points, keep=KEEP)
                yield index, fit

    def _fit(
        self, cascade: Cascade, picture: Picture, start: Array, own: PersonalResidual | None = None
    ) -> HeldOutFit:
        to_frame = self.shape_model.to_reference(start)
        maps = self.builder.build(warp_to_frame(picture.grey, to_frame))
        shape = cascade.run(maps, to_frame.apply(start))
        points = to_frame.inverse().apply(shape if own is None else own.finish(maps, shape))
        level = cascade.levels[-1]
        features = level.features(maps, shape)
        end = End(
            features,
            level.regressor @ features,
            shape,
            points,
            (picture.grey.shape[1], picture.grey.shape[0]),
            to_frame.scale,
            contrast_of(maps[level.map_index]),
        )
        errors = np.linalg.norm(points - picture.points, axis=1)
        errors /= float(outer_eye_distance(picture.points))
        return HeldOutFit(end, errors, picture.number)


def _scaled(noise: StartNoise, factor: float) -> StartNoise:
    return StartNoise(*(factor * value for value in astuple(noise)))
