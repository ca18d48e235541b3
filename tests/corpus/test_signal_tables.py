"""Rows and events of a stream into files, whoever found them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from facetrack.corpus.signal_tables import SignalTables
from facetrack.corpus.task import Outputs
from facetrack.errors import FormatError, InputError, OutputError
from facetrack.face import Face, State
from facetrack.formats.events_csv import read_events
from facetrack.formats.signals_csv import read_signals
from facetrack.reading import Event, Finding, Kind, Reading, Readings, Spec
from facetrack.signals import Choice, FaceEstimator

SPECS = (Spec("heat", "how warm"), Spec("smile", "it smiles", kind=Kind.EVENT))
CHOICE = Choice((FaceEstimator("warmth", SPECS, lambda face: (), delay=0.2),),
                frozenset(spec.name for spec in SPECS))  # fmt: skip
NOWHERE = np.full((68, 2), np.nan)


def face(id_: int = 0) -> Face:
    return Face(id_, State.LOST, "covered", NOWHERE, NOWHERE, 0.0, None)


def said(frame: int) -> Sequence[Finding]:
    """Say something of the frame before, and of every tenth frame that something happened."""
    found = [Finding(0, "warmth", Readings(frame - 1, {"heat": Reading(frame / 10)}))]
    if frame % 10 == 0:
        smile = Event("smile", (30 - frame) / 10, 3.1, 3.2)  # the later, the earlier it began
        found.append(Finding(0, "warmth", smile))
    return found


def write(tables: SignalTables, frames: range) -> None:
    for frame in frames:
        tables.write(frame, frame / 25, [face()], said(frame) if frame else ())


def contents(outputs: Outputs) -> list[bytes]:
    return [outputs.path(kind).read_bytes() for kind in ("signals", "events")]


@pytest.fixture
def whole(tmp_path: Path) -> Outputs:
    outputs = Outputs(tmp_path / "whole")
    with SignalTables(outputs, CHOICE) as tables:
        write(tables, range(31))
        tables.finish(said(31))
    tables.publish()
    return outputs


def test_late_readings_find_their_row_and_events_are_sorted_at_the_end(whole: Outputs) -> None:
    table = read_signals(whole.path("signals"))
    assert table.frame.tolist() == list(range(31))
    assert table.signals["heat"].value.tolist() == [(i + 1) / 10 for i in range(31)]
    assert [record.event.start for record in read_events(whole.path("events"))] == [0, 1, 2]
    assert not list(whole.base.parent.glob("*partial*"))


def test_another_one_goes_on_from_its_state(whole: Outputs, tmp_path: Path) -> None:
    outputs = Outputs(tmp_path / "again")
    with SignalTables(outputs, CHOICE) as tables:
        write(tables, range(15))
        state = json.loads(json.dumps(tables.state()))
        write(tables, range(15, 20))
    with SignalTables(outputs, CHOICE, state) as tables:
        write(tables, range(15, 31))
        tables.finish(said(31))
        assert tables.late == 0
    tables.publish()
    assert contents(outputs) == contents(whole)


def test_columns_of_both_files_are_described(tmp_path: Path) -> None:
    with SignalTables(Outputs(tmp_path / "a"), CHOICE) as tables:
        columns = tables.columns()
    assert [c.name for c in columns["signals"]] == [
        "frame", "timestamp", "face_id", "heat", "heat_reason"
    ]  # fmt: skip
    assert "smile: it smiles" in {c.meaning for c in columns["events"]}


@pytest.mark.parametrize("state", [{}, {"rows": {"_waiting": [], "late": 0}, "bytes": ["many", 0]}])
def test_broken_states_are_refused(tmp_path: Path, state: dict[str, object]) -> None:
    with pytest.raises(InputError, match="saved state"):
        SignalTables(Outputs(tmp_path / "a"), CHOICE, state)


def test_files_that_are_gone_are_refused(tmp_path: Path) -> None:
    with SignalTables(Outputs(tmp_path / "a"), CHOICE) as tables:
        state = tables.state()
    (tmp_path / "a.events.partial.csv").unlink()
    with pytest.raises(FormatError, match="no such file"):
        SignalTables(Outputs(tmp_path / "a"), CHOICE, state)


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="create the folder first"):
        SignalTables(Outputs(tmp_path / "gone" / "a"), CHOICE)
