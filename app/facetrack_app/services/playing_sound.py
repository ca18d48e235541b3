# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound while a video is played: what moves it to the loudspeaker, and the clock that it gives."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from facetrack_app.services.sound import RATE, SAMPLE, Sound

_JUMP: Final = 0.15  # seconds that frames may be apart from the sound before they jump
_SLEW: Final = 0.1  # of the difference that is made up for at a time
_STALLED: Final = 3.0  # seconds without a sample that is heard


class NoSpeaker(Exception):
    """There is nothing that could play sound; says why."""


class Speaker(Protocol):
    """What plays samples. Belongs to the window's thread."""

    @property
    def room(self) -> int:
        """Bytes that it takes now."""

    @property
    def waiting(self) -> int:
        """Bytes that it took and that are not heard yet."""

    def write(self, samples: bytes) -> int:
        """Take samples; returns how many bytes were taken."""

    def close(self) -> None:
        """Be silent at once."""


class PlayingSound:
    """Plays the sound of a video beside its frames.

    Without a file that has sound, or muted, it has no thread and opens no device. Trouble is said
    once, and the frames go on without sound.
    """

    def __init__(
        self, path: Path | None, open_speaker: Callable[[], Speaker], say: Callable[[str], None]
    ) -> None:
        self.muted = False
        self._path, self._open, self._say = path, open_speaker, say
        self._sound: Sound | None = None
        self._speaker: Speaker | None = None
        self._begun = self._offset = self._told = 0.0
        self._written = 0
        self._heard = 0, 0.0  # bytes, and when there were more for the last time

    @property
    def playing(self) -> bool:
        """Whether sound is being played."""
        return self._sound is not None

    def begin(self, seconds: float) -> None:
        """Play from a moment on, in seconds since the first frame."""
        self.end()
        if self._path is None or self.muted:
            return
        try:
            self._speaker = self._open()
        except NoSpeaker as error:
            self._give_up(f"the sound cannot be played: {error}; the video is played without it")
            return
        self._sound = Sound(self._path, seconds)
        self._begun = self._told = seconds
        self._written, self._heard = 0, (0, time.perf_counter())

    def end(self) -> None:
        """Be silent; the thread ends."""
        if self._sound is not None:
            self._sound.stop()
        if self._speaker is not None:
            self._speaker.close()
        self._sound = self._speaker = None

    def moment(self) -> float | None:
        """Move sound to the loudspeaker; give the moment that is heard, None without sound.

        Between two looks of the loudspeaker at its place the clock goes on, and never back.
        """
        sound, speaker = self._sound, self._speaker
        if sound is None or speaker is None:
            return None
        self._written += speaker.write(sound.take(speaker.room))
        now, heard = time.perf_counter(), self._written - speaker.waiting
        if heard > self._heard[0]:  # the loudspeaker counts in pieces: right only when it counts
            apart = self._begun + heard / (RATE * SAMPLE) - (now + self._offset)
            at_once = not self._heard[0] or abs(apart) > _JUMP
            self._offset += apart if at_once else _SLEW * apart
            self._heard = heard, now
        elif self._over(sound, speaker, now - self._heard[1] > _STALLED):
            return None
        if not self._heard[0]:
            return self._begun  # frames wait for the first sample
        self._told = max(self._told, now + self._offset)
        return self._told

    def _over(self, sound: Sound, speaker: Speaker, stalled: bool) -> bool:
        """End where nothing is heard any more; returns whether that is so."""
        if sound.ended and (stalled or not speaker.waiting):
            if sound.failure:
                self._give_up(f"{sound.failure}; the video is played without it")
            self.end()
        elif stalled:
            self._give_up("the sound device takes no sound; the video is played without it")
        return self._sound is None

    def _give_up(self, why: str) -> None:
        """Say what is wrong, and try no more for this video."""
        self._path = None
        self.end()
        self._say(why)
