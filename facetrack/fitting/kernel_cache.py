"""Compiled kernels at hand: read from the cache, or compiled by processes side by side."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from facetrack.fitting.warm_up import N_KERNELS, PARTS, is_cached, warm_up

LOGGER = logging.getLogger(__name__)
PREPARING: Final = "preparing the tracker"


def prepare(progress: Callable[[str], None]) -> None:
    """Load the tracker's kernels; where they are not cached, processes compile them first.

    A thread that compiles would keep the interpreter's lock, and a window waiting. Ending the
    program does not end the processes: the next start finds what they leave in the cache.
    `progress` is given lines for people.
    """
    progress(PREPARING)
    if not is_cached():
        _compile(progress)
    warm_up()  # what a process could not do is done here


def _compile(progress: Callable[[str], None]) -> None:
    """Let a process for each part fill the cache; each prints a line for each kernel."""
    read, write = os.pipe()
    workers = []
    try:
        for part in PARTS:
            command = [sys.executable, "-m", "facetrack.fitting.warm_up", part]
            workers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=write))
    except OSError as error:  # then they are compiled in this process
        LOGGER.warning("kernels are compiled in this process: %s", error)
    finally:
        os.close(write)
    with open(read, encoding="utf-8", errors="replace") as lines:
        progress(_said(0))
        for done, _ in enumerate(lines, start=1):
            progress(_said(done))
    for worker in workers:
        worker.wait()


def _said(done: int) -> str:
    return f"{PREPARING}, once only: {min(done, N_KERNELS)} of {N_KERNELS} kernels compiled"
