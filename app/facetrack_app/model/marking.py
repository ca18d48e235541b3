# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that a person marks while live: a key for each name, once, or for start and end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from facetrack.reading import Event

LASTING: Final = "..."  # ends the name of what has a start and an end
N_KEYS: Final = 9
_KEPT: Final = 100


class LiveMarks:
    """What was marked in a live session."""

    def __init__(self) -> None:
        self.running: dict[str, float] = {}  # when intervals began that last, in seconds, by name
        self._past: deque[Event] = deque(maxlen=_KEPT)

    def press(self, name: str, now: float) -> Event | None:
        """Mark a moment, or begin or end an interval; returns the event that is complete."""
        plain = name.removesuffix(LASTING).strip()
        if not name.endswith(LASTING):
            return self._keep(Event(plain, now, now, now))
        if plain in self.running:
            return self._end(plain, now)
        self.running[plain] = now
        return None

    def end(self, now: float) -> list[Event]:
        """End all intervals."""
        return [self._end(name, now) for name in list(self.running)]

    def shown(self, now: float, seconds: float) -> list[Event]:
        """Give what reaches into the last seconds; an interval that goes on lasts until now."""
        lasting = [Event(n, start, start, max(now, start)) for n, start in self.running.items()]
        return [event for event in (*self._past, *lasting) if event.stop > now - seconds]

    def _end(self, name: str, now: float) -> Event:
        start = self.running.pop(name)
        return self._keep(Event(name, start, start, max(now, start)))

    def _keep(self, event: Event) -> Event:
        self._past.append(event)
        return event


def name_of(keys: Sequence[str], number: int) -> str:
    """Give the name that a key, from 1, marks."""
    named = keys[number - 1] if number <= len(keys) else ""
    return named if named.removesuffix(LASTING).strip() else f"event {number}"
