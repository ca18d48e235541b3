"""English as an engineer writes it: words that must not come back where people read."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

from facetrack.cli import main as entry
from facetrack_app.model.actions import ACTIONS
from tests.docs.pages import PAGES, ROOT, name_of, text_of

WORDS = re.compile(
    r"\b(somebody|nobody|go(es|ing)? on|went on|nought|further ado|whoever|thereby|cannot be had"
    r"|cannot be said|tells? whether|no business|in vain"
    # and what advertises
    r"|seamless\w*|leverag\w+|utili[sz]\w+|blazing\w*|cutting-edge|state-of-the-art|effortless\w*"
    r"|simply|obviously|powerful|please note)\b",
    re.IGNORECASE,
)


def _help(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield parser.format_help()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for kind in action.choices.values():
                yield from _help(kind)


def _texts() -> Iterator[tuple[str, str]]:
    first_steps = ROOT / "app" / "facetrack_app" / "first_steps.md"
    yield from ((name_of(page), text_of(page)) for page in (*PAGES, first_steps))
    for name in (*entry.COMMANDS, *entry._added()):
        command = entry._load(name)
        parser = argparse.ArgumentParser(description=command.HELP)
        command.add_arguments(parser)
        yield from ((f"facetrack {name} --help", text) for text in _help(parser))
    yield from ((f"action {action.id}", f"{action.text}: {action.tip}") for action in ACTIONS)


def _messages(path: Path) -> Iterator[str]:
    """Yield what a file's code says: all of its texts but docstrings."""
    tree = ast.parse(text_of(path))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def test_messages_keep_to_them() -> None:
    found = [
        (name_of(path), word[0], text)
        for room in ("facetrack", "app", "benchmarks")
        for path in sorted((ROOT / room).rglob("*.py"))
        for text in _messages(path)
        for word in WORDS.finditer(text)
    ]
    assert not found


def test_words_that_were_replaced_stay_away() -> None:
    found = [
        (name, word[0])
        for name, text in _texts()
        for word in WORDS.finditer(" ".join(text.split()))
    ]
    assert not found


# What the code called things that computer vision has names for.
_OLD_NAMES = re.compile(
    r"_?(strands?|claims?|unclaimed|knowledge|own_level|clues?|trials|lessons?|certain"
    r"|worsening)",
    re.IGNORECASE,
)


def _names(path: Path) -> Iterator[str]:
    """Yield what a file's code calls its classes, functions, attributes and variables."""
    for node in ast.walk(ast.parse(text_of(path))):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name


def test_names_that_were_replaced_stay_away() -> None:
    found = {
        (name_of(path), name)
        for room in ("facetrack", "app")
        for path in (ROOT / room).rglob("*.py")
        for name in _names(path)
        if _OLD_NAMES.fullmatch(name)
    }
    assert not found
