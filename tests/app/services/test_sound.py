"""Sound beside frames: in time, in bounded memory, and without a device nothing but a sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facetrack_app.services.playing_sound import NoSpeaker, PlayingSound
from facetrack_app.services.sound import AHEAD, CHANNELS, RATE, SAMPLE, Sound, has_sound

SECONDS = 4
BEEP = 1.5  # seconds after the first frame
_INPUT = 44_100  # samples a second in the file


def write_clip(path: Path, *, sound: bool = True, late: float = 0.0) -> Path:
    """Write grey frames, and a beep of 0.2 s; `late`: when the sound's stream begins."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        voice = container.add_stream("pcm_s16le", rate=_INPUT) if sound else None
        for number in range(25 * SECONDS):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), "bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if voice is not None:
            moments = np.arange(round(late * _INPUT), SECONDS * _INPUT) / _INPUT
            on = (moments >= BEEP) & (moments < BEEP + 0.2)
            wave = (on * 20_000 * np.sin(2 * np.pi * 1000 * moments)).astype(np.int16)
            for start in range(0, len(wave), 4410):
                part = av.AudioFrame.from_ndarray(wave[None, start : start + 4410], layout="mono")
                part.sample_rate, part.time_base = _INPUT, Fraction(1, _INPUT)
                part.pts = round(late * _INPUT) + start
                container.mux(voice.encode(part))
            container.mux(voice.encode())
    return path


@pytest.fixture(scope="module")
def beep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a clip with a beep."""
    return write_clip(tmp_path_factory.mktemp("sound") / "beep.mkv")


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sound"]


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def heard(sound: Sound) -> np.ndarray:
    """Take everything."""
    taken = b""
    while not sound.ended:
        taken += sound.take(AHEAD)
        time.sleep(0.001)
    return np.frombuffer(taken, np.int16).reshape(-1, CHANNELS)


@pytest.mark.parametrize("begin", [0.0, 0.73, 1.45])
@pytest.mark.parametrize("late", [0.0, 1.2])
def test_a_beep_is_heard_when_it_belongs(tmp_path: Path, begin: float, late: float) -> None:
    samples = heard(Sound(write_clip(tmp_path / "clip.mkv", late=late), begin))
    onset = int((np.abs(samples).max(axis=1) > 2000).argmax()) / RATE
    assert onset == pytest.approx(BEEP - begin, abs=0.002)
    assert len(samples) / RATE == pytest.approx(SECONDS - begin, abs=0.01)


def test_a_second_is_decoded_ahead_and_no_more(beep: Path) -> None:
    sound = Sound(beep, 0.0)
    until(lambda: sound.waiting > 0.8 * AHEAD)
    time.sleep(0.1)
    assert sound.waiting <= AHEAD
    assert len(sound.take(1001)) == 1000  # whole samples
    sound.stop()
    until(lambda: not threads())


def test_files_without_sound_are_known(beep: Path, tmp_path: Path) -> None:
    assert has_sound(beep)
    assert not has_sound(write_clip(tmp_path / "silent.mkv", sound=False))
    assert not has_sound(tmp_path / "missing.mkv")
    (tmp_path / "broken.mkv").write_bytes(b"nothing")
    assert not has_sound(tmp_path / "broken.mkv")


class FakeSpeaker:
    """Holds 0.2 s, and plays in pieces of 50 ms as its clock is turned."""

    def __init__(self, clock: list[float]) -> None:
        self._clock, self._begun = clock, clock[0]
        self.taken, self.closed, self.stuck = 0, False, False
        self.played = 0

    def _play(self) -> None:
        if not self.stuck:
            due = int((self._clock[0] - self._begun) / 0.05) * round(0.05 * RATE) * SAMPLE
            self.played = min(max(due, self.played), self.taken)

    @property
    def waiting(self) -> int:
        self._play()
        return self.taken - self.played

    @property
    def room(self) -> int:
        return round(0.2 * RATE) * SAMPLE - self.waiting

    def write(self, samples: bytes) -> int:
        self.taken += len(samples)
        return len(samples)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the time, which is turned by hand."""
    now = [100.0]
    monkeypatch.setattr("facetrack_app.services.playing_sound.time.perf_counter", lambda: now[0])
    return now


def test_the_clock_follows_what_is_heard_smoothly(beep: Path, clock: list[float]) -> None:
    speakers: list[FakeSpeaker] = []

    def open_it() -> FakeSpeaker:
        speakers.append(FakeSpeaker(clock))
        return speakers[-1]

    said: list[str] = []
    playing = PlayingSound(beep, open_it, said.append)
    playing.begin(1.0)
    told = []
    for _ in range(120):  # two seconds of a window's timer
        until(lambda: playing._sound is None or playing._sound.waiting > 0)
        moment = playing.moment()
        assert moment is not None
        told.append(moment)
        clock[0] += 1 / 60
    steps = np.diff(told)
    assert (steps >= 0).all()  # frames never go back
    assert steps[20:].max() < 0.04
    assert told[-1] == pytest.approx(1.0 + 119 / 60, abs=0.06)
    playing.end()
    assert speakers[0].closed
    assert playing.moment() is None
    until(lambda: not threads())
    assert said == []


def test_sound_that_ends_early_leaves_the_frames_to_the_clock(
    beep: Path, clock: list[float]
) -> None:
    said: list[str] = []
    playing = PlayingSound(beep, lambda: FakeSpeaker(clock), said.append)
    playing.begin(SECONDS - 0.3)
    until(lambda: playing._sound is not None and playing._sound._done)
    for _ in range(60):
        playing.moment()
        clock[0] += 0.05
    assert playing.moment() is None
    assert not playing.playing
    assert said == []


def test_without_sound_or_muted_there_is_no_thread_and_no_device(beep: Path) -> None:
    def never() -> FakeSpeaker:
        raise AssertionError

    for path, muted in ((None, False), (beep, True)):
        playing = PlayingSound(path, never, lambda text: None)
        playing.muted = muted
        playing.begin(0.0)
        assert playing.moment() is None
        assert threads() == []


def test_a_missing_device_is_said_once(beep: Path) -> None:
    def missing() -> FakeSpeaker:
        raise NoSpeaker("there is no sound device")

    said: list[str] = []
    playing = PlayingSound(beep, missing, said.append)
    for _ in range(3):
        playing.begin(0.0)
        assert playing.moment() is None
    assert said == [
        "the sound cannot be played: there is no sound device; the video is played without it"
    ]
    assert threads() == []


def test_a_device_that_takes_nothing_does_not_hold_the_frames(
    beep: Path, clock: list[float]
) -> None:
    speaker = FakeSpeaker(clock)
    speaker.stuck = True
    said: list[str] = []
    playing = PlayingSound(beep, lambda: speaker, said.append)
    playing.begin(0.0)
    assert playing.moment() == 0.0  # frames wait for the first sample,
    clock[0] += 3.5
    assert playing.moment() is None  # not for ever
    assert said == ["the sound device takes no sound; the video is played without it"]
    assert speaker.closed


def test_sound_that_cannot_be_decoded_is_said(tmp_path: Path, clock: list[float]) -> None:
    said: list[str] = []
    path = tmp_path / "gone.mkv"
    playing = PlayingSound(path, lambda: FakeSpeaker(clock), said.append)
    playing.begin(0.0)
    until(lambda: playing.moment() is None)
    assert len(said) == 1
    assert said[0].startswith("the sound of gone.mkv cannot be decoded")
