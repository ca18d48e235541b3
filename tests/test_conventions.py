"""Conventions that hold because they are checked: read from the sources' syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("facetrack", "models", "app")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
FLAGS_HOME = ROOT / "facetrack" / "jit.py"
LONGEST_FUNCTION = 50  # lines, docstring not counted
LONGEST_MODULE = 400
DECORATORS = {"exact_kernel", "kernel"}
COMPILERS = {"cfunc", "generated_jit", "guvectorize", "jit", "njit", "stencil", "vectorize"}
UNPICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
TEXTS = ("*.py", "*.md", "*.toml", "*.txt", "*.cff", "*.yaml", "*.yml", "Makefile", ".ci/*")
OF_ONE_MACHINE = re.compile(r"/(?:home|root|work|Users)/\w|pythonhosted|(?:extra-)?index-url=")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _place(path: Path, node: ast.stmt | ast.expr) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def _name(node: ast.AST) -> str:
    """Give the last part of the name that a decorator or a call refers to."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _functions() -> Iterator[tuple[Path, Function]]:
    for path in SOURCES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, Function):
                yield path, node


def _calls() -> Iterator[tuple[Path, ast.Call]]:
    for path in SOURCES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call):
                yield path, node


def _length(function: Function) -> int:
    """Count the lines of a function without its docstring."""
    first = function.body[0]
    docstring = 0
    if ast.get_docstring(function) is not None:
        docstring = (first.end_lineno or 0) - first.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_kernels_stand_in_kernel_modules_and_nothing_else_does() -> None:
    wrong = [
        _place(path, function)
        for path, function in _functions()
        if bool(DECORATORS & set(map(_name, function.decorator_list)))
        != (path.name == "_kernels.py")
        and path != FLAGS_HOME
    ]
    assert not wrong


def test_only_one_place_chooses_compiler_flags() -> None:
    from_calls = [_place(p, c) for p, c in _calls() if _name(c) in COMPILERS and p != FLAGS_HOME]
    from_decorators = [
        _place(path, function)
        for path, function in _functions()
        if COMPILERS & set(map(_name, function.decorator_list))
    ]
    assert not from_calls + from_decorators


def test_compiler_flags_release_the_gil_cache_and_keep_nan() -> None:
    from facetrack import jit

    calls = [
        ast.unparse(call)
        for path, call in _calls()
        if path == FLAGS_HOME and ast.unparse(call.func) == "njit"
    ]
    assert calls[0] == "njit(cache=True, **flags)"
    assert jit.FLAGS["nogil"] is True
    assert jit.FLAGS.get("fastmath") is not True  # would make isnan(nan) false
    assert jit.EXACT == {**jit.FLAGS, "fastmath": False}


def test_functions_are_short() -> None:
    long = [
        f"{_place(path, function)} {function.name}: {_length(function)} lines"
        for path, function in _functions()
        if _length(function) > LONGEST_FUNCTION
    ]
    assert not long


def test_modules_are_short() -> None:
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}
    assert not {str(p): n for p, n in lengths.items() if n > LONGEST_MODULE}


def test_public_functions_and_classes_say_what_they_do() -> None:
    silent = []
    for path in SOURCES:
        if path.name == "_kernels.py":  # a kernel's comment says shapes and dtypes
            continue
        for node in _public(_tree(path)):
            if ast.get_docstring(node) is None:
                silent.append(f"{_place(path, node)} {node.name}")
    assert not silent


def _public(scope: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    for node in scope.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def test_every_module_says_what_it_is() -> None:
    assert not [str(path) for path in SOURCES if ast.get_docstring(_tree(path)) is None]


def test_nothing_is_unpickled() -> None:
    imports = [
        _place(path, node)
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if (isinstance(node, ast.Import) and UNPICKLERS & {a.name for a in node.names})
        or (isinstance(node, ast.ImportFrom) and node.module in UNPICKLERS)
    ]
    loads = [
        _place(path, call)
        for path, call in _calls()
        if ast.unparse(call.func) in ("np.load", "numpy.load") and not _refuses_pickle(call)
    ]
    assert not imports + loads


def _refuses_pickle(call: ast.Call) -> bool:
    return any(
        keyword.arg == "allow_pickle"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is False
        for keyword in call.keywords
    )


def test_torch_is_imported_only_below_folders_named_train() -> None:
    wrong = [
        _place(path, node)
        for path in SOURCES
        if "train" not in path.relative_to(ROOT).parts
        for node in ast.walk(_tree(path))
        if (
            isinstance(node, ast.Import)
            and any(a.name.split(".")[0] == "torch" for a in node.names)
        )
        or (isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "torch")
    ]
    assert not wrong


def test_only_the_command_line_prints() -> None:
    printing = [
        _place(path, call)
        for path, call in _calls()
        if ast.unparse(call.func) == "print" and path.parent.name != "cli"
    ]
    assert not printing


def test_the_application_says_its_licence() -> None:
    line = "# SPDX-License-Identifier: GPL-3.0-or-later"
    silent = [
        str(path)
        for path in (ROOT / "app").rglob("*.py")
        if path.read_text(encoding="utf-8").splitlines()[0] != line
    ]
    assert not silent


def test_the_library_does_not_even_name_the_application() -> None:
    # In a string, where import-linter is blind.
    naming = [
        str(path)
        for path in (ROOT / "facetrack").rglob("*.py")
        if "facetrack_app" in path.read_text(encoding="utf-8")
    ]
    assert not naming


def test_the_application_takes_only_public_names_of_the_library() -> None:
    private = [
        _place(path, node)
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] == "facetrack"
        and "._" in ".".join((node.module or "", *(alias.name for alias in node.names)))
    ]
    assert not private


def test_every_room_is_a_package() -> None:
    rooms = {path.parent for path in SOURCES}
    assert not [str(room) for room in rooms if not (room / "__init__.py").is_file()]


@pytest.mark.parametrize(
    "folder", [".", ".github", "facetrack", "app", "models", "tests", "benchmarks", "docs"]
)
def test_no_text_knows_the_machine_it_was_written_on(folder: str) -> None:
    top = ROOT / folder
    find = top.glob if folder == "." else top.rglob
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for pattern in TEXTS
        for path in find(pattern)
        if path.is_file() and path != Path(__file__).resolve()
        for found in OF_ONE_MACHINE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not wrong


def test_both_lists_of_qt_libraries_agree() -> None:
    from facetrack.qt_libraries import PACKAGES

    script = (ROOT / ".ci" / "system-packages").read_text(encoding="utf-8")
    listed = re.search(r'qt_packages="([^"]*)"', script)
    assert listed is not None
    assert listed[1].replace("\\\n", " ").split() == list(PACKAGES)
