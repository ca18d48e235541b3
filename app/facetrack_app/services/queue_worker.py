# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that tracks a queue of videos: `facetrack track --resume` told in lines of JSON.

The order comes as the first line of the standard input; when that is closed, the process ends after
the frame at hand, and what was written goes on the next time. So it never outlives the window.
"""

from __future__ import annotations

import _thread
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from facetrack.corpus.batch import Failure, record_all
from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.inputs import Namer, find_inputs
from facetrack.corpus.summary import write_summary
from facetrack.corpus.task import ModelId, Settings, Task
from facetrack.errors import FacetrackError
from facetrack.model import load_model
from facetrack.video.frame import Frame
from facetrack.video.source import VideoSource
from facetrack_app.model.queue import Order

_TELL_EVERY: Final = 0.1  # seconds

_ended = threading.Event()  # the window wants no more


def track(order: Order, tell: Callable[[dict[str, Any]], None]) -> None:
    """Track all videos of an order, and tell how far it is."""
    model = load_model(order.model)
    folder = Path(order.output).absolute()
    found = find_inputs(order.inputs, skip=folder)
    namer = Namer(folder)
    # Stills as Open does.
    settings = Settings(order.max_faces, 0.0, order.overlay, stills=True, rate=order.rate)
    identity = ModelId(model.name, fingerprint(model))
    tasks = [Task(item.source, namer.outputs(item), settings, identity) for item in found.inputs]
    planned, errors = [str(task.source) for task in tasks], [str(e) for e in found.errors]
    tell({"planned": planned, "errors": errors})
    number, told = 0, 0.0

    def progress(source: VideoSource, frame: Frame) -> None:
        nonlocal told
        if _ended.is_set():  # an interrupt may be lost in a library's callback
            raise KeyboardInterrupt
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            tell({"at": number, "frame": frame.index + 1, "total": source.n_frames})

    failed = []
    for outcome in record_all(tasks, model, resume=True, progress=progress):
        if isinstance(outcome, Failure):
            failed.append(outcome)
            tell({"done": number, "line": outcome.message, "failed": True})
        else:
            line = "; ".join([outcome.account, *outcome.ledger.notes])
            tell({"done": number, "line": line, "failed": False})
        number += 1
    if tasks and folder.is_dir() and not any(failure.fatal for failure in failed):
        write_summary(folder, failed)


def main() -> int:
    """Read the order, track, and end when the window is gone."""
    if hasattr(os, "nice"):
        os.nice(5)  # the window goes first

    def tell(message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def end_with_the_window() -> None:
        sys.stdin.read()
        _ended.set()
        _thread.interrupt_main()

    values = json.loads(sys.stdin.readline())
    order = Order(**{**values, "inputs": tuple(values["inputs"])})
    threading.Thread(target=end_with_the_window, daemon=True).start()
    with suppress(KeyboardInterrupt, BrokenPipeError):
        try:
            track(order, tell)
        except FacetrackError as error:
            tell({"trouble": str(error)})
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main())  # a thread waits for the standard input
