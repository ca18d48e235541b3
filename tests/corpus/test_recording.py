"""One video into files: accounts, interruptions, the same bytes in the end."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from facetrack.corpus.ledger import read_checkpoint, read_ledger
from facetrack.corpus.recording import CHECKPOINT_EVERY, record
from facetrack.corpus.task import ModelId
from facetrack.corpus.teaching import Teaching
from facetrack.errors import CameraError, InputError, OutputError, VideoError
from facetrack.face import State
from facetrack.formats.elan import read_elan
from facetrack.formats.events_csv import read_events
from facetrack.formats.openface import read_openface
from facetrack.formats.signals_csv import read_signals
from facetrack.formats.webvtt import read_webvtt
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reading import Spec
from facetrack.signals import FaceEstimator, choose, register
from facetrack.signals.registry import unregister
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.camera import CameraSource
from facetrack.video.sink import VideoWriter, write_video

SAME = ("csv", "dictionary", "ledger", "signals", "events")  # files that do not depend on the run
N_LONG = 700


def contents(task):
    return {kind: task.outputs.path(kind).read_bytes() for kind in SAME}


def tables(outputs):
    return {kind: outputs.path(kind).read_bytes() for kind in ("csv", "signals", "events")}


def stop_at(index):
    def progress(source, frame):
        if frame.index == index:
            raise KeyboardInterrupt

    return progress


@pytest.fixture(scope="module")
def whole(long_clip, model, tmp_path_factory):
    """Give the tables of an uninterrupted run of the long clip."""
    from facetrack.corpus.fingerprint import fingerprint
    from facetrack.corpus.task import Outputs, Settings, Task

    outputs = Outputs(tmp_path_factory.mktemp("whole") / "long")
    task = Task(long_clip, outputs, Settings(), ModelId(model.name, fingerprint(model)))
    record(task, model)
    return tables(outputs)


def test_every_decoded_frame_has_its_row(task, clip, model, tmp_path):
    recorded = record(task(clip, tmp_path / "clip"), model)
    table = read_openface(tmp_path / "clip.csv")
    with open_source(clip) as source:
        times = [frame.timestamp for frame in source]
    assert table.frame.tolist() == list(range(40))
    np.testing.assert_allclose(table.timestamp, times, atol=5e-7)
    account = "decoded 40 = rows 40, repeated 0, undecodable 0, a face in 40 of 40 frames"
    assert recorded.ledger.summary() == account
    assert read_ledger(tmp_path / "clip.ledger.json") == replace(
        recorded.ledger, version=json.loads((tmp_path / "clip.ledger.json").read_text())["version"]
    )
    assert table.success.all()


def test_nothing_unfinished_is_left(task, clip, model, tmp_path):
    record(task(clip, tmp_path / "clip", overlay=True), model)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clip.columns.csv",
        "clip.csv",
        "clip.events.csv",
        "clip.ledger.json",
        "clip.overlay.mp4",
        "clip.signals.csv",
        "clip.timing.json",
    ]


def test_two_runs_give_the_same_bytes(task, clip, model, tmp_path):
    runs = [task(clip, tmp_path / run / "clip") for run in ("a", "b")]
    for run in runs:
        record(run, model)
    assert contents(runs[0]) == contents(runs[1])


def test_all_formats_are_written(task, clip, model, tmp_path):
    formats = ("vtt", "coco", "elan", "pts")
    chosen = task(clip, tmp_path / "clip", formats=formats)
    record(chosen, model)
    assert chosen.settings.formats == ("csv", "pts", "coco", "elan", "vtt")
    assert all(chosen.outputs.path(kind).exists() for kind in formats)
    assert len(list((tmp_path / "clip-pts" / "face_0").glob("*.pts"))) == 40


def test_an_interrupted_run_goes_on_to_the_same_bytes(task, long_clip, model, whole, tmp_path):
    chosen = task(long_clip, tmp_path / "long")
    with pytest.raises(KeyboardInterrupt):
        record(chosen, model, progress=stop_at(N_LONG - 30))
    checkpoint = read_checkpoint(chosen.outputs.path("checkpoint"))
    assert checkpoint is not None
    assert checkpoint.frames == 2 * CHECKPOINT_EVERY
    assert len(read_openface(chosen.outputs.path("partial"))) == N_LONG - 29
    recorded = record(chosen, model, resume=True)
    assert recorded.resumed_at == 2 * CHECKPOINT_EVERY
    assert tables(chosen.outputs) == whole
    assert recorded.ledger.decoded == recorded.ledger.tracked == N_LONG


def test_the_overlay_of_an_interrupted_run_is_the_same(
    task, clip, model, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    drawn = []  # pictures before they are encoded: the encoder's bytes vary between runs

    class Writer(VideoWriter):
        def write(self, image, timestamp):
            drawn.append((timestamp, image.tobytes()))
            super().write(image, timestamp)

    monkeypatch.setattr("facetrack.corpus.drawing.VideoWriter", Writer)
    monkeypatch.setattr("facetrack.corpus.recording.CHECKPOINT_EVERY", 10)
    record(task(clip, tmp_path / "a" / "clip", overlay=True), model)
    whole = drawn.copy()
    interrupted = task(clip, tmp_path / "b" / "clip", overlay=True)
    with pytest.raises(KeyboardInterrupt):
        record(interrupted, model, progress=stop_at(25))
    drawn.clear()
    assert record(interrupted, model, resume=True).resumed_at == 20
    assert len(whole) == 40
    assert drawn == whole
    assert not list((tmp_path / "b").glob("*part*"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_process_goes_on_to_the_same_bytes(
    task, long_clip, model, model_file, whole, tmp_path
):
    command = [sys.executable, "-m", "facetrack", "track", str(long_clip), "-o", str(tmp_path)]
    command += ["--model", str(model_file)]
    outputs = task(long_clip, tmp_path / "long").outputs
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and child.poll() is None:
        checkpoint = read_checkpoint(outputs.path("checkpoint"))
        if checkpoint is not None and checkpoint.frames:
            break
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not outputs.path("csv").exists()
    assert len(read_openface(outputs.path("partial"))) >= CHECKPOINT_EVERY
    finished = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert "resumed at frame" in finished.stdout
    assert tables(outputs) == whole


def test_a_finished_video_is_skipped_only_if_nothing_changed(task, clip, model, tmp_path):
    copy = tmp_path / "clip.mp4"
    copy.write_bytes(clip.read_bytes())
    chosen = task(copy, tmp_path / "out" / "clip")
    record(chosen, model)
    assert not record(chosen, model).skipped
    assert record(chosen, model, resume=True).skipped
    smoothed = replace(chosen, settings=replace(chosen.settings, smoothing=0.5))
    assert not record(smoothed, model, resume=True).skipped
    assert record(smoothed, model, resume=True).skipped
    other_model = replace(smoothed, model=ModelId("toy", "0" * 64))
    assert not record(other_model, model, resume=True).skipped
    os.utime(copy, ns=(0, 10**18))
    assert not record(other_model, model, resume=True).skipped
    chosen.outputs.path("csv").unlink()
    assert not record(other_model, model, resume=True).skipped


def test_two_runs_do_not_write_the_same_files(task, clip, model, tmp_path):
    pytest.importorskip("fcntl", reason="this system has no such locks")
    chosen = task(clip, tmp_path / "clip")

    def second_run(source, frame):
        if frame.index == 5:
            with pytest.raises(InputError, match=r"clip\.partial\.csv: another run"):
                record(chosen, model, resume=True)

    assert record(chosen, model, progress=second_run).ledger.in_rows == 40
    assert record(chosen, model).ledger.in_rows == 40


@pytest.mark.parametrize("damage", ["partial", "checkpoint", "signals partial", "events partial"])
def test_damaged_remains_start_anew(
    task, clip, model, tmp_path, monkeypatch: pytest.MonkeyPatch, damage
):
    monkeypatch.setattr("facetrack.corpus.recording.CHECKPOINT_EVERY", 10)
    chosen = task(clip, tmp_path / "clip")
    with pytest.raises(KeyboardInterrupt):
        record(chosen, model, progress=stop_at(25))
    path = chosen.outputs.path(damage)
    path.write_bytes(path.read_bytes()[: 20 if "signals" in damage or "events" in damage else 5000])
    recorded = record(chosen, model, resume=True)
    assert recorded.resumed_at == 0
    assert recorded.ledger.in_rows == 40
    assert len(read_signals(chosen.outputs.path("signals"))) == 40


@pytest.mark.parametrize("part", ["_usual", "_bases", "_fused"])
def test_a_state_of_other_code_starts_anew_with_a_note(
    task, clip, model, tmp_path, monkeypatch: pytest.MonkeyPatch, caplog, part
):
    monkeypatch.setattr("facetrack.corpus.recording.CHECKPOINT_EVERY", 10)
    chosen = task(clip, tmp_path / "clip", signals="pain")
    with pytest.raises(KeyboardInterrupt):
        record(chosen, model, progress=stop_at(15))
    path = chosen.outputs.path("checkpoint")
    content = json.loads(path.read_text(encoding="utf-8"))
    scorer = content["signals"]["pipeline"]["people"][0][2]["pain"]["_scorer"]
    more = ["x", {"since": 0, "last": 0, "count": 0, "mean": None}]
    other = {"_usual": [*scorer["_usual"], more], "_bases": [["x", []]], "_fused": [[1.0]]}
    scorer[part] = other[part]
    path.write_text(json.dumps(content), encoding="utf-8")
    recorded = record(chosen, model, resume=True)
    assert recorded.resumed_at == 0
    assert recorded.ledger.in_rows == 40
    assert (
        "clip: what an interrupted run left does not fit, so the video is tracked anew: the "
        in (caplog.text)
    )


def test_a_killed_rerun_does_not_count_as_finished(task, clip, model, tmp_path):
    chosen = task(clip, tmp_path / "clip")
    record(chosen, model)
    with pytest.raises(KeyboardInterrupt):
        record(chosen, model, progress=stop_at(5))
    assert len(read_openface(chosen.outputs.path("csv"))) == 40  # the old table is still there
    assert not record(chosen, model, resume=True).skipped


def test_signals_have_the_rows_of_the_tracks(task, clip, model, tmp_path):
    chosen = task(clip, tmp_path / "clip", signals="all")
    recorded = record(chosen, model)
    tracks, signals = (
        read_openface(tmp_path / "clip.csv"),
        read_signals(tmp_path / "clip.signals.csv"),
    )
    assert signals.frame.tolist() == tracks.frame.tolist()
    assert signals.face_id.tolist() == tracks.face_id.tolist()
    np.testing.assert_allclose(signals.timestamp, tracks.timestamp, atol=1e-6)
    assert list(signals.signals) == [spec.name for spec in choose("all").values]
    quality = signals.signals["quality"]
    np.testing.assert_allclose(quality.value, tracks.confidence, atol=1e-4)
    assert recorded.ledger.run_key["settings"]["signals"] == choose("all").run_key()
    with (tmp_path / "clip.columns.csv").open(newline="") as stream:
        described = {(row["table"], row["column"]) for row in csv.DictReader(stream)}
    for table, name in (("signals", "clip.signals.csv"), ("events", "clip.events.csv")):
        header = (tmp_path / name).read_text().splitlines()[0].split(",")
        assert {column for kind, column in described if kind == table} == set(header)


def test_no_signals_no_files_and_old_ones_go(task, clip, model, tmp_path):
    record(task(clip, tmp_path / "clip"), model)
    record(task(clip, tmp_path / "clip", signals="none"), model)
    assert not list(tmp_path.glob("*signals*")) + list(tmp_path.glob("*events*"))


def test_an_estimator_that_breaks_is_noted_and_its_columns_say_why(task, clip, model, tmp_path):
    def broken(face):
        raise ZeroDivisionError("on purpose")

    register(FaceEstimator("broken", (Spec("ruin", "nothing"),), broken))
    try:
        recorded = record(task(clip, tmp_path / "clip", signals="broken,quality"), model)
    finally:
        unregister("broken")
    why = "broken is switched off: ZeroDivisionError: on purpose"
    assert recorded.ledger.notes == (f"signals of {why.replace(' is', ' are', 1)}",)
    table = read_signals(tmp_path / "clip.signals.csv")
    assert set(table.signals["ruin"].reason) == {why}
    assert np.isfinite(table.signals["quality"].value).all()


def test_events_are_tiers_and_cues(task, tmp_path):
    chosen = task(blinking_clip(tmp_path), tmp_path / "clip", formats=("elan", "vtt"))
    record(chosen, load_model())
    records = read_events(chosen.outputs.path("events"))
    blinks = [r.event for r in records if r.event.name == "blink"]
    assert blinks
    for read in (read_elan(tmp_path / "clip.eaf"), read_webvtt(tmp_path / "clip.vtt")):
        said = [a for a in read if a.value == "blink"]
        assert [a.start for a in said] == pytest.approx([e.start for e in blinks], abs=1e-3)


def blinking_clip(folder):
    write_video(
        SyntheticVideo(load_model().shape_model, n_frames=120, seed=1),
        folder / "clip.mp4",
    )
    return folder / "clip.mp4"


def test_frames_without_a_face_have_rows(task, model, tmp_path):
    with VideoWriter(tmp_path / "empty.mp4", (64, 48)) as writer:
        for i in range(5):
            writer.write(np.full((48, 64, 3), 90, np.uint8), i / 30)
    recorded = record(task(tmp_path / "empty.mp4", tmp_path / "empty"), model)
    table = read_openface(tmp_path / "empty.csv")
    assert table.face_id.tolist() == [-1] * 5
    assert (recorded.ledger.in_rows, recorded.ledger.tracked) == (5, 0)


def test_pictures_of_different_sizes_share_an_overlay(task, model, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, size in enumerate([(48, 64), (30, 80), (100, 20)]):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((*size, 3), 100, np.uint8))
    (folder / "3.png").write_bytes(b"no picture")
    recorded = record(task(folder, tmp_path / "out" / "pictures", overlay=True), model)
    account = "decoded 3 = rows 3, repeated 0, undecodable 1, a face in 0 of 3 frames (no face is"
    assert recorded.ledger.summary().startswith(account)
    with open_source(tmp_path / "out" / "pictures.overlay.mp4") as source:
        assert [frame.image.shape for frame in source] == [(48, 64, 3)] * 3


def test_pictures_each_by_itself_go_on_to_the_same_bytes(task, shipped_model, tmp_path):
    folder, names = tmp_path / "pictures", [f"img ({i}).png" for i in (1, 2, 3, 10)]
    folder.mkdir()
    frames = list(SyntheticVideo(shipped_model.shape_model, n_frames=4, size=(320, 240), seed=1))
    for name, frame in zip(names, frames, strict=True):
        cv2.imwrite(str(folder / name), frame.image)
    cv2.imwrite(str(folder / names[3]), cv2.resize(frames[3].image, (640, 480)))
    (folder / names[1]).write_bytes(b"no picture")
    wanted = {"stills": True, "formats": ("pts", "coco", "elan"), "overlay": True}
    one, two = (task(folder, tmp_path / name / "pictures", **wanted) for name in ("one", "two"))
    recorded = record(one, shipped_model)
    account = "decoded 3 = rows 3, repeated 0, undecodable 1, a face in 3 of 3 frames"
    assert recorded.ledger.summary() == account
    missing = "{} is not written: pictures by themselves have no time"
    assert [missing.format(f"pictures{end}") for end in (".eaf", ".overlay.mp4")] == list(
        recorded.ledger.notes[1:]
    )
    table = read_openface(one.outputs.path("csv"))
    good = {0: names[0], 2: names[2], 3: names[3]}
    assert (table.frame.tolist(), table.pictures) == ([0, 2, 3], good)
    assert table.success.all()
    assert np.isnan(table.timestamp).all()
    assert sorted(f.name for f in one.outputs.path("pts").glob("*.pts")) == sorted(
        name.replace(".png", ".pts") for name in good.values()
    )
    images = json.loads(one.outputs.path("coco").read_text())["images"]
    assert [(i["file_name"], i["width"]) for i in images] == [
        (names[0], 320), (names[2], 320), (names[3], 640)
    ]  # fmt: skip
    assert read_events(one.outputs.path("events")) == []
    with pytest.raises(KeyboardInterrupt):
        record(two, shipped_model, progress=stop_at(2))
    record(two, shipped_model, resume=True)
    assert tables(one.outputs) == tables(two.outputs)


def test_nothing_is_taught_over_pictures_by_themselves(task, model, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((48, 64, 3), 100, np.uint8))
    run_key = task(tmp_path / "a.png", tmp_path / "out" / "a")
    with pytest.raises(InputError, match=r"a\.png: what is taught needs a video"):
        record(replace(run_key, teaching=Teaching(adapt=True)), model)


def test_a_missing_video_leaves_nothing(task, model, tmp_path):
    with pytest.raises(VideoError, match=r"missing\.mp4"):
        record(task(tmp_path / "missing.mp4", tmp_path / "out" / "missing"), model)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(task, clip, model, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file"):
        record(task(clip, tmp_path / "file" / "clip"), model)


def test_a_row_that_somebody_removed_is_noticed(task, clip, model, tmp_path):
    chosen = task(clip, tmp_path / "clip")

    def progress(source, frame):
        if frame.index == 20:
            path = chosen.outputs.path("partial")
            path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))

    with pytest.raises(OutputError, match="holds 37 frames of 40 decoded"):
        record(chosen, model, progress=progress)


@pytest.mark.parametrize(
    "settings", [{"max_faces": 0}, {"smoothing": 1.5}, {"formats": ("csv", "xls")}]
)
def test_wrong_settings_are_refused(task, clip, tmp_path, settings):
    with pytest.raises(InputError):
        task(clip, tmp_path / "clip", **settings)


class FakeCamera:
    """A device that shows one picture and vanishes."""

    def __init__(self, lasts):
        self.lasts = lasts

    def isOpened(self):
        return True

    def grab(self):
        time.sleep(0.002)
        self.lasts -= 1
        return self.lasts > 0

    def retrieve(self):
        return True, np.full((48, 64, 3), 80, np.uint8)

    def get(self, prop):
        return 0.0

    def set(self, prop, value):
        return True

    def release(self):
        pass


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch):
    def plug_in(lasts):
        def opened(spec, **options):
            return CameraSource(spec, open_capture=lambda _: FakeCamera(lasts))

        monkeypatch.setattr("facetrack.corpus.recording.open_source", opened)

    return plug_in


def test_ctrl_c_ends_a_camera_properly(task, model, tmp_path, camera):
    camera(10**9)
    recorded = record(task("0", tmp_path / "camera-0"), model, progress=stop_at(7))
    assert recorded.ledger.decoded == recorded.ledger.in_rows == 8
    assert len(read_openface(tmp_path / "camera-0.csv")) == 8


def test_what_a_camera_saw_before_it_vanished_is_kept(task, model, tmp_path, camera):
    camera(12)
    with pytest.raises(CameraError, match=r"vanished.*camera-0\.csv"):
        record(task("0", tmp_path / "camera-0"), model)
    ledger = read_ledger(tmp_path / "camera-0.ledger.json")
    assert ledger is not None
    assert len(read_openface(tmp_path / "camera-0.csv")) == ledger.decoded > 0


def test_a_lost_face_is_drawn_with_its_reason(tmp_path):
    from facetrack.corpus.drawing import face_of_row
    from facetrack.formats.table import make_table

    table = make_table([0, 1], np.full((2, 68, 2), np.nan), face_id=[-1, 3])
    table = replace(table, reason=("", "covered"))
    assert face_of_row(table, 0) is None
    face = face_of_row(table, 1)
    assert face is not None
    assert (face.id, face.state, face.reason, face.pose) == (3, State.LOST, "covered", None)
