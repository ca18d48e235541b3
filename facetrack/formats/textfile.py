"""Reading text files of unknown origin: a bounded size, UTF-8 with or without a byte order mark."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from facetrack.errors import FormatError

NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?nan", re.ASCII | re.I)


def read_text(path: str | os.PathLike[str], *, limit: int) -> str:
    """Read a text file.

    Parameters
    ----------
    path : path-like
        The file.
    limit : int
        Largest size in bytes that a file of this format can sensibly have; a bigger one is refused
        before it fills the memory.

    Returns
    -------
    str
        The content without a byte order mark; line ends are newlines.

    Raises
    ------
    FormatError
        If the file is missing, unreadable, too big or not UTF-8.
    """
    content = read_bytes(path, limit=limit)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(
            path,
            f"not UTF-8 text (byte 0x{content[error.start]:02x} at offset {error.start})",
            remedy="save it as UTF-8",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def first_line(path: str | os.PathLike[str]) -> str:
    """Read the first line of a file, however large that is.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    str
        Without its end and a byte order mark; at most a million characters of it.

    Raises
    ------
    FormatError
        If the file is missing or unreadable.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace") as stream:
            return stream.readline(1_000_000).rstrip("\n")
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        cause = getattr(error, "strerror", None) or str(error)
        raise FormatError(path, f"cannot be read ({cause})") from error


def read_bytes(path: str | os.PathLike[str], *, limit: int) -> bytes:
    """Read a file of bounded size.

    Parameters
    ----------
    path : path-like
        The file.
    limit : int
        Largest size in bytes.

    Returns
    -------
    bytes

    Raises
    ------
    FormatError
        If the file is missing, unreadable or too big.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(limit + 1)
    except FileNotFoundError as error:
        raise FormatError(path, "no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        cause = getattr(error, "strerror", None) or str(error)
        raise FormatError(path, f"cannot be read ({cause})") from error
    if len(content) > limit:
        raise FormatError(path, f"larger than {limit} bytes, so not a file of this format")
    return content


def quoted(text: str) -> str:
    """Make a text fit for a cell of a CSV file, whose lines are rows."""
    text = " ".join(text.split())
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"') else text
