"""The names of the API reference say their parameters, what they return and what they raise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import facetrack
from tests.docs.pages import DOCS, ROOT, text_of

Scope = ast.Module | ast.ClassDef


def _sources() -> set[Path]:
    named = re.findall(r"^\.\. automodule:: (\S+)$", text_of(DOCS / "api.md"), re.MULTILINE)
    assert len(named) > 10
    modules = {*named, *facetrack._HOMES.values()} - {"facetrack"}
    return {ROOT.joinpath(*module.split(".")).with_suffix(".py") for module in modules}


def _functions(scope: Scope) -> Iterator[ast.FunctionDef]:
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _functions(node)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def _lacking(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    taken = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    gives = function.returns is not None and ast.unparse(function.returns) != "None"
    needed = {
        "Parameters": bool(taken - {"self", "cls"}),
        "Returns|Yields": gives and not decorators & {"property", "cached_property"},
        "Raises": any(isinstance(node, ast.Raise) for node in ast.walk(function)),
    }
    text = ast.get_docstring(function) or ""
    return [name for name, is_due in needed.items()
            if is_due and not re.search(rf"^({name})\n-", text, re.MULTILINE)]  # fmt: skip


def test_every_public_name_is_described() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {lacking}"
        for path in sorted(_sources())
        for function in _functions(ast.parse(path.read_text("utf-8")))
        for lacking in _lacking(function)
    ]
    assert not silent
