"""The names of the API reference say their parameters, what they return and what they raise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import facetrack
from tests.docs.pages import DOCS, ROOT, text_of


def _sources() -> set[Path]:
    named = re.findall(r"^\.\. automodule:: (\S+)$", text_of(DOCS / "api.md"), re.MULTILINE)
    assert len(named) > 10
    modules = {*named, *facetrack._HOMES.values()} - {"facetrack"}
    return {ROOT.joinpath(*module.split(".")).with_suffix(".py") for module in modules}


def _functions(nodes: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Find public functions, and methods of public classes."""
    for node in nodes:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _functions(node.body)
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


def _exported(tree: ast.Module) -> set[str]:
    """Give the names in a module's `__all__`."""
    lists = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return {name for value in lists for name in ast.literal_eval(value)}


def test_every_public_name_is_described() -> None:
    reference = _sources()
    silent, seen = [], 0
    for path in sorted((ROOT / "facetrack").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        names = _exported(tree)
        whole = path in reference and not names  # as Sphinx has it
        public = [n for n in tree.body if whole or getattr(n, "name", "") in names]
        for function in _functions(public):
            seen += 1
            place = f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
            silent += [f"{place}: {lacking}" for lacking in _lacking(function)]
    assert seen > 100
    assert not silent
