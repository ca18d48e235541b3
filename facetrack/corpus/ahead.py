"""Decoding ahead of the tracker, in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from typing import Final

from facetrack.video.frame import Frame

DEPTH: Final = 8  # frames: evens out key frames; more would only hold memory
_LOOK: Final = 0.1  # seconds between looks whether the other side has gone

_Item = Frame | BaseException | None


def decode_ahead(
    frames: Iterable[Frame], *, first: int = 0, colour: bool = False
) -> Generator[Frame, None, None]:
    """Yield a source's frames, decoded in a thread ahead of the consumer; errors come in place.

    Not for cameras, of which the newest frame is wanted. Grey values are converted from frame
    `first` on, with `colour` the colours of all frames.
    """
    queue: Queue[_Item] = Queue(DEPTH)
    gone = threading.Event()
    # A daemon: a decoder that hangs must not keep the program from ending.
    thread = threading.Thread(
        target=_decode, args=(frames, queue, gone, first, colour), name="decoder", daemon=True
    )
    thread.start()
    try:
        while (item := _get(queue)) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        gone.set()
        thread.join()


def _get(queue: Queue[_Item]) -> _Item:
    """Wait for the next item; in short steps, because on Windows a wait cannot be interrupted."""
    while True:
        with contextlib.suppress(Empty):
            return queue.get(timeout=_LOOK)


def _decode(
    frames: Iterable[Frame], queue: Queue[_Item], gone: threading.Event, first: int, colour: bool
) -> None:
    """Fill the queue; runs in the thread, which also ends the source's iteration."""
    iterator = iter(frames)
    last: BaseException | None = None
    try:
        for frame in iterator:
            if frame.index >= first:
                _ = frame.grey
            if colour:
                _ = frame.image
            _put(queue, frame, gone)
            if gone.is_set():
                break
    except BaseException as error:  # whatever it is, the consumer is to see it
        last = error
    finally:
        if hasattr(iterator, "close"):
            iterator.close()  # otherwise the file stays open until the iterator is collected
    _put(queue, last, gone)


def _put(queue: Queue[_Item], item: _Item, gone: threading.Event) -> None:
    while not gone.is_set():
        with contextlib.suppress(Full):
            queue.put(item, timeout=_LOOK)
            return
