"""Sessions: who is who, what counts, what is doubtful, and files that are none."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.annotation.corrections import Correction
from facetrack.errors import FormatError, InputError, OutputError
from facetrack_app.model import store
from facetrack_app.model.commands import MakeEvent, MarkSpan, Merge, NewPerson, Split, Trim
from facetrack_app.model.corrected import corrections_after
from facetrack_app.model.history import History
from facetrack_app.model.places import folder_for
from facetrack_app.model.rows import Change, Kind, decode_changes, encode_changes
from facetrack_app.model.session import Session
from facetrack_app.model.store import SCHEMA, Store
from facetrack_app.model.summary import next_stretch, next_true
from facetrack_app.model.timeline import layers, runs
from tests.app.conftest import N_FRAMES, row, shape
from tests.app.model.test_history import correct


def test_a_correction_counts_more_than_the_track(session: Session) -> None:
    History(session).run(correct(0, 22, shift=5))
    view = session.view(0, 22)
    assert view.points is not None
    np.testing.assert_array_equal(view.points, shape(5))
    assert session.summary(0).corrected[22]
    assert not session.summary(0).doubtful[22]


def test_a_face_can_be_placed_where_the_person_was_never_seen(session: Session) -> None:
    history = History(session)
    history.run(NewPerson("Ann"))
    ann = min(session.people)
    history.run(correct(ann, 5))
    assert session.view(ann, 5).points is not None
    assert session.view(ann, 6).points is None


def test_split_and_merge_move_frames_between_people(session: Session) -> None:
    history = History(session)
    history.run(Split(0, 40, "Ann"))
    ann = min(session.people)
    assert session.summary(0).seen[39]
    assert not session.summary(0).seen[40]
    assert session.summary(ann).seen[40:].all()
    history.run(Merge(1, ann))
    assert ann not in session.people
    assert session.summary(1).seen[40]
    assert session.assignments.owner(0, 45) == 1


def test_sums_that_follow_changes_equal_those_of_a_session_opened_anew(session: Session) -> None:
    history = History(session)
    people = list(session.people)
    for person in people:
        session.summary(person)  # known, so that changes are followed
    for frame in (3, 22, 7):
        history.run(correct(0, frame, shift=5))
    history.undo()
    again = session.reader()
    for person in people:
        followed, anew = session.summary(person), again.summary(person)
        np.testing.assert_array_equal(followed.kind, anew.kind)
        np.testing.assert_array_equal(followed.trust, anew.trust)
        np.testing.assert_array_equal(followed.corrected, anew.corrected)
    again.store.close()
    assert np.flatnonzero(session.summary(0).corrected).tolist() == [3, 22]


def test_corrections_are_read_in_another_thread_as_a_step_knew_them(session: Session) -> None:
    history = History(session)
    assert not session.teaches(0)
    step = history.run(correct(0, 22, shift=5))
    assert session.teaches(0)
    assert not session.teaches(0, besides=22)
    wanted = [(f, c.points.tolist()) for f, c in session.corrections(0).items()]
    history.run(correct(0, 22, shift=7))
    history.run(correct(0, 8, shift=5))
    history.run(Split(0, 4, "Ann"))
    found: list[dict[int, Correction]] = []
    read = partial(corrections_after, session.store.path, step, 0)
    thread = threading.Thread(target=lambda: found.append(read()))
    thread.start()
    thread.join()
    assert [(f, c.points.tolist()) for f, c in found[0].items()] == wanted
    assert session.corrections(0) == {}


def test_doubtful_frames_are_lost_or_little_trusted(session: Session) -> None:
    assert np.flatnonzero(session.summary(0).doubtful).tolist() == [20, 21, 22, 23, 24]
    assert session.summary(1).doubtful[30:].all()
    assert next_stretch(session.summary(0).doubtful, 0) == 20
    assert next_stretch(session.summary(0).doubtful, 21) is None
    assert next_true(session.summary(0).doubtful, 22, back=True) == 21


def test_excluded_and_trimmed_frames(session: Session) -> None:
    history = History(session)
    history.run(MarkSpan("exclude", 5, 8, "cough"))
    history.run(MarkSpan("event", 30, 31, "blink"))
    history.run(Trim(2, 50))
    assert np.flatnonzero(session.excluded()).tolist() == [0, 1, 5, 6, 7, *range(50, N_FRAMES)]
    shown = layers(session.summary(0), session.spans, session.excluded(), 0, N_FRAMES, N_FRAMES)
    assert runs(shown.events) == [(30, 31)]
    assert runs(shown.doubtful) == [(20, 25)]
    assert shown.trust[3] == pytest.approx(0.95)


def test_layers_lose_no_single_frame(session: Session) -> None:
    session.summary(0)
    shown = layers(session.summary(0), [], session.excluded(), 0, N_FRAMES, 7)
    assert shown.doubtful.any()
    wide = layers(session.summary(0), [], session.excluded(), 10, 30, 200)
    assert len(wide.plain) == 200


def test_a_moved_folder_opens(tmp_path: Path) -> None:
    session = Session(tmp_path / "a", N_FRAMES)
    History(session).run(NewPerson("Ann"))
    session.close()
    shutil.move(tmp_path / "a", tmp_path / "b")
    session = Session(tmp_path / "b", N_FRAMES)
    assert list(session.people.values()) == ["Ann"]
    session.close()


def test_a_session_is_open_once(session: Session) -> None:
    with pytest.raises(InputError, match="another run"):
        Session(session.folder, N_FRAMES)


def test_a_reader_sees_what_there_is_and_disturbs_nothing(session: Session) -> None:
    reader = session.reader()
    assert reader.view(0, 3).points is not None
    History(session).run(NewPerson("Ann"))
    assert len(reader.people) == 2
    reader.store.close()


def test_what_is_no_session_is_named(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(FormatError, match=r"session\.db: is damaged"):
        Store(path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE foreign_table (x)")
    other.commit()
    other.close()
    with pytest.raises(FormatError, match="is no session"):
        Store(path)


def test_a_newer_session_is_not_touched(tmp_path: Path) -> None:
    Store(tmp_path / "session.db").close()
    other = sqlite3.connect(tmp_path / "session.db")
    other.execute("PRAGMA user_version=99")
    other.close()
    with pytest.raises(FormatError, match="version 99"):
        Store(tmp_path / "session.db")


def test_a_session_of_schema_1_opens_with_all_that_it_holds(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "session.db")
    old.executescript((Path(__file__).parent / "schema1.sql").read_text())
    old.close()
    for _ in range(2):  # brought up to date once
        session = Session(tmp_path, 6)
        assert session.store.read("PRAGMA user_version") == [(SCHEMA,)]
        assert session.people == {0: "Ann"}
        assert list(session.corrections(0)) == [2]
        assert session.tracked == 6
        assert session.events(0) == []
        session.close()
    session = Session(tmp_path, 6)
    history = History(session)
    assert history.redo().title == "mark range"  # type: ignore[union-attr]
    history.run(MakeEvent(0, "smile", 0.0, 0.1))
    assert [history.undo().title for _ in range(4)] == [  # type: ignore[union-attr]
        "make event", "mark range", "correction", "rename",
    ]  # fmt: skip
    assert session.people == {0: "Person 1"}
    session.close()


def test_steps_of_older_versions_name_the_present_tables() -> None:
    old = encode_changes([Change("claim", (0, 2), None, (1,)), Change("span", (3,), (1,), None)])
    assert decode_changes(old) == [
        Change("assignment", (0, 2), None, (1,)),
        Change("span", (3,), (1,), None),
    ]


def test_an_upgrade_that_fails_leaves_the_old_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = sqlite3.connect(tmp_path / "session.db")
    old.executescript((Path(__file__).parent / "schema1.sql").read_text())
    old.close()
    whole = store._UPGRADES
    monkeypatch.setattr(store, "_UPGRADES", (whole[0], (*whole[1], "no SQL")))
    with pytest.raises(OutputError, match=r"session\.db"):
        Session(tmp_path, 6)
    monkeypatch.undo()
    session = Session(tmp_path, 6)
    assert session.people == {0: "Ann"}
    session.close()


def test_a_cut_file_is_named(tmp_path: Path) -> None:
    session = Session(tmp_path, N_FRAMES)
    for _ in range(40):
        History(session).run(NewPerson("Ann"))
    session.close()
    path = tmp_path / "session.db"
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(FormatError, match=r"session\.db"):
        Session(tmp_path, N_FRAMES)


def test_a_folder_that_may_not_be_written_goes_elsewhere(tmp_path: Path) -> None:
    blocked = tmp_path / "videos"
    blocked.mkdir()
    (blocked / "clip.mp4.facetrack").write_text("a file in the way")
    folder = folder_for(blocked / "clip.mp4", tmp_path / "mine")
    assert folder.parent == tmp_path / "mine"
    assert folder.name.startswith("clip.mp4-")
    other = tmp_path / "others"
    other.mkdir()
    (other / "clip.mp4.facetrack").write_text("a file in the way, too")
    assert folder_for(other / "clip.mp4", tmp_path / "mine") != folder
    assert folder_for(blocked / "clip.mp4", tmp_path / "mine") == folder
    (tmp_path / "full").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        folder_for(blocked / "clip.mp4", tmp_path / "full")


def test_two_hundred_thousand_frames_open_and_are_found(tmp_path: Path) -> None:
    count = 200_000
    session = Session(tmp_path, count)
    blank = bytes(544), bytes(68), bytes(68)
    with session.store.transaction():
        session.store.put("person", [((0,), ("Ann",))])
        session.store.put("assignment", [((0, 0), (0,))])
        session.store.put(
            "track",
            (((0, f), (int(Kind.PLAIN), 0.9, 0.1 if f == 150_000 else 0.9, "", *blank))
             for f in range(count)),
        )  # fmt: skip
        session.store.put("ledger", [((0,), (bytes(8 * count),))])
    session.close()
    session = Session(tmp_path, count)
    assert session.tracked == count
    assert next_stretch(session.summary(0).doubtful, 0) == 150_000
    shown = layers(session.summary(0), [], session.excluded(), 0, count, 900)
    assert runs(shown.doubtful) == [(675, 676)]
    session.close()


tracklets, twenty = st.integers(0, 3), st.integers(0, 19)


@given(
    tracks=st.lists(st.tuples(tracklets, twenty, st.sampled_from([1, 2, 3])), max_size=40),
    assignments=st.lists(st.tuples(tracklets, twenty, st.integers(0, 2)), max_size=8),
    corrected=st.sets(st.tuples(tracklets, twenty), max_size=8),
)
def test_summaries_equal_asking_frame_by_frame(
    tracks: list[tuple[int, int, int]],
    assignments: list[tuple[int, int, int]],
    corrected: set[tuple[int, int]],
) -> None:
    n_frames = 20
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), n_frames)
        blank = 0.9, 0.8, "", bytes(544), bytes(68), bytes(68)
        with session.store.transaction():
            session.store.put("track", [((s, f), (kind, *blank)) for s, f, kind in tracks])
            session.store.put("person", [((p,), (str(p),)) for p in range(3)])
            session.store.put("assignment", [((s, start), (p,)) for s, start, p in assignments])
            said = bytes(16 * 68), bytes(68), "person"
            session.store.put("correction", [(key, said) for key in corrected])
        session._load()
        kinds = {(s, f): kind for s, f, kind in tracks}
        owners = {(s, start): p for s, start, p in assignments}
        for frame in range(n_frames):
            here = []
            for person in range(3):
                mine = [s for s in range(4) if _owner(owners, s, frame) == person]
                ranks = {s: _rank(kinds.get((s, frame), 0), (s, frame) in corrected) for s in mine}
                best = max(mine, key=lambda s: (ranks[s], -s), default=None)
                assert session.tracklet_at(person, frame) == best
                summary = session.summary(person)
                assert summary.kind[frame] == (0 if best is None else kinds.get((best, frame), 0))
                assert summary.corrected[frame] == ((best, frame) in corrected)
                here += [person] if best is not None and ranks[best] else []
            assert session.present(frame) == here
        session.close()


def _owner(assignments: dict[tuple[int, int], int], tracklet: int, frame: int) -> int | None:
    starts = [start for s, start in assignments if s == tracklet and start <= frame]
    return assignments[tracklet, max(starts)] if starts else None


def _rank(kind: int, corrected: bool) -> int:
    return 3 if corrected else {0: 0, 3: 1}.get(kind, 2)


def test_rows_are_written_in_the_order_of_changes_however_many(session: Session) -> None:
    rows = [row(9, frame) for frame in range(250)]
    put = [Change("track", one.key(), None, one.values()) for one in rows]
    gone = [change.turned() for change in put[:150]]
    again = [put[7], put[7]._replace(after=row(9, 7, trust=0.25).values())]
    statements: list[str] = []
    session.store._db.set_trace_callback(statements.append)
    with session.store.transaction():
        session.store.apply([*put, *gone, *again])
    session.store._db.set_trace_callback(None)
    kept = session.store.read("SELECT frame, trust FROM track WHERE tracklet=9 ORDER BY frame")
    assert kept == [(7, 0.25), *((frame, 0.95) for frame in range(150, 250))]
    assert len(statements) == 2 + 3 + 2 + 1  # with BEGIN and COMMIT: a hundred rows each
