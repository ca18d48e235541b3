# SPDX-License-Identifier: GPL-3.0-or-later
"""The loudspeaker, by Qt's multimedia: opened when sound is to be played, never before."""

from __future__ import annotations

from typing import Final

from facetrack_app.services.playing_sound import NoSpeaker
from facetrack_app.services.sound import CHANNELS, RATE, SAMPLE

_BUFFER: Final = RATE * SAMPLE // 8  # bytes: 0.125 s


class QtSpeaker:
    """Plays samples on the usual device; raises NoSpeaker if there is none."""

    def __init__(self) -> None:
        # Needs PulseAudio's library, which not every Linux has. Loaded here, by the window's
        # thread: in another one, the process died.
        try:
            from PyQt5.QtMultimedia import QAudio, QAudioDeviceInfo, QAudioFormat, QAudioOutput
        except ImportError as error:
            raise NoSpeaker(f"{error} (install libpulse-mainloop-glib0)") from error
        device = QAudioDeviceInfo.defaultOutputDevice()
        if device.isNull():
            raise NoSpeaker("there is no sound device")
        form = QAudioFormat()
        form.setCodec("audio/pcm")
        form.setSampleRate(RATE)
        form.setChannelCount(CHANNELS)
        form.setSampleSize(16)
        form.setSampleType(QAudioFormat.SignedInt)
        form.setByteOrder(QAudioFormat.LittleEndian)
        self._output = QAudioOutput(device, form)
        self._output.setBufferSize(_BUFFER)
        self._stream = self._output.start()
        if self._stream is None or self._output.error() != QAudio.NoError:
            raise NoSpeaker(f"the sound device {device.deviceName()} cannot be opened")

    @property
    def room(self) -> int:
        """Bytes that it takes now."""
        return int(self._output.bytesFree()) // SAMPLE * SAMPLE

    @property
    def waiting(self) -> int:
        """Bytes that it took and that are not heard yet."""
        return max(int(self._output.bufferSize()) - int(self._output.bytesFree()), 0)

    def write(self, samples: bytes) -> int:
        """Take samples; returns how many bytes were taken."""
        return max(int(self._stream.write(samples)), 0) if samples else 0

    def close(self) -> None:
        """Be silent at once."""
        self._output.reset()
        self._output.stop()
