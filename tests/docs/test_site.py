"""The site builds without a warning, with its formulas and the reference of the public names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import facetrack
from tests.docs.pages import ROOT


@pytest.mark.slow
def test_the_site_builds(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-b", "html",
               "-c", "docs", ".", str(tmp_path))  # fmt: skip
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    reference = (tmp_path / "docs" / "api.html").read_text("utf-8")
    names = [name for name in facetrack.__all__ if not name.startswith("_")]
    assert not [name for name in names if f'id="facetrack.{name}"' not in reference]
    assert "<math" in (tmp_path / "docs" / "method.html").read_text("utf-8")
