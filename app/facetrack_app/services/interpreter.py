# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done for all threads at once, kept from stopping the window and filling memory."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Final

TURN: Final = 0.001  # seconds
_LARGE: Final = 1 << 20  # bytes: what a camera's pictures stay below
_M_MMAP_THRESHOLD: Final = -3  # of glibc's mallopt


def take_short_turns() -> None:
    """Let threads hand the interpreter's lock over sooner than after the usual 5 ms.

    With one thread that tracks and one that analyses, the window waited for several such turns.
    """
    sys.setswitchinterval(TURN)


def collect_nothing_yet() -> None:
    """Let the collector rest until `spare_what_is_loaded`: what the start makes stays."""
    gc.disable()


def spare_what_is_loaded() -> None:
    """Let the collector pass over all that is there by now, most of it libraries that stay.

    Looking through it takes 0.1 s, in whichever thread a collection comes, and all threads wait.
    """
    gc.freeze()
    gc.enable()


def collect_everything() -> None:
    """Collect what was spared, too."""
    gc.unfreeze()
    gc.collect()


def give_large_blocks_back() -> None:
    """Let glibc give the system large blocks back as soon as they are freed.

    It learns to keep blocks of up to 32 MB in the heaps of its threads, where pictures of all
    sizes leave holes: 100 MB and more, after some minutes of scrubbing.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if choose is not None:
        choose(_M_MMAP_THRESHOLD, _LARGE)


def give_memory_back() -> None:
    """Give the system what threads have freed.

    glibc keeps a heap for every thread: after learning and closing they held 300 MB, all free.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
