"""The file's own time: that of its sound, whole after joints, with the rate its stream states."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.face import Face, Pose, State
from facetrack.formats.annotation import track_annotations
from facetrack.formats.elan import read_elan, write_elan_annotations
from facetrack.formats.openface import OpenFaceWriter, read_openface
from facetrack.formats.webvtt import read_webvtt, write_webvtt_annotations
from facetrack.opening import open_seekable, open_source, unstated_rate
from facetrack.video.file import FileSource
from facetrack.video.timeline import packets_of

Clip = Callable[..., Path]

LATE = 0.84  # seconds that the picture starts after its sound
RATE = 25
STATE_A_START = [
    "a.mp4", "a.mov", "a.mkv", "a.webm", "a.ts", "a.m2ts", "a.mts", "a.mpg", "a.vob", "a.flv"
]  # fmt: skip
ANY_START = (".ts", ".m2ts", ".mts", ".mpg", ".vob")  # what their clocks begin with
SOUNDS = {".webm": "libopus", ".avi": "mp2", ".mpg": "mp2", ".vob": "mp2", ".flv": "mp3"}
PICTURES = {
    ".webm": "libvpx", ".avi": "mpeg4", ".mpg": "mpeg2video", ".vob": "mpeg2video", ".flv": "flv",
}  # fmt: skip


def _sound(codec: str, seconds: float) -> Iterator[Any]:
    """Give frames of a quiet tone; silence would let some encoders leave packets out."""
    form = "fltp" if codec in ("aac", "mp3") else "s16"
    for start in range(0, int(seconds * 48000), 960):
        wave = 0.1 * np.sin(np.arange(start, start + 960) / 50)
        samples = wave if form == "fltp" else (wave * 32767).astype(np.int16)
        typed: Any = samples[None].astype(np.float32 if form == "fltp" else np.int16)
        frame = av.AudioFrame.from_ndarray(typed, form, "mono")
        frame.rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield frame


def film(
    path: Path,
    pictures: Iterator[np.ndarray],
    *,
    late: float = 0.0,
    sound: float | None = None,
    b_frames: int = 0,
) -> Path:
    """Write a video whose pictures start `late` seconds after its sound, which lasts `sound`."""
    codec = PICTURES.get(path.suffix, "libx264")
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.max_b_frames = b_frames
        packets = []
        audio: Any = None
        if sound is not None:
            name = SOUNDS.get(path.suffix, "aac")
            audio = out.add_stream(name, rate=48000, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number + round(late * RATE), Fraction(1, RATE)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        if audio is not None:
            for samples in _sound(audio.codec_context.name, sound or 0):
                packets += audio.encode(samples)
            packets += audio.encode(None)
        packets.sort(key=lambda p: p.dts * p.time_base)
        for packet in packets:
            out.mux(packet)
    return path


def _probed(path: Path) -> np.ndarray:
    """Ask ffprobe for the frames' times, counted from the start of clocks that start anywhere."""
    command = ["ffprobe", "-v", "quiet", "-select_streams", "v:0", "-of", "json", "-show_entries"]
    command += ["frame=best_effort_timestamp_time:format=start_time", str(path)]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("ffprobe is not installed (apt install ffmpeg)")
    answer = json.loads(done.stdout)
    times: list[float] = []
    for frame in answer["frames"]:  # the last of a program stream has none
        stated = frame.get("best_effort_timestamp_time")
        times.append(times[-1] + 1 / RATE if stated is None else float(stated))
    anywhere = path.suffix in ANY_START
    return np.array(times) - (float(answer["format"]["start_time"]) if anywhere else 0)


def _tables(source: Any, folder: Path) -> tuple[list[float], list[Any], list[Any]]:
    """Write a face in every frame as CSV, ELAN and WebVTT; give what these say."""
    points = np.random.default_rng(0).uniform(20, 100, (68, 2))
    face = Face(0, State.TRACKED, "", points, points, 0.9, Pose((0, 0, 0), (0, 0, 500)))
    with OpenFaceWriter(folder / "a.csv") as writer:
        for frame in source:
            writer.write(frame.index, frame.timestamp, [face])
    table = read_openface(folder / "a.csv")
    said = track_annotations(table)
    write_elan_annotations(folder / "a.eaf", said)
    write_webvtt_annotations(folder / "a.vtt", said)
    return table.timestamp.tolist(), read_elan(folder / "a.eaf"), read_webvtt(folder / "a.vtt")


@pytest.mark.parametrize(
    ("name", "late"),
    [*itertools.product(STATE_A_START, [0.0, LATE]), ("a.avi", 0.0), ("a.h264", 0.0)],
)
def test_tables_and_annotations_tell_the_files_own_time(
    tmp_path: Path, originals: Callable[..., Iterator[np.ndarray]], name: str, late: float
) -> None:
    raw = name == "a.h264"
    path = film(
        tmp_path / name, originals(30, (160, 120)), late=late, sound=None if raw else 2 + late
    )
    expected = np.arange(30) / RATE if raw else _probed(path)
    assert raw or expected[0] == pytest.approx(late, abs=0.1)  # the file is what it should be
    source = open_source(path)
    times, elan, vtt = _tables(source, tmp_path)
    assert_allclose(times, expected, atol=1e-3)
    for (said,) in (elan, vtt):
        assert_allclose([said.start, said.end], [expected[0], expected[-1] + 1 / RATE], atol=1e-3)
    video = open_seekable(path)
    assert [video.time(i) for i in range(video.n_frames)] == [f.timestamp for f in source]
    assert video.frame(7).timestamp == pytest.approx(times[7], abs=1e-6)
    zero_noted = any("of the file's own time" in note for note in source.report.notes)
    assert zero_noted == (times[0] > 5e-4)


def test_pictures_before_the_files_zero_count_from_the_first(tmp_path: Path, clip: Clip) -> None:
    path = clip(tmp_path / "a.avi", [0, 0.1, 0.2], codec="mpeg4", tick=Fraction(1, 10))
    early = tmp_path / "a.mkv"
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(path)) as given, av.open(str(early), "w", options=options) as out:
        copy = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts - 1, packet.dts - 1, copy
                out.mux(packet)
    source = FileSource(early)
    assert_allclose([f.timestamp for f in source], [0, 0.1, 0.2], atol=1e-3)
    assert any("before the file's zero" in note for note in source.report.notes)


@pytest.mark.parametrize("name", [f"a{suffix}" for suffix in ANY_START])
@pytest.mark.parametrize("lengths", [(31, 31), (13, 31), (31, 10, 22)])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_joined_recordings_go_on_one_frame_later(
    tmp_path: Path,
    originals: Callable[..., Iterator[np.ndarray]],
    name: str,
    lengths: tuple[int, ...],
    b_frames: int,
) -> None:
    parts = [
        film(tmp_path / f"{i}{name}", originals(n, (160, 120)), b_frames=b_frames)
        for i, n in enumerate(lengths)
    ]
    path = tmp_path / name
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    expected: list[float] = []
    for part in parts:
        start = expected[-1] + 1 / RATE if expected else 0.0
        expected += [start + frame.timestamp for frame in FileSource(part)]
    source = FileSource(path)
    times = [f.timestamp for f in source]
    assert_allclose(times, expected, atol=1e-3)
    assert source.report.repeated == len(lengths) - 1
    assert any("fell back" in note for note in source.report.notes)
    video = open_seekable(path)
    assert [video.time(i) for i in range(video.n_frames)] == times


def test_joined_parts_of_other_clocks_are_not_sorted_into_each_other(
    tmp_path: Path, originals: Callable[..., Iterator[np.ndarray]]
) -> None:
    """No two stamps are the same here: only the order of the packets tells."""
    film(tmp_path / "a.mpg", originals(30, (160, 120)))
    content = (tmp_path / "a.mpg").read_bytes()
    with av.open(str(tmp_path / "a.mpg")) as given, av.open(str(tmp_path / "b.mpg"), "w") as out:
        copy = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts, packet.stream = packet.pts + 1000, packet.dts + 1000, copy
                out.mux(packet)
    (tmp_path / "c.mpg").write_bytes(content + (tmp_path / "b.mpg").read_bytes())
    source = FileSource(tmp_path / "c.mpg")
    times = [f.timestamp for f in source]
    video = open_seekable(tmp_path / "c.mpg")
    assert np.diff(times).min() > 0.01  # FFmpeg guesses the time of the picture at the joint
    assert times[-1] == pytest.approx(59 / RATE, abs=1 / RATE)
    assert [video.time(i) for i in range(video.n_frames)] == times


def test_one_wild_time_does_not_move_what_follows(tmp_path: Path, clip: Clip) -> None:
    stamps = [i / 10 for i in range(9)]
    path = clip(tmp_path / "a.mkv", stamps, codec="ffv1", pixels="gray")
    content = path.read_bytes()
    block = b"\x81" + (500).to_bytes(2, "big")  # track 1, milliseconds
    assert content.count(block) == 1
    path.write_bytes(content.replace(block, b"\x81" + (20).to_bytes(2, "big")))
    times = [f.timestamp for f in FileSource(path)]
    assert_allclose(times[:5] + times[6:], stamps[:5] + stamps[6:], atol=1e-9)
    assert 0.4 + 0.01 < times[5] < 0.6
    video = open_seekable(path)  # sorted by their stamps, frames would change places
    assert [video.time(i) for i in range(video.n_frames)] == times


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.h264", "libx264"), ("a.m2v", "mpeg2video"), ("a.mjpeg", "mjpeg")],
)
def test_raw_streams_keep_the_rate_of_their_header_and_obey_the_users(
    tmp_path: Path, clip: Clip, name: str, codec: str
) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = clip(
        tmp_path / name,
        [i / 30 for i in range(30)],
        codec=codec,
        pixels=pixels,
        tick=Fraction(1, 30),
    )
    stated = 25 if codec == "mjpeg" else 30  # the headers of JPEG pictures know no rate
    for given, rate in ((None, stated), (50.0, 50)):
        source = open_source(path, rate=given)
        times = [f.timestamp for f in source]
        assert_allclose(times, np.arange(30) / rate, atol=1e-9)
        assert any(f"rate of {rate} a second" in note for note in source.report.notes)
        video = open_seekable(path, rate=given)
        assert [video.time(i) for i in range(video.n_frames)] == times


def test_the_tick_of_a_clock_is_no_rate(tmp_path: Path, clip: Clip) -> None:
    """Encoders of variable rates state 1/90000 s in the header of H.264."""
    path = clip(tmp_path / "a.h264", [0, 0.03, 0.1, 0.12], tick=Fraction(1, 90_000))
    source = open_source(path)
    assert_allclose([f.timestamp for f in source], np.arange(4) / RATE, atol=1e-9)
    assert unstated_rate(path) == RATE
    assert any("rate of 25 a second" in note for note in source.report.notes)


def test_a_rate_does_not_overrule_a_files_times(tmp_path: Path, clip: Clip) -> None:
    path = clip(tmp_path / "a.mp4", [0, 0.1, 0.2])
    assert_allclose([f.timestamp for f in open_source(path, rate=50)], [0, 0.1, 0.2], atol=1e-3)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_rates_that_are_none_are_refused(tmp_path: Path, clip: Clip, rate: float) -> None:
    with pytest.raises(InputError, match="rate must be a positive number"):
        open_source(clip(tmp_path / "a.mp4", [0.0]), rate=rate)


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.mp4", "a.avi", "a.flv", "a.ts"])
def test_sound_that_lasts_longer_is_no_alarm(
    tmp_path: Path, originals: Callable[..., Iterator[np.ndarray]], name: str
) -> None:
    source = FileSource(film(tmp_path / name, originals(30, (160, 120)), sound=5))
    list(source)
    if name in ("a.mkv", "a.webm", "a.mp4"):  # which state the picture's own end
        assert source.duration == pytest.approx(30 / RATE, abs=0.1)
    assert not any("cut short" in note for note in source.report.notes)


@pytest.mark.parametrize("name", ["a.mkv", "a.flv"])
def test_a_file_that_is_cut_with_its_sound_is_named(
    tmp_path: Path, originals: Callable[..., Iterator[np.ndarray]], name: str
) -> None:
    path = film(tmp_path / name, originals(120, (160, 120)), sound=4.8)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = FileSource(path)
    times = [f.timestamp for f in source]
    assert all(a < b for a, b in itertools.pairwise(times))
    assert any("cut short" in note for note in source.report.notes)


class Joined:
    """A container as PyAV's, one of whose packets is of a stream that came later."""

    def __init__(self) -> None:
        self._left = iter(["a", None, "b", None, None, "c"])

    def demux(self, streams: object) -> Iterator[str]:
        for packet in self._left:
            if packet is None:
                raise IndexError("list index out of range")
            yield packet


def test_packets_of_a_stream_that_came_later_end_nothing() -> None:
    assert list(packets_of(Joined(), ())) == ["a", "b", "c"]
