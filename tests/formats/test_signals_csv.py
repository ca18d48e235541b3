from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.errors import FormatError, OutputError
from facetrack.formats.events_csv import EventWriter, read_events, write_events
from facetrack.formats.growing import GrowingFile
from facetrack.formats.signals_csv import SignalWriter, TableBuilder, columns, read_signals
from facetrack.reading import HUMAN, Event, EventRecord, Reading, Row, Spec

SPECS = (
    Spec("pain", "a score", range=(0.0, 16.0), interval=True),
    Spec("pain_reason_of", "a name that ends nearly like a part"),
    Spec("opening", "a ratio"),
)
VALUES = st.floats(-1e3, 1e3, width=32) | st.just(math.nan)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")))


def row(frame: int, value: float, reason: str = "") -> Row:
    said = Reading(value, value - 1, value + 1, reason)
    return Row(frame, frame / 25, 0, {spec.name: said for spec in SPECS})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    rows = [row(0, 0.5), row(1, math.nan, 'lost: behind a "hand", or so'), row(3, 1.25)]
    with SignalWriter(tmp_path / "a.csv", SPECS) as writer:
        writer.write(rows[:1])
        writer.write(rows[1:])
    table = read_signals(tmp_path / "a.csv")
    builder = TableBuilder(spec.name for spec in SPECS)
    builder.add(rows)
    expected = builder.table()
    assert table.frame.tolist() == expected.frame.tolist() == [0, 1, 3]
    np.testing.assert_allclose(table.timestamp, expected.timestamp)
    assert list(table.signals) == list(expected.signals) == [spec.name for spec in SPECS]
    for name in table.signals:
        np.testing.assert_allclose(table.signals[name].value, expected.signals[name].value)
        assert table.signals[name].reason == expected.signals[name].reason
    np.testing.assert_allclose(table.signals["pain"].low, [-0.5, math.nan, 0.25])
    assert np.isnan(table.signals["opening"].low).all()  # only where there is an interval


def test_the_columns_are_in_the_order_that_is_promised(tmp_path: Path) -> None:
    SignalWriter(tmp_path / "a.csv", SPECS[:1]).close()
    header = "frame,timestamp,face_id,pain,pain_low,pain_high,pain_reason\n"
    assert (tmp_path / "a.csv").read_text() == header
    assert [column.name for column in columns(SPECS[:1])] == header.strip().split(",")


@given(st.lists(st.tuples(VALUES, TEXT), max_size=20))
def test_any_text_and_number_survives(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[float, str]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.csv"
    with SignalWriter(path, SPECS) as writer:
        writer.write(row(i, value, text) for i, (value, text) in enumerate(said))
    found = read_signals(path).signals["opening"]
    np.testing.assert_allclose(found.value, [value for value, _ in said], rtol=1e-5)
    assert list(found.reason) == [" ".join(text.split()) for _, text in said]


def test_files_of_other_versions_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("frame,timestamp,face_id,old,old_reason,new\n1,0,2,0.5,,7\n")
    table = read_signals(tmp_path / "a.csv")
    assert table.signals["old"].value.tolist() == [0.5]
    assert table.signals["new"].reason == ("",)
    assert table.face_id.tolist() == [2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no signals file"),
        ("a,b\n1,2\n", "is no signals file"),
        ("frame,timestamp,face_id,x,x\n", "is no signals file"),
        ("frame,timestamp,face_id,x\n1,0,0\n", "line 2: 3 cells, 4 expected"),
        ("frame,timestamp,face_id,x\n1,0,0,much\n", "column 'x' holds what is no number"),
        (f"frame,timestamp,face_id,x\n1,0,0,{'9' * 400}x\n", "column 'x' holds what is no number"),
        ("frame,timestamp,face_id,x\nnan,0,0,1\n", "a frame or face has no number"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=message) as error:
        read_signals(tmp_path / "a.csv")
    assert "a.csv" in str(error.value)
    assert len(error.value.cause) < 200


EVENTS = [
    EventRecord(1, Event("blink", 2.0, 2.1, 2.2, 0.5, detail={"seconds": 0.2}), "blinks"),
    EventRecord(0, Event("word", 0.5, 0.7, 1.0, text='"yes", she said'), "lips", HUMAN),
]


def test_events_come_back_by_their_starts(tmp_path: Path) -> None:
    write_events(tmp_path / "e.csv", EVENTS)
    with EventWriter(tmp_path / "grown.csv") as writer:
        writer.write(EVENTS[1:])
        writer.write(EVENTS[:1])
    assert (tmp_path / "e.csv").read_bytes() == (tmp_path / "grown.csv").read_bytes()
    found = read_events(tmp_path / "e.csv")
    assert [r.event.name for r in found] == ["word", "blink"]
    assert found[1] == EVENTS[0]
    assert (found[0].event.text, found[0].source) == ('"yes", she said', HUMAN)
    assert math.isnan(found[0].event.score)


def test_events_of_other_programs_are_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("name,start,stop\nstimulus,1,2.5\n")
    (record,) = read_events(tmp_path / "e.csv")
    assert record == EventRecord(0, Event("stimulus", 1.0, 1.0, 2.5, record.event.score))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no events file: the column 'name' is missing"),
        ("name,start\nblink,1\n", "the column 'stop' is missing"),
        ("name,start,stop\nblink,2,1\n", "line 2: an event is wrong: it lasts from 2 to 1 s"),
        ("name,start,stop\nblink,soon,1\n", "an event is wrong: could not convert"),
        (
            f"name,start,stop\nblink,{'9' * 400}x,1\n",
            "line 2: an event is wrong: could not convert",
        ),
        ("name,start,stop,face_id\nblink,0,1,1e999\n", "line 2: an event is wrong"),
        ("name,start,stop,detail\nblink,0,1,[1]\n", "its detail is no JSON object"),
        ("name,start,stop,source\nblink,0,1,god\n", "its source is 'god'"),
    ],
)
def test_wrong_events_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(FormatError, match=message) as error:
        read_events(tmp_path / "e.csv")
    assert len(error.value.cause) < 200


def test_a_growing_file_goes_on_where_it_was_told(tmp_path: Path) -> None:
    with GrowingFile(tmp_path / "g", "head\n") as file:
        file.put("one\n")
        size = file.size
        file.put("two\n")
    with GrowingFile(tmp_path / "g", "head\n", keep=size) as file:
        file.put("three\n")
        file.close()  # closing twice is harmless
    assert (tmp_path / "g").read_text() == "head\none\nthree\n"


@pytest.mark.parametrize(("header", "keep"), [("other\n", 6), ("head\n", 3), ("head\n", 99)])
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, header: str, keep: int) -> None:
    (tmp_path / "g").write_text("head\none\n")
    with pytest.raises(FormatError, match="is not what an earlier run left"):
        GrowingFile(tmp_path / "g", header, keep=keep)
    assert (tmp_path / "g").read_text() == "head\none\n"


def test_a_growing_file_that_cannot_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="create the folder first"):
        GrowingFile(tmp_path / "no" / "g", "head\n")
    with pytest.raises(FormatError, match="no such file"):
        GrowingFile(tmp_path / "g", "head\n", keep=5)


def saved_again(path: Path, how: str) -> None:
    """Save a file as another program does: R with row names, pandas, a German spreadsheet."""
    lines = [line.split(",") for line in path.read_text("utf-8").splitlines()]
    if how == "R":
        cells = [["NA" if c in ("", "nan") else c for c in line] for line in lines]
        named = [["", *cells[0]], *([str(i), *line] for i, line in enumerate(cells[1:], 1))]
        text = "\n".join(",".join(line) for line in named)
    elif how == "pandas":
        text = "\n".join(",".join("" if c == "nan" else c for c in line) for line in lines)
    else:
        text = "sep=;\n" + "\n".join(";".join(c.replace(".", ",") for c in line) for line in lines)
    path.write_text(text + "\n", encoding="utf-16" if how == "German" else "utf-8")


@pytest.mark.parametrize("how", ["R", "pandas", "German"])
def test_files_that_other_programs_saved_again_are_read(tmp_path: Path, how: str) -> None:
    path, events = tmp_path / "a.csv", tmp_path / "e.csv"
    with SignalWriter(path, SPECS) as writer:
        writer.write([row(0, 0.5), row(1, math.nan, "lost: covered"), row(3, 1.25)])
    record = EventRecord(2, Event("blink", 0.5, 0.6, 0.75, math.nan))
    write_events(events, [record])
    wanted = read_signals(path)
    saved_again(path, how)
    saved_again(events, how)
    table = read_signals(path)
    assert table.frame.tolist() == wanted.frame.tolist()
    for name, series in wanted.signals.items():
        np.testing.assert_allclose(table.signals[name].value, series.value)
        assert table.signals[name].reason == series.reason
    (found,) = read_events(events)
    assert (found.face_id, found.event.start, found.event.stop) == (2, 0.5, 0.75)
    assert math.isnan(found.event.score)
