"""All estimators on all faces of one stream: what `facetrack track`, live and annotating share."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from facetrack.errors import InputError
from facetrack.face import Face, read_only_points
from facetrack.reading import Event, EventRecord, Finding, Readings
from facetrack.signals.estimator import Estimator, Result, Run, nothing
from facetrack.signals.observation import Observation
from facetrack.signals.registry import Choice
from facetrack.video.frame import Frame
from facetrack.video.square import AS_STORED, Stretch, stretch_of

LOGGER = logging.getLogger(__name__)
KEEP: Final = 5.0  # seconds without the face after which a run ends; a blink of the tracker is less
_COSTLY: Final = 2e-3  # seconds a face: what is dearer is thinned where many faces are live
_FEW: Final = 2  # faces that are never thinned
THINNED: Final = "left out to keep the picture live"


@dataclass(slots=True)
class Cost:
    """What an estimator has cost so far: seconds, and on how many faces."""

    seconds: float = 0.0
    faces: int = 0

    @property
    def each(self) -> float:
        """Seconds a face; 0 before the first."""
        return self.seconds / self.faces if self.faces else 0.0


@dataclass(slots=True)
class _Person:
    """The runs of one face."""

    runs: dict[str, Run]
    seen: float  # when it was tracked last, or began


@dataclass(slots=True)
class Pipeline:
    """The runs of chosen estimators on every face of a stream, by the face's id.

    A run is kept over a short loss and ends with the person. An estimator that raises is named,
    switched off and its values said to be unknown from then on; the others go on.

    Parameters
    ----------
    choice : Choice
        See `facetrack.signals.choose`.
    live : bool
        Whether the picture must not wait: with more than two faces tracked, estimators that take
        longer than 2 ms a face look at one face a frame, in turn.
    stills : bool
        Whether each picture stands by itself: all runs end with it, and there are no events.

    Attributes
    ----------
    costs : dict of str to Cost
        By estimator.
    faults : dict of str to str
        Estimators that were switched off, and why.
    thinned : tuple of str
        Estimators that left faces out in the last frame.
    """

    choice: Choice
    live: bool = False
    stills: bool = False
    costs: dict[str, Cost] = field(default_factory=dict, init=False)
    faults: dict[str, str] = field(default_factory=dict, init=False)
    thinned: tuple[str, ...] = field(default=(), init=False)
    _people: dict[int, _Person] = field(default_factory=dict, init=False)
    _turn: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.costs = {estimator.name: Cost() for estimator in self.choice.estimators}

    def update(self, frame: Frame, faces: Sequence[Face]) -> list[Finding]:
        """Hand the faces of the next frame to the estimators.

        Parameters
        ----------
        frame : Frame
            Later than the one before.
        faces : sequence of Face
            As `Tracker.update` gave them, lost ones included.

        Returns
        -------
        list of Finding
            What became certain, by face and estimator; for this frame or an earlier one.
        """
        if frame.aspect != 1:  # distances and regions of faces are true in square pixels only
            faces = [in_square_pixels(face, stretch_of(frame.aspect)) for face in faces]
            frame = frame.square
        return self.look([Observation(frame.index, frame.timestamp, f, frame) for f in faces])

    def look(self, seen: Sequence[Observation]) -> list[Finding]:
        """Hand observations of one frame to the estimators; as `update`, also without pixels."""
        tracked = [o for o in seen if o.face.tracked]
        self._turn += 1
        busy = self.live and len(tracked) > _FEW
        in_turn = tracked[self._turn % len(tracked)] if busy else None
        costly = {name for name, cost in self.costs.items() if busy and cost.each > _COSTLY}
        self.thinned = tuple(sorted(costly))
        found: list[Finding] = []
        for one in seen:
            person = self._person(one)
            for estimator in self.choice.estimators:
                left_out = estimator.name in costly and one.face.tracked and one is not in_turn
                found += self._ask(person, estimator, one, THINNED if left_out else "")
        if seen:
            found += self._end(id_ for id_, person in self._people.items()
                               if seen[0].timestamp - person.seen > KEEP)  # fmt: skip
        if self.stills:
            found += self._end(self._people)
            return [finding for finding in found if isinstance(finding.result, Readings)]
        return found

    def finish(self) -> list[Finding]:
        """End all runs; returns what was left."""
        return self._end(self._people)

    def forget(self, face_id: int) -> list[Finding]:
        """End the runs of one face, as after a jump in time; returns what was left."""
        return self._end([face_id] if face_id in self._people else [])

    def outlook(self) -> list[Finding]:
        """Return what `finish` would return now, while the runs go on."""
        twin = Pipeline(self.choice, stills=self.stills)
        try:
            twin.restore(json.loads(json.dumps(self.state())))
        except Exception as error:  # of another package's estimator
            LOGGER.warning("the last signals are not known: %s", error)
            return []
        return twin.finish()

    def change(self, choice: Choice) -> None:
        """Go on with another choice: runs of estimators that stay go on, others end unheard.

        An estimator of the same name that measures from another rest is another one.
        """
        before = {estimator.name: estimator for estimator in self.choice.estimators}
        self.choice = choice
        names = [estimator.name for estimator in choice.estimators]
        same = [e.name for e in choice.estimators if before.get(e.name) == e]
        self.costs = {name: self.costs.get(name, Cost()) for name in names}
        self.faults = {name: why for name, why in self.faults.items() if name in names}
        for person in self._people.values():
            kept = {name: run for name, run in person.runs.items() if name in same}
            person.runs = {**self._start(), **kept}

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs, as JSON knows it."""
        return {
            "people": [
                [id_, person.seen, {name: run.state() for name, run in person.runs.items()}]
                for id_, person in self._people.items()
            ],
            "faults": dict(self.faults),
            "turn": self._turn,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where another pipeline with the same choice stood."""
        try:
            self.faults = {str(name): str(why) for name, why in state["faults"].items()}
            self._turn = int(state["turn"])
            self._people = {}
            for id_, seen, states in state["people"]:
                person = self._people[int(id_)] = _Person(self._start(), float(seen))
                for name, run in person.runs.items():
                    run.restore(states[name])
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"the saved state of the signals is broken: {error}") from error

    def _person(self, one: Observation) -> _Person:
        person = self._people.get(one.face.id)
        if person is None:
            person = self._people[one.face.id] = _Person(self._start(), one.timestamp)
        elif one.face.tracked:
            person.seen = one.timestamp
        return person

    def _start(self) -> dict[str, Run]:
        runs = {}
        for estimator in self.choice.estimators:
            if estimator.name not in self.faults:
                try:
                    runs[estimator.name] = estimator.start()
                except Exception as error:  # of another package, perhaps
                    self._switch_off(estimator, error)
        return runs

    def _ask(
        self, person: _Person, estimator: Estimator, one: Observation, left_out: str
    ) -> list[Finding]:
        """Let one run look at one face."""
        run = person.runs.get(estimator.name)
        results: Sequence[Result] = ()
        if run is not None and not left_out:
            results = self._guard(estimator, lambda: run.update(one))
        if estimator.name in self.faults:
            left_out = f"{estimator.name} is switched off: {self.faults[estimator.name]}"
        if left_out:
            results = (Readings(one.index, nothing(estimator.specs, left_out)),)
        return self._wanted(one.face.id, estimator, results)

    def _guard(self, estimator: Estimator, ask: Callable[[], Sequence[Result]]) -> Sequence[Result]:
        """Ask a run and count what it costs; one that raises is switched off."""
        begin = time.perf_counter()
        try:
            return ask()
        except Exception as error:  # whatever it is, the rest goes on
            self._switch_off(estimator, error)
            return ()
        finally:
            cost = self.costs[estimator.name]
            cost.seconds += time.perf_counter() - begin
            cost.faces += 1

    def _switch_off(self, estimator: Estimator, error: Exception) -> None:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        self.faults[estimator.name] = why
        for person in self._people.values():
            person.runs.pop(estimator.name, None)
        LOGGER.warning("the signals of %s are switched off: %s", estimator.name, why)
        LOGGER.debug("%s", estimator.name, exc_info=error)

    def _wanted(
        self, face_id: int, estimator: Estimator, results: Sequence[Result]
    ) -> list[Finding]:
        """Keep what was asked for."""
        names, found = self.choice.names, []
        for result in results:
            if isinstance(result, Event):
                if result.name in names:
                    found.append(Finding(face_id, estimator.name, result))
            elif any(name in names for name in result.values):
                found.append(Finding(face_id, estimator.name, result))
        return found

    def _end(self, ids: Iterable[int]) -> list[Finding]:
        found = []
        for id_ in list(ids):
            person = self._people.pop(id_)
            for estimator in self.choice.estimators:
                run = person.runs.get(estimator.name)
                if run is not None:
                    found += self._wanted(id_, estimator, self._guard(estimator, run.finish))
        return found


def event_records(findings: Iterable[Finding]) -> list[EventRecord]:
    """Pick the events out of what a pipeline found."""
    return [
        EventRecord(finding.face_id, finding.result, finding.estimator)
        for finding in findings
        if isinstance(finding.result, Event)
    ]


def in_square_pixels(face: Face, stretch: Stretch) -> Face:
    """Move a face's points into square pixels, in which signals are measured."""
    if stretch == AS_STORED:
        return face
    points, raw = (read_only_points(stretch.square(p)) for p in (face.points, face.raw_points))
    return replace(face, points=points, raw_points=raw)
