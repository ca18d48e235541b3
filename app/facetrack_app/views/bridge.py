# SPDX-License-Identifier: GPL-3.0-or-later
"""From other threads into the window's thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from PyQt5.QtCore import QObject, Qt, pyqtSignal


class Poster(QObject):
    """Runs functions in the thread in which it was made; `post` may be called from any thread.

    The signal carries nothing: what is to be done waits in a queue of its own, so that frames
    never lie in Qt's. The lock sees to it that no thread touches the object once it is closed, for
    then it may be gone.
    """

    _arrived = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: deque[Callable[[], None]] = deque()
        self._open = True
        self._lock = threading.Lock()
        self._arrived.connect(self._run, Qt.QueuedConnection)

    def post(self, function: Callable[[], None]) -> None:
        """Run a function soon."""
        with self._lock:
            if self._open:
                self._waiting.append(function)
                self._arrived.emit()

    def close(self) -> None:
        """Run nothing any more."""
        with self._lock:
            self._open = False
            self._waiting.clear()

    def _run(self) -> None:
        while self._open and self._waiting:
            self._waiting.popleft()()
