# SPDX-License-Identifier: GPL-3.0-or-later
"""How threads hand results to the thread that owns the window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from facetrack.errors import FacetrackError

T = TypeVar("T")
Post = Callable[[Callable[[], None]], None]
"""Runs a function soon in the window's thread; may be called from any thread."""


def run_beside(
    work: Callable[[], T],
    post: Post,
    done: Callable[[T], None],
    failed: Callable[[str], None],
    *,
    lasting: bool = False,
) -> threading.Thread:
    """Do something that takes long in a thread of its own."""

    def run() -> None:
        try:
            result = work()
        except FacetrackError as error:
            message = str(error)
            post(lambda: failed(message))
        else:
            post(lambda: done(result))

    thread = threading.Thread(target=run, name="work", daemon=not lasting)
    thread.start()
    return thread
