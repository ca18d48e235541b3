"""Tests that judge a mutant are those that run its function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.reach import Reach, enclosing

MODULES = {
    "facetrack/a/_kernels.py": "def add(x):\n    return x + 1\n",
    "facetrack/a/maths.py": "from facetrack.a import _kernels\nN = 2\ndef f(x):\n    return x\n",
    "facetrack/b/user.py": "from facetrack.a.maths import N\ndef g():\n    return N\n",
}
F, G = {"facetrack/a/maths.py": ["f"]}, {"facetrack/b/user.py": ["g"]}
RUNS: dict[str, tuple[float, Mapping[str, list[str]]]] = {
    "tests/a/test_first.py": (50, F),
    "tests/a/test_maths.py": (60, F),
    "tests/a/test_other.py": (9, F | G),
    "tests/b/test_user.py": (5, F | G),
    "tests/b/test_cheap.py": (1, G),
}


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    known: dict[str, Any] = {}
    for name, text in (MODULES | dict.fromkeys(RUNS, "")).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    digest = sha256(b"").hexdigest()[:16]
    for name, (seconds, runs) in RUNS.items():
        known[name] = {"digest": digest, "seconds": seconds, "runs": runs}
    (tmp_path / "kept.json").write_text(json.dumps(known), encoding="utf-8")
    tests = [tmp_path / name for name in RUNS]
    return Reach(tmp_path, tmp_path / "kept.json", tests, pytest.fail)


def test_own_tests_come_first_then_those_of_the_room_cheap_ones_before_dear(reach: Reach) -> None:
    assert reach.tests_of("facetrack/a/maths.py", 4, seconds=1000) == [
        "tests/a/test_maths.py",
        "tests/a/test_other.py",
        "tests/a/test_first.py",
        "tests/b/test_user.py",
    ]


@pytest.mark.parametrize(("seconds", "count"), [(10, 1), (69, 2), (68, 1), (119, 3)])
def test_they_end_in_time_but_one_judges_in_any_case(
    reach: Reach, seconds: float, count: int
) -> None:
    assert len(reach.tests_of("facetrack/a/maths.py", 4, seconds=seconds)) == count


def test_constants_and_kernels_are_judged_by_all_that_use_the_module(reach: Reach) -> None:
    assert set(reach.tests_of("facetrack/a/maths.py", 2, seconds=1000)) == set(RUNS)
    assert set(reach.tests_of("facetrack/a/_kernels.py", 2, seconds=1000)) == {
        name for name, (_, runs) in RUNS.items() if "facetrack/a/maths.py" in runs
    }


def test_a_line_is_of_the_outermost_function_or_method() -> None:
    text = "A = 1\nclass B:\n    c = 2\n    def d(self, e=3):\n        def f():\n            pass\n"
    assert [enclosing(text, line) for line in range(1, 7)] == [
        "body", "body", "body", "B.d", "B.d", "B.d",
    ]  # fmt: skip
