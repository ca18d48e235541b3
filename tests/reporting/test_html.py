"""Pages that need nothing but themselves."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.errors import InputError
from facetrack.reporting.html import Block, Notice, Picture, Section, page
from facetrack.reporting.tables import Table

PNG = b"\x89PNG\r\n"
OURS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "section", "p", "div", "table",
    "thead", "tbody", "tr", "th", "td", "figure", "img", "figcaption", "dl", "dt", "dd",
    "nav", "ul", "li", "a", "h3",
}  # fmt: skip
PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]))


class Read(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags:
            self.texts[self.tags[-1]] = self.texts.get(self.tags[-1], "") + data


@given(PRINTABLE)
def test_no_text_becomes_markup(text: str) -> None:
    blocks: list[Block] = [text, Table([text], [[text]]), Picture(PNG, text), {text: text}]
    parts = [Section(text, blocks), Section(text, [Notice(text)], part=True)]
    read = Read(page(text, parts, contents=True))
    assert set(read.tags) <= OURS
    for tag in ("title", "h1", "h2", "h3", "a", "th", "td", "figcaption", "dt", "dd"):
        assert read.texts.get(tag, "").rstrip("\n") == text
    assert read.texts.get("p", "").replace("\n", "") == 2 * text
    assert ("alt", text) in read.attributes


def test_nothing_is_loaded_from_elsewhere() -> None:
    read = Read(page("t", [Section("", [Picture(b"<svg/>", "s"), Picture(PNG, "p")])]))
    addresses = [value for name, value in read.attributes if name in ("src", "href")]
    assert addresses == ["data:image/svg+xml;base64,PHN2Zy8+", "data:image/png;base64,iVBORw0K"]
    assert "h2" not in read.tags


def test_control_characters_are_left_out() -> None:
    assert Read(page("a\x00\x1b\ud800b", [])).texts["h1"].strip() == "ab"


def test_columns_of_words_are_marked() -> None:
    text = page("t", [Section("s", [Table(["who", "n"], [["a", 1.5]])])])
    assert '<td class="word">a</td><td>1.500</td>' in text


def test_what_is_no_picture_is_named() -> None:
    with pytest.raises(InputError, match="'smile' is neither PNG nor SVG"):
        page("t", [Section("s", [Picture(b"GIF89a", "smile")])])


def test_contents_lead_to_sections_and_leave_their_parts_out() -> None:
    sections = [Section("a", []), Section("b", [], part=True), Section("", []), Section("c", [])]
    read = Read(page("t", sections, contents=True))
    assert [v for n, v in read.attributes if n == "href"] == ["#section-0", "#section-3"]
    assert [v for n, v in read.attributes if n == "id"] == [f"section-{i}" for i in range(4)]
    assert "nav" not in Read(page("t", sections)).tags
