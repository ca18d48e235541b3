from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.features.crops import Crop
from facetrack.reading import Event, Finding, Kind, Reading, Readings, Row, Spec
from facetrack.signals import Choice, Observation, Pipeline, choose, estimators, register
from facetrack.signals.estimator import FaceEstimator, Result
from facetrack.signals.pipeline import KEEP, THINNED, Cost
from facetrack.signals.registry import (
    DEFAULT,
    GROUP,
    _enter_others,
    owner,
    signals,
    unregister,
)
from facetrack.signals.rows import NO_FACE_REASON, SILENT, RowAssembler
from tests.signals.conftest import Actor

Acted = Callable[..., Actor]
SPECS = (
    Spec("first_seen", "when the run began", "s"),
    Spec("frames", "frames until now", range=(0.0, 1e6)),
    Spec("goodbye", "the end of a run", kind=Kind.EVENT),
)


@dataclass
class Memory:
    """An estimator that counts; every second answer comes one frame late."""

    name: str = "memory"
    version: str = "1"
    specs: tuple[Spec, ...] = SPECS
    delay: float = 1.0
    needs_pixels: bool = False
    frame_rate: float | None = None
    fails_at: int = -1
    clock: Callable[[], None] = lambda: None

    def start(self) -> MemoryRun:
        return MemoryRun(self)


@dataclass
class MemoryRun:
    kind: Memory
    begin: float = math.nan
    count: int = 0
    held: list[Readings] = field(default_factory=list)

    def update(self, seen: Observation) -> Sequence[Result]:
        self.kind.clock()
        if self.count == self.kind.fails_at:
            raise ZeroDivisionError("on purpose")
        if not self.count:
            self.begin = seen.timestamp
        self.count += 1
        said = {"first_seen": Reading(self.begin), "frames": Reading(float(self.count))}
        self.held.append(Readings(seen.index, said))
        if len(self.held) < 2:
            return ()
        told, self.held = self.held, []
        return told

    def finish(self) -> Sequence[Result]:
        return [*self.held, Event("goodbye", self.begin, self.begin, self.begin)]

    def state(self) -> dict[str, Any]:
        return {"count": self.count}

    def restore(self, state: dict[str, Any]) -> None:
        self.count = state["count"]


def alone(estimator: Any) -> Choice:
    return Choice((estimator,), frozenset(spec.name for spec in estimator.specs))


def goodbyes(findings: Sequence[Finding]) -> list[int]:
    return [f.face_id for f in findings if isinstance(f.result, Event)]


def reason_of(finding: Finding, name: str = "frames") -> str:
    assert isinstance(finding.result, Readings)
    return finding.result.values[name].reason


def frames_counted(findings: Sequence[Finding]) -> list[float]:
    return [f.result.values["frames"].value for f in findings if isinstance(f.result, Readings)]


def test_a_run_is_kept_over_a_short_loss_and_ends_with_the_person(actor: Acted) -> None:
    pipeline = Pipeline(alone(Memory()))
    away = (2.0, 2.0 + KEEP - 0.1)
    seen = [o for o in actor().play(20.0) if not away[0] <= o.timestamp < away[1]]
    found = [f for one in seen if one.timestamp < 10 for f in pipeline.look([one])]
    assert goodbyes(found) == []
    counts = frames_counted(found)
    assert counts == [float(i + 1) for i in range(len(counts))]
    other = actor(id=1).play(20.0)
    late = [f for one in other if one.timestamp > 10 for f in pipeline.look([one])]
    assert goodbyes(late) == [0]
    assert goodbyes(pipeline.finish()) == [1]


def test_a_face_that_stays_lost_is_no_run_for_ever(actor: Acted) -> None:
    pipeline = Pipeline(alone(Memory()))
    seen = actor(lost=[(1.0, 60.0)]).play(20.0, 10.0)
    found = [f for one in seen for f in pipeline.look([one])]
    assert 1 < len(goodbyes(found)) <= 20 / KEEP


def test_people_who_are_gone_fill_no_memory(actor: Acted) -> None:
    pipeline = Pipeline(alone(Memory()))
    for number in range(200):
        one = actor(id=number).face(0.0)
        pipeline.look([Observation(number, float(number), one)])
    assert len(pipeline.state()["people"]) <= KEEP + 2


def test_an_estimator_that_raises_is_named_and_switched_off(
    actor: Acted, caplog: pytest.LogCaptureFixture
) -> None:
    good = FaceEstimator("good", (Spec("good", "always 1"),), lambda face: (1.0,))
    choice = Choice((Memory(fails_at=30), good), frozenset({"frames", "first_seen", "good"}))
    pipeline = Pipeline(choice)
    with caplog.at_level(logging.WARNING):
        found = [f for one in actor().play(4.0) for f in pipeline.look([one])]
    assert pipeline.faults == {"memory": "ZeroDivisionError: on purpose"}
    assert [record.message for record in caplog.records] == [
        "the signals of memory are switched off: ZeroDivisionError: on purpose"
    ]
    assert sum(f.estimator == "good" for f in found) == 100
    after = [f.result for f in found if f.estimator == "memory"][-1]
    assert isinstance(after, Readings)
    assert after.frame == 99
    assert after.values["frames"].reason == (
        "memory is switched off: ZeroDivisionError: on purpose"
    )
    again = Pipeline(choice)
    again.restore(pipeline.state())
    assert again.faults == pipeline.faults


def test_one_that_cannot_even_start_stops_nobody(actor: Acted) -> None:
    class Broken(Memory):
        def start(self) -> MemoryRun:
            raise OSError("its file is gone")

    pipeline = Pipeline(alone(Broken()))
    assert reason_of(pipeline.look(actor().play(0.1)[:1])[0]).endswith("gone")


def test_costs_are_counted_for_each_estimator(actor: Acted) -> None:
    pipeline = Pipeline(choose("all"))
    for one in actor().play(2.0):
        pipeline.look([one])
    assert {name: cost.faces for name, cost in pipeline.costs.items()} == dict.fromkeys(
        estimators(), 50
    )
    assert all(cost.each > 0 for cost in pipeline.costs.values())


def test_a_face_costs_its_share_of_the_seconds() -> None:
    assert (Cost(6.0, 3).each, Cost().each) == (2.0, 0.0)


def test_many_live_faces_thin_what_is_dear_in_turn(
    actor: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("facetrack.signals.pipeline.time.perf_counter", lambda: now[0])

    def slow() -> None:
        now[0] += 0.01

    dear = Memory(clock=slow)
    cheap = FaceEstimator("cheap", (Spec("cheap", "always 1"),), lambda face: (1.0,))
    choice = Choice((dear, cheap), frozenset({"frames", "cheap"}))
    for n_faces, live in ((2, True), (3, True), (3, False)):
        pipeline = Pipeline(choice, live=live)
        people = [actor(id=i).play(2.0) for i in range(n_faces)]
        found = [f for row in zip(*people, strict=True) for f in pipeline.look(row)]
        looked = [f for f in found if f.estimator == "memory"]
        thinned = [f for f in looked if reason_of(f) == THINNED]
        assert sum(f.estimator == "cheap" for f in found) == 50 * n_faces
        if n_faces == 3 and live:
            assert pipeline.thinned == ("memory",)
            assert 2 * 48 <= len(thinned) <= 2 * 50
            turns = [sum(f.face_id == i for f in thinned) for i in range(3)]
            assert max(turns) - min(turns) <= 2
        else:
            assert pipeline.thinned == ()
            assert not thinned


def test_only_what_was_asked_for_comes_out(actor: Acted) -> None:
    pipeline = Pipeline(choose("blinks,pose_yaw"))
    seen = actor(pitch=lambda t: 8 * math.sin(9 * t)).play(4.0)
    found = [f for one in seen for f in pipeline.look([one])] + pipeline.finish()
    assert {f.estimator for f in found} == {"blinks", "head"}
    assert not any(isinstance(f.result, Event) and f.result.name == "nod" for f in found)


def test_words_choose_signals() -> None:
    known = list(estimators())
    assert [e.name for e in choose("all").estimators] == known
    assert [e.name for e in choose("default").estimators] == list(DEFAULT)
    assert choose("none").estimators == ()
    yaw = choose("pose_yaw, quality")
    assert [spec.name for spec in yaw.values] == ["pose_yaw", "quality"]
    assert yaw.events == ()
    assert [e.name for e in choose("blink").estimators] == ["blinks"]
    with pytest.raises(InputError, match="no signal 'pian'; choose from default, all, none, geom"):
        choose("blinks,pian")
    assert owner("pose_roll").name == "head"
    with pytest.raises(InputError, match="no signal 'pose'"):
        owner("pose")


def test_others_can_join_and_are_seen_at_once() -> None:
    before = list(signals())
    register(Memory())
    try:
        assert list(signals())[len(before) :] == [spec.name for spec in SPECS]
        assert "memory" in {e.name for e in choose("all").estimators}
        assert "memory" not in {e.name for e in choose("default").estimators}
        with pytest.raises(InputError, match="'first_seen' is there already, of 'memory'"):
            register(Memory(name="other"))
    finally:
        unregister("memory")
    assert list(signals()) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (object(), "is no estimator"),
        (Memory(specs=()), "needs signals"),
        (Memory(name="all"), "a name other than default, all, none"),
        (Memory(name="quality"), "'quality' is there already"),
    ],
)
def test_wrong_estimators_are_refused(wrong: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        register(wrong)


@pytest.mark.parametrize(
    ("name", "span", "message"),
    [
        ("Pain Level", (0.0, 1.0), "must be an identifier"),
        ("", (0.0, 1.0), "must be an identifier"),
        ("pain", (1.0, 1.0), "range of signal 'pain' is empty"),
        ("pain", (0.0, math.nan), "range of signal 'pain' is empty"),
    ],
)
def test_wrong_specs_are_refused(name: str, span: tuple[float, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Spec(name, "a value", range=span)


def test_other_packages_enter_by_their_entry_point(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @dataclass
    class Entry:
        name: str
        value: str
        made: object
        dist: object = None

        def load(self) -> object:
            if isinstance(self.made, Exception):
                raise self.made
            return self.made

    entries = [
        Entry("broken", "far.away:GONE", ImportError("no module named 'far'")),
        Entry("memory", "near.by:MEMORY", Memory()),
    ]
    monkeypatch.setattr(
        "facetrack.signals.registry.entry_points",
        lambda group: entries if group == GROUP else [],
    )
    _enter_others.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert "memory" in estimators()
            assert "memory" in estimators()
        assert [record.message for record in caplog.records] == [
            "signals of broken (far.away:GONE) are left out: ImportError: no module named 'far'"
        ]
    finally:
        _enter_others.cache_clear()
        unregister("memory")


def rows_of(actor: Acted, estimator: Any, seconds: float = 2.0) -> tuple[list[Row], RowAssembler]:
    pipeline, rows, done = Pipeline(alone(estimator)), RowAssembler(SPECS[:2], 1.0), []
    for one in actor().play(seconds):
        done += rows.add(one.index, one.timestamp, [one.face], pipeline.look([one]))
    rows.take(pipeline.finish())
    return done + rows.finish(), rows


def test_rows_wait_for_late_readings_and_keep_their_order(actor: Acted) -> None:
    done, assembler = rows_of(actor, Memory())
    assert [row.frame for row in done] == list(range(50))
    assert [row.values["frames"].value for row in done] == [float(i + 1) for i in range(50)]
    assert assembler.late == 0


def test_frames_without_faces_have_a_row_that_says_so() -> None:
    (row,) = RowAssembler(SPECS[:2]).add(3, 0.1, [], [])
    assert row.face_id == -1
    assert {said.reason for said in row.values.values()} == {NO_FACE_REASON}


def test_an_estimator_that_stays_silent_stops_nothing(actor: Acted) -> None:
    class Silent(MemoryRun):
        def update(self, seen: Observation) -> Sequence[Result]:
            return ()

    class Dumb(Memory):
        def start(self) -> MemoryRun:
            return Silent(self)

    pipeline, rows, done = Pipeline(alone(Dumb())), RowAssembler(SPECS[:2], 1.0), []
    for one in actor().play(40.0, 10.0):
        done += rows.add(one.index, one.timestamp, [one.face], pipeline.look([one]))
        assert len(rows.state()["_waiting"]) < 130
    assert len(done) > 250
    assert done[0].values["frames"].reason == SILENT


def test_a_reading_of_a_frame_that_was_cut_away_is_dropped_and_counted() -> None:
    rows = RowAssembler(SPECS[:2])
    said = {name: Reading(1.0) for name in ("first_seen", "frames")}
    rows.take([Finding(0, "memory", Readings(17, said))])
    assert rows.late == 1
    assert rows.finish() == []


def test_broken_states_are_refused() -> None:
    for state in ({}, {"faults": {}, "turn": 0, "people": [[0, 0.0, {}]]}):
        with pytest.raises(InputError, match="saved state of the signals is broken"):
            Pipeline(choose("all")).restore(state)
    with pytest.raises(InputError, match="saved state is broken"):
        RowAssembler(SPECS).restore({"late": 0, "rows": [[1]]})


def test_estimators_share_crops_and_maps(actor: Acted, mean: np.ndarray) -> None:
    (one,) = actor().play(0.04)
    mouth = Crop("mouth", (32, 24))
    cut = one.cut(mouth, mean)
    assert one.cut(Crop("mouth", (32, 24)), mean) is cut
    assert cut.pixels.shape == (24, 32)
    assert one.cut(mouth, mean.copy()) is not cut
    assert one.cut(Crop("face", (32, 32), colour=True), mean).pixels.shape == (32, 32, 3)
    maps = one.maps(mean)
    assert one.maps(mean) is maps
    assert [m.shape[2] for m in maps] == [8, 8]
    landmarks = Observation(0, 0.0, one.face)
    with pytest.raises(InputError, match="frame 0: an estimator asks for pixels, there are none"):
        landmarks.cut(mouth, mean)


def test_an_outlook_says_what_the_end_would_and_ends_nothing(actor: Acted) -> None:
    seen = actor(pitch=lambda t: 8 * math.sin(9 * t)).play(4.0)
    one, other = Pipeline(choose("all")), Pipeline(choose("all"))
    for number, look in enumerate(seen):
        assert one.look([look]) == other.look([look])
        if number % 10 == 0:
            twin = Pipeline(choose("all"))
            twin.restore(one.state())
            assert one.outlook() == twin.finish()
    assert one.outlook() == other.finish() == one.finish()


def test_an_outlook_without_a_usable_state_is_empty(
    actor: Acted, caplog: pytest.LogCaptureFixture
) -> None:
    class Shy(MemoryRun):
        def state(self) -> dict[str, Any]:
            raise OSError("says nothing")

    class Odd(Memory):
        def start(self) -> MemoryRun:
            return Shy(self)

    pipeline = Pipeline(alone(Odd()))
    pipeline.look(actor().play(0.1)[:1])
    assert pipeline.outlook() == []
    assert caplog.messages == ["the last signals are not known: says nothing"]
    assert goodbyes(pipeline.finish()) == [0]


def test_another_choice_keeps_the_runs_that_stay(actor: Acted) -> None:
    memory, broken = Memory(), Memory(name="broken", fails_at=0)
    blinks = choose("blinks").estimators[0]
    names = frozenset({"frames", "eye_openness"})
    pipeline = Pipeline(Choice((memory, broken), names))
    seen = actor().play(4.0)
    for one in seen[:50]:
        pipeline.look([one])
    assert list(pipeline.faults) == ["broken"]
    pipeline.change(Choice((memory, blinks), names))
    assert pipeline.faults == {}
    assert set(pipeline.costs) == {"memory", "blinks"}
    found = [f for one in seen[50:] for f in pipeline.look([one])]
    counts = frames_counted([f for f in found if f.estimator == "memory"])
    assert counts == [float(i + 1) for i in range(50, 100)]
    assert sum(f.estimator == "blinks" for f in found) == 50
