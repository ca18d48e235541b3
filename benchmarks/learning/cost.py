"""What learning costs: updates against their rivals and against the batch, examples, profiles."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.learning.whole_update import WholeUpdate, time_whole_update
from benchmarks.speed.timing import StepTime, milliseconds, time_steps
from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.example import make_example
from facetrack.learning.learner import Learner, Start
from facetrack.learning.profile import load_profile
from facetrack.regression.expansion import pseudo_samples, read_frame, shifted
from facetrack.regression.incremental import (
    IncrementalRegressor,
    learn_sampled,
    learn_sampled_literally,
)
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame

Array = npt.NDArray[np.float64]

SIZES: Final = (1021, 2041)  # features d of a level: 15 and 30 a landmark
MODES: Final = 24  # m, as in the papers
DRAWS: Final = 10  # K
EXAMPLES: Final = (1, 3, 8, 20, 100)
UPDATES: Final = 200
_ROUNDS: Final = 15  # of updates
_COURSES: Final = 5  # of examples
_GAP: Final = 2  # frames from one correction to the next
_BROWS: Final = slice(17, 27)
_HIGHER: Final = 0.06  # of the outer-eye distance: where the person wants the brows


@dataclass(frozen=True, slots=True)
class UpdateTimes:
    """What one update of one level costs, float64, the features not counted.

    Attributes
    ----------
    features : int
        d.
    continuous, literal, ordered : float
        Median wall time in milliseconds of iCCR with m + 1 columns, and of iSDM with K samples in
        the order in which it is written and in the best one.
    literal_ratio, ordered_ratio : float
        Median over the rounds of the rival's time / that of iCCR in the same round.
    """

    features: int
    continuous: float
    literal: float
    ordered: float
    literal_ratio: float
    ordered_ratio: float


@dataclass(frozen=True, slots=True)
class Exactness:
    """How far updates are from solving anew from all frames, float64.

    Attributes
    ----------
    updates : int
    regressor, inverse : float
        Largest difference / largest value.
    condition : float
        Condition number of the inverse in the end.
    """

    updates: int
    regressor: float
    inverse: float
    condition: float


@dataclass(frozen=True, slots=True)
class LearningCost:
    """All that was measured of learning.

    Attributes
    ----------
    exactness : Exactness
    updates : tuple of UpdateTimes
    whole : WholeUpdate
    first_ms : float
        The very first example of the process, which inverts the training sums.
    examples_ms : dict of int to float
        Shortest CPU time of the n-th example of a person: a whole correction, from the frame and
        the points to the person's model.
    steps : tuple of StepTime
        Whole updates of the tracker with a person taught so often, without, and of one
        that learns from its own tracks.
    profile_bytes : int
        Of all these examples.
    profile_seconds : float
        Shortest of three times of loading it.
    """

    exactness: Exactness
    updates: tuple[UpdateTimes, ...]
    whole: WholeUpdate
    first_ms: float
    examples_ms: dict[int, float]
    steps: tuple[StepTime, ...]
    profile_bytes: int
    profile_seconds: float


def learning_cost(model: FaceModel, frames: Sequence[Frame]) -> LearningCost:
    """Measure what learning costs; the caller keeps the libraries to one thread.

    Parameters
    ----------
    model : FaceModel
    frames : sequence of Frame
        A video with one face. The person who corrects wants the brows higher than they are found.

    Returns
    -------
    LearningCost

    Raises
    ------
    InputError
        If there are too few frames with a face for all corrections and some frames after them.
    LearningError
        If the model cannot learn.
    """
    courses = [_Course(model) for _ in range(_COURSES)]
    rest = list(frames)
    while len(courses[0].times) < max(EXAMPLES):
        if len(rest) < 2 * _GAP:
            raise InputError(f"{max(EXAMPLES)} corrections need more than {len(frames)} frames")
        for course in courses:
            course.follow(rest[:_GAP])
        del rest[:_GAP]
    plain = Tracker(model)
    for frame in frames[: len(frames) - len(rest)]:
        plain.update(frame)
    adapting = Tracker(model, adapt=True)  # its examples come in the frames that are timed
    for frame in frames[len(frames) - len(rest) - _GAP : len(frames) - len(rest)]:
        adapting.update(frame)
    trackers = {"taught": courses[0].tracker, "untaught": plain, "adapting": adapting}
    steps = time_steps(rest, {name: tracker.update for name, tracker in trackers.items()})
    size, seconds = _profile_cost(courses[0], model)
    return LearningCost(
        exactness=updates_against_batch(model, frames[:UPDATES]),
        updates=tuple(time_updates(d) for d in SIZES),
        whole=time_whole_update(model, next(_starts(model, frames))),
        first_ms=courses[0].times[0] / 1e6,
        examples_ms={n: min(course.times[n - 1] for course in courses) / 1e6 for n in EXAMPLES},
        steps=steps,
        profile_bytes=size,
        profile_seconds=seconds,
    )


class _Course:
    """A tracker on its way through a video that gets examples, each timed."""

    def __init__(self, model: FaceModel) -> None:
        self.tracker = Tracker(model)
        self.times: list[int] = []  # nanoseconds of the processor
        self.id = -1

    def follow(self, frames: Sequence[Frame]) -> None:
        """Track some frames and correct the last one, if a face is there."""
        faces: list[Face] = []
        for frame in frames:
            faces = [face for face in self.tracker.update(frame) if face.tracked]
        if not faces:
            return
        self.id = faces[0].id
        points = _opinion(faces[0].raw_points)
        begin = time.process_time_ns()
        self.tracker.correct(self.id, points)
        self.times.append(time.process_time_ns() - begin)


def _opinion(found: Array) -> Array:
    points = np.array(found)
    points[_BROWS, 1] -= _HIGHER * outer_eye_distance(points)
    return points


def _profile_cost(course: _Course, model: FaceModel) -> tuple[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "person.npz"
        course.tracker.profile(course.id).save(path)
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            load_profile(path, model.tracking)
            times.append(time.perf_counter() - begin)
        return path.stat().st_size, min(times)


def time_updates(features: int, *, rounds: int = _ROUNDS) -> UpdateTimes:
    """Time one update of one level in three ways, in turn.

    Parameters
    ----------
    features : int
        d; the arrays are random, times do not depend on their values.
    rounds : int
        How often; one more before that is not counted.

    Returns
    -------
    UpdateTimes
    """
    rng = np.random.default_rng(0)
    regressor, inverse = rng.normal(size=(MODES, features)), np.eye(features)
    columns, targets = _random_block(rng, features, MODES + 1)
    samples, moves = _random_block(rng, features, DRAWS)
    learned = IncrementalRegressor(regressor, inverse)
    ways: dict[str, Callable[[], object]] = {
        "continuous": lambda: learned.learn(columns, targets),
        "literal": lambda: learn_sampled_literally(regressor, inverse, samples, moves),
        "ordered": lambda: learn_sampled(regressor, inverse, samples, moves),
    }
    times: dict[str, list[int]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, learn in ways.items():
            begin = time.perf_counter_ns()
            learn()
            times[name].append(time.perf_counter_ns() - begin)
    taken = {name: np.array(values[1:]) for name, values in times.items()}
    return UpdateTimes(
        features=features,
        **{name: milliseconds(values.tolist(), 0.5) for name, values in taken.items()},
        literal_ratio=float(np.median(taken["literal"] / taken["continuous"])),
        ordered_ratio=float(np.median(taken["ordered"] / taken["continuous"])),
    )


def _random_block(rng: np.random.Generator, features: int, columns: int) -> tuple[Array, Array]:
    return rng.normal(size=(features, columns)), rng.normal(size=(MODES, columns))


def updates_against_batch(model: FaceModel, frames: Sequence[Frame]) -> Exactness:
    """Learn frames one by one, and all of them at once from the sums; compare.

    Parameters
    ----------
    model : FaceModel
        Its last level learns, from its training sums, with the weight of one frame each.
    frames : sequence of Frame
        A video with one face; every frame in which it is tracked is learned.

    Returns
    -------
    Exactness

    Raises
    ------
    InputError
        If there is no face in the frames.
    """
    prior = model.priors[-1]
    level, basis = model.tracking.levels[prior.number], model.tracking.basis
    lower = np.tril(prior.inverse()).astype(np.float64)
    inverse = lower + np.tril(lower, -1).T
    learned = IncrementalRegressor(level.regressor.astype(np.float64), inverse)
    gram = np.linalg.inv(inverse)
    cross = learned.regressor @ gram
    count = 0
    for start in _starts(model, frames):
        readings = read_frame(level, start.maps, shifted(start.shape, start.label, prior.step))
        columns, targets = pseudo_samples(
            readings, start.shape, start.label, basis, prior.spread, prior.step
        )
        e, y = columns.astype(np.float64), targets.astype(np.float64)
        learned.learn(e, y)
        gram, cross, count = gram + e @ e.T, cross + y @ e.T, count + 1
    if not count:
        raise InputError("there is no face to learn from")
    batch = np.linalg.inv(gram)
    lower = np.tril(learned.inverse)
    return Exactness(
        updates=count,
        regressor=_apart(learned.regressor, np.linalg.solve(gram, cross.T).T),
        inverse=_apart(lower + np.tril(lower, -1).T, batch),
        condition=learned.condition(),
    )


def _starts(model: FaceModel, frames: Sequence[Frame]) -> Iterator[Start]:
    """Give one start of an example for each frame."""
    tracker, everything = Tracker(model), np.ones(68, dtype=np.bool_)
    learner = Learner(model.tracking, model.priors)
    for frame in frames:
        faces = [face for face in tracker.update(frame) if face.tracked]
        if faces:
            points = _opinion(faces[0].raw_points)
            example = make_example(frame.grey, points, everything, model.shape_model)
            yield next(learner.starts([example]))


def _apart(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())
