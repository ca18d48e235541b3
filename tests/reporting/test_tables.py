"""Tables for people."""

from __future__ import annotations

import json
import math
import re

from hypothesis import given
from hypothesis import strategies as st

from facetrack.reporting.tables import (
    Part,
    Quantity,
    Table,
    as_data,
    as_markdown,
    as_text,
    from_data,
)

TABLE = Table(["name", "value"], [["a", 1.5], ["longer", float("nan")], ["|", None]])


def test_tables_are_aligned() -> None:
    assert TABLE.text().splitlines() == [
        "name    value", "------  -----", "a       1.500", "longer      -", "|           -"
    ]  # fmt: skip


def test_markdown_shows_the_same_cells() -> None:
    assert TABLE.markdown().splitlines() == [
        "| name | value |", "| --- | ---: |", "| a | 1.500 |", "| longer | - |", r"| \| | - |"
    ]  # fmt: skip


def test_lines_stand_between_tables() -> None:
    parts: list[Part] = ["lag of a_b: *3* ms", "", Table(["n"], [[1]])]
    assert as_text(parts) == "lag of a_b: *3* ms\n\nn\n-\n1"
    assert as_markdown(parts) == "lag of a_b: \\*3\\* ms\n\n| n |\n| ---: |\n| 1 |\n"


@given(st.lists(st.text(), min_size=2, max_size=4))
def test_no_text_breaks_a_row(cells: list[str]) -> None:
    lines = Table(["x"] * len(cells), [cells]).markdown().splitlines()
    assert len(lines) == 3
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[2])) == len(cells) + 1


def test_quantities_are_shown_in_their_own_way() -> None:
    table = Table(["x"], [[Quantity(12.345, 1, " %")], [Quantity(-0.0001)], [Quantity(math.nan)]])
    assert table.cells == [["12.3 %"], ["0.000"], ["-"]]
    assert table.wordy == [False]


def test_reports_hold_what_is_shown() -> None:
    parts: list[Part] = [
        "so it is",
        Table(["a", "b", "c"], [["x", 0.25, Quantity(12.345, 1, " %")]]),
    ]
    kept = json.loads(json.dumps(as_data(parts)))
    assert as_text(from_data(kept)) == as_text(parts)
