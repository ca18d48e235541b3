"""The progress bar over the frames of one video after the other."""

from __future__ import annotations

from typing import Any, Self

from tqdm import tqdm

from facetrack.video.frame import Frame
from facetrack.video.source import VideoSource


def prepare() -> None:
    """Have compiled kernels before the first frame, with a line for those who wait."""
    from facetrack.fitting.kernel_cache import PREPARING
    from facetrack.fitting.kernel_cache import prepare as load_or_compile

    with tqdm(desc=PREPARING, bar_format="{desc}", leave=False, disable=None) as line:
        load_or_compile(line.set_description_str)


class FrameBar:
    """A bar that starts anew with every source; in seconds where the frames are not known."""

    def __init__(self) -> None:
        self._source: VideoSource | None = None
        self._bar: Any = None

    def __call__(self, source: VideoSource, frame: Frame) -> None:
        """Show that a frame is done."""
        if source is not self._source:
            self._begin(source)
        if self._in_seconds:
            self._bar.update(max(0.0, frame.timestamp - self._bar.n))
        else:
            self._bar.update(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def _begin(self, source: VideoSource) -> None:
        self._end()
        self._source = source
        self._in_seconds = source.n_frames is None and source.duration is not None
        total, unit = (source.duration, "s") if self._in_seconds else (source.n_frames, "frame")
        self._bar = tqdm(
            desc=source.name, total=total, unit=unit, disable=None, leave=False, position=1
        )

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
