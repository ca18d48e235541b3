"""Pages of results are written by commands, of models that ship; a cheap one is measured again."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from facetrack.cli.main import main
from facetrack.formats.archive import read_description
from facetrack.formats.modelfile import list_models
from tests.docs.pages import DOCS, text_of

PAGES: Final = {path.stem: path for path in (DOCS / "results").glob("*.md")}
HEAD: Final = re.compile(
    r"# [a-z0-9_ ]+: \w+\n\n"
    r"    (?P<command>(?:facetrack|python -m benchmarks) .+)\n\n"
    r"Facetrack \S+(?:, model (?P<model>\w+)(?: \((?P<checksum>[0-9a-f]{16})\))?)?, n = \d+; "
    r"the report's file is of \d{4}-\d\d-\d\d\.\n\n"
)
# Why no command writes a page; each leaves the list when one does.
BY_HAND: Final = {
    "README": "the list of pages",
    "annotating": "puts the two pages of the command beside each other",
    "application": "puts pages of the benchmark beside what was asked; kills print a line",
    "landmarks": "puts pages of commands beside programs measured with the version before",
    "learning": "puts pages of commands beside each other; costs from `python -m benchmarks speed`",
    "video": "puts the command's page beside MediaPipe, which needs an environment of its own",
}
# Measured again by the test: the command's own seconds are few.
CHEAP: Final = ("landmarks_lfpw_test_motion",)


@cache
def _shipped() -> dict[str, str]:
    paths = [model.path for model in list_models()]
    return {path.stem: read_description(path, noun="model")["checksum"] for path in paths}


def _heads() -> dict[str, re.Match[str]]:
    found = {name: HEAD.match(text_of(path)) for name, path in PAGES.items()}
    return {name: head for name, head in found.items() if head is not None}


def test_every_page_says_its_command_version_and_date() -> None:
    assert set(PAGES) - set(_heads()) == set(BY_HAND)


def test_pages_are_of_models_that_ship() -> None:
    stale = {
        name: head["model"]
        for name, head in _heads().items()
        if head["model"]
        and not _shipped().get(head["model"], "").startswith(head["checksum"] or "")
    }
    assert not stale


def test_landmarks_repeat_what_the_pages_of_commands_say() -> None:
    pages = "".join(text_of(path) for name, path in PAGES.items() if name.startswith("landmarks_"))
    rows = re.findall(
        r"^\| (?:\*\*Facetrack|start:|default model).*$", text_of(PAGES["landmarks"]), re.MULTILINE
    )
    measured = [found for row in rows for found in re.findall(r"(\d\.\d\d) / (0\.\d{3})", row)]
    assert len(measured) == 8
    assert not [
        one for one in measured if not re.search(rf"\| {one[0]} \| \S+ \| {one[1]} ", pages)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", CHEAP)
def test_a_page_comes_out_again(
    name: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "DATA").symlink_to(shared / "data" / "landmarks")
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(_heads()[name]["command"])
    assert program == "facetrack"
    assert main(arguments) == 0
    (report,) = tmp_path.glob("*.json")
    assert main(["results", str(report)]) == 0
    assert _body(report.with_suffix(".md")) == _body(PAGES[name])


def _body(page: Path) -> str:
    return HEAD.sub("", text_of(page))
