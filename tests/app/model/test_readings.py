"""Readings in the store: what was written comes back, stretch by stretch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from math import nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facetrack.reading import Event, Reading, Row, Spec
from facetrack.signals.episodes import Episodes
from facetrack.signals.estimator import FaceEstimator
from facetrack.signals.rest import Rest
from facetrack_app.model.curves import curve_of
from facetrack_app.model.readings import (
    CHUNK,
    NO_REST,
    NOT_YET,
    cut_readings,
    read_series,
    read_values,
    rest_of,
    rested_events,
    value_in_words,
    write_readings,
)
from facetrack_app.model.store import Store
from tests.app.aching import AWAY, MODEL, SPECS, STRONG, TURNED, Aching, said
from tests.app.conftest import drawn

ONE = FaceEstimator(
    "one",
    (Spec("eye_opening_right", "?"), Spec("pain", "?", interval=True)),
    lambda face: (0.0, 0.0),
)
LAST = 3 * CHUNK


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "session.db")) as made:
        yield made


def write(store: Store, start: int, stop: int, rows: list[Row]) -> None:
    with store.transaction():
        write_readings(store, 7, ONE, start, stop, rows)


readings = st.one_of(
    st.builds(Reading, st.floats(-9, 9, width=32)),
    st.builds(lambda v, w: Reading(v, v - w, v + w), st.floats(-9, 9, width=16), st.just(0.5)),
    st.builds(lambda why: Reading(nan, reason=why), st.sampled_from(["lost", "lost: ü", "x"])),
)
stretches = st.tuples(st.integers(0, LAST - 1), st.integers(1, 60))


@settings(max_examples=30)
@given(
    pieces=st.lists(
        st.tuples(stretches, st.lists(st.tuples(st.integers(0, 59), readings, readings))),
        min_size=1, max_size=6,
    ),
    asked=stretches,
)  # fmt: skip
def test_stretches_that_are_written_over_each_other_come_back(
    pieces: list[tuple[tuple[int, int], list[tuple[int, Reading, Reading]]]],
    asked: tuple[int, int],
) -> None:
    expected: dict[int, tuple[Reading, Reading]] = {}
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder) / "s.db")) as store:
        for (start, length), said in pieces:
            found = {start + at: both for at, *both in said if at < length}
            rows = [
                Row(frame, frame / 25, 0, {"eye_opening_right": a, "pain": b})
                for frame, (a, b) in sorted(found.items())
            ]
            write(store, start, start + length, rows)
            for frame in range(start, start + length):
                expected.pop(frame, None)
            expected |= {frame: (a, b) for frame, (a, b) in found.items()}
        start, stop = asked[0], asked[0] + asked[1]
        series = read_series(store, 7, ONE, start, stop)
        values = read_values(store, 7, ONE, "pain", start, stop).value
        assert read_series(store, 8, ONE, start, stop)["pain"].reason == (NOT_YET,) * asked[1]
    unknown = Reading(nan, reason=NOT_YET)
    for i, name in enumerate(("eye_opening_right", "pain")):
        for frame in range(start, stop):
            one, place = expected.get(frame, (unknown, unknown))[i], frame - start
            got = series[name]
            same = (got.value[place], got.low[place], got.high[place])
            wanted = np.array([one.value, one.low, one.high], np.float32)
            np.testing.assert_array_equal(same, wanted)
            assert got.reason[place] == one.reason
    np.testing.assert_array_equal(values, series["pain"].value.astype(np.float32))


def test_what_lies_outside_of_a_stretch_can_be_cut(store: Store) -> None:
    rows = [Row(f, f / 25, 0, {"pain": Reading(f)}) for f in range(LAST)]
    write(store, 0, LAST, rows)
    with store.transaction():
        cut_readings(store, 7, ONE, 5, CHUNK + 3)
    known = np.isfinite(read_values(store, 7, ONE, "pain", 0, LAST).value)
    assert np.flatnonzero(known).tolist() == list(range(5, CHUNK + 3))
    chunks = store.read("SELECT DISTINCT chunk FROM reading ORDER BY chunk")
    assert chunks == [(0,), (1,)]


def test_another_version_of_an_estimator_says_nothing_yet(store: Store) -> None:
    write(store, 0, 2, [Row(0, 0.0, 0, {"pain": Reading(1.0)})])
    newer = FaceEstimator("one", ONE.specs, ONE.compute, version="2")
    assert np.isnan(read_values(store, 7, newer, "pain", 0, 2).value).all()


def test_readings_of_a_long_video_stay_small(store: Store) -> None:
    chance = np.random.default_rng(0)
    rows = [
        Row(f, f / 25, 0, {"pain": Reading(v), "eye_opening_right": Reading(nan, reason="lost")})
        for f, v in enumerate(chance.normal(size=2 * CHUNK).tolist())
    ]
    write(store, 0, 2 * CHUNK, rows)
    ((size,),) = store.read("SELECT sum(length(header) + length(data)) FROM reading")
    assert size < 2 * CHUNK * 4.5  # noise does not shrink; what is the same everywhere does


def test_a_curve_shows_every_frame_and_its_gaps() -> None:
    values = np.zeros(1000, dtype=np.float32)
    values[123], values[124] = 5.0, -3.0
    values[500:600] = np.nan
    curve = curve_of(ONE.specs[0], drawn(values), 40, 100)
    assert len(curve.least) == len(curve.most) == 100
    assert (curve.least[12], curve.most[12]) == (-3, 5)
    assert np.flatnonzero(np.isnan(curve.least)).tolist() == list(range(50, 60))
    assert curve.scale == (-3, 5)
    close = curve_of(ONE.specs[0], drawn(values[:60]), 40, 100)
    assert len(close.least) == 60
    assert close.scale is not None
    assert close.scale[0] < 0 < close.scale[1]  # a value that stays the same has a scale, too
    assert curve_of(ONE.specs[0], drawn(values[500:520]), 0, 100).scale is None


class Measured(FaceEstimator):
    """An estimator that can measure from a rest."""

    rest: Rest | None = None

    def with_rest(self, rest: Rest) -> Measured:
        return self

    def episodes(self) -> dict[str, Episodes]:
        return {}


def test_values_are_measured_from_the_person_at_rest(store: Store) -> None:
    smile = Measured("one", (Spec("smile", "?"),), lambda face: (0.0,))
    rows = [
        Row(f, f / 25, 7, {"smile": Reading(nan, reason="lost") if f == 3 else Reading(f / 100)})
        for f in range(60)
    ]
    with store.transaction():
        write_readings(store, 7, smile, 0, 60, rows)
        store.put("setting", [((rest_of(7),), ("[0, 21]",))])
    raw = np.array([nan if f == 3 else f / 100 for f in range(60)])
    rest = np.nanmedian(raw[:21])
    np.testing.assert_allclose(
        read_values(store, 7, smile, "smile", 5, 60).value, raw[5:] - rest, 1e-5
    )
    series = read_series(store, 7, smile, 0, 60)["smile"]
    np.testing.assert_allclose(series.value, raw - rest, 1e-5)
    assert series.reason[3] == "lost"
    with store.transaction():
        store.put("setting", [((rest_of(7),), ("[0, 9]",))])  # nine frames, one of them lost
    assert np.isnan(read_values(store, 7, smile, "smile", 0, 60).value).all()
    assert read_series(store, 7, smile, 0, 60)["smile"].reason[2:4] == (NO_REST, "lost")
    plain = FaceEstimator("one", smile.specs, smile.compute)
    np.testing.assert_allclose(read_values(store, 7, plain, "smile", 0, 60).value, raw, 1e-5)


def test_episodes_are_found_in_values_that_are_measured_from_a_rest(
    store: Store, ache: Aching
) -> None:
    rows = [Row(f, f / 25, 7, said(f)) for f in range(40)]
    with store.transaction():
        write_readings(store, 7, ache, 0, 40, rows)
        for piece in (range(22, 40), range(22)):
            times = (np.array(piece) / 25).astype("<f8").tobytes()
            store.put("ledger", [((piece.start,), (times,))])
    assert rested_events(store, 7, ache) == {}
    with store.transaction():
        store.put("setting", [((rest_of(7),), ("[0, 13]",))])
    begin, end = STRONG.start / 25, (STRONG.stop - 1) / 25
    episode = Event("ache_episode", begin, begin, end, 5.0, detail={"model": MODEL})
    assert rested_events(store, 7, ache) == {"ache_episode": [episode]}
    assert rested_events(store, 7, ONE) == {}
    with store.transaction():
        store.put("setting", [((rest_of(7),), ("[0, 9]",))])  # too few frames to measure from
    assert rested_events(store, 7, ache) == {"ache_episode": []}


def test_a_curve_has_its_band_what_cannot_be_assessed_and_its_parts(
    store: Store, ache: Aching
) -> None:
    rows = [Row(f, f / 25, 7, said(f)) for f in range(40)]
    with store.transaction():
        write_readings(store, 7, ache, 0, 40, rows)
        store.put("setting", [((rest_of(7),), ("[0, 13]",))])
    drawn = read_values(store, 7, ache, "ache", 0, 60)
    rest = 4.0
    assert (drawn.value[5], drawn.low[5], drawn.high[5]) == (5 - rest, 4 - rest, 7 - rest)
    assert np.flatnonzero(drawn.unassessable).tolist() == list(AWAY)  # and not what is to come
    brows = read_values(store, 7, ache, "ache_brows", 0, 60).value
    curve = curve_of(SPECS[0], drawn, 0, 6, {SPECS[1]: brows})
    assert (curve.low[0], curve.high[0]) == (2 - rest, 7 - rest)
    assert curve.scale == (2 - rest, 11 - rest)
    assert not curve.unassessable.any()  # each column has a value
    assert curve.at(4) == "0   brows +0"
    near = curve_of(SPECS[0], drawn, 0, 100)
    assert np.flatnonzero(near.unassessable).tolist() == list(AWAY)
    assert value_in_words(store, 7, SPECS[0], AWAY.start) == TURNED
    assert value_in_words(store, 7, SPECS[0], 5) == (
        "1 (0 to 3); influence: brows +0, eyes +0, nose +0, mouth +0"
    )
