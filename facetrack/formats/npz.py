"""Reading .npz archives of unknown origin: never unpickled, every damage one clear error."""

from __future__ import annotations

import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError

MAX_BYTES: Final = 1 << 32

# What numpy and zipfile let through for cut, flipped, encrypted or foreign archives.
_DAMAGE: Final = (
    OSError, EOFError, ValueError, KeyError, TypeError, SyntaxError, NotImplementedError,
    RuntimeError, MemoryError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_npz(
    path: str | os.PathLike[str], *, required: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, npt.NDArray[Any]]:
    """Read required arrays, and optional ones that are there, at once: damage shows here."""
    required, wanted = list(required), set(optional)

    def choose(names: list[str]) -> list[str]:
        missing = [name for name in required if name not in names]
        if missing:
            raise FormatError(path, f"array {missing[0]!r} is missing")
        return required + [name for name in names if name in wanted]

    return _read(path, choose)


def read_whole_npz(path: str | os.PathLike[str]) -> dict[str, npt.NDArray[Any]]:
    """Read every array of an archive."""
    return _read(path, lambda names: names)


def _read(
    path: str | os.PathLike[str], choose: Callable[[list[str]], list[str]]
) -> dict[str, npt.NDArray[Any]]:
    try:
        # Opened here, because numpy leaves a file open that it cannot read.
        with Path(path).open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FormatError(path, "a single array, not an .npz archive")
            chosen = choose(list(archive.files))
            _check_size(path, archive)
            return {name: archive[name] for name in chosen}
    except FileNotFoundError as error:
        raise FormatError(path, "no such file") from error
    except FormatError:
        raise
    except _DAMAGE as error:
        cause = f"no readable .npz archive ({_plain(error)})"
        raise FormatError(path, cause, remedy="restore the file or make it again") from error


def _check_size(path: str | os.PathLike[str], archive: np.lib.npyio.NpzFile) -> None:
    assert archive.zip is not None  # numpy's type says it may be closed; it was opened just now
    size = sum(info.file_size for info in archive.zip.infolist())
    if size > MAX_BYTES:
        raise FormatError(path, f"unpacks to {size} bytes, at most {MAX_BYTES} are read")


def _plain(error: BaseException) -> str:
    """Say what is wrong in words that do not frighten: numpy speaks of pickle for any text."""
    text = str(error).split("\n", maxsplit=1)[0]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if "pickle" in text:
        return "objects or no arrays inside"
    return text[:120] or type(error).__name__
