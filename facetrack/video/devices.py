"""The cameras of this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facetrack.errors import CameraError

_QUERY_CAPABILITIES: Final = 0x80685600  # VIDIOC_QUERYCAP
_VIDEO_CAPTURE: Final = 0x1
_HAS_DEVICE_CAPABILITIES: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera of this machine."""

    index: int  # as `open_source` takes it
    path: str  # its device file
    name: str  # what the maker calls it


def list_cameras(
    *,
    sysfs: Path = Path("/sys/class/video4linux"),
    devices: Path = Path("/dev"),
    capabilities: Callable[[Path], int | None] | None = None,
) -> list[CameraInfo]:
    """List the cameras of a Linux machine by number without waking them; none on other systems.

    `capabilities` goes from a node's path to its V4L2 device capabilities, None where it may not be
    asked; by default it asks the kernel.
    """
    ask = capabilities if capabilities is not None else _capabilities
    found = []
    for node in sysfs.glob("video*"):
        if not re.fullmatch("video[0-9]+", node.name):
            continue
        device = devices / node.name
        can = ask(device)
        # One camera has several nodes; those that only give metadata cannot be opened. A node
        # that may not be asked is told by its index: that of UVC cameras' pictures is 0.
        if can & _VIDEO_CAPTURE if can is not None else _text(node / "index") in ("", "0"):
            number = int(node.name.removeprefix("video"))
            found.append(CameraInfo(number, str(device), _text(node / "name")))
    return sorted(found, key=lambda camera: camera.index)


def _capabilities(device: Path) -> int | None:
    if sys.platform != "linux":
        return None
    import fcntl

    answer = bytearray(104)
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(handle, _QUERY_CAPABILITIES, answer)
        finally:
            os.close(handle)
    except OSError:
        return None
    both, own = (int.from_bytes(answer[i : i + 4], "little") for i in (84, 88))
    return own if both & _HAS_DEVICE_CAPABILITIES else both


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def check_permission(camera: int | str) -> None:
    """Say on Linux why a camera cannot be opened before OpenCV fails without a reason."""
    if sys.platform != "linux":
        return
    device = Path(f"/dev/video{camera}" if isinstance(camera, int) else camera)
    if not device.exists():
        there = ", ".join(f"{c.index} ({c.name})" for c in list_cameras()) or "none"
        raise CameraError(
            f"{device}: there is no such camera (there are: {there}); plug it in, or choose "
            "another number"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise CameraError(
            f"{device}: no permission; run `sudo usermod -aG video $USER` and log in again"
        )
