"""Undo and redo: any sequence of commands, taken back, gives back the bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facetrack.annotation.corrections import Correction
from facetrack.errors import InputError
from facetrack.face import N_POINTS, Source
from facetrack_app.model.commands import (
    AcceptEvent,
    Command,
    Correct,
    DeletePerson,
    MakeEvent,
    MarkSpan,
    Merge,
    MoveEvent,
    NewPerson,
    RejectEvent,
    RemoveSpan,
    Rename,
    RenameEvent,
    Retrack,
    SetRest,
    SetTimeZero,
    Split,
    Trim,
    Uncorrect,
)
from facetrack_app.model.commands_events import OnEvent
from facetrack_app.model.history import History, Retracked
from facetrack_app.model.rows import Kind
from facetrack_app.model.session import Session
from tests.app.conftest import N_FRAMES, fill, row, shape

Dump = Callable[[Session], list[tuple[object, ...]]]

people = st.integers(-3, 3)
frames = st.integers(0, N_FRAMES - 1)
names = st.text(st.characters(codec="utf-8"), min_size=0, max_size=8)


def correct(person: int, frame: int, shift: float = 1.0) -> Correct:
    source = np.full(N_POINTS, Source.CORRECTED, dtype=np.uint8)
    return Correct.of(person, frame, Correction(shape(shift), source))


seconds = st.floats(0, 3)
found = st.builds(
    lambda name, start, length: ["blinks", "1", name, start, start, start + length, None, "", ""],
    names, seconds, seconds,
)  # fmt: skip
on_event = st.one_of(
    st.tuples(st.none(), found), st.tuples(st.integers(0, 3), st.just(list[object]()))
)


def on(kind: type[OnEvent], **more: st.SearchStrategy[object]) -> st.SearchStrategy[Command]:
    """Decide about an event that a machine found, or about one that was decided about before."""
    return st.builds(
        lambda person, one, extra: kind(person, one[0], one[1], **extra),
        people, on_event, st.fixed_dictionaries(more),
    )  # fmt: skip


commands = st.one_of(
    st.builds(correct, people, frames, st.floats(-9, 9)),
    st.builds(Uncorrect, people, frames),
    st.builds(NewPerson, names),
    st.builds(NewPerson, names, frames, st.just(shape().tolist())),
    st.builds(DeletePerson, people),
    st.builds(Rename, people, names),
    st.builds(Merge, people, people),
    st.builds(Split, people, frames, names),
    st.builds(MarkSpan, st.sampled_from(["event", "exclude"]), frames, frames, names),
    st.builds(RemoveSpan, st.integers(0, 3)),
    st.builds(Trim, frames, frames),
    st.builds(SetTimeZero, frames),
    st.builds(SetRest, people, frames, frames),
    on(AcceptEvent),
    on(RejectEvent),
    on(MoveEvent, start=seconds, stop=seconds),
    on(RenameEvent, name=names),
    st.builds(MakeEvent, people, names, seconds, seconds),
)


@settings(max_examples=40)
@given(steps=st.lists(st.one_of(commands, st.sampled_from(["undo", "redo"])), max_size=14))
def test_any_sequence_taken_back_gives_back_the_bytes(
    dump: Dump, steps: list[Command | str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), N_FRAMES)
        try:
            fill(session)
            history, states = History(session), [dump(session)]
            place = 0
            for step in steps:
                if step == "undo":
                    place -= history.undo() is not None
                elif step == "redo":
                    place += history.redo() is not None
                else:
                    try:
                        history.run(step)  # type: ignore[arg-type]
                    except InputError:
                        assert dump(session) == states[place]
                        continue
                    place += 1
                    states[place:] = [dump(session)]
                assert dump(session) == states[place]
            while history.undo() is not None:
                place -= 1
                assert dump(session) == states[place]
            assert place == 0
            _assert_memory_is_the_file(session)
        finally:
            session.close()


def _assert_memory_is_the_file(session: Session) -> None:
    known = {person: session.summary(person) for person in session.people}
    assignments, spans, decisions = (
        session.assignments.copy(),
        session.spans,
        dict(session.decisions),
    )
    session._load()
    assert session.assignments == assignments
    assert session.decisions == decisions
    assert session.spans == spans
    assert set(known) == set(session.people)
    for person, summary in known.items():
        again = session.summary(person)
        np.testing.assert_array_equal(summary.kind, again.kind)
        np.testing.assert_array_equal(summary.corrected, again.corrected)


def test_do_and_undo_of_a_command_alone(session: Session, dump: Dump) -> None:
    before = dump(session)
    command = correct(0, 7)
    changes = command.do(session)
    assert dump(session) != before
    command.undo(session, changes)
    assert dump(session) == before


def test_a_retrack_belongs_to_the_step_that_asked_for_it(session: Session, dump: Dump) -> None:
    history, before = History(session), dump(session)
    step = history.run(correct(0, 10))
    found = row(0, 11, trust=0.7)
    assert history.amend(step, [found], Retracked(0, 11, 12, 1, 1, ""))
    assert history.steps()[-1].retracks[0].frames == 1
    after = dump(session)
    assert history.undo() == correct(0, 10)
    assert dump(session) == before
    history.redo()
    assert dump(session) == after


def test_a_retrack_that_comes_late_lies_beneath_what_followed(session: Session, dump: Dump) -> None:
    history, states = History(session), [dump(session)]
    for late in (False, True):
        first = history.run(correct(0, 10))
        early = [row(0, f, Kind.LEARNED, trust=0.7) for f in (11, 12)]
        if not late:
            assert history.amend(first, early, Retracked(0, 11, 13, 2, 2, ""))
            states.append(dump(session))
        second = history.run(correct(0, 20))
        newer = [row(0, f, Kind.LEARNED, trust=0.8) for f in (12, 13)]
        assert history.amend(second, newer, Retracked(0, 12, 14, 2, 2, ""))
        if late:
            assert history.amend(first, early, Retracked(0, 11, 13, 2, 2, ""))
            assert dump(session) == states[2]
        else:
            states.append(dump(session))
        for state in states[1::-1]:
            history.undo()
            assert dump(session) == state
    assert history.redo() is not None
    assert history.redo() is not None
    assert dump(session) == states[2]


def test_a_retrack_beneath_what_is_undone_is_kept_by_the_redo(session: Session, dump: Dump) -> None:
    history = History(session)
    first = history.run(correct(0, 10))
    second = history.run(correct(0, 20))
    history.amend(second, [row(0, 12, Kind.LEARNED, trust=0.8)], Retracked(0, 12, 13, 1, 1, ""))
    after = dump(session)
    history.undo()
    history.amend(first, [row(0, 12, Kind.LEARNED, trust=0.7)], Retracked(0, 12, 13, 1, 1, ""))
    between = dump(session)
    history.redo()
    assert dump(session) == after
    history.undo()
    assert dump(session) == between
    assert not history.amend(second, [], Retracked(0, 12, 13, 0, 0, ""))  # it is undone


def test_the_history_survives_closing(tmp_path: Path, dump: Dump) -> None:
    session = Session(tmp_path, N_FRAMES)
    fill(session)
    before = dump(session)
    History(session).run(correct(0, 3))
    session.close()
    session = Session(tmp_path, N_FRAMES)
    history = History(session)
    assert history.undo() == correct(0, 3)
    assert dump(session) == before
    assert history.redo() == correct(0, 3)
    session.close()


def test_commands_go_through_json() -> None:
    for command in (correct(0, 3), Trim(1, 2), Retrack(0, 1, 5), Split(0, 3, "Ann"),
                    MoveEvent(0, None, ["b", "1", "blink", 1.0, 1.0, 2.0, None, "", ""], 0.5, 1.0),
                    MakeEvent(0, "smile", 0.1, 0.2)):  # fmt: skip
        again = Command.from_json(type(command).__name__, command.to_json())
        assert again == command


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (correct(0, N_FRAMES), "frame 61 is none of 60"),
        (correct(5, 3), "choose a person first"),
        (Rename(0, "  "), "1 to 80 letters"),
        (Merge(0, 0), "two different people"),
        (MarkSpan("event", 5, 5, "x"), "none of the video's"),
        (MarkSpan("party", 5, 6, "x"), "excluded or an event"),
        (Trim(9, 3), "none of the video's"),
        (Uncorrect(0, 3), "no correction to remove"),
        (RemoveSpan(4), "no such range"),
        (MoveEvent(0, 4, [], 1.0, 2.0), "no such event"),
        (MakeEvent(0, "blink", 2.0, 1.0), "ends after it begins"),
        (MakeEvent(7, "blink", 1.0, 2.0), "choose a person first"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    session: Session, dump: Dump, command: Command, message: str
) -> None:
    before = dump(session)
    with pytest.raises(InputError, match=message):
        History(session).run(command)
    assert dump(session) == before
    assert History(session).steps() == []
