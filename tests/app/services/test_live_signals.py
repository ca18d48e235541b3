"""Signals of the live view: found in every tracked frame, whatever is shown, and recorded."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan
from pathlib import Path

import numpy as np
import pytest

from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.recording import record
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.errors import InputError, OutputError
from facetrack.face import Face, State
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.events_csv import EventWriter, read_events
from facetrack.formats.signals_csv import read_signals
from facetrack.opening import open_source
from facetrack.reading import Event, Finding, Kind, Reading, Readings, Spec
from facetrack.signals import Choice, FaceEstimator, choose, register
from facetrack.signals.registry import unregister
from facetrack.signals.rest import Rest
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame, frame_of
from facetrack.video.sink import write_video
from facetrack_app.model.live import LiveFrame, SignalHealth, live_choice
from facetrack_app.model.recording import NOTES, Wish
from facetrack_app.services.capture import Captured
from facetrack_app.services.latest_value import LatestValue
from facetrack_app.services.live_session import LiveSession, LiveWish
from facetrack_app.services.live_tracking import LiveTracking
from facetrack_app.services.recorder import Recorder
from tests.app.aching import MODEL, Aching
from tests.app.conftest import shape

HEAT = Spec("heat", "how warm", "deg", (0.0, 100.0))
CHILL = Spec("chill", "it shivers", kind=Kind.EVENT)


def face(id_: int, shift: float = 0.0) -> Face:
    points = shape(shift)
    return Face(id_, State.TRACKED, "", points, points, 0.9, None)


def fails_at(frame: int) -> FaceEstimator:
    """Make an estimator that works so many times."""
    calls = iter(range(frame))

    def compute(face: Face) -> Sequence[float]:
        try:
            return (float(next(calls)),)
        except StopIteration:
            raise ValueError("the thermometer is broken") from None

    return FaceEstimator("warmth", (HEAT,), compute)


@dataclass
class Stage:
    """A tracking thread that does not run: frames are tracked when a test says so."""

    model: FaceModel
    faces: list[Face] = field(default_factory=lambda: [face(0)])
    choice: Choice = field(default_factory=choose)
    count: int = 0

    def __post_init__(self) -> None:
        self.tracking = LiveTracking(
            Tracker(self.model), LatestValue(), lambda: None, lambda text: None, self.choice
        )
        self.tracking._tracker.update = self._update  # type: ignore[method-assign,assignment]

    def _update(self, frame: Frame) -> list[Face]:
        return self.faces

    def track(self, n_frames: int) -> None:
        for _ in range(n_frames):
            picture = frame_of(np.zeros((4, 4, 3), np.uint8), index=self.count)
            frame = replace(picture, timestamp=10 + self.count / 25)
            self.tracking._track(Captured(frame, 0.0))
            self.count += 1


@pytest.fixture
def stage(shipped_model: FaceModel) -> Stage:
    return Stage(shipped_model)


def readings(found: Sequence[Finding], name: str) -> list[tuple[int, Reading]]:
    return [
        (f.result.frame, f.result.values[name])
        for f in found
        if isinstance(f.result, Readings) and name in f.result.values
    ]


def test_every_tracked_frame_is_heard_though_one_is_shown(stage: Stage) -> None:
    stage.track(50)
    heard = stage.tracking.heard.take()
    assert [one.frame for one in heard] == list(range(50))
    assert {one.face_id for one in heard} == {0}
    found = [f for one in heard for f in one.findings]
    for name in ("mouth_opening", "eye_openness"):  # at once, and late in the beginning
        assert [frame for frame, _ in readings(found, name)] == list(range(50))
    assert stage.tracking.results.dropped == 49
    newest = stage.tracking.results.take(timeout=0)
    assert newest is not None
    assert newest.frame.index == 49
    assert newest.findings == heard[-1].findings


def test_frames_keep_the_numbers_of_the_camera(stage: Stage) -> None:
    stage.track(2)
    stage.count += 5
    stage.track(1)
    heard = stage.tracking.heard.take()
    assert [one.frame for one in heard] == [0, 1, 7]
    found = [f for one in heard for f in one.findings]
    assert [frame for frame, _ in readings(found, "mouth_opening")] == [0, 1, 7]


def test_a_window_that_stands_still_for_long_loses_the_oldest_and_knows(stage: Stage) -> None:
    stage.choice = choose("quality")
    stage.track(605)
    assert stage.tracking.heard.dropped == 5
    assert stage.tracking.heard.take()[0].frame == 5


def test_an_estimator_that_breaks_is_named_and_the_others_go_on(shipped_model: FaceModel) -> None:
    choice = choose("quality")
    broken = replace(choice, estimators=(*choice.estimators, fails_at(3)),
                     names=choice.names | {"heat"})  # fmt: skip
    stage = Stage(shipped_model, choice=broken)
    stage.track(6)
    found = [f for one in stage.tracking.heard.take() for f in one.findings]
    assert [r.value for _, r in readings(found, "quality")] == [0.9] * 6
    heat = [r for _, r in readings(found, "heat")]
    assert [r.value for r in heat[:3]] == [0, 1, 2]
    assert all(isnan(r.value) and "switched off" in r.reason for r in heat[3:])
    assert stage.tracking.health.troubles() == [
        "warmth is switched off: ValueError: the thermometer is broken"
    ]
    assert set(stage.tracking.health.costs) == {"quality", "warmth"}


def test_thinning_is_said_as_long_as_there_are_many_faces(shipped_model: FaceModel) -> None:
    def compute(face: Face) -> Sequence[float]:
        time.sleep(0.004)
        return (1.0,)

    slow = FaceEstimator("warmth", (HEAT,), compute)
    stage = Stage(shipped_model, choice=Choice((slow,), frozenset({"heat"})))
    stage.faces = [face(i) for i in range(3)]
    stage.track(3)
    assert stage.tracking.health.troubles() == ["thinned: warmth: one face a frame"]
    assert stage.tracking.health.costs["warmth"] >= 4
    stage.faces = stage.faces[:2]
    stage.track(1)
    assert stage.tracking.health.troubles() == []


def test_health_says_what_is_off_before_what_is_thinned() -> None:
    health = SignalHealth({"gaze": "OSError: gone"}, ("pulse",))
    assert health.troubles() == [
        "gaze is switched off: OSError: gone", "thinned: pulse: one face a frame",
    ]  # fmt: skip


@pytest.fixture
def warmth() -> Iterator[FaceEstimator]:
    made = register(FaceEstimator("warmth", (HEAT,), lambda face: (36.6,)))
    assert isinstance(made, FaceEstimator)
    yield made
    unregister("warmth")


def test_estimators_that_come_later_are_asked_from_then_on(
    stage: Stage, warmth: FaceEstimator
) -> None:
    stage.track(40)
    stage.tracking.choice = live_choice(["heat", "of_another_version"])
    assert {e.name for e in stage.tracking.choice.estimators} >= {"warmth", "blinks"}
    stage.track(2)
    heard = stage.tracking.heard.take()
    heat = readings([f for one in heard for f in one.findings], "heat")
    assert [(frame, r.value) for frame, r in heat] == [(40, 36.6), (41, 36.6)]
    (eyes,) = readings(heard[-1].findings, "eye_openness")
    assert eyes[1].value == 1.0  # whose baseline went on


def test_a_recording_holds_the_rows_of_facetrack_track(
    shipped_model: FaceModel, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    video = SyntheticVideo(shipped_model.shape_model, n_frames=150, size=(320, 240), seed=1)
    write_video(video, clip)
    outputs = Outputs(tmp_path / "tracked")
    model = ModelId(shipped_model.name, fingerprint(shipped_model))
    record(Task(clip, outputs, Settings(), model), shipped_model)
    tracking = LiveTracking(
        Tracker(shipped_model), LatestValue(), lambda: None, lambda text: None, choose()
    )
    recorder = Recorder(Wish(tmp_path / "live"), tracking.choice)
    tracking.sinks.append(recorder)
    with open_source(clip) as source:
        for frame in source:
            tracking._track(Captured(frame, 0.0))
    files = recorder.close(tracking.detach(recorder))
    for kind in ("signals", "events", "dictionary"):
        written = Outputs(recorder.base).path(kind)
        assert written in files
        assert written.read_bytes() == outputs.path(kind).read_bytes()
    assert not [file for file in files if "partial" in file.name]
    assert read_events(outputs.path("events"))
    assert tracking.sinks == []


def live(index: int, *findings: Finding) -> LiveFrame:
    frame = frame_of(np.zeros((4, 4, 3), np.uint8), index=index, timestamp=index / 10)
    return LiveFrame(frame, (face(0),), 0.0, 0.0, findings)


def chill(start: float) -> Finding:
    return Finding(0, "warmth", Event("chill", start, start + 0.1, start + 0.2))


def heat(frame: int) -> Finding:
    return Finding(0, "warmth", Readings(frame, {"heat": Reading(float(frame))}))


WARM = Choice((FaceEstimator("warmth", (HEAT, CHILL), lambda face: (), delay=1.0),),
              frozenset({"heat", "chill"}))  # fmt: skip


def test_a_recording_counts_from_its_first_frame_and_leaves_out_what_began_before(
    tmp_path: Path,
) -> None:
    recorder = Recorder(Wish(tmp_path), WARM)
    recorder(live(100, heat(98), heat(99), heat(100), chill(9.9)))
    recorder(live(101))
    recorder(live(102, heat(101), chill(10.0)))
    recorder.close([heat(102), chill(10.1)])
    table = read_signals(Outputs(recorder.base).path("signals"))
    assert table.frame.tolist() == [0, 1, 2]
    np.testing.assert_allclose(table.timestamp, [0, 0.1, 0.2], atol=1e-6)
    assert table.signals["heat"].value.tolist() == [100, 101, 102]
    events = read_events(Outputs(recorder.base).path("events"))
    assert [(e.event.start, e.event.stop) for e in events] == [(0, 0.2), (0.1, 0.3)]


def test_a_recording_without_a_frame_is_empty(tmp_path: Path) -> None:
    recorder = Recorder(Wish(tmp_path), WARM)
    recorder.close([heat(3), chill(0.3)])
    assert len(read_signals(Outputs(recorder.base).path("signals"))) == 0
    assert read_events(Outputs(recorder.base).path("events")) == []


def test_rows_that_nothing_is_said_of_do_not_pile_up(tmp_path: Path) -> None:
    recorder = Recorder(Wish(tmp_path), WARM)
    for index in range(1000):  # 100 seconds
        recorder(live(index))
    while recorder.account.frames < 1000:
        time.sleep(0.01)
    assert len(recorder._signals.state()["rows"]["_waiting"]) <= 130
    recorder.close()
    table = read_signals(Outputs(recorder.base).path("signals"))
    assert len(table) == 1000
    assert np.isnan(table.signals["heat"].value).all()


def test_a_disk_that_is_full_of_signals_is_said_and_leaves_whole_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(writer: EventWriter, records: object) -> None:
        raise OutputError(f"{writer.path}: cannot be written (the disk is full)")

    monkeypatch.setattr(EventWriter, "write", full)
    recorder = Recorder(Wish(tmp_path), WARM)
    for index in range(3):
        recorder(live(index, heat(index)))
    files = recorder.close()
    assert "the disk is full" in recorder.failure
    (partial,) = (file for file in files if ".signals." in file.name)
    assert len(read_signals(partial)) == 1


def test_charts_that_are_put_away_stay_in_a_recording(
    shipped_model: FaceModel, tmp_path: Path, warmth: FaceEstimator
) -> None:
    wish = LiveWish("demo", charts=("heat",))
    session = LiveSession(shipped_model, wish, lambda act: act(), lambda: None, lambda text: None)
    session.record(Wish(tmp_path))
    session.chart(["pose_yaw"])
    assert "warmth" in {e.name for e in session.tracking.choice.estimators}
    recorder = session.stop_recording()
    assert recorder is not None
    assert any(file.name.endswith(".signals.csv") for file in recorder.files)
    assert "warmth" not in {e.name for e in session.tracking.choice.estimators}
    assert session.hear() == []
    assert (session.untracked, session.unheard, session.tracking.health) == (0, 0, SignalHealth())


@pytest.fixture
def still(shipped_model: FaceModel, ache: Aching) -> Iterator[tuple[LiveSession, Stage]]:
    """Give a session whose frames are tracked when a test says so, and who does that."""
    wish = LiveWish("demo", charts=("ache",))
    session = LiveSession(shipped_model, wish, lambda act: act(), lambda: None, lambda text: None)
    stage = Stage(shipped_model)
    stage.tracking = session.tracking
    stage.tracking._tracker.update = stage._update  # type: ignore[method-assign,assignment]
    yield session, stage
    session.stop_recording()


def test_values_are_measured_from_a_rest_and_a_recording_says_so(
    still: tuple[LiveSession, Stage], tmp_path: Path
) -> None:
    session, stage = still
    stage.track(6)
    session.set_rest(Rest(0.0, 10.0, {0: {"ache": 3.0, "ache_brows": 1.0}}))
    assert session.hear() == []  # what was measured from nothing is not drawn
    stage.track(1)
    (one,) = session.hear()
    ((_, reading),) = readings(one.findings, "ache")
    assert reading == Reading(0.0, -1.0, 2.0)
    session.chart(["ache", "pose_yaw"])
    assert session.tracking.choice.rest == session.rest
    session.record(Wish(tmp_path))
    with pytest.raises(InputError, match="end the recording first"):
        session.set_rest(None)
    stage.faces = [face(0), face(1)]
    stage.track(2)
    recorder = session.stop_recording()
    assert recorder is not None
    table = read_signals(Outputs(recorder.base).path("signals"))
    assert table.signals["ache"].value[::2].tolist() == [1.0, 2.0]
    assert table.signals["ache"].model == MODEL
    assert table.signals["ache"].reason[1] == "not seen well enough at rest, from 0 to 10 s"
    assert "rest" not in table.signals
    with Outputs(recorder.base).path("signals").open(encoding="utf-8", newline="") as stream:
        rests = [row["rest"] for row in csv.DictReader(stream)]
    assert rests[0].startswith("10 s at rest, until ")
    assert rests[0].endswith(" s before the recording")
    assert rests[1] == ""
    noted = json.loads(recorder.base.with_name(recorder.base.name + NOTES).read_text())
    assert noted["measured from"] == {"0": rests[0]}
    session.set_rest(None)
    stage.track(1)
    ((_, reading),) = readings(session.hear()[-1].findings[-1:], "ache")
    assert reading.value >= 3.0


def test_a_tracker_that_hangs_keeps_nobody_from_ending_a_recording(stage: Stage) -> None:
    hangs, woken = threading.Event(), threading.Event()
    tracking = stage.tracking

    def hang(frame: object) -> list[Face]:
        hangs.set()
        woken.wait(30)
        return []

    tracking._tracker.update = hang  # type: ignore[method-assign,assignment]
    tracking.start()
    while not hangs.is_set():
        tracking._frames.put(Captured(frame_of(np.zeros((4, 4, 3), np.uint8)), 0.0))
        time.sleep(0.01)
    sink = lambda live: None  # noqa: E731
    tracking.sinks.append(sink)
    tracking.stop()
    assert tracking.detach(sink) == []
    woken.set()
    tracking._thread.join(10)


def test_what_is_heard_names_the_first_tracked_face() -> None:
    lost = Face(4, State.LOST, "covered", np.full((68, 2), nan), shape(), 0.0, None)
    frame = replace(live(7), faces=(lost, face(5), face(6)))
    assert frame.heard().face_id == 5
    assert replace(frame, faces=(lost,)).heard().face_id == -1
