"""Fixtures and settings of the whole test suite."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent


def _use_fresh_kernel_cache() -> None:
    """Point numba at a cache that belongs to the present text of all kernels.

    Numba's own cache does not see a change in a kernel that is called from another file. The
    folder's name is a digest of every kernel and of the compiler's flags, so an edit starts an
    empty cache; the others go. Must run before numba is imported; child processes inherit it.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    digest = hashlib.sha256()
    sources = ROOT / "facetrack"
    for path in (sources / "features" / "jit.py", *sorted(sources.rglob("_kernels.py"))):
        digest.update(path.read_bytes())
    caches = ROOT / ".cache" / "numba"
    mine = caches / digest.hexdigest()[:16]
    try:
        mine.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only tree: numba finds a place of its own
        return
    os.environ["NUMBA_CACHE_DIR"] = str(mine)
    for other in caches.iterdir():
        if other != mine:
            shutil.rmtree(other, ignore_errors=True)


_use_fresh_kernel_cache()

# The first example compiles kernels, so a deadline would fail on a cold cache only.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=100, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """Give the folder of research material beside the repository, or skip."""
    folder = root.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the research material is not beside the repository (../shared)")
    return folder
