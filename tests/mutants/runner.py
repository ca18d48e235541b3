"""Runs tests against a changed text of one module; the working tree is never changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from tests.mutants.plugin import MODULE, TEXT

NAMED: Final = Path(__file__).with_name("named.toml")
COMPILED: Final = ("_kernels.py", "jit.py", "vectors.py")  # what kernels are made of
OPTIONS: Final = (
    "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow",
    "--exitfirst", "--quiet", "--tb=line", "--no-header",
)  # fmt: skip
PLUGIN: Final = "tests.mutants.plugin"
_NO_TESTS: Final = 5  # pytest's exit status


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    BROKEN = "no test could begin"
    TIMEOUT = "no test came to its end"


@dataclass(frozen=True)
class Mutant:
    """A change of one file, and the tests that should notice it; all as in `named.toml`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def text(self, root: Path) -> str:
        """Give the file's changed text; an error names the mutant that no longer fits."""
        text = (root / self.file).read_text(encoding="utf-8")
        count = text.count(self.old)
        assert count == 1, f"{self.name}: {self.file} holds its text {count} times: {self.old!r}"
        return text.replace(self.old, self.new)


def named() -> list[Mutant]:
    """Read the list of named mutants."""
    entries = tomllib.loads(NAMED.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**entry | {"tests": tuple(entry["tests"])}) for entry in entries]


def judge(
    root: Path, file: str, text: str, tests: Sequence[str], *, timeout: float = 3600
) -> tuple[Outcome, str]:
    """Run tests against a file's changed text; returns what pytest printed at last, too."""
    module = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "text.py").write_text(text, encoding="utf-8")
        environment = os.environ | {MODULE: module, TEXT: f"{folder}/text.py"}
        # programs that tests start have it, too
        (Path(folder) / "sitecustomize.py").write_text(f"import {PLUGIN}\n", encoding="utf-8")
        paths = (folder, str(root), os.environ.get("PYTHONPATH", ""))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        if file.endswith(COMPILED):
            environment["NUMBA_CACHE_DIR"] = _cache_without(file, Path(folder))
        try:
            child = subprocess.run(
                [sys.executable, "-m", "pytest", *OPTIONS, *tests],
                cwd=root, env=environment, capture_output=True, text=True, timeout=timeout,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome.TIMEOUT, f"after {timeout:.0f} s"
    if child.returncode < 0:
        return Outcome.TIMEOUT, f"ended by signal {-child.returncode}"
    if child.returncode not in (0, 1, _NO_TESTS):
        return Outcome.BROKEN, child.stdout + child.stderr
    said = [line for line in child.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return Outcome.KILLED if child.returncode == 1 else Outcome.SURVIVED, " ".join(said)


def _cache_without(file: str, folder: Path) -> str:
    """Copy what numba has compiled but the kernels of a file, whose change it would not see."""
    kept = Path(os.environ.get("NUMBA_CACHE_DIR", folder))
    for room in kept.iterdir() if file.endswith("_kernels.py") else ():  # no kernel uses others
        if room.is_dir() and not room.name.startswith(f"{Path(file).parts[-2]}_"):
            shutil.copytree(room, folder / room.name)
    return str(folder)
