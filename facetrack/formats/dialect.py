"""Tables as other programs save them: separators, decimal commas, encodings, spellings of NaN."""

from __future__ import annotations

import codecs
import csv
import os
from math import nan
from pathlib import Path
from typing import Final, TextIO

from facetrack.errors import FormatError

SEPARATORS: Final = (",", ";", "\t")
NO_TEXT: Final = "NA"  # what R writes for a text that is missing
_BOMS: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Of OpenFace on Windows, older C libraries, pandas, R, Excel in English and German, SQL, MATLAB
_SPELLINGS: Final = """
nan +nan -nan nan(ind) -nan(ind) nan(snan) -nan(snan) na n/a <na> null none . -
1.#qnan -1.#qnan 1.#ind -1.#ind 1.#snan #n/a #nv
"""
_ROW_NAMES: Final = ("", "Unnamed: 0")  # what R and pandas call them
_NOTHING: Final = frozenset(["", *_SPELLINGS.split()])


def _ansi(error: UnicodeError) -> tuple[str, int]:
    """Decode what is no UTF-8 as Excel's western encoding."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("facetrack.ansi", _ansi)


def open_table(path: str | os.PathLike[str]) -> TextIO:
    """Open a table of unknown origin; line ends are kept.

    UTF-16 where a byte order mark says so (Excel's "Unicode text"), else UTF-8, and what is none of
    it Windows-1252.
    """
    with Path(path).open("rb") as stream:
        encoding = _BOMS.get(stream.read(2), "utf-8-sig")
    return Path(path).open(encoding=encoding, errors="facetrack.ansi", newline="")


def separator_of(header: str) -> str:
    """Return what separates a table's cells: of `SEPARATORS` the commonest in its first line."""
    return max(SEPARATORS, key=header.count)


def number(cell: str, separator: str = ",") -> float:
    """Read a number however it is spelt; a `ValueError` says that it is none.

    NaN for all that stands for a missing value, such as "", "NA", "#N/A" or "-nan(ind)". Where the
    separator of the cells is no comma, a comma is a decimal point.
    """
    text = cell.strip()
    if text.lower() in _NOTHING:
        return nan
    return float(text if separator == "," else text.replace(",", "."))


def table_lines(path: str | os.PathLike[str], *, limit: int) -> tuple[list[list[str]], str]:
    """Read cells and separator of a table written here, or saved again by another program.

    The header comes first, without blanks around its names; the column of row names that R and
    pandas put in front is left out. A `FormatError` says that the file is missing, unreadable or
    larger than `limit` bytes.
    """
    try:
        if Path(path).stat().st_size > limit:
            raise FormatError(path, f"is larger than {limit} bytes")
        with open_table(path) as stream:
            text = stream.read()
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        cause = getattr(error, "strerror", None) or str(error)
        raise FormatError(path, f"cannot be read ({cause})") from error
    rows = text.splitlines()
    if rows and rows[0].lower().startswith("sep="):
        del rows[0]
    separator = separator_of(rows[0] if rows else "")
    try:
        lines = list(csv.reader(rows, delimiter=separator))
    except csv.Error as error:
        raise FormatError(path, f"no CSV file ({error})") from error
    header = [name.strip() for name in lines[0]] if lines else []
    if header and header[0] in _ROW_NAMES:
        return [header[1:], *(line[1:] for line in lines[1:])], separator
    return [header, *lines[1:]], separator
