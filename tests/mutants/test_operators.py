"""Every small change is made, one at a time, and nothing else is."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from tests.mutants.operators import change, count_changes

TEXT = '''
"""Says 3 things."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from a import b
LIMIT: Final[NDArray[4]] = 0.5
def f(x: int | None, y=True):
    """Says 5 more."""
    if not x < 2:
        x.y[0] = -y
    z = x @ y
    list.append(z)
    assert z > 7
    raise ValueError(f"{x:8}" + "no")
'''


def test_each_is_what_it_says() -> None:
    made = [change(TEXT, number) for number in range(count_changes(TEXT))]
    assert {one.what for one in made} == {
        "0.5 -> 1.5",
        "True -> False",
        "not x < 2 -> not not x < 2",
        "not x < 2 -> x < 2",
        "x < 2 -> x <= 2",
        "2 -> 3",
        "x.y[0] = -y -> pass",
        "0 -> 1",
        "-y -> +y",
        "list.append(z) -> pass",
    }
    assert [one.line for one in made] == sorted(one.line for one in made)
    assert len({one.text for one in made}) == len(made)


def test_nothing_else_changes() -> None:
    (number,) = (n for n in range(count_changes(TEXT)) if change(TEXT, n).what == "2 -> 3")
    assert change(TEXT, number).text == ast.unparse(ast.parse(TEXT.replace("< 2", "< 3")))
    with pytest.raises(IndexError):
        change(TEXT, count_changes(TEXT))


def test_reasons_are_of_lines_that_are_there(root: Path) -> None:
    reasons = tomllib.loads((root / "tests/mutants/survivors.toml").read_text(encoding="utf-8"))
    for reason in reasons["survivor"]:
        lines = (root / reason["file"]).read_text(encoding="utf-8").splitlines()
        assert reason["source"] in map(str.strip, lines), reason
