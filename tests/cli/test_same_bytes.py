"""What `facetrack track` writes does not depend on threads: neither BLAS', nor workers'."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facetrack.annotation.corrections import Correction, write_corrections
from facetrack.face import Source
from facetrack.synthetic.portrait import stranger
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo
from facetrack.video.sink import write_video

pytestmark = pytest.mark.slow

N_FRAMES = 30


@pytest.fixture(scope="module")
def folder(shipped_model, tmp_path_factory) -> Path:
    """Give a folder with clips of two people in `clips` and corrections of the first in `said`."""
    path: Path = tmp_path_factory.mktemp("bytes")
    (path / "clips").mkdir()
    for name, faces in (("a", None), ("b", [SyntheticFace(stranger())])):
        source = SyntheticVideo(
            shipped_model.shape_model, n_frames=N_FRAMES, size=(320, 240), faces=faces
        )
        write_video(source, path / "clips" / f"{name}.mp4")
        if faces is None:
            vouched = np.full(68, Source.CORRECTED)
            said = {n: Correction(source.truth(n) + np.array([0, 2]), vouched) for n in (4, 10)}
            write_corrections(path / "said", said)
    return path


def _track(folder: Path, out: str, *arguments: str, blas: int) -> dict[str, bytes]:
    """Give the tables that a run writes, and the profile where it keeps one."""
    words = [word.format(here=folder) for word in (*arguments, "-o", f"{{here}}/{out}")]
    command = [sys.executable, "-m", "facetrack", "track", *words]
    threads = {"OPENBLAS_NUM_THREADS": str(blas), "MKL_NUM_THREADS": str(blas)}
    child = subprocess.run(
        command, env=os.environ | threads, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    written = sorted(folder.glob(f"{out}/*.csv"))
    assert written
    if "--save-profile" in arguments:
        written.append(Path(words[-3]))
    return {path.name.removeprefix(out): path.read_bytes() for path in written}


def _differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name, content in one.items() if other[name] != content]


@pytest.mark.parametrize(
    "asked",
    [(), ("--adapt",), ("--adapt", "--corrections", "{here}/said")],
    ids=["plain", "adapting", "taught"],
)
def test_threads_of_blas_change_no_byte(folder: Path, asked: tuple[str, ...]) -> None:
    runs = []
    for blas in (1, 2):
        name = f"with{blas}-{len(asked)}"
        keep = ("--save-profile", f"{{here}}/{name}.npz") if asked else ()
        runs.append(_track(folder, name, "{here}/clips/a.mp4", *asked, *keep, blas=blas))
    assert _differing(*runs) == []
    assert (".npz" in runs[0]) == bool(asked)


def test_workers_change_no_byte(folder: Path) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    keep = ("--corrections", "{here}/said", "--save-profile", "{here}/anna.npz")
    _track(folder, "first", "{here}/clips/a.mp4", *keep, blas=1)
    asked = ("{here}/clips", "--adapt", "--profile", "{here}/anna.npz")
    alone = _track(folder, "alone", *asked, blas=2)
    for workers in ("1", "4"):
        there = _track(folder, f"by{workers}", *asked, "--workers", workers, blas=2)
        assert _differing(alone, there) == []
