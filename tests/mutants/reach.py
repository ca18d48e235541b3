"""Which functions each file of tests runs, measured once: few have to judge a mutant then."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypedDict

from coverage import CoverageData

from facetrack.formats.atomic import write_text
from tests.mutants.runner import COMPILED, OPTIONS

_BODY: Final = "body"  # what runs while a module is imported: constants, defaults, classes


class _Of(TypedDict):
    """What a file of tests runs: `module: functions`, in so many seconds of a processor."""

    digest: str
    seconds: float
    runs: dict[str, list[str]]


class Reach:
    """Files of tests and what they run; kept in a file, so that only new texts are measured.

    After a change of the package it may be out of date. That can only keep a mutant alive; without
    the file, all is measured again.
    """

    def __init__(
        self, root: Path, kept: Path, tests: Iterable[Path], progress: Callable[[str], Any]
    ) -> None:
        self._root = root
        known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        self._of: dict[str, _Of] = {}
        for test in tests:
            name = test.relative_to(root).as_posix()
            digest = sha256(test.read_bytes()).hexdigest()[:16]
            if known.get(name, {}).get("digest") != digest:
                seconds, runs = _measured(root, name)
                progress(f"{name}: {seconds:.0f} s" if runs else f"{name}: fails or runs nothing")
                known[name] = _Of(digest=digest, seconds=seconds, runs=runs)
                write_text(kept, json.dumps(known))
            self._of[name] = known[name]

    def tests_of(self, file: str, line: int, *, seconds: float) -> list[str]:
        """List files of tests that run a line's function, or what uses the line's module.

        The module's own come first, then those of its room, cheap ones before dear ones, as many as
        end within so many seconds.
        """
        function = enclosing((self._root / file).read_text(encoding="utf-8"), line)
        if function == _BODY or file.endswith(COMPILED):
            users = _users(self._root, file)
            reaching = [test for test, of in self._of.items() if users & of["runs"].keys()]
        else:
            reaching = [t for t, of in self._of.items() if function in of["runs"].get(file, ())]
        own, room = f"test_{Path(file).stem}.py", Path(file).parts[1]
        reaching.sort(
            key=lambda t: (Path(t).name != own, Path(t).parts[1] != room, self._of[t]["seconds"])
        )
        chosen: list[str] = []
        for test in reaching:
            seconds -= self._of[test]["seconds"]
            if seconds < 0 and chosen:
                break
            chosen.append(test)
        return chosen


def enclosing(text: str, line: int) -> str:
    """Name the outermost function or method that holds a line, with its class."""
    for name, first, _, last in _functions(ast.parse(text)):
        if first <= line <= last:
            return name
    return _BODY


def _functions(node: ast.AST, prefix: str = "") -> list[tuple[str, int, int, int]]:
    """List names of functions with their first line, that of their body, and the last."""
    found = []
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name, lineno=first, body=body, end_lineno=last):
                found.append((prefix + name, first, body[0].lineno, last or first))
            case ast.ClassDef(name=name):
                found += _functions(child, f"{prefix}{name}.")
            case _:
                found += _functions(child, prefix)
    return found


def _measured(root: Path, test: str) -> tuple[float, dict[str, list[str]]]:
    """Run a file of tests by itself; one that fails without a mutant says nothing of them."""
    before = _spent()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        (Path(folder) / "settings").touch()
        settings = (f"--rcfile={folder}/settings", f"--data-file={data}", "--source=facetrack")
        child = subprocess.run(
            [sys.executable, "-m", "coverage", "run", *settings, "-m", "pytest", *OPTIONS, test],
            cwd=root, capture_output=True, check=False,
        )  # fmt: skip
        runs = _functions_run(root, data) if child.returncode == 0 else {}
    return _spent() - before, runs


def _functions_run(root: Path, data: Path) -> dict[str, list[str]]:
    """List the functions of each module of which a line of the body ran."""
    covered = CoverageData(str(data))
    covered.read()
    runs = {}
    for path in covered.measured_files():
        lines = set(covered.lines(path) or ())
        functions = _functions(ast.parse(Path(path).read_text(encoding="utf-8")))
        run = [name for name, _, body, last in functions if lines & set(range(body, last + 1))]
        if run:
            runs[Path(path).relative_to(root).as_posix()] = run
    return runs


def _spent() -> float:
    used = os.times()
    return used.children_user + used.children_system


def _users(root: Path, file: str) -> set[str]:
    """List a module and those that import it: what is compiled is seen to run only there."""
    users = {file}
    for other in _imports(root)[_module(file)]:
        users |= _users(root, other) if other.endswith(COMPILED) else {other}
    return users


@cache
def _imports(root: Path) -> dict[str, set[str]]:
    """List the files that import each module."""
    files = [path.relative_to(root).as_posix() for path in (root / "facetrack").rglob("*.py")]
    found: dict[str, set[str]] = {_module(file): set() for file in files}
    for file in files:
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                for name in found.keys() & names:
                    found[name].add(file)
    return found


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
