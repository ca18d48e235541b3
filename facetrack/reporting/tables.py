"""Tables and what stands between them, as plain text for terminals and as Markdown for pages."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

import numpy as np

# An underscore inside a word is none of Markdown's marks.
_MARKS: Final = re.compile(r"[\\`*\[\]<>|~#&]|(?<!\w)_|_(?!\w)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that is shown in its own way."""

    value: float  # NaN is shown as a dash
    digits: int = 3  # after the point
    unit: str = ""  # stands behind it, with the blank that belongs between

    def __str__(self) -> str:
        return f"{self.value:z.{self.digits}f}{self.unit}" if math.isfinite(self.value) else "-"


@dataclass(frozen=True, slots=True)
class Table:
    """A table, whatever it is shown on."""

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]  # floats get 3 digits; NaN, None: a dash

    @property
    def cells(self) -> list[list[str]]:
        """The rows as they are shown."""
        return [[_cell(value) for value in row] for row in self.rows]

    @property
    def wordy(self) -> list[bool]:
        """Whether each column holds words, which are left-aligned; numbers are right-aligned."""
        return [any(isinstance(row[k], str) for row in self.rows) for k in range(len(self.headers))]

    def text(self) -> str:
        """Lay the table out for a terminal."""
        lines = [list(self.headers), *self.cells]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, ["-" * width for width in widths])
        wordy = self.wordy
        return "\n".join(
            "  ".join(
                cell.ljust(width) if left else cell.rjust(width)
                for cell, width, left in zip(line, widths, wordy, strict=True)
            ).rstrip()
            for line in lines
        )

    def markdown(self) -> str:
        """Lay the table out as GitHub's Markdown."""
        marks = ["---" if left else "---:" for left in self.wordy]
        escaped = [[escape(cell) for cell in line] for line in (self.headers, *self.cells)]
        escaped.insert(1, marks)
        return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


Part: TypeAlias = str | Table


def as_text(parts: Iterable[Part]) -> str:
    """Lay out lines and tables for a terminal."""
    return "\n".join(part.text() if isinstance(part, Table) else part for part in parts)


def as_markdown(parts: Iterable[Part]) -> str:
    """Lay out lines and tables as Markdown."""
    blocks = [part.markdown() if isinstance(part, Table) else escape(part) for part in parts]
    return "\n\n".join(filter(None, blocks)) + "\n"


def as_data(parts: Iterable[Part]) -> list[str | dict[str, list[Any]]]:
    """Turn lines and tables into what a JSON report holds."""
    return [part if isinstance(part, str) else _plain(part) for part in parts]


def _plain(table: Table) -> dict[str, list[Any]]:
    rows = [[asdict(v) if isinstance(v, Quantity) else v for v in row] for row in table.rows]
    return {"headers": list(table.headers), "rows": rows}


def from_data(data: Iterable[str | Mapping[str, Any]]) -> list[Part]:
    """Read lines and tables out of a JSON report."""
    return [part if isinstance(part, str) else _table(part) for part in data]


def _table(data: Mapping[str, Any]) -> Table:
    rows = [[_quantity(v) if isinstance(v, dict) else v for v in row] for row in data["rows"]]
    return Table(data["headers"], rows)


def _quantity(data: Mapping[str, Any]) -> Quantity:
    value = math.nan if data["value"] is None else data["value"]
    return Quantity(value, data["digits"], data["unit"])


def escape(text: str) -> str:
    """Take the meaning of Markdown's marks away."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def _cell(value: object) -> str:
    if value is None:  # NaN in a JSON report
        return "-"
    if isinstance(value, float | np.floating):
        return f"{value:.3f}" if math.isfinite(value) else "-"
    return str(value)
