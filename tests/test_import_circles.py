"""No file needs itself: the graph of all imports, those in functions and for types included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FREE_OF_CIRCLES = ("facetrack", "facetrack_app")


def _sources() -> dict[str, Path]:
    """Find all modules of the library and the application."""
    found = {}
    for base in (ROOT / "facetrack", ROOT / "app" / "facetrack_app"):
        for path in base.rglob("*.py"):
            parts = path.relative_to(base.parent).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def _imports(tree: ast.Module, known: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in known else str(node.module)


def _graph(texts: dict[str, str]) -> dict[str, set[str]]:
    known = set(texts)
    return {
        name: known.intersection(_imports(ast.parse(text), known)) - {name}
        for name, text in texts.items()
    }


def _circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", FREE_OF_CIRCLES)
def test_no_file_needs_itself(package: str) -> None:
    graph = _graph({name: path.read_text("utf-8") for name, path in _sources().items()})
    assert any(graph.values())
    part = {name: graph[name] for name in graph if f"{name}.".startswith(f"{package}.")}
    assert _circle(part) == []


@pytest.mark.parametrize(
    "back",
    [
        "from p.one import a",
        "from p import one",
        "import p.one",
        "def f():\n    from p.one import a",
        "if TYPE_CHECKING:\n    from p.one import a",
    ],
)
def test_a_circle_is_found_wherever_its_import_stands(back: str) -> None:
    texts = {"p": "", "p.one": "from p.two import b", "p.two": back}
    assert set(_circle(_graph(texts))) == {"p.one", "p.two"}
