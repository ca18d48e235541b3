"""Which intervals numbers can be asked of, and the rows that they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.formats.signals_csv import TableBuilder
from facetrack.reading import Event, Reading, Row
from facetrack.signals.registry import choose, owner
from facetrack_app.model.commands import MakeEvent, MarkSpan, SetTimeZero
from facetrack_app.model.exporting_signals import signal_rows, signal_table
from facetrack_app.model.history import History
from facetrack_app.model.judged import pack_event
from facetrack_app.model.numbers import VISIBLE, WHOLE, compared, intervals
from facetrack_app.model.readings import write_readings
from facetrack_app.model.session import Session
from tests.app.conftest import N_FRAMES

CHOICE = choose("eye_openness,pose_yaw")


def readings(session: Session, person: int) -> None:
    """Let an estimator know the yaw but in each seventh frame."""
    rows = [
        Row(f, f / 25, person, {"pose_yaw": Reading(np.nan, reason="turned") if f % 7 == 0
                                else Reading(float(f))})
        for f in range(N_FRAMES)
    ]  # fmt: skip
    with session.store.transaction():
        write_readings(session.store, person, owner("pose_yaw"), 0, N_FRAMES, rows)


@pytest.fixture
def marked(session: Session) -> Session:
    """Give a session with marks, a range that does not count, and a time zero."""
    for person in (0, 1):
        readings(session, person)
    history = History(session)
    for kind, start, stop, label in (
        ("event", 10, 15, "rest"), ("event", 20, 25, "pain"), ("event", 40, 50, "pain"),
        ("event", 0, 3, "before time zero"), ("exclude", 30, 35, "cough"),
    ):  # fmt: skip
        history.run(MarkSpan(kind, start, stop, label), {})
    history.run(SetTimeZero(5), {})
    return session


def test_the_table_holds_the_rows_of_the_files(marked: Session) -> None:
    builder = TableBuilder(spec.name for spec in CHOICE.values)
    builder.add(signal_rows(marked, CHOICE))
    rows, table = builder.table(), signal_table(marked, CHOICE)
    for key in ("frame", "timestamp", "face_id"):
        np.testing.assert_array_equal(getattr(rows, key), getattr(table, key))
    assert rows.signals.keys() == table.signals.keys()
    for name, series in rows.signals.items():
        assert table.signals[name].reason == series.reason
        for part in ("value", "low", "high"):
            np.testing.assert_array_equal(getattr(series, part), getattr(table.signals[name], part))


def test_of_one_person_every_frame_still_has_its_time(marked: Session) -> None:
    table = signal_table(marked, CHOICE, [1])
    assert table.frame.tolist() == [f for f in range(5, N_FRAMES) if not 30 <= f < 35]
    assert table.face_id.tolist() == [-1] * 25 + [1] * 25


def test_intervals_are_the_video_what_is_visible_marks_and_kinds_of_events(marked: Session) -> None:
    event = Event("blink", 0.8, 0.84, 1.0)
    marked.store.write(
        "INSERT INTO event (person, estimator, version, name, start, peak, stop, score, text, "
        "detail) VALUES (0, 'blinks', '1', ?, ?, ?, ?, ?, ?, ?)", pack_event(event),
    )  # fmt: skip
    history = History(marked)
    for start in (1.2, 2.0):
        history.run(MakeEvent(0, "smile", start, start + 0.2), {})
    found = intervals(marked, 0, (10, 20))
    assert list(found) == [WHOLE, VISIBLE, "rest", "pain", "pain 2", "all pain", "during smile"]
    assert found[WHOLE] is None
    near = [pytest.approx(stretch) for stretch in ((0.6, 0.8), (1.4, 1.8))]
    every, smiles = found["all pain"], found["during smile"]
    assert every is not None
    assert smiles is not None
    assert list(every.stretches) == near
    assert list(smiles.stretches) == [pytest.approx((1.0, 1.24)), pytest.approx((1.8, 2.04))]
    visible = found[VISIBLE]
    assert visible is not None
    assert (visible.start, visible.stop) == pytest.approx((0.2, 0.6))
    assert VISIBLE not in intervals(marked, 0, (N_FRAMES, 2 * N_FRAMES))


def test_intervals_stand_side_by_side_and_say_why_not(marked: Session) -> None:
    known = intervals(marked, 0, (10, 20))
    table = compared(marked, CHOICE, 0, (known["rest"], known["pain"], known["rest"]))
    assert list(table.headers) == ["", "rest", "pain", "pain - rest", "note"]
    rows = {cells[0]: cells[1:] for cells in table.cells}
    assert rows["pose yaw (deg): mean"][0] == f"{np.mean([10, 11, 12, 13]):.1f}"
    assert rows["eye openness: mean"][0] == "-"
    assert "rest: not assessable: not analysed yet" in rows["eye openness: mean"][-1]
    History(marked).run(MarkSpan("exclude", 30, N_FRAMES, "all of Person 2"), {})
    with pytest.raises(InputError, match="Person 2 is in no frame that counts"):
        compared(marked, CHOICE, 1, (None,))
