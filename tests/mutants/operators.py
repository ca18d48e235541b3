"""Small changes of a module, one at a time: an operator, a number, a condition, a statement."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_SWAPS: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.USub: ast.UAdd,
}  # fmt: skip
# Annotations are never evaluated, and what errors say is for people.
_LEFT_OUT: Final = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)
_ANNOTATIONS: Final = ("annotation", "returns", "decorator_list")
_BLOCKS: Final = ("body", "orelse", "finalbody")


class Change(NamedTuple):
    """A change: its line, what it does there, and the whole module's text with it."""

    line: int
    what: str
    text: str


def count_changes(text: str) -> int:
    """Count the changes that can be made to a module's text."""
    return sum(1 for _ in _changes(ast.parse(text)))


def change(text: str, number: int) -> Change:
    """Make one of them; numbers run from 0."""
    tree = ast.parse(text)
    parent, field, index, old, new = list(_changes(tree))[number]
    line = getattr(old, "lineno", None) or parent.lineno  # type: ignore[attr-defined]
    shown = parent if type(old) in _SWAPS else old
    before = _first_line(shown)
    block = getattr(parent, field)
    if isinstance(block, list):
        block[index] = new
    else:
        setattr(parent, field, new)
    ast.fix_missing_locations(tree)
    after = _first_line(parent if shown is parent else new)
    return Change(line, f"{before} -> {after}", ast.unparse(tree))


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str, int, ast.AST, ast.AST]]:
    """Yield parent, field, place in a list, child, and what may stand there instead."""
    for field, value in ast.iter_fields(node):
        children: list[Any] = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            skipped = field in _ANNOTATIONS or isinstance(child, _LEFT_OUT) or _of_types(child)
            if not isinstance(child, ast.AST) or skipped:
                continue
            for new in _instead(field, child):
                yield node, field, index, child, new
            yield from _changes(child)


def _instead(field: str, child: ast.AST) -> Iterator[ast.AST]:
    if type(child) in _SWAPS:
        yield _SWAPS[type(child)]()
    if field == "test" and isinstance(child, ast.expr):
        yield ast.UnaryOp(ast.Not(), child)
    match child:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(number) | float(number)):
            yield ast.Constant(number + 1)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]) if field in _BLOCKS:
            yield ast.Pass()


def _of_types(node: Any) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]
