"""Sound while a video is played in the window: at 1x, unless muted, and in step with frames."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from facetrack_app.services.playing_sound import NoSpeaker
from facetrack_app.views import annotate_view
from facetrack_app.views.main_window import MainWindow
from facetrack_app.views.speaker import QtSpeaker
from tests.app.services.test_sound import FakeSpeaker, write_clip
from tests.app.views.hands import PATIENCE


class Clock(list[float]):
    """The true time, as the fake device reads it."""

    def __getitem__(self, place: object) -> float:  # type: ignore[override]
        return time.perf_counter()


def playing() -> bool:
    return any(thread.name == "sound" for thread in threading.enumerate())


@pytest.fixture
def speakers(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[FakeSpeaker]:
    """Give the devices that were opened, of a window with a clip that has sound."""
    opened: list[FakeSpeaker] = []

    def open_it() -> FakeSpeaker:
        opened.append(FakeSpeaker(Clock([0.0])))
        return opened[-1]

    monkeypatch.setattr(annotate_view, "QtSpeaker", open_it)
    window.show_annotate()
    window.annotate.open(write_clip(tmp_path / "beep.mkv"))
    qtbot.waitUntil(
        lambda: (
            window.annotate.annotator is not None and window.annotate.annotator.frame is not None
        ),
        timeout=PATIENCE,
    )
    return opened


def test_sound_plays_at_its_own_speed_only(
    window: MainWindow, qtbot: QtBot, speakers: list[FakeSpeaker]
) -> None:
    moves, playback = window.annotate.moves, window.annotate.annotator.playback  # type: ignore[union-attr]
    assert not speakers
    moves.play()
    qtbot.waitUntil(lambda: playback.frame >= 5, timeout=PATIENCE)
    (speaker,) = speakers
    behind = speaker.played / 48_000 / 4 - playback.frame / 25
    assert abs(behind) < 0.25
    moves.shuttle_on()  # twice as fast: silent
    assert speaker.closed
    moves.pause()
    moves.set_pace(0.5)
    moves.play()
    assert len(speakers) == 1
    moves.pause()
    moves.set_pace(1.0)
    window.annotate.toggle_sound()
    moves.play()
    assert len(speakers) == 1
    window.annotate.toggle_sound()  # heard from here on
    assert len(speakers) == 2
    moves.step_on()
    assert speakers[1].closed
    qtbot.waitUntil(lambda: not playing(), timeout=PATIENCE)
    assert window.settings.sound


def test_without_a_device_the_video_plays_and_a_sentence_says_so(
    window: MainWindow, qtbot: QtBot, speakers: list[FakeSpeaker], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> FakeSpeaker:
        raise NoSpeaker("there is no sound device")

    monkeypatch.setattr(window.annotate.moves._sound, "_open", missing)
    window.annotate.moves.play()
    assert "there is no sound device" in window.message
    annotator = window.annotate.annotator
    assert annotator is not None
    qtbot.waitUntil(lambda: annotator.playback.frame >= 3, timeout=PATIENCE)
    window.annotate.pause()


def test_qts_loudspeaker_works_or_says_why_not(qapp: object) -> None:
    try:
        speaker = QtSpeaker()
    except NoSpeaker:
        return
    assert speaker.room >= 0
    speaker.close()
