"""Sources of frames with true timestamps, overlays and sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facetrack.video.source import open_source

__all__ = ["open_source"]


def __getattr__(name: str) -> object:
    """Load `open_source` at its first use: importing the room loads neither OpenCV nor PyAV."""
    if name in __all__:
        from facetrack.video import source

        return getattr(source, name)
    raise AttributeError(f"module 'facetrack.video' has no attribute {name!r}")
