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


def test_a_program_that_a_test_starts_has_the_change_too(root: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import subprocess, sys\n"
        "def test_it():\n"
        "    said = 'from facetrack.features.pixels import SMALLEST_SIDE as s; assert s == 16'\n"
        "    subprocess.run([sys.executable, '-c', said], check=True)\n"
    )
    file, tests = "facetrack/features/pixels.py", [str(tmp_path / "test_it.py")]
    text = (root / file).read_text(encoding="utf-8")
    assert judge(root, file, text, tests)[0] is Outcome.SURVIVED
    changed = text.replace("SMALLEST_SIDE: Final = 16", "SMALLEST_SIDE: Final = 17")
    assert judge(root, file, changed, tests)[0] is Outcome.KILLED


def test_a_text_that_is_gone_is_named(root: Path) -> None:
    with pytest.raises(AssertionError, match=r"gone: .* holds its text 0 times"):
        Mutant("gone", "facetrack/face.py", "not there", "", ()).text(root)
