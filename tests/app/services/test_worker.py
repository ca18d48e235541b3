"""What was asked for last is done, and what its thread opened it closes."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from facetrack_app.services.worker import Worker


def test_the_last_wish_is_fulfilled_and_what_was_opened_is_closed() -> None:
    began, go, told = threading.Event(), threading.Event(), list[str]()

    def fulfil(wish: str, stack: ExitStack) -> None:
        began.set()
        assert go.wait(10)
        told.append(wish)
        stack.callback(told.append, f"{wish} closed by {threading.current_thread().name}")
        if wish == "last":
            worker.wishes.close()

    worker = Worker[str]("a worker", fulfil)
    worker.wishes.put("first")
    assert began.wait(10)
    worker.wishes.put("forgotten")
    worker.wishes.put("last")
    go.set()
    worker._thread.join(10)
    worker.close()
    assert told == ["first", "last", "last closed by a worker", "first closed by a worker"]
