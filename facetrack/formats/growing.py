"""Text files that grow by whole lines, so that a killed run leaves readable ones."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO, Self

from facetrack.errors import FormatError
from facetrack.formats.atomic import output_error


class GrowingFile:
    """A file that grows by whole lines, behind its header or `keep` bytes of an earlier run.

    Every `put` goes to the operating system in one call without a buffer of our own: a killed
    process loses nothing that it wrote, and a full disk takes an incomplete line back. Raises
    FormatError if the earlier file is missing, too short, or has another header (it is untouched);
    all methods raise OutputError.
    """

    def __init__(
        self, path: str | os.PathLike[str], header: str, *, keep: int | None = None
    ) -> None:
        self.path = Path(path)
        try:
            if keep is None:
                self.path.write_bytes(b"")
            else:
                self._cut(header.encode(), keep)
            self._file: BinaryIO = open(self.path, "ab", buffering=0)  # noqa: SIM115
        except FileNotFoundError as error:
            if keep is None:
                raise output_error(self.path, error) from error
            raise FormatError(path, "no such file") from error
        except OSError as error:
            raise output_error(self.path, error) from error
        if keep is None:
            self.put(header)

    def _cut(self, header: bytes, keep: int) -> None:
        with self.path.open("rb+") as file:
            begins = file.read(len(header))
            size = file.seek(0, os.SEEK_END)
            if begins != header or not len(header) <= keep <= size:
                raise FormatError(self.path, "is not what an earlier run left")
            file.truncate(keep)

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return self._file.tell()

    def put(self, text: str) -> None:
        """Add whole lines."""
        content, done = text.encode(), 0
        start = self._file.tell() if self._file.seekable() else None  # not in a pipe
        try:
            while done < len(content):
                done += self._file.write(content[done:])
        except OSError as error:
            if start is not None:
                with contextlib.suppress(OSError):
                    self._file.truncate(start)
                    self._file.seek(start)
            raise output_error(self.path, error) from error

    def flush(self) -> None:
        """Bring everything to the disk, so that it survives a power cut."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise output_error(self.path, error) from error

    def close(self) -> None:
        """Flush and close; closing twice is harmless."""
        if not self._file.closed:
            self.flush()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
