"""What turns faces into signals: an estimator, shared and stateless, and its run of one face."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Any, Protocol, runtime_checkable

from facetrack.face import Face
from facetrack.formats.encoding import NO_STATE, Stateful
from facetrack.reading import Event, Reading, Readings, Spec
from facetrack.signals.observation import Observation

Result = Readings | Event
State = dict[str, Any]
UNKNOWN_POINT = "a point has no place"
LOST = "lost"  # how the reasons of a lost face begin


@runtime_checkable
class Run(Protocol):
    """An estimator at work on one face: baselines and the last frames live here.

    A dataclass that derives from `Stateful` has `state` and `restore`.
    """

    def update(self, seen: Observation) -> Sequence[Result]:
        """Take the face's next frame.

        Parameters
        ----------
        seen : Observation

        Returns
        -------
        sequence of Readings or Event
            What became certain with it, for whichever frame.
        """
        ...

    def finish(self) -> Sequence[Result]:
        """Return what is left when no further frame comes.

        Returns
        -------
        sequence of Readings or Event
        """
        ...

    def state(self) -> State:
        """Return everything that `restore` needs.

        Returns
        -------
        dict
            As JSON knows it, without NaN.
        """
        ...

    def restore(self, state: State) -> None:
        """Continue where another run of the same estimator stood.

        Parameters
        ----------
        state : dict
            What `state` gave.
        """
        ...


@runtime_checkable
class Estimator(Protocol):
    """One loaded model or rule."""

    @property
    def name(self) -> str:
        """Unique among estimators; what `--signals NAME` chooses."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever results may; of a model, with its checksum."""
        ...

    @property
    def specs(self) -> tuple[Spec, ...]:
        """All values and events that it gives. One estimator owns a name."""
        ...

    @property
    def delay(self) -> float:
        """Seconds after which a result is certain at the latest."""
        ...

    @property
    def needs_pixels(self) -> bool:
        """Whether it looks at the picture and not at the landmarks alone."""
        ...

    @property
    def frame_rate(self) -> float | None:
        """Frames per second that it was made for; None where any rate will do."""
        ...

    def start(self) -> Run:
        """Begin with a face.

        Returns
        -------
        Run
            Without anything from before.
        """
        ...


@dataclass(frozen=True, slots=True)
class FaceEstimator:
    """An estimator without memory: a function of a tracked face.

    Attributes
    ----------
    name, specs, version
        See `Estimator`; values only.
    compute : callable
        Given a tracked `Face`; returns a value, or a `Reading` with its reason, for every spec, in
        their order. A plain NaN means that a point has no place.
    """

    name: str
    specs: tuple[Spec, ...]
    compute: Callable[[Face], Sequence[float | Reading]]
    version: str = "1"
    delay: float = 0.0
    needs_pixels: bool = False
    frame_rate: float | None = None

    def start(self) -> Run:
        """Begin with a face.

        Returns
        -------
        Run
            Without anything from before.
        """
        return _FaceRun(self)

    def read(self, face: Face) -> dict[str, Reading]:
        """Compute all values of one face.

        Parameters
        ----------
        face : Face

        Returns
        -------
        dict of str to Reading
            By the name of the signal; NaN with the reason for a lost face.
        """
        if not face.tracked:
            return dict(nothing(self.specs, lost(face)))
        values = self.compute(face)
        return {
            spec.name: value if isinstance(value, Reading) else as_reading(value)
            for spec, value in zip(self.specs, values, strict=True)
        }


@dataclass(slots=True)
class _FaceRun(Stateful):
    """Asks the function anew in every frame."""

    estimator: FaceEstimator = field(metadata=NO_STATE)

    def update(self, seen: Observation) -> Sequence[Result]:
        return (Readings(seen.index, self.estimator.read(seen.face)),)

    def finish(self) -> Sequence[Result]:
        return ()


def as_reading(value: float, reason: str = UNKNOWN_POINT) -> Reading:
    """Make a reading of a number.

    Parameters
    ----------
    value : float
    reason : str
        Why it is NaN, if it is.

    Returns
    -------
    Reading
    """
    return Reading(nan, reason=reason) if isnan(value) else Reading(value)


def nothing(specs: Sequence[Spec], reason: str) -> Mapping[str, Reading]:
    """Say of all values why they cannot be said.

    Parameters
    ----------
    specs : sequence of Spec
        Those of events are left out.
    reason : str

    Returns
    -------
    mapping of str to Reading
    """
    reading = Reading(nan, reason=reason)
    return {spec.name: reading for spec in specs if spec.kind != "event"}


def lost(face: Face) -> str:
    """Return why nothing can be said of a lost face.

    Parameters
    ----------
    face : Face

    Returns
    -------
    str
        Such as `lost: covered`.
    """
    return f"{LOST}: {face.reason}" if face.reason else LOST
