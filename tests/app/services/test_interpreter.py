# SPDX-License-Identifier: GPL-3.0-or-later
"""What is freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import ctypes
from facetrack_app.services import interpreter

interpreter.give_large_blocks_back()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(16 << 20))  # from now on, glibc would keep blocks of up to 16 MB

class Info(ctypes.Structure):
    _fields_ = [(f"field{i}", ctypes.c_size_t) for i in range(10)]

libc.mallinfo2.restype = Info
before = libc.mallinfo2().field4  # bytes of blocks that are mapped one by one
libc.malloc(2 << 20)
print(libc.mallinfo2().field4 - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_large_blocks_are_kept_in_no_heap() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) >= 2 << 20
