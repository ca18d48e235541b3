"""Reading text files of unknown origin: a bounded size, UTF-8 with or without a byte order mark."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from facetrack.errors import FormatError

NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?nan", re.ASCII | re.I)


def read_text(path: str | os.PathLike[str], *, limit: int) -> str:
    """Read a UTF-8 file of at most `limit` bytes, without byte order mark, ends as newlines."""
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
    """Read a file's first line without its end, at most a million characters of it."""
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace") as stream:
            return stream.readline(1_000_000).rstrip("\n")
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        cause = getattr(error, "strerror", None) or str(error)
        raise FormatError(path, f"cannot be read ({cause})") from error


def read_bytes(path: str | os.PathLike[str], *, limit: int) -> bytes:
    """Read a file of at most `limit` bytes; raises FormatError."""
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
