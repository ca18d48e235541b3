"""Pages hold: links lead somewhere, commands and options exist, examples are Python."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main as benchmark
from facetrack.cli import main as entry
from tests.docs.pages import (
    DOCS,
    PAGES,
    ROOT,
    TUTORIALS,
    anchors,
    blocks,
    commands,
    inline_options,
    links,
    mentions,
    name_of,
    paths,
    text_of,
)

# What the changelog says of versions past may be gone.
PRESENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
COMMANDS = (*entry.COMMANDS, *entry._added())
OF_OTHERS = {"--tags"}  # options of other programs


class _Parsed(Exception):
    """Arguments were understood; nothing runs."""


@pytest.fixture
def parse_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every parser end what called it, once it has understood its arguments."""
    for name in ("parse_args", "parse_intermixed_args"):
        parse = getattr(argparse.ArgumentParser, name)

        def stop(
            parser: argparse.ArgumentParser, *arguments: Any, parse: Any = parse, **options: Any
        ) -> None:
            parse(parser, *arguments, **options)
            raise _Parsed

        monkeypatch.setattr(argparse.ArgumentParser, name, stop)


@cache
def _options(name: str) -> set[str]:
    """List the options of a command and of what it can do."""
    parser = argparse.ArgumentParser()
    entry._load(name).add_arguments(parser)
    return {o for kind in _parsers(parser) for a in kind._actions for o in a.option_strings}


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for kind in action.choices.values():
                yield from _parsers(kind)


def _of_all(find: Callable[[Path], Iterable[Any]]) -> list[tuple[str, Any]]:
    return [(name_of(page), found) for page in PRESENT for found in find(page)]


def test_links_lead_somewhere() -> None:
    broken = []
    for page, link in _of_all(links):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        found = target.exists() and target.is_relative_to(ROOT)
        if not found or (anchor and anchor not in anchors(target)):
            broken.append(f"{page}: {link}")
    assert not broken


@pytest.mark.usefixtures("parse_only")
def test_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    whole = _of_all(partial(commands, program="facetrack"))
    for page, arguments in whole + _of_all(partial(mentions, program="facetrack")):
        if arguments[:1] == ["COMMAND"]:
            continue
        fine = not arguments or _is_parsed(partial(entry.main, _complete(arguments)))
        error = capsys.readouterr().err
        if not fine and ((page, arguments) in whole or "required" not in error):
            wrong.append(f"{page}: {' '.join(arguments)}: {error[-120:]}")
    assert not wrong


def _complete(arguments: list[str]) -> list[str]:
    """Leave out the dots of a command that is cut short."""
    return [word for word in arguments if word != "..."]


def _is_parsed(run: Callable[[], Any]) -> bool:
    try:
        return bool(run() == 0)  # help
    except _Parsed:
        return True
    except SystemExit:
        return False


@pytest.mark.usefixtures("parse_only")
def test_benchmarks_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    whole = _of_all(partial(commands, program="python"))
    for page, arguments in whole + _of_all(partial(mentions, program="python")):
        if arguments[:2] != ["-m", "benchmarks"] or arguments[2:3] == ["NAME"]:
            continue
        fine = _is_parsed(partial(benchmark, _complete(arguments[2:])))
        error = capsys.readouterr().err
        if not fine and ((page, arguments) in whole or "required" not in error):
            wrong.append(f"{page}: {' '.join(arguments)}: {error[-120:]}")
    assert not wrong


def test_options_exist() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "benchmarks").rglob("*.py"))
    known = {"--version", *re.findall(r"--[a-z][a-z-]+", sources), *OF_OTHERS}
    known.update(*map(_options, COMMANDS))
    assert not [(page, option) for page, option in _of_all(inline_options) if option not in known]


def test_files_exist() -> None:
    assert not [(page, path) for page, path in _of_all(paths) if not (ROOT / path).is_file()]


def test_targets_of_make_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    asked = _of_all(partial(commands, program="make")) + _of_all(partial(mentions, program="make"))
    assert not [
        (page, word)
        for page, words in asked
        for word in words
        if "=" not in word and word not in targets
    ]


def test_examples_are_python() -> None:
    for page, block in _of_all(blocks):
        if block.language == "python":
            compile(block.text, page, "exec")


def test_pages_are_short() -> None:
    lengths = {
        name_of(page): len(text_of(page).split()) for page in [ROOT / "README.md", *TUTORIALS]
    }
    assert lengths.pop("README.md") < 700
    assert not {name: n for name, n in lengths.items() if n >= 400}


def test_figures_of_the_readme_stand_on_their_pages() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| ([^|]+) \| \[[a-z]+\]\((docs/results/\w+\.md)\) \|$",
        text_of(ROOT / "README.md"), re.MULTILINE,
    )  # fmt: skip
    assert len(rows) == 5
    for figures, page in rows:
        text = text_of(ROOT / page)
        assert all(
            re.search(rf"(?<![\d.]){n}(?![\d])", text) for n in re.findall(r"[\d.]+", figures)
        )


def test_the_site_lists_every_page() -> None:
    index = text_of(DOCS / "index.md")
    listed = {
        found
        for entry_ in re.findall(r"^[\w./*]+$", index, re.MULTILINE)
        for found in DOCS.glob(f"{entry_}.md")
    }
    assert set(DOCS.rglob("*.md")) - {DOCS / "index.md"} <= listed
