"""Whatever a person does: what counts as theirs is what they placed or accepted, nothing else."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from PyQt5.QtCore import QObject

from facetrack.face import Source
from facetrack_app.model.assignments import UNASSIGNED
from facetrack_app.model.commands import DeletePerson, Merge, Split
from facetrack_app.model.corrected import correction_of
from facetrack_app.model.editing import Editor, Reach
from facetrack_app.model.handles import GRAB, handles_of
from facetrack_app.services.annotator import Annotator
from facetrack_app.views.edits import Edits
from facetrack_app.views.moves import Moves
from tests.app.conftest import N_FRAMES
from tests.app.services.rig import Rig, without_threads

STEPS = int(os.environ.get("FACETRACK_STEPS", "600"))
LONG = 50  # gestures in a row

PARTS = [range(17), range(17, 22), range(22, 27), range(27, 36), range(36, 42), range(42, 48),
         range(48, 68)]  # fmt: skip
few = st.sampled_from([0, 3, 4, 5, 22, 40, 41])
points = st.integers(0, 67)
pulls = st.sampled_from([-12.0, -3.0, -0.4, 0.0, 0.4, 5.0, 20.0])


class _Canvas(QObject):  # type: ignore[misc]
    mirrored = False


class Truth(RuleBasedStateMachine):
    """A person at the keys and the mouse, and what they placed: frame, point, places."""

    def __init__(self) -> None:
        super().__init__()
        self._patched = without_threads()
        self._patched.__enter__()
        self._folder = tempfile.TemporaryDirectory()
        self._canvas = _Canvas()
        self.rig = Rig(Path(self._folder.name))
        self._chosen: tuple[int | None, int, int | None] | None = None  # person, frame, point
        self.placed: dict[tuple[int, int], set[tuple[float, float]]] = defaultdict(set)
        self._sit_down()

    def _sit_down(self) -> None:
        timeline: Any = SimpleNamespace(move_to=lambda frame: None)
        canvas: Any = self._canvas
        silent: Any = SimpleNamespace(end=lambda: None)
        self.moves = Moves(self.annotator, canvas, timeline, silent)
        self.edits = Edits(self.annotator, self.moves.go)

    def teardown(self) -> None:
        """Clear the desk."""
        self.annotator.close()
        self._folder.cleanup()
        self._patched.__exit__(None, None, None)

    @property
    def annotator(self) -> Annotator:
        """What is annotated."""
        return self.rig.annotator

    @property
    def editor(self) -> Editor | None:
        """The face at hand."""
        return self.annotator.editor

    def _place(self, which: set[int], now: np.ndarray, frame: int) -> None:
        for point in which:
            if np.isfinite(now[point]).all():
                self.placed[frame, point].add(tuple(np.round(now[point], 6).tolist()))

    def _shown(self) -> set[int]:
        assert self.editor is not None
        return set(self.editor.visible)

    def _moved(self, before: Editor, now: np.ndarray, point: int | None, reach: Reach) -> None:
        """Note what a drag or a nudge placed, going by what is seen of it."""
        gone = np.nan_to_num(np.linalg.norm(now - before.points, axis=1))
        human = set(np.flatnonzero(before.source == Source.CORRECTED).tolist())
        if point is None or reach is Reach.SHAPE:
            which = {i for i in before.visible if before.source[i] != Source.INTERPOLATED}
        elif reach is Reach.POINT:
            which = {point}
        else:
            part = next(part for part in PARTS if point in part)
            which = {i for i in part if gone[i] >= 0.499 * gone[point]} & set(before.visible)
        self._place(which | human, now, self.annotator.shown)

    def _look(self) -> Editor | None:
        if self.editor is None or self.editor.holding:
            return None
        seen = Editor.of(self.editor.points, self.editor.source)
        seen.visible, seen.selected, seen.reach = (
            self.editor.visible, self.editor.selected, self.editor.reach,
        )  # fmt: skip
        return seen

    def _choose(self) -> None:
        """Note the point that was selected last, for as long as its face is looked at."""
        annotator = self.annotator
        if self.editor is not None and self.editor.selected is not None:
            self._chosen = annotator.person, annotator.shown, self.editor.selected

    # The mouse

    @rule(point=points, dx=pulls, dy=pulls, whole=st.booleans(), handle=st.integers(-9, 4))
    def drag(self, point: int, dx: float, dy: float, whole: bool, handle: int) -> None:
        """Drag a point or a handle, or press beside everything."""
        before = self._look()
        if before is None:
            return
        start = tuple(np.nan_to_num(before.points[point] + 0.2).tolist())
        if handle >= 0 and np.isfinite(before.points).any():
            start = handles_of(before.points, GRAB)[handle][1]
        self.annotator.grab(start, GRAB, whole=whole)
        editor = self.editor
        if editor is None or not editor.holding:
            return
        editor.drag((start[0] + dx / 2, start[1] - dy))
        editor.drag((start[0] + dx, start[1] + dy))
        now = editor.points.copy()
        reach = Reach.SHAPE if whole else before.reach
        self._moved(before, now, editor.selected, reach)
        self.annotator.release()
        self._choose()

    @rule(x=st.floats(20, 300), y=st.floats(20, 300), side=st.sampled_from([0.0, 3.0, 90.0]))
    def new_person(self, x: float, y: float, side: float) -> None:
        """Draw a box around a new face."""
        placing = self.annotator.placing
        placing.ask()
        if placing.waiting:
            placing.press((x, y))
            placing.move((x + side, y + side))
            placing.release()

    # Keys

    @rule(
        key=st.sampled_from(["left", "right", "up", "down", "left_far", "down_far"]),
        first=st.sampled_from(["select", "select", "select and step", ""]),
    )
    def arrow(self, key: str, first: str) -> None:
        """Press an arrow: it nudges the point that was selected in this frame, or steps."""
        if "select" in first:
            self.press("next_point")
        if "step" in first:
            self.go(self.annotator.shown + 1, wait=True)
        before, frame = self._look(), self.annotator.shown
        wished = self.annotator.playback.frame
        getattr(self.moves, key)()
        chosen = before and (self.annotator.person, frame, before.selected) == self._chosen
        if before is not None and chosen and wished == frame:
            now = self.annotator.view(self.annotator.person or 0).points
            if now is not None and self.annotator.shown == frame:
                self._moved(before, now, before.selected, before.reach)

    @rule(key=st.sampled_from(["grow_shape", "shrink_shape", "turn_shape_left"]))
    def reshape(self, key: str) -> None:
        """Scale or turn."""
        before = self._look()
        getattr(self.edits, key)()
        now = self.annotator.view(self.annotator.person or 0).points if before else None
        if before is not None and now is not None:
            self._moved(before, now, None, Reach.SHAPE)

    @rule()
    def accept(self) -> None:
        """Say that all points are right."""
        before = self._look()
        if before is not None:
            self._place(self._shown(), before.points, self.annotator.shown)
            self.edits.accept()

    @rule()
    def paste(self) -> None:
        """Put a copy here."""
        copy = self.edits._copied
        if copy is not None and (self.editor is None or not self.editor.holding):
            shown = self._shown() if self.editor is not None else set(range(68))
            self._place(shown, copy, self.annotator.shown)
            self.edits.paste_shape()

    @rule(key=st.sampled_from([
        "next_point", "previous_point", "toggle_occluded", "mark_absent", "reach_point",
        "reach_region", "reach_shape", "copy_shape", "uncorrect", "fit_here", "fit_here",
        "track_back", "track_on",
    ]))  # fmt: skip
    def press(self, key: str) -> None:
        """Press a key that places nothing."""
        getattr(self.edits, key)()
        if key in ("next_point", "previous_point"):
            self._choose()

    @rule()
    def hide_and_show(self) -> None:
        """Say that the next point is hidden, and that it is not."""
        self.press("next_point")
        for _ in range(2):
            self.edits.toggle_occluded()

    @rule(times=st.integers(1, 5))
    def undo(self, times: int) -> None:
        """Take back."""
        for _ in range(times):
            self.edits.undo()

    @rule(times=st.integers(1, 5))
    def redo(self, times: int) -> None:
        """Do again."""
        for _ in range(times):
            self.edits.redo()

    @rule(count=st.sampled_from([68, 51, 49]))
    def markup(self, count: int) -> None:
        """Show other points."""
        self.annotator.choose_markup(count)

    @rule(frame=few, wait=st.booleans())
    def go(self, frame: int, wait: bool) -> None:
        """Go to a frame; the picture does not come at once."""
        self.moves.go(frame)
        self.a_choice_ends()
        if wait:
            self.rig.arrive()

    @rule(key=st.sampled_from(["step_on", "step_back", "next_corrected", "next_doubtful", "stop"]))
    def step(self, key: str) -> None:
        """Go somewhere, or stop."""
        getattr(self.moves, key)()

    @rule()
    def arrive(self) -> None:
        """Let the picture come."""
        self.rig.arrive()

    @precondition(lambda self: self.annotator.teaching.busy)
    @rule()
    def come(self) -> None:
        """Let a stretch be done."""
        self.rig.finish()

    @rule(which=st.integers(0, 5), kind=st.sampled_from([Merge, Split, DeletePerson, None]))
    def people(self, which: int, kind: type | None) -> None:
        """Choose a person, or change who is who."""
        people = list(self.annotator.session.people)
        if not people:
            return
        one = people[which % len(people)]
        self.annotator.choose(one)
        if kind is Split:
            self.annotator.run(Split(one, self.annotator.shown, "Ann"))
        elif kind is Merge and people[0] != one:
            self.annotator.run(Merge(people[0], one))
        elif kind is DeletePerson and len(people) > 2:
            self.annotator.run(DeletePerson(one))

    @rule()
    def reopen(self) -> None:
        """Close the window, and open it again."""
        self.rig.reopen()
        self._sit_down()

    @invariant()
    def a_choice_ends(self) -> None:
        """Forget the point that was selected once another face or frame is looked at."""
        here = self.annotator.person, self.annotator.shown
        wished = self.annotator.playback.frame
        if self._chosen is not None and (self._chosen[:2] != here or wished != here[1]):
            self._chosen = None

    @invariant()
    def what_is_human_was_placed(self) -> None:
        """Look at all that is kept."""
        session = self.annotator.session
        for tracklet, frame, *row in session.store.read("SELECT * FROM correction"):
            said = correction_of(tuple(row))
            for point in np.flatnonzero(said.source == Source.CORRECTED).tolist():
                place = tuple(np.round(said.points[point], 6).tolist())
                assert place in self.placed[frame, point], (tracklet, frame, point)
        assert not session.store.read(
            "SELECT 1 FROM track WHERE instr(source, char(3)) LIMIT 1"
        )  # no machine's row says so
        for tracklet in session.assignments.tracklets():
            assert session.assignments.owner(tracklet, N_FRAMES - 1) != UNASSIGNED


Truth.TestCase.settings = settings(
    max_examples=max(STEPS // LONG, 1),
    stateful_step_count=LONG,
    suppress_health_check=list(HealthCheck),
)
TestTruth = pytest.mark.usefixtures("qapp")(Truth.TestCase)
