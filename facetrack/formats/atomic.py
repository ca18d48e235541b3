"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from facetrack.errors import FacetrackError, OutputError

REPLACE_PATIENCE = 1.0  # seconds: on Windows a virus scanner or a reader may hold the old file

_REMEDIES = {
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOSPC: "free some space or choose another disk",
    errno.EDQUOT: "free some space or choose another disk",
    errno.ENOENT: "create the folder first",
    errno.ENOTDIR: "a part of its path is a file, choose another folder",
    errno.EISDIR: "a folder has this name, choose another one",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def output_error(path: str | os.PathLike[str], error: OSError) -> OutputError:
    """Say in one line why a file cannot be written and what helps."""
    remedy = _REMEDIES.get(error.errno or 0, "check the folder and the disk")
    return OutputError(f"{path}: cannot be written ({error.strerror or error}); {remedy}")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place if the block succeeds.

    It has the same suffix, by which writers choose the format. Raises OutputError if the file
    cannot be written or renamed; the old file is then untouched.
    """
    target = Path(path)
    temporary = target.with_name(f"{target.name}.tmp-{os.getpid()}{target.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        _replace(temporary, target)
    except FacetrackError:
        raise
    except OSError as error:
        if error.filename not in (None, str(temporary), str(target)):
            raise  # another file's trouble inside the block
        raise output_error(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file whole or not at all, as UTF-8, line ends as they are; raises OutputError.

    What UTF-8 cannot hold, such as bytes of a foreign file name, becomes question marks.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))


def _replace(temporary: Path, target: Path) -> None:
    deadline = time.monotonic() + REPLACE_PATIENCE
    while True:
        try:
            os.replace(temporary, target)
        except PermissionError:
            # Windows refuses while the old file is being read; elsewhere waiting changes nothing.
            if os.name != "nt" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str], is_ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a new folder beside `path` that takes its place, if that is free or ours."""
    target = Path(path)
    temporary = target.with_name(f"{target.name}.tmp-{os.getpid()}")
    try:
        if target.exists() and not is_ours(target):
            raise OutputError(f"{target}: holds other files; choose a new folder")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        yield temporary
        shutil.rmtree(target, ignore_errors=True)
        temporary.replace(target)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
