"""What was said at the foot of the window, and words with their numbers."""

from __future__ import annotations

import pytest

from facetrack_app.model.messages import Messages
from facetrack_app.model.wording import counted


def test_trouble_stands_until_something_else_is_said_of_the_same_concern() -> None:
    messages = Messages()
    messages.say("the disk is full", True, "track")
    messages.say("copied the shape of frame 3", False, "")
    assert messages.shown == ("copied the shape of frame 3", False)
    messages.news = ""  # it has faded
    assert messages.shown == ("the disk is full", True)
    assert messages.say("", False, "track")
    assert messages.shown == ("", False)
    assert not messages.say("", False, "track")


def test_of_several_troubles_the_newest_is_shown_and_can_be_taken_away() -> None:
    messages = Messages()
    messages.say("the disk is full", True, "track")
    messages.say("no such file", True, "open")
    messages.say("the disk is still full", True, "track")
    assert messages.shown == ("the disk is still full", True)
    messages.dismiss()
    assert messages.shown == ("no such file", True)
    messages.dismiss()
    messages.dismiss()
    assert messages.shown == ("", False)


def test_new_trouble_is_seen_though_news_was_just_shown() -> None:
    messages = Messages()
    messages.say("measuring ...", False, "measure")
    messages.say("nothing pairs", True, "measure")
    assert messages.shown == ("nothing pairs", True)


@pytest.mark.parametrize(
    ("number", "word", "words", "written"),
    [
        (0, "frame", "", "0 frames"),
        (1, "frame", "", "1 frame"),
        (2, "frame", "", "2 frames"),
        (1, "person", "people", "1 person"),
        (12345, "person", "people", "12,345 people"),
    ],
)
def test_plurals(number: int, word: str, words: str, written: str) -> None:
    assert counted(number, word, words) == written
