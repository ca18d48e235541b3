"""The method cannot be lost unnoticed: every named mutant of it dies by the tests it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.runner import Mutant, Outcome, judge, named


@pytest.mark.parametrize("mutant", named(), ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_it_dies(root: Path, mutant: Mutant) -> None:
    outcome, said = judge(root, mutant.file, mutant.text(root), mutant.tests)
    assert outcome is Outcome.KILLED, f"{mutant.name}: {mutant.tests} did not notice: {said}"


def test_what_changes_nothing_survives(root: Path) -> None:
    """Or the others might die of the plugin."""
    mutant = next(m for m in named() if m.file == "facetrack/regression/continuous.py")
    same = replace(mutant, new=mutant.old).text(root)
    assert judge(root, mutant.file, same, mutant.tests)[0] is Outcome.SURVIVED


def test_a_text_that_is_gone_is_named(root: Path) -> None:
    with pytest.raises(AssertionError, match=r"gone: .* holds its text 0 times"):
        Mutant("gone", "facetrack/face.py", "not there", "", ()).text(root)
