# SPDX-License-Identifier: GPL-3.0-or-later
"""Between two threads: a mailbox in which the newest wins, and a queue that is bounded."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValue(Generic[T]):
    """Room for one thing; what is not taken goes to `missed`, in the thread that replaced it."""

    def __init__(self) -> None:
        self.missed: Callable[[T], object] = lambda thing: None
        self._condition = threading.Condition()
        self._thing: T | None = None
        self.closed = False  # nothing will come any more
        self.dropped = 0  # things that were replaced before anybody took them

    def put(self, thing: T) -> None:
        """Put something in; what lies there unread is dropped."""
        with self._condition:
            replaced, self._thing = self._thing, thing
            self.dropped += replaced is not None
            self._condition.notify()
        if replaced is not None:
            self.missed(replaced)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until there is something to take; returns whether there is."""
        with self._condition:
            self._condition.wait_for(lambda: self._thing is not None or self.closed, timeout)
            return self._thing is not None

    def take(self, timeout: float | None = None) -> T | None:
        """Take out what is there, or wait for it; None after the timeout or once closed."""
        self.wait(timeout)
        with self._condition:
            thing, self._thing = self._thing, None
            return thing

    def clear(self) -> None:
        """Forget what lies there, without counting it as dropped."""
        with self._condition:
            forgotten, self._thing = self._thing, None
        if forgotten is not None:
            self.missed(forgotten)

    def close(self) -> None:
        """Let everybody who waits go."""
        with self._condition:
            self.closed = True
            self._condition.notify_all()

    @property
    def waiting(self) -> bool:
        """Whether something lies there unread."""
        return self._thing is not None


class Backlog(Generic[T]):
    """A queue from one thread to another one that forgets the oldest when it is full."""

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._things: deque[T] = deque(maxlen=size)
        self.dropped = 0  # things that were forgotten before anybody took them

    def put(self, thing: T) -> None:
        """Add something."""
        with self._lock:
            self.dropped += len(self._things) == self._things.maxlen
            self._things.append(thing)

    def take(self) -> list[T]:
        """Take out all that waits, the oldest first."""
        with self._lock:
            things = list(self._things)
            self._things.clear()
            return things
