"""What the tracker knows between two frames, and how a face is lost."""

from __future__ import annotations

import json

import numpy as np
import pytest

from facetrack.formats.encoding import encode
from facetrack.identity.person import UNKNOWN, Person
from facetrack.tracking.track import Track
from facetrack.tracking.tracker import Tracker
from facetrack.tracking.tracker_state import TrackerState
from tests.painted import EYE, OracleModel, World, head_68


def track(id_: int, *, apart: int = 1000) -> Track:
    patch = np.zeros((24, 24), np.uint8)
    points = head_68() * EYE + 200.0
    return Track(Person(id_), points, 0.9, patch, None, np.array([2.0, -1.0]), apart=apart)


def test_without_any_face_a_thorough_search_is_due() -> None:
    one, other = track(0), track(1)
    now = TrackerState(tracks=[one, other], frame=30, idle=7, time=1.25)
    now.lose(one, "covered")
    assert (now.tracks, now.idle) == ([other], 7)
    now.lose(other, "covered")
    assert (now.tracks, now.idle) == ([], 0)


def test_frames_are_counted_from_0() -> None:
    tracker = Tracker(OracleModel(World([])), max_faces=1)
    tracker.update(np.zeros((120, 160), np.uint8))
    assert tracker.state()["frame"] == 0


def test_who_is_lost_is_missing_from_there_on() -> None:
    one, nobody = track(4, apart=1000), track(UNKNOWN)
    now = TrackerState(tracks=[one, nobody], frame=30, time=1.25)
    now.lose_all("left the image")
    (gone,) = now.people.missing
    assert gone.person is one.person
    assert (gone.since, gone.time, gone.reason, gone.behind) == (30, 1.25, "left the image", False)
    assert gone.points.tolist() == one.points.tolist()
    assert gone.velocity.tolist() == [2.0, -1.0]


@pytest.mark.parametrize("apart", [0, 1000])
def test_who_is_lost_while_touching_another_one_is_behind_it(apart: int) -> None:
    now = TrackerState(tracks=[track(0, apart=apart)], frame=3)
    now.lose(now.tracks[0], "covered")
    assert now.people.missing[0].behind == (apart == 0)
    assert now.people.missing[0].time == 0.0  # no frame was timed


def test_the_state_goes_through_json() -> None:
    now = TrackerState(tracks=[track(0), track(1, apart=3)], frame=12, idle=5, time=0.5, claimed=1)
    now.lose(now.tracks[0], "covered")
    said = json.loads(json.dumps(encode(now) | {"max_faces": 2}))
    again = TrackerState.from_state(said, {"max_faces": 2}, OracleModel(World([])), lambda: None)
    assert encode(again) == encode(now)
