"""Events: what a person decides stands, whatever machines say afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facetrack.reading import Event
from facetrack_app.model.commands import (
    AcceptEvent,
    MakeEvent,
    Merge,
    MoveEvent,
    RejectEvent,
    RenameEvent,
    Split,
)
from facetrack_app.model.history import History
from facetrack_app.model.judged import (
    Decision,
    Judged,
    covers,
    event_in_words,
    overlap,
    pack_event,
    unpack_event,
)
from facetrack_app.model.session import Session

BLINK = Event("blink", 1.0, 1.04, 1.12, 0.7, detail={"depth": 0.5})


def found(*events: Event) -> list[Judged]:
    return [Judged(0, event, "blinks", "1") for event in events]


def analyse(session: Session, *judged: Judged) -> None:
    """Let a machine say these events and no others."""
    with session.store.transaction():
        session.store.write("DELETE FROM event")
        for one in judged:
            session.store.write(
                "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, "
                "text, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (one.person, one.estimator, one.version, *pack_event(one.event)),
            )
    session.absorb_analysed()


def test_events_go_through_the_store() -> None:
    for event in (BLINK, Event("word", 1, 2, 3, text="ä")):
        again = unpack_event(pack_event(event))
        assert pack_event(again) == pack_event(event)
    judged = replace(found(BLINK)[0].decided(Decision.MOVED), number=3)
    assert Judged.from_row(3, judged.values()) == judged


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [((1, 2), (2, 3), False), ((1, 2), (1.9, 3), True), ((1, 2), (2, 2), True),
     ((1, 1), (1, 1), True), ((1, 2), (2.1, 3), False)],
)  # fmt: skip
def test_events_overlap_if_they_share_time(
    one: tuple[float, float], other: tuple[float, float], shared: bool
) -> None:
    a, b = (Event("x", start, start, stop) for start, stop in (one, other))
    assert overlap(a, b) == overlap(b, a) == shared


def test_a_decision_covers_what_is_found_again_of_the_same_name_and_estimator() -> None:
    (machine,) = found(BLINK)
    rejected = machine.decided(Decision.REJECTED)
    later = replace(BLINK, start=1.08, stop=1.2)
    assert covers(rejected, found(later)[0])
    assert not covers(rejected, found(replace(later, name="wink"))[0])
    assert not covers(rejected, replace(found(later)[0], estimator="other"))
    moved = machine.decided(Decision.MOVED, replace(BLINK, start=5.0, peak=5.0, stop=6.0))
    assert covers(moved, machine)
    assert covers(moved, found(replace(BLINK, start=5.5, stop=5.6))[0])
    assert not covers(moved, found(replace(BLINK, start=3.0, stop=3.5))[0])


def test_rejected_events_stay_rejected_and_moved_ones_moved(session: Session) -> None:
    history = History(session)
    second = replace(BLINK, start=2.0, peak=2.1, stop=2.2)
    analyse(session, *found(BLINK, second))
    first, other = session.events(0)
    history.run(RejectEvent.of(first))
    history.run(MoveEvent.of(other, start=1.9, stop=2.3))
    analyse(session, *found(replace(BLINK, start=0.96), replace(second, stop=2.24)))
    (judged,) = session.events(0)
    assert (judged.event.start, judged.event.stop) == (1.9, 2.3)
    assert judged.decision == Decision.MOVED
    assert judged.original == second
    history.run(RenameEvent.of(judged, name=" wink "))
    (judged,) = session.events(0)
    assert (judged.event.name, judged.decision) == ("wink", Decision.RENAMED)
    assert judged.original == second
    assert "renamed by a person" in event_in_words(judged)
    for _ in range(3):
        history.undo()
    assert [j.decision for j in session.events(0)] == [Decision.MACHINE] * 2
    history.redo()
    assert len(session.events(0)) == 1


def test_accepting_what_is_a_persons_already_is_refused(session: Session) -> None:
    analyse(session, *found(BLINK))
    history = History(session)
    history.run(AcceptEvent.of(session.events(0)[0]))
    with pytest.raises(ValueError, match="a person's already: accepted"):
        history.run(AcceptEvent.of(session.events(0)[0]))


def test_events_of_hand_are_removed_by_rejecting_them(session: Session) -> None:
    history = History(session)
    history.run(MakeEvent(0, "smile", 0.4, 0.8))
    (made,) = session.events(0)
    history.run(MoveEvent.of(made, start=0.5, stop=0.9))
    (made,) = session.events(0)
    assert (made.decision, made.original) == (Decision.MADE, None)
    history.run(RejectEvent.of(made))
    assert session.events(0) == []
    assert session.decisions == {}


def test_decisions_go_with_their_people(session: Session) -> None:
    history = History(session)
    history.run(MakeEvent(0, "smile", 0.4, 0.8))
    history.run(MakeEvent(0, "smile", 1.7, 1.8))
    history.run(Split(0, 40, "Ann"))  # frame 40 is at 1.6 s
    ann = min(session.people)
    assert [j.event.start for j in session.events(0)] == [0.4]
    assert [j.event.start for j in session.events(ann)] == [1.7]
    history.run(Merge(1, ann))
    assert [j.event.start for j in session.events(1)] == [1.7]
    history.undo()
    history.undo()
    assert len(session.events(0)) == 2
