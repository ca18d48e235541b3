from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from facetrack.errors import FormatError, InputError
from facetrack.formats.signals_csv import SignalTable, TableBuilder
from facetrack.reading import HUMAN, Event, EventRecord, Reading, Row
from facetrack.summary.curves import curves, thinned
from facetrack.summary.details import details
from facetrack.summary.numbers import summarise
from facetrack.summary.picture import picture
from facetrack.summary.spans import Span, parse_span, read_spans, union, unlike
from facetrack.summary.tables import comparison_table
from facetrack.summary.timeline import NO_PICTURE, NOT_THERE, Timeline, people, timeline

TIMES = [0.0, 0.1, 0.3, 0.4, 0.8]  # lasting 0.1, 0.2, 0.1, 0.4 and, as is usual, 0.15 s
COVERED = 0.95


def table_of(rows: Sequence[Row], names: Sequence[str]) -> SignalTable:
    builder = TableBuilder(names)
    builder.add(rows)
    return builder.table()


def table(values: Sequence[float | str], name: str = "eye_openness", times=TIMES) -> SignalTable:
    """Lay out one face; a text is why nothing is known."""
    readings = [
        Reading(nan, reason=value) if isinstance(value, str) else Reading(value) for value in values
    ]
    rows = [Row(i, t, 0, {name: r}) for i, (t, r) in enumerate(zip(times, readings, strict=True))]
    return table_of(rows, [name])


def blink(start: float, stop: float, source: str = "machine", **detail: float) -> EventRecord:
    return EventRecord(0, Event("blink", start, start, stop, 0.5, detail=detail), "blinks", source)


def test_frames_weigh_by_their_duration() -> None:
    numbers = summarise(timeline(table([1.0, 4.0, "lost: covered", 2.0, "lost"]), 0))
    value = numbers.values["eye_openness"]
    assert value.times.covered == pytest.approx(COVERED)
    assert value.times.assessed == pytest.approx(0.7)
    assert value.times.reasons == pytest.approx({"lost": 0.15, "lost: covered": 0.1})
    mean = (0.1 * 1 + 0.2 * 4 + 0.4 * 2) / 0.7
    squares = (0.1 * 1 + 0.2 * 16 + 0.4 * 4) / 0.7
    assert value.mean == pytest.approx(mean)
    assert value.sd == pytest.approx(sqrt(squares - mean**2))
    assert (value.median, value.p5, value.p95) == (2, 1, 4)
    assert (value.minimum, value.maximum, value.peak, value.peak_at) == (1, 4, 4, 0.1)
    assert value.unit == "1"
    assert numbers.quality.lost == pytest.approx(0.25)
    assert numbers.quality.times.share == pytest.approx(0.7 / COVERED)
    assert isnan(numbers.quality.doubtful)


def test_doubtful_frames_are_tracked() -> None:
    quality = summarise(timeline(table([0.59, 0.6, 0.9, "lost", 0.1], "quality"), 0)).quality
    assert quality.doubtful == pytest.approx(0.1 + 0.15)
    assert quality.times.assessed == pytest.approx(0.55)


def test_the_strongest_value_of_either_sign_is_the_peak() -> None:
    value = summarise(timeline(table([3.0, -8.0, 5.0, 0.0, 0.0], "pose_yaw"), 0)).values["pose_yaw"]
    assert (value.peak, value.peak_at, value.unit) == (-8, 0.1, "deg")


def test_a_signal_that_nobody_knows_has_numbers_without_a_unit() -> None:
    value = summarise(timeline(table([2.0] * 5, "lip_magic"), 0)).values["lip_magic"]
    assert (value.mean, value.unit) == (2, "")


def test_a_share_above_the_level_of_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    from facetrack.reading import Spec

    specs = {"head_speed": Spec("head_speed", "speed", "deg/s", level=5.0)}
    monkeypatch.setattr("facetrack.summary.numbers.signals", lambda: specs)
    numbers = summarise(timeline(table([9.0, 5.0, 1.0, "lost", 6.0], "head_speed"), 0))
    assert numbers.values["head_speed"].above == pytest.approx(0.25 / 0.55)
    assert details(numbers)["values"]["head_speed"]["stillness"] == pytest.approx(0.3 / 0.55)


def test_sides_are_compared_where_both_are_known() -> None:
    a = table([1.0, 1.0, "hidden", 1.0, 1.0], "eye_opening_right")
    b = table([2.0, 4.0, 9.0, "away", 1.0], "eye_opening_left")
    both = SignalTable(a.frame, a.timestamp, a.face_id, {**a.signals, **b.signals})
    value = summarise(timeline(both, 0)).values["eye_opening_left_minus_right"]
    assert value.mean == pytest.approx((0.1 * 1 + 0.2 * 3 + 0.15 * 0) / 0.45)
    assert value.times.reasons == pytest.approx({"away": 0.4, "hidden": 0.1})


def test_events_count_by_minute_of_assessed_time() -> None:
    seen: list[float | str] = [1.0, 1.0, 1.0, "turned", "turned"]
    blinks = [blink(0.0, 0.1), blink(0.3, 0.3, seconds=0.08), blink(0.8, 0.8)]
    e = summarise(timeline(table(seen), 0, blinks)).events["blink"]
    assert e.count == 3
    assert e.per_minute == pytest.approx(2 * 60 / 0.4)  # the third one lies in unassessed time
    assert e.mean_seconds == pytest.approx((0.3 + 0.08 + 0.15) / 3)
    assert e.longest_seconds == pytest.approx(0.3)
    assert e.share == pytest.approx(1.0)
    assert e.score == 0.5
    assert e.by_human == 0


def test_details_have_means_and_differences_of_sides() -> None:
    blinks = [blink(0.0, 0.1, depth_right=0.5, depth_left=0.7), blink(0.4, 0.4, depth_right=0.3)]
    e = summarise(timeline(table([1.0] * 5), 0, blinks)).events["blink"]
    assert e.details == pytest.approx(
        {"depth_right": 0.4, "depth_left": 0.7, "depth_left_minus_right": 0.2}
    )


def test_what_a_person_vouches_for_replaces_what_it_overlaps() -> None:
    other = EventRecord(0, Event("nod", 0.1, 0.1, 0.3), "head")
    records = [blink(0.0, 0.1), blink(0.1, 0.3, HUMAN), blink(0.8, 0.8), other]
    numbers = summarise(timeline(table([1.0] * 5), 0, records))
    assert (numbers.events["blink"].count, numbers.events["blink"].by_human) == (2, 1)
    assert numbers.events["nod"].count == 1


def test_no_events_are_zero_only_where_somebody_looked() -> None:
    asked = {"blinks": ["eye_openness", "blink"]}
    looked = summarise(timeline(table([1.0, "lost", "lost", "lost", "lost"]), 0, (), asked))
    assert (looked.events["blink"].count, looked.events["blink"].per_minute) == (0, 0)
    never = summarise(timeline(table(["lost: covered"] * 5), 0, (), asked)).events["blink"]
    assert never.count is None
    assert isnan(never.per_minute)
    assert never.times.unassessable == "not assessable: lost: covered"
    assert summarise(timeline(table([1.0] * 5), 0)).events == {}


def test_events_without_values_beside_them_need_a_tracked_face() -> None:
    asked = {"blinks": ["blink"]}
    numbers = summarise(timeline(table(["lost", 0.9, 0.9, "lost", 0.9], "quality"), 0, (), asked))
    assert numbers.events["blink"].times.assessed == pytest.approx(0.45)


def test_everybody_is_measured_over_the_whole_video() -> None:
    one, two = Reading(1.0), Reading(2.0)
    rows = [
        Row(0, 0.0, 0, {"x": one}), Row(0, 0.0, 3, {"x": two}), Row(1, 0.1, 3, {"x": two}),
        Row(2, 0.2, -1, {"x": Reading(nan, reason="no face")}),
    ]  # fmt: skip
    both = table_of(rows, ["x"])
    assert people(both) == [0, 3]
    first, second = (summarise(timeline(both, i)).values["x"] for i in (0, 3))
    assert (first.mean, second.mean) == (1, 2)
    assert first.times.reasons == pytest.approx({NOT_THERE: 0.2})
    assert second.times.share == pytest.approx(2 / 3)


def test_a_frame_speaks_for_a_second_at_most() -> None:
    times = [0.0, 0.1, 0.2, 9.2, 9.3]
    value = summarise(timeline(table([1.0] * 5, times=times), 0)).values["eye_openness"]
    assert value.times.covered == pytest.approx(9.4)
    assert value.times.reasons == pytest.approx({NO_PICTURE: 8.0})


def test_excluded_frames_count_nowhere() -> None:
    rows = [Row(i, i / 10, 0, {"quality": Reading(1.0)}) for i in [*range(10), *range(40, 50)]]
    person = timeline(table_of(rows, ["quality"]), 0, [blink(2.0, 2.2), blink(4.5, 4.7)])
    numbers = summarise(person)
    assert numbers.quality.times.covered == pytest.approx(2.0)
    assert numbers.quality.times.share == pytest.approx(1.0)
    assert numbers.events["blink"].per_minute == pytest.approx(30)  # one of them in 2 s
    assert NO_PICTURE in person.reason  # where curves have a gap


@pytest.mark.parametrize("times", [[0.0, 0.2, 0.1, 0.3, 0.4], [0.0, nan, 0.2, 0.3, 0.4]])
def test_times_that_go_back_are_refused(times: list[float]) -> None:
    with pytest.raises(InputError, match="missing or go back after frame"):
        timeline(table([1.0] * 5, times=times), 0)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(InputError, match="no frames"):
        timeline(table_of([], ["x"]), 0)


@st.composite
def persons(draw: st.DrawFn) -> Timeline:
    steps = draw(st.lists(st.floats(0.001, 2), min_size=5, max_size=12))
    times = [sum(steps[:i]) for i in range(len(steps))]
    value = st.one_of(st.floats(-100, 100), st.sampled_from(["lost", "turned"]))
    values = draw(st.lists(value, min_size=len(times), max_size=len(times)))
    ends = st.lists(st.floats(0, times[-1]), min_size=2, max_size=2).map(sorted)
    events = [blink(start, stop) for start, stop in draw(st.lists(ends, max_size=5))]
    asked = {"blinks": ["eye_openness", "blink"]}
    return timeline(table(values, times=times), 0, events, asked)


@given(persons(), st.floats(0.01, 0.99))
def test_parts_add_up(person: Timeline, share: float) -> None:
    whole = person.whole
    middle = whole.start + share * (whole.stop - whole.start)
    assume(whole.start < middle < whole.stop)
    parts = [Span("a", whole.start, middle), Span("b", middle, whole.stop)]
    every, first, second = (summarise(person, span) for span in (whole, *parts))
    counts = [s.events["blink"].count or 0 for s in (every, first, second)]
    assert counts[0] == counts[1] + counts[2]
    a, b, c = (s.values["eye_openness"] for s in (every, first, second))
    assert a.times.covered == pytest.approx(b.times.covered + c.times.covered)
    assert a.times.assessed == pytest.approx(b.times.assessed + c.times.assessed)
    for reason, seconds in a.times.reasons.items():
        parted = b.times.reasons.get(reason, 0.0) + c.times.reasons.get(reason, 0.0)
        assert seconds == pytest.approx(parted)
    sums = [v.mean * v.times.assessed if v.times.assessed else 0.0 for v in (a, b, c)]
    assert sums[0] == pytest.approx(sums[1] + sums[2], abs=1e-9)


def test_a_span_is_read_as_it_is_typed() -> None:
    assert parse_span("eyes=shut=1.5-30") == Span("eyes=shut", 1.5, 30)


@pytest.mark.parametrize("text", ["a=1", "a=1-", "=1-2", "a=1..2-3", "a=-1-2", "a=2-2", " =1-2"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_span(text)


def test_spans_come_from_a_table(tmp_path) -> None:
    path = tmp_path / "protocol.csv"
    path.write_text("name,note,start,stop\nrest,,0,30\npain,hand,30,60.5\n")
    assert read_spans(path) == [Span("rest", 0, 30), Span("pain", 30, 60.5)]
    path.write_text("name,start,stop\nrest,0,x\n")
    with pytest.raises(FormatError, match=r"line 2: a row is wrong"):
        read_spans(path)
    path.write_text("name,start\n")
    with pytest.raises(FormatError, match="the column 'stop' is missing"):
        read_spans(path)
    with pytest.raises(InputError, match="two intervals are named 'a'"):
        unlike([Span("a", 0, 1), Span("a", 1, 2)])


def test_thin_curves_keep_peaks_and_gaps() -> None:
    import numpy as np

    time = np.arange(100_000) / 30
    value = np.sin(time)
    value[54_321] = 7.0
    value[60_000:70_000] = nan
    thin_time, thin_value = thinned(time, value, columns=100)
    assert len(thin_time) == len(thin_value) <= 202
    assert np.nanmax(thin_value) == 7
    assert np.isnan(thin_value).sum() == pytest.approx(20, abs=2)


def test_curves_of_many_signals_take_several_pictures() -> None:
    tables = [table([1.0, "lost", 2.0, 1.0, 1.0], f"signal{i}") for i in range(25)]
    first = tables[0]
    signals = {name: s for one in tables for name, s in one.signals.items()}
    many = SignalTable(first.frame, first.timestamp, first.face_id, signals)
    pictures = curves(timeline(many, 0), [Span("rest", 0.0, 0.5)])
    assert len(pictures) == 3
    assert all(p.startswith(b"<?xml") and b"</svg>" in p for p in pictures)
    nothing = SignalTable(first.frame, first.timestamp, first.face_id, {})
    assert len(curves(timeline(nothing, 0))) == 1


def test_a_span_with_gaps_is_the_sum_of_its_stretches() -> None:
    person = timeline(
        table([1.0, 4.0, "lost: covered", 2.0, 3.0]), 0, [blink(0.1, 0.3), blink(0.3, 0.4)]
    )
    marks = [Span("m", 0.0, 0.1), Span("m", 0.05, 0.2), Span("m", 0.4, 0.8)]
    whole = union("all m", marks)
    assert (whole.start, whole.stop) == (0.0, 0.8)
    assert whole.stretches == ((0.0, 0.2), (0.4, 0.8))
    assert union("one", marks[:2]) == Span("one", 0.0, 0.2)
    numbers = summarise(person, whole)
    value = numbers.values["eye_openness"]
    assert value.times.covered == pytest.approx(0.6)
    assert value.mean == pytest.approx((0.1 * 1 + 0.1 * 4 + 0.4 * 2) / 0.6)
    assert numbers.events["blink"].count == 1  # that in the gap is none of it
    assert details(numbers)["parts"] == ((0.0, 0.2), (0.4, 0.8))
    assert "parts" not in details(summarise(person))


def test_the_comparison_says_first_what_could_be_assessed() -> None:
    person = timeline(table([1.0, 4.0, "lost: covered", 2.0, "turned"]), 0)
    rest, late = (
        summarise(person, Span(n, *s)) for n, s in (("rest", (0, 0.4)), ("late", (0.8, 2)))
    )
    shown = comparison_table([rest, late])
    rows = {cells[0]: cells[1:] for cells in shown.cells}
    assert list(rows)[:4] == [
        "seconds of the video", "face tracked", "of it doubtful (quality < 0.6)",
        "assessable: eye openness",
    ]  # fmt: skip
    percent = "\N{NO-BREAK SPACE}%"
    assert rows["assessable: eye openness"] == [
        f"75.0{percent}", f"0.0{percent}", f"-75.0{percent}",
        f"rest: lost: covered: 25.0{percent}; late: turned: 100.0{percent}",
    ]  # fmt: skip
    assert rows["eye openness: mean"] == ["3.000", "-", "-", "late: not assessable: turned"]
    alone = comparison_table([late])
    assert "not assessable: turned" in [cells[-1] for cells in alone.cells]


def test_a_picture_holds_the_numbers_and_the_curves() -> None:
    import cv2
    import numpy as np

    person = timeline(table([1.0, 4.0, "lost: covered", 2.0, "turned"]), 0)
    drawn = picture("clip: <Ann> $x$", person, [summarise(person, Span("rest", 0, 0.4))])
    pixels = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    more = picture("clip", person, [summarise(person), summarise(person, Span("rest", 0, 0.4))])
    assert pixels.shape[1] == 1110
    assert (pixels[:200] < 128).any()  # words
    assert (pixels[-200:] < 128).any()  # an axis
    assert more != drawn
