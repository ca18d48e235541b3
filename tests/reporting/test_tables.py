"""Tables for people."""

from __future__ import annotations

from facetrack.reporting.tables import table


def test_tables_are_aligned() -> None:
    lines = table(["name", "value"], [["a", 1.5], ["longer", float("nan")]]).splitlines()
    assert lines == ["name    value", "------  -----", "a       1.500", "longer      -"]
