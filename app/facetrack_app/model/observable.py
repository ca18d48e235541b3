# SPDX-License-Identifier: GPL-3.0-or-later
"""What listeners can be connected to, without Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Observable(Generic[P]):
    """Something that changes: `changed.connect(listener)`, and `changed(...)` where it does.

    Listeners run in the caller's thread, in the order in which they were connected.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[P, object]] = []

    def connect(self, listener: Callable[P, object]) -> None:
        """Call the listener at every change."""
        self._listeners.append(listener)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call all listeners."""
        for listener in self._listeners:
            listener(*args, **kwargs)


class Voice(Observable[[str, bool, str]]):
    """Sentences for the person, whether each is about trouble, and which concern it is about.

    Trouble stays until something else is said of the same concern; an empty sentence says that
    all is well with it.
    """

    def __call__(self, text: str, trouble: bool, about: str = "") -> None:
        """Say a sentence."""
        super().__call__(text, trouble, about)
