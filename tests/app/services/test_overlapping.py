"""Gestures that overlap with tracking anew: all is in the end as if each had been waited for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from facetrack.face import N_POINTS, Fit
from facetrack_app.model.commands import Fitted, Import, MarkSpan, Merge, NewPerson, Rename, Split
from facetrack_app.model.faces import views_between
from facetrack_app.model.rows import Change, Kind
from facetrack_app.model.session import Session
from facetrack_app.services.annotator import Annotator
from tests.app.conftest import N_FRAMES, row, shape
from tests.app.services.rig import Rig, without_threads

STEPS = int(os.environ.get("FACETRACK_STEPS", "600"))
LONG = 50  # gestures in a row

frames = st.integers(0, N_FRAMES - 1)
few = st.sampled_from([4, 8, 12, 13, 21, 24, 33, 40, 44, 58])  # near each other: they overlap


class Overlapping(RuleBasedStateMachine):
    """Two people do the same; one waits after each gesture, the other one does not."""

    def __init__(self) -> None:
        super().__init__()
        self._patched = without_threads()
        self._patched.__enter__()
        self._folder = tempfile.TemporaryDirectory()
        place = Path(self._folder.name)
        self.quick, self.waiting = Rig(place / "quick"), Rig(place / "waiting")

    def teardown(self) -> None:
        """Settle, and take back everything."""
        try:
            self.compare()
            while self.quick.annotator.history.last_step is not None:
                self._both(lambda annotator: annotator.undo())
                self.compare()
        finally:
            for rig in (self.quick, self.waiting):
                rig.annotator.close()
            self._folder.cleanup()
            self._patched.__exit__(None, None, None)

    def _both(self, gesture: Callable[[Annotator], object]) -> None:
        gesture(self.quick.annotator)
        gesture(self.waiting.annotator)
        self.waiting.settle()

    def _at(self, frame: int, person: int, gesture: Callable[[Annotator], object]) -> None:
        people = list(self.waiting.session.people)
        for rig in (self.quick, self.waiting):
            rig.annotator.choose(people[person % len(people)])
            rig.go(frame)
        self._both(gesture)

    @rule(frame=few, person=st.integers(0, 3), shift=st.integers(0, 40))
    def place(self, frame: int, person: int, shift: int) -> None:
        """Put a shape somewhere."""
        self._at(frame, person, lambda annotator: annotator.placing.place(shape(shift / 8)))

    @rule(frame=few, person=st.integers(0, 3))
    def uncorrect(self, frame: int, person: int) -> None:
        """Remove a correction."""
        self._at(frame, person, lambda annotator: annotator.uncorrect())

    @rule(frame=few, person=st.integers(0, 3), direction=st.sampled_from([-1, 1]))
    def track(self, frame: int, person: int, direction: int) -> None:
        """Track on or back from a frame."""
        self._at(frame, person, lambda annotator: annotator.track(direction))

    @rule(frame=frames, person=st.integers(0, 3))
    def fit(self, frame: int, person: int) -> None:
        """Fit once more."""
        fit = Fit(shape(frame / 9), 0.8, np.full(N_POINTS, 0.7))
        self._at(frame, person, lambda a: a.run(Fitted.of(a.person or 0, a.shown, fit)))

    @rule(frame=frames, person=st.integers(0, 3))
    def split(self, frame: int, person: int) -> None:
        """Say that it is another person from here on."""
        self._at(frame, person, lambda a: a.run(Split(a.person or 0, a.shown, "Ann")))

    @rule(one=st.integers(0, 3), other=st.integers(0, 3))
    def merge(self, one: int, other: int) -> None:
        """Say that two are one."""
        people = list(self.waiting.session.people)
        pair = people[one % len(people)], people[other % len(people)]
        self._both(lambda annotator: annotator.run(Merge(*pair)))

    @rule(frame=frames)
    def bring_others(self, frame: int) -> None:
        """Begin a person, import one, name one, mark something."""

        def gesture(annotator: Annotator) -> None:
            annotator.run(NewPerson("Bea"))
            first = min(annotator.session.assignments.tracklets()) - 1
            found = row(first, frame, Kind.IMPORTED)
            annotator.run(Import("x", (
                Change("person", (first,), None, ("Cleo",)),
                Change("assignment", (first, 0), None, (first,)),
                Change("track", found.key(), None, found.values()),
            )))  # fmt: skip
            annotator.run(Rename(first, "Dora"))
            annotator.run(MarkSpan("exclude", frame, frame + 1, "x"))

        self._both(gesture)

    @rule(times=st.integers(1, 4))
    def undo(self, times: int) -> None:
        """Take back."""
        for _ in range(times):
            self._both(lambda annotator: annotator.undo())

    @rule(times=st.integers(1, 4))
    def redo(self, times: int) -> None:
        """Do again."""
        for _ in range(times):
            self._both(lambda annotator: annotator.redo())

    @precondition(lambda self: self.quick.annotator.teaching.busy)
    @rule()
    def come(self) -> None:
        """Let one stretch be done."""
        self.quick.finish()

    @rule()
    def reopen(self) -> None:
        """Close the window in the middle of it, and open it again."""
        self.quick.reopen()
        self.waiting.reopen()
        self.waiting.settle()

    @rule()
    def compare(self) -> None:
        """Wait, and find the same."""
        self.quick.settle()
        quick, waiting = self.quick.session, self.waiting.session
        assert quick.people == waiting.people
        assert quick.spans == waiting.spans
        for person in quick.people:
            assert seen(quick, person) == seen(waiting, person)


def seen(session: Session, person: int) -> dict[int, tuple[object, ...]]:
    """Give what counts of a person by frame."""
    views = views_between(session.store, session.assignments, person, 0, N_FRAMES)
    return {
        frame: (
            "corrected" if view.correction is not None else view.row and view.row.kind,
            b"" if view.points is None else view.points.tobytes(),
            b"" if view.source is None else view.source.tobytes(),
        )
        for frame, view in views.items()
    }


Overlapping.TestCase.settings = settings(
    max_examples=max(STEPS // LONG, 1),
    stateful_step_count=LONG,
    suppress_health_check=list(HealthCheck),
)
TestOverlapping = pytest.mark.filterwarnings("error")(Overlapping.TestCase)
