# SPDX-License-Identifier: GPL-3.0-or-later
"""The sound of a file that is played: decoded ahead of time by a thread, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

RATE: Final = 48_000  # samples a second
CHANNELS: Final = 2
SAMPLE: Final = 2 * CHANNELS  # bytes of a moment: 16 bits a channel
AHEAD: Final = RATE * SAMPLE  # bytes that are decoded ahead of what is heard: a second
_GAP: Final = RATE // 50  # samples that time stamps may be off by without anything being missing
_PIECE: Final = RATE // 10  # samples of silence at once


def has_sound(path: Path) -> bool:
    """Return whether a file has sound that could be played."""
    try:
        with av.open(str(path)) as container:
            return bool(container.streams.audio)
    except (av.FFmpegError, OSError, ValueError):
        return False


class Sound:
    """The sound of a file from a moment on."""

    def __init__(self, path: Path, begin: float) -> None:
        self.failure = ""  # why the sound ended before its time
        self._path, self._begin = path, begin
        self._decoded = bytearray()
        self._room = threading.Condition()
        self._stopped = self._done = False
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Bytes that are decoded and not taken."""
        return len(self._decoded)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._done and not self._decoded

    def take(self, most: int) -> bytes:
        """Take some bytes: 16 bits a sample, `CHANNELS` beside each other, `RATE` a second."""
        with self._room:
            size = min(most, len(self._decoded)) // SAMPLE * SAMPLE
            taken = bytes(self._decoded[:size])
            del self._decoded[:size]
            self._room.notify()
        return taken

    def stop(self) -> None:
        """End the thread; it is waited for only when what it decodes is short."""
        with self._room:
            self._stopped = True
            self._room.notify()
        self._thread.join(timeout=0.02)

    def _put(self, samples: npt.NDArray[np.int16]) -> bool:
        """Give samples to whoever takes them; returns whether more are wanted."""
        content = samples.tobytes()
        with self._room:
            self._room.wait_for(lambda: self._stopped or len(self._decoded) < AHEAD - len(content))
            if not self._stopped:
                self._decoded += content
            return not self._stopped

    def _run(self) -> None:
        try:
            for samples in self._samples():
                if not self._put(samples):
                    break
        except (av.FFmpegError, OSError, ValueError, LookupError) as error:
            self.failure = f"the sound of {self._path.name} cannot be decoded: {error}"
        self._done = True

    def _samples(self) -> Iterator[npt.NDArray[np.int16]]:
        """Decode from the moment on; silence where the file has no sound."""
        written = 0
        with av.open(str(self._path)) as container:
            stream, first = container.streams.audio[0], 0.0
            video = next(iter(container.streams.video), None)
            if video is not None and video.start_time is not None:
                first = float(video.start_time * (video.time_base or 0))
            container.seek(int((self._begin + first) / (stream.time_base or 1)), stream=stream)
            resampler = AudioResampler(format="s16", layout="stereo", rate=RATE)
            for part in _resampled(container.decode(stream), resampler):
                samples = part.to_ndarray().reshape(-1, CHANNELS).astype(np.int16, copy=False)
                place = written
                if part.time is not None:
                    place = round((part.time - first - self._begin) * RATE)
                if written and abs(place - written) <= _GAP:
                    place = written
                while written < place:
                    silent = min(place - written, _PIECE)
                    written += silent
                    yield np.zeros((silent, CHANNELS), np.int16)
                samples = samples[written - place :]
                written += len(samples)
                for start in range(0, len(samples), _PIECE):
                    yield samples[start : start + _PIECE]


def _resampled(frames: Iterable[AudioFrame], resampler: AudioResampler) -> Iterator[AudioFrame]:
    for frame in frames:
        yield from resampler.resample(frame)
    yield from resampler.resample(None)
