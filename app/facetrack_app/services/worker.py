# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread beside the window that does what was asked for last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Generic, TypeVar

from facetrack_app.services.latest_value import LatestValue

T = TypeVar("T")


class Worker(Generic[T]):
    """Hands wishes to `fulfil`, one by one, with a stack of what its thread closes at the end.

    A thread that outlives the window computes while the libraries end: it is waited for.
    """

    def __init__(
        self, name: str, fulfil: Callable[[T, ExitStack], None], *, patience: float = 10.0
    ) -> None:
        self.wishes: LatestValue[T] = LatestValue()  # of several, only the last is fulfilled
        self._fulfil, self._patience = fulfil, patience
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the wish at hand."""
        self.wishes.close()
        self._thread.join(timeout=self._patience)

    def _run(self) -> None:
        with ExitStack() as stack:
            while not self.wishes.closed:
                wish = self.wishes.take(timeout=1.0)
                if wish is not None:
                    self._fulfil(wish, stack)
