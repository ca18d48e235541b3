"""What a person does in a long session, gesture by gesture, and how long each takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from facetrack_app.model.actions import ACTIONS
from facetrack_app.model.commands import MarkSpan, Merge, Split


def scrub(bench: Any, view: Any) -> None:
    """Pull the place in the video from end to end and back."""
    count = view.annotator.session.n_frames
    for i in range(150):
        frame = int((np.sin(i / 12) + 1) / 2 * (count - 1))
        bench.perform(partial(view.moves.go, frame))
        bench.spin(0.1)


def play(bench: Any, view: Any) -> None:
    """Play, twice and four times as fast."""
    for _ in range(3):  # at once, twice, four times the speed
        bench.perform(view.moves.shuttle_on)
        bench.spin(3)
    bench.perform(view.moves.pause)


def edit(bench: Any, view: Any, person: int, rounds: int, took: dict[str, list[float]]) -> None:
    """Do all that a person does at doubtful frames, and wait for what is tracked anew."""
    annotator, actions = view.annotator, {action.id: action for action in ACTIONS}

    def do(gesture: str, act: Callable[[], object] | None = None, rest: float = 0.2) -> None:
        perform = act or (lambda: bench.window.perform(actions[gesture]))
        took.setdefault(gesture, []).append(bench.perform(perform))
        bench.spin(rest)

    do("choose person", lambda: annotator.choose(person))
    do("go", lambda: view.moves.go(int(np.flatnonzero(annotator.session.summary(person).seen)[0])))
    for number in range(rounds):
        do("next_doubtful")
        bench.spin(20, lambda: annotator.shown == annotator.playback.frame)
        x, y = annotator.editor.points[30].tolist()
        do("press", partial(view.canvas.pressed.emit, x, y, 0), 0)
        for step in range(8):
            do("drag", partial(view.canvas.moved.emit, x + step, y), 0.03)
        do("release", view.canvas.released.emit)
        bench.spin(5, lambda: not annotator.teaching.busy)
        for gesture in (
            "undo", "redo", "accept", "next_point", "toggle_occluded", "undo", "exclude_range",
            "step_on", "exclude_range",
        ):  # fmt: skip
            do(gesture)
        here = annotator.playback.frame
        for gesture, command in (
            ("event", MarkSpan("event", here, here + 50, "smile")),
            ("merge", Merge(person, -1 - number)),
            ("split", Split(person, here, "Other")),
        ):
            do(gesture, partial(annotator.run, command))
        do("undo")
