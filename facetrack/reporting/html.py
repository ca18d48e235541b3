"""A page in one HTML file: no scripts, nothing from elsewhere, pictures inside; prints well."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, SubElement, tostring

from facetrack.errors import InputError
from facetrack.reporting.tables import Table

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; }
.wide { overflow-x: auto; }
.wide + .wide { margin-top: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8888; }
td { white-space: nowrap; }
.word { text-align: left; white-space: normal; }
.word:first-child, .word:last-child { min-width: 9rem; }
figure { margin: 1rem 0; break-inside: avoid; }
figure img { max-width: 100%; height: auto; background: white; }
figcaption { font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content auto; gap: .2rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; }
.notice { border: .2rem solid #D55E00; padding: .5rem 1rem; font-weight: 600; }
@media print {
  :root { color-scheme: light; }
  body { max-width: none; margin: 0; font-size: 10pt; }
  .wide { overflow: visible; }
  figure img { max-height: 21cm; }
  h2, h3 { break-after: avoid; }
  nav ~ section:has(h2) { break-before: page; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
# Nothing may be loaded or run, not even by a mistake of ours.
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_UNPRINTABLE: Final = re.compile(r"[^\t\n -\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS: Final = {b"\x89PNG": "image/png", b"<?xml": "image/svg+xml", b"<svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with a caption."""

    content: bytes  # PNG or SVG, such as `plots.svg` gives
    caption: str  # stands below it, and for it where pictures cannot be seen


@dataclass(frozen=True, slots=True)
class Notice:
    """A paragraph that stands out."""

    text: str


Block: TypeAlias = str | Notice | Table | Picture | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str  # empty for none
    blocks: Sequence[Block]  # a string is a paragraph, a mapping a list of terms
    part: bool = False  # belongs to the section before it


def page(title: str, sections: Sequence[Section], *, contents: bool = False) -> str:
    """Write HTML that needs no other file; all texts are escaped, control characters left out."""
    root = Element("html", lang="en")
    head, body = SubElement(root, "head"), SubElement(root, "body")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "title", title)
    SubElement(head, "style").text = _STYLE
    _add(body, "h1", title)
    if contents:
        _add_contents(body, sections)
    for number, section in enumerate(sections):
        place = SubElement(body, "section", id=f"section-{number}")
        if section.title:
            _add(place, "h3" if section.part else "h2", section.title)
        for block in section.blocks:
            _add_block(place, block)
    return f"<!doctype html>\n{tostring(root, encoding='unicode', method='html')}\n"


def _add_contents(body: Element, sections: Sequence[Section]) -> None:
    items = SubElement(SubElement(body, "nav"), "ul")
    for number, section in enumerate(sections):
        if section.title and not section.part:
            _add(SubElement(items, "li"), "a", section.title, {"href": f"#section-{number}"})


def _add_block(place: Element, block: Block) -> None:
    match block:
        case str():
            _add(place, "p", block)
        case Notice():
            _add(place, "p", block.text, {"class": "notice"})
        case Table():
            _add_table(place, block)
        case Picture():
            figure = SubElement(place, "figure")
            address = f"data:{_kind(block)};base64,{base64.b64encode(block.content).decode()}"
            SubElement(figure, "img", src=address, alt=_printable(block.caption))
            _add(figure, "figcaption", block.caption)
        case _:
            terms = SubElement(place, "dl")
            for term, meaning in block.items():
                _add(terms, "dt", term)
                _add(terms, "dd", meaning)


def _add_table(place: Element, table: Table) -> None:
    element = SubElement(SubElement(place, "div", {"class": "wide"}), "table")
    head, body = SubElement(element, "thead"), SubElement(element, "tbody")
    marks: list[dict[str, str]] = [{"class": "word"} if word else {} for word in table.wordy]
    for group, name, lines in ((head, "th", [table.headers]), (body, "td", table.cells)):
        for line in lines:
            row = SubElement(group, "tr")
            for cell, mark in zip(line, marks, strict=True):
                _add(row, name, cell, mark)


def _add(place: Element, name: str, text: str, marks: Mapping[str, str] | None = None) -> None:
    SubElement(place, name, dict(marks or {})).text = _printable(text)


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("", text)


def _kind(picture: Picture) -> str:
    for start, kind in _KINDS.items():
        if picture.content.startswith(start):
            return kind
    raise InputError(f"the picture {picture.caption!r} is neither PNG nor SVG")
