"""Rests and rows by themselves: how much is enough, and how long is waited."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.face import Face, State, read_only_points
from facetrack.reading import Finding, Reading, Readings, Spec
from facetrack.signals import Choice, Observation
from facetrack.signals.episodes import Episodes
from facetrack.signals.expression import _gaze
from facetrack.signals.rest import Rest, check_span
from facetrack.signals.resting import RestMeter, measure_rest
from facetrack.signals.rows import SILENT, RowAssembler
from facetrack.video.frame import Frame, frame_of

SPECS = (Spec("smile", "how wide"), Spec("frown", "how deep"))


def face(id_: int = 3) -> Face:
    points = read_only_points(np.zeros((68, 2)))
    return Face(id_, State.TRACKED, "", points, points, 0.9, None)


def finding(frame: int, value: float, *, reason: str = "", id_: int = 3) -> Finding:
    said = {"smile": Reading(value, reason=reason), "frown": Reading(2 * value, 0.1, 0.3)}
    return Finding(id_, "mood", Readings(frame, said))


def test_a_rest_is_the_median_of_ten_frames_or_more() -> None:
    meter = RestMeter()
    values = [5.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0]
    meter.add(finding(n, value) for n, value in enumerate(values))
    with pytest.raises(InputError, match=r"no face was seen well enough at rest, from 1 to 2\.5 s"):
        meter.rest(1.0, 2.5)
    meter.add([finding(9, 0.0, reason="covered")])  # the frown was seen, the smile was not
    rest = meter.rest(1.0, 2.5)
    assert rest.values == {3: {"frown": pytest.approx(2 * 4.5)}}
    meter.add([finding(10, 100.0), finding(11, 1.0, id_=4)])
    assert meter.rest(1.0, 2.5).values == {3: {"smile": 5.5, "frown": 10.0}}
    assert rest.words == {3: "1 to 2.5 s"}
    assert rest.missing == "not seen well enough at rest, from 1 to 2.5 s"


def test_a_rest_has_a_digest_of_all_that_is_in_it() -> None:
    rest = Rest(0.0, 2.0, {3: {"smile": 0.5}})
    others = [replace(rest, start=1.0), replace(rest, stop=3.0), replace(rest, values={})]
    digests = [one.digest for one in (rest, *others)]
    assert len(set(digests)) == 4
    assert [len(digest) for digest in digests] == [8] * 4
    assert replace(rest).digest == digests[0]


@pytest.mark.parametrize(
    "span", [(1.0, 1.0), (2.0, 1.0), (-0.1, 1.0), (math.nan, 1.0), (0.0, math.inf)]
)
def test_a_span_that_is_none_is_refused(span: tuple[float, float]) -> None:
    check_span((0.0, 0.1))
    with pytest.raises(InputError, match="a span of seconds such as 0-10"):
        check_span(span)


@dataclass
class Mood:
    """Says the number of the frame, and can measure from a rest."""

    rest: Rest | None = None
    name: str = "mood"
    version: str = "1"
    specs: tuple[Spec, ...] = SPECS
    delay: float = 0.0
    needs_pixels: bool = False
    frame_rate: float | None = None

    def with_rest(self, rest: Rest) -> Mood:
        return replace(self, rest=rest)

    def episodes(self) -> dict[str, Episodes]:
        return {}

    def start(self) -> Mood:
        return self

    def update(self, seen: Observation) -> list[Readings]:
        return [Readings(seen.index, {"smile": Reading(float(seen.index)), "frown": Reading(0.0)})]

    def finish(self) -> list[Readings]:
        return []

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


def test_a_rest_is_measured_from_the_first_to_the_last_second_of_its_span() -> None:
    picture = frame_of(np.zeros((20, 20), np.uint8)).picture
    tracked = [(Frame(n, n / 4, picture), [face()]) for n in range(40)]
    left = iter(tracked)
    rest = measure_rest(left, Choice((Mood(),), frozenset({"smile", "frown"})), (1.0, 4.0))
    assert (rest.start, rest.stop) == (1.0, 4.0)
    assert rest.values[3]["smile"] == 10.0  # frames 4 to 16
    assert next(left)[0].index == 18  # one frame later is read, and no more


@pytest.mark.parametrize(("now", "count"), [(13.9, 0), (14.0, 0), (14.1, 1)])
def test_rows_wait_for_twice_the_delay_and_ten_seconds(now: float, count: int) -> None:
    rows = RowAssembler(SPECS, delay=2.0)
    assert rows.add(0, 0.0, [face()], []) == []
    done = rows.add(1, now, [face()], [])
    assert [row.frame for row in done] == [0] * count
    assert all(reading.reason == SILENT for row in done for reading in row.values.values())


def test_rows_go_on_where_others_stood() -> None:
    rows, other = RowAssembler(SPECS, 1.0), RowAssembler(SPECS, 1.0)
    rows.add(4, 0.5, [face(), face(4)], [])
    said = Readings(4, {"smile": Reading(0.25, 0.1, 0.4, "so so")})
    rows.take([Finding(3, "mood", said), finding(9, 1.0)])
    other.restore(json.loads(json.dumps(rows.state(), allow_nan=False)))
    assert other.late == rows.late == 1
    for one in (rows, other):
        done = one.add(5, 0.6, [face()], [finding(4, 1.0), finding(4, 2.0, id_=4)])
        assert [(row.frame, row.timestamp, row.face_id) for row in done] == [
            (4, 0.5, 3),
            (4, 0.5, 4),
        ]
        assert done[1].values["frown"] == Reading(4.0, 0.1, 0.3)
    assert repr(rows.finish()) == repr(other.finish())
    rows.add(6, 0.7, [face()], [Finding(3, "mood", said)])
    other.restore(json.loads(json.dumps(rows.state(), allow_nan=False)))
    assert repr(rows.finish()) == repr(other.finish())


LOOKS = [f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right")]


@pytest.mark.parametrize(
    ("shown", "x", "y"),
    [
        ({"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.2}, 0.4, 0.0),
        ({"eyeLookInLeft": 0.6, "eyeLookOutRight": 0.2}, -0.4, 0.0),
        ({"eyeLookUpLeft": 0.6, "eyeLookUpRight": 0.2}, 0.0, 0.4),
        ({"eyeLookDownLeft": 0.6, "eyeLookDownRight": 0.2}, 0.0, -0.4),
        ({"eyeLookOutLeft": 2.0, "eyeLookInRight": 2.0, "eyeLookUpLeft": 4.0}, 1.0, 1.0),
        ({"eyeLookInLeft": 2.0, "eyeLookOutRight": 2.0, "eyeLookDownLeft": 4.0}, -1.0, -1.0),
    ],
)
def test_a_gaze_is_the_mean_of_both_eyes_and_ends_at_one(
    shown: dict[str, float], x: float, y: float
) -> None:
    found = _gaze(dict.fromkeys(LOOKS, 0.0) | shown)
    assert found == pytest.approx({"gaze_x": x, "gaze_y": y})
    assert _gaze(dict.fromkeys(LOOKS[1:], 0.0)) == {}
