"""Keeping two runs from writing the same results at the same time."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from facetrack.errors import InputError
from facetrack.formats.atomic import output_error

try:
    import fcntl
except ImportError:  # Windows has no such locks, and refuses to replace files that are open
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file, made if missing, until the block or the process ends, even by a kill.

    Raises InputError if another process holds it, OutputError if it cannot be made.
    """
    if fcntl is None:
        yield
        return
    try:
        file = path.open("ab")
    except OSError as error:
        raise output_error(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Some network file systems have no locks; there, care is the user's.
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise InputError(
                    f"{path}: another run is writing it; wait for that one or end it"
                ) from error
        yield
