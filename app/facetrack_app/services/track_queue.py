# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking a queue of videos in a process of its own, as the window's thread sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Final

from facetrack_app.model.observable import Observable
from facetrack_app.model.queue import Order, Queue
from facetrack_app.services.posting import Post

_PATIENCE: Final = 10.0  # seconds for the frame at hand


class TrackQueue:
    """Runs one order at a time; starting the same order again goes on with it."""

    def __init__(self, post: Post) -> None:
        self.changed: Observable[[]] = Observable()  # called in the window's thread
        self.queue = Queue(ended=True)
        self._post = post
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Whether videos are being tracked."""
        return self._process is not None

    def start(self, order: Order) -> None:
        """Begin, or go on with what an earlier run left."""
        if self.running:
            return
        self.queue = queue = Queue()
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "facetrack_app.services.queue_worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already: the listener says why
            process.stdin.write(json.dumps(asdict(order)) + "\n")
            process.stdin.flush()
        threading.Thread(
            target=self._listen, args=(process, queue), name="queue", daemon=True
        ).start()
        self.changed()

    def cancel(self) -> None:
        """End after the frame at hand; what was tracked is kept."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def close(self) -> None:
        """End, and wait for that."""
        process = self._process
        if process is None:
            return
        self.cancel()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _listen(self, process: subprocess.Popen[str], queue: Queue) -> None:
        errors: list[str] = []
        drain = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        drain.start()
        for line in process.stdout or ():
            self._post(partial(self._take, queue, json.loads(line)))
        status = process.wait()
        drain.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        self._post(lambda: self._end(queue, status, errors))

    def _take(self, queue: Queue, told: dict[str, object]) -> None:
        queue.take(told)
        self.changed()

    def _end(self, queue: Queue, status: int, errors: list[str]) -> None:
        if status:
            why = errors[-1].strip() if errors else f"exit status {status}"
            queue.troubles.append(f"the tracking process ended: {why}")
        queue.ended = True
        self._process = None
        self.changed()
