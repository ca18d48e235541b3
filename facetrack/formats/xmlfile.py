"""Reading XML files of unknown origin."""

from __future__ import annotations

import os
from typing import Final
from xml.etree import ElementTree

from facetrack.errors import FormatError
from facetrack.formats.textfile import read_bytes

MAX_BYTES: Final = 1 << 28


class _DoctypeError(ValueError):
    """A document type was declared."""


class _Builder(ElementTree.TreeBuilder):
    """A tree without document types: these are the way to entities that unpack without end."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse, before the parser reads what is declared inside."""
        raise _DoctypeError


def read_xml(path: str | os.PathLike[str], *, root: str) -> ElementTree.Element:
    """Read an XML file whose outermost element is a `root`; raises FormatError."""
    content = read_bytes(path, limit=MAX_BYTES)
    parser = ElementTree.XMLParser(target=_Builder())
    try:
        parser.feed(content)
        element = parser.close()
    except _DoctypeError as error:
        remedy = "remove the DOCTYPE if you trust the file"
        raise FormatError(path, "declares a DOCTYPE, which is refused", remedy=remedy) from error
    except ElementTree.ParseError as error:
        cause = f"no well-formed XML ({error.msg})"
        raise FormatError(path, cause, line=error.position[0]) from error
    except (ValueError, LookupError) as error:  # encodings that the parser does not know
        raise FormatError(path, f"no readable XML ({error!s:.80})") from error
    if element.tag != root:
        raise FormatError(path, f"the outermost element is {element.tag!r:.40}, not {root!r}")
    return element
