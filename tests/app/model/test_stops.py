"""Where to look next: the worst frames, by trust, apart from each other."""

from __future__ import annotations

from facetrack_app.model.commands import Correct, MarkSpan
from facetrack_app.model.history import History
from facetrack_app.model.session import Session
from facetrack_app.model.stops import Worst
from tests.app.conftest import N_FRAMES, shape


def visited(worst: Worst, session: Session, person: int, count: int) -> list[int | None]:
    found = []
    for _ in range(count):
        worst.next(session, person)
        found.append(worst.frame)
    return found


def distrust(session: Session, trusts: dict[int, float]) -> None:
    with session.store.transaction():
        for frame, trust in trusts.items():
            session.store.write("UPDATE track SET trust=? WHERE tracklet=0 AND frame=?",
                                (trust, frame))  # fmt: skip
    session.absorb(0, N_FRAMES)


def test_the_worst_frame_comes_first_and_the_next_is_a_second_away(session: Session) -> None:
    distrust(session, {2: 0.3, 3: 0.2, 50: 0.4, 52: 0.35})
    worst = Worst()
    assert visited(worst, session, 0, 2) == [20, 52]  # lost; a second is 25 frames
    assert worst.next(session, 0) == "these were all, the worst one again; worst frame no. 1: lost"
    assert worst.frame == 20
    assert worst.next(session, 0) == "worst frame no. 2: trust 0.35"


def test_corrected_and_excluded_frames_are_no_stops(session: Session) -> None:
    distrust(session, {3: 0.2, 10: 0.25, 50: 0.4})
    history = History(session)
    history.run(MarkSpan("exclude", 20, 25, "away"), {})
    history.run(Correct(0, 3, shape().tolist(), [3] * 68), {})
    assert visited(Worst(), session, 0, 2) == [10, 50]
    worst = Worst()
    worst.next(session, 0)
    history.run(Correct(0, 10, shape().tolist(), [3] * 68), {})
    assert visited(worst, session, 0, 1) == [50]


def test_another_person_begins_anew_and_no_person_has_none(session: Session) -> None:
    worst = Worst()
    assert visited(worst, session, 0, 1) == [20]
    assert visited(worst, session, 1, 2) == [30, 55]
    assert worst.next(session, 1).startswith("these were all")
    History(session).run(MarkSpan("exclude", 0, N_FRAMES, "all"), {})
    assert "there is no such frame" in worst.next(session, 1)
    assert worst.frame is None
    assert "there is no such frame" in Worst().next(session, None)
