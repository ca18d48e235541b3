"""The pages that people read, taken apart: fenced blocks, command lines, links, headings."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "models").glob("*.md")])
TUTORIALS: Final = sorted((DOCS / "tutorials").glob("*.md"))

_FENCE: Final = re.compile(
    r"^(?:<!-- not run: (?P<why>[^>]+) -->\n+)?```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_INDENTED: Final = re.compile(r"^    (?=\S)(.*)$", re.MULTILINE)
_INLINE: Final = re.compile(r"(?<!\\)`([^`]+)(?<!\\)`")
_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `why` says why a tutorial does not run it."""

    language: str
    text: str
    why: str


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """List the fenced blocks of a page."""
    return [
        Block(found["language"].strip(), found["text"], found["why"] or "")
        for found in _FENCE.finditer(text_of(page))
    ]


def lines_of(shell: str) -> list[str]:
    """List the commands of a shell block: continued lines joined, comments gone."""
    joined = shell.replace("\\\n", " ").splitlines()
    return [line for line in (re.sub(r"(^|\s)#.*", "", one).strip() for one in joined) if line]


def commands(page: Path, program: str) -> list[list[str]]:
    """List the arguments of every command line in blocks that calls a program."""
    prose = _FENCE.sub("", text_of(page))
    shells = [block.text for block in blocks(page) if block.language in ("sh", "powershell")]
    indented = _INDENTED.findall(re.sub(r"\\\n\s*", "", prose))
    return _arguments([line for shell in shells for line in lines_of(shell)] + indented, program)


def mentions(page: Path, program: str) -> list[list[str]]:
    """List the arguments of every command that prose names, whole or in part."""
    prose = _FENCE.sub("", text_of(page))
    return _arguments([re.sub(r"\s+", " ", code) for code in _INLINE.findall(prose)], program)


def _arguments(lines: list[str], program: str) -> list[list[str]]:
    found = [line for line in lines if f"{line} ".startswith(f"{program} ")]
    return [shlex.split(line.split(" | ")[0], comments=True)[1:] for line in found]


def inline_options(page: Path) -> set[str]:
    """List the options that prose names."""
    prose = _FENCE.sub("", text_of(page))
    code = " ".join(_INLINE.findall(prose))
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", code))


def links(page: Path) -> set[str]:
    """List what a page links to, without its fenced blocks."""
    return set(_LINK.findall(_FENCE.sub("", text_of(page))))


def anchors(page: Path) -> set[str]:
    """List a page's anchors as GitHub makes them of headings."""
    headings = _HEADING.findall(_FENCE.sub("", text_of(page)))
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in headings}


def paths(page: Path) -> set[str]:
    """List the files of the repository that code on a page names."""
    code = " ".join([*_INLINE.findall(text_of(page)), *(block.text for block in blocks(page))])
    return set(re.findall(r"(?<!\S)(?:docs|facetrack|models|tests)/[\w/]+\.(?:md|py|toml)\b", code))
