"""Tables as other programs save them: separators, decimal commas, encodings, spellings of NaN."""

from __future__ import annotations

import codecs
import os
from math import nan
from pathlib import Path
from typing import Final, TextIO

__all__ = ["SEPARATORS", "number", "open_table", "separator_of"]

SEPARATORS: Final = (",", ";", "\t")
_BOMS: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Of OpenFace on Windows, older C libraries, pandas, R, Excel in English and German, SQL, MATLAB
_SPELLINGS: Final = """
nan +nan -nan nan(ind) -nan(ind) nan(snan) -nan(snan) na n/a <na> null none . -
1.#qnan -1.#qnan 1.#ind -1.#ind 1.#snan #n/a #nv
"""
_NOTHING: Final = frozenset(["", *_SPELLINGS.split()])


def open_table(path: str | os.PathLike[str]) -> TextIO:
    """Open a table of unknown origin.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    text stream
        UTF-16 where a byte order mark says so (Excel's "Unicode text"), else UTF-8, what is none
        of it replaced; line ends are kept.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    with Path(path).open("rb") as stream:
        encoding = _BOMS.get(stream.read(2), "utf-8-sig")
    return Path(path).open(encoding=encoding, errors="replace", newline="")


def separator_of(header: str) -> str:
    """Find what separates the cells of a table.

    Parameters
    ----------
    header : str
        Its first line.

    Returns
    -------
    str
        The comma, the semicolon or the tab: whichever is there most often.
    """
    return max(SEPARATORS, key=header.count)


def number(cell: str, separator: str = ",") -> float:
    """Read a number however it is spelt.

    Parameters
    ----------
    cell : str
    separator : str
        Of the cells: where it is no comma, a comma is a decimal point.

    Returns
    -------
    float
        NaN for all that stands for a missing value, such as "", "NA", "#N/A" or "-nan(ind)".

    Raises
    ------
    ValueError
        If it is no number.
    """
    text = cell.strip()
    if text.lower() in _NOTHING:
        return nan
    return float(text if separator == "," else text.replace(",", "."))
