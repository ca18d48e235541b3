"""Kills, failing disks and power cuts: nothing older than the last finished drag is lost."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facetrack_app.model.session import Session
from tests.app.services import work

HERE = Path(__file__).parent
KILLS = int(os.environ.get("FACETRACK_KILLS", "50"))
CUTS = int(os.environ.get("FACETRACK_CUTS", "40"))
DRAGS = 4


def test_kills_lose_no_finished_drag() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("kills are tested where processes fork")
    child = subprocess.run(
        [sys.executable, str(HERE / "kills.py"), str(KILLS), "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    assert child.stdout.startswith(f"{KILLS} kills")
    assert int(child.stdout.split()[2]) > KILLS  # they did come in the middle of work


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the library that makes writes fail."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler and Linux to make writes fail")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    command = [compiler, "-shared", "-fPIC", "-O1", str(HERE / "faults.c"), "-o", str(library)]
    subprocess.run([*command, "-ldl"], check=True)
    return library


def _run(shim: Path, folder: Path, at: int, mode: str) -> tuple[str, int]:
    """Work with a fault; returns what was said and how many calls there were."""
    count = folder.parent / f"{folder.name}.count"
    folder.mkdir()
    environment = {
        **os.environ, "LD_PRELOAD": str(shim), "FAULT_FOLDER": str(folder), "FAULT_AT": str(at),
        "FAULT_MODE": mode, "FAULT_COUNT": str(count),
    }  # fmt: skip
    child = subprocess.run(
        [sys.executable, str(HERE / "work.py"), str(folder), str(DRAGS)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert child.returncode in (0, 9), child.stderr
    assert (child.returncode == 9) == (mode == "cut"), child.stderr
    return child.stdout, int(count.read_text())


@pytest.fixture(scope="module")
def n_calls(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Count the writes, syncs and renames of undisturbed work."""
    said, calls = _run(shim, tmp_path_factory.mktemp("count") / "s", 0, "fail")
    assert f"drag {DRAGS - 1}" in said
    assert "trouble" not in said
    return calls


def _check(folder: Path, said: str) -> None:
    session = Session(folder, work.N_FRAMES)
    corrections = session.corrections(0) if 0 in session.people else {}
    for number in map(int, re.findall(r"^drag (\d+)$", said, re.MULTILINE)):
        np.testing.assert_array_equal(corrections[number].points, work.points_of(number))
    assert session.store.read("PRAGMA integrity_check") == [("ok",)]
    session.close()


def _chosen(n_calls: int, count: int) -> list[int]:
    """Spread the faults over all calls; with enough of them each is hit."""
    return sorted({int(k) for k in np.linspace(1, n_calls, min(count, n_calls)).round()})


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fail", "full"])
def test_a_failing_write_loses_the_drag_in_progress_alone(
    shim: Path, n_calls: int, tmp_path: Path, mode: str
) -> None:
    for k in _chosen(n_calls, CUTS):
        folder = tmp_path / f"{mode}{k}"
        said, _ = _run(shim, folder, k, mode)
        for line in said.splitlines():
            if line.startswith("trouble"):
                assert str(folder) in line  # the message names the file
        if mode == "fail":
            finished = len(re.findall(r"^drag ", said, re.MULTILINE))
            assert finished >= DRAGS - 1 or "drag" not in said
        _check(folder, said)


@pytest.mark.slow
def test_a_power_cut_loses_the_drag_in_progress_alone(
    shim: Path, n_calls: int, tmp_path: Path
) -> None:
    for k in _chosen(n_calls, CUTS):
        said, _ = _run(shim, tmp_path / f"cut{k}", k, "cut")
        _check(tmp_path / f"cut{k}", said)
