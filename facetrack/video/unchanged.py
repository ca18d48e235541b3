"""A file that must stay what it was when it was opened."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from facetrack.errors import VideoError

_BLOCK: Final = 1 << 16  # bytes
_BLOCKS: Final = 16  # read of a file, its start and its end among them


class Unchanged:
    """Checks that a file is still the one that was opened; raises VideoError.

    `identity` is of its contents: size and blocks spread over it, digested to 64 hexadecimal
    digits.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._look()
        self.identity = self._read(self._seen[0])

    def check(self) -> None:
        """Look again."""
        seen = self._look()
        if seen == self._seen:
            return
        if seen[0] != self._seen[0] or self._read(seen[0]) != self.identity:
            raise VideoError(
                self._path,
                "was replaced or changed by another program while it was open",
                remedy="put the old file back, or open this one anew",
            )
        self._seen = seen

    def _look(self) -> tuple[int, int]:
        """Return size and time of change, which show without reading that nothing has changed."""
        try:
            known = self._path.stat()
        except FileNotFoundError as error:
            raise VideoError(
                self._path, "is not there any more", remedy="put it back, or connect its disk again"
            ) from error
        except OSError as error:
            raise self._unreadable(error) from error
        return known.st_size, known.st_mtime_ns

    def _read(self, size: int) -> str:
        digest = hashlib.sha256(str(size).encode())
        last = max(size - _BLOCK, 0)
        try:
            with self._path.open("rb") as file:
                for number in range(_BLOCKS):
                    file.seek(last * number // (_BLOCKS - 1))
                    digest.update(file.read(_BLOCK))
        except OSError as error:
            raise self._unreadable(error) from error
        return digest.hexdigest()

    def _unreadable(self, error: OSError) -> VideoError:
        return VideoError(
            self._path, f"cannot be read any more ({error.strerror})", remedy="check its disk"
        )
