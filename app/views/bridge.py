# SPDX-License-Identifier: GPL-3.0-or-later
"""From other threads into the window's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PyQt5.QtCore import QObject, Qt, pyqtSignal


class Poster(QObject):
    """Runs functions in the thread in which it was made; `post` may be called from any thread.

    The signal carries nothing: what is to be done waits in a queue of its own, so that frames
    never lie in Qt's.
    """

    _arrived = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Callable[[], None]] = deque()
        self._open = True
        self._arrived.connect(self._run, Qt.QueuedConnection)

    def post(self, function: Callable[[], None]) -> None:
        """Run a function soon."""
        self._waiting.append(function)
        if self._open:
            self._arrived.emit()

    def close(self) -> None:
        """Run nothing any more."""
        self._open = False
        self._waiting.clear()

    def _run(self) -> None:
        while self._open and self._waiting:
            self._waiting.popleft()()
