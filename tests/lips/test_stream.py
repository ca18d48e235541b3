"""What is read while frames come is what is read of the whole clip, and bad clips are told."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from facetrack.cli.main import main
from facetrack.evaluation import lips
from facetrack.evaluation.lip_alarms import alarm_table, score_alarms
from facetrack.evaluation.lip_reject import Heard
from facetrack.evaluation.lips import lip_table, score_sentences
from facetrack.formats.modelfile import find_model
from facetrack.lips.activity import ActivityMeter, lip_opening
from facetrack.lips.clips import RATE, LipClip
from facetrack.lips.datasets import Item, grid, grid_named, talkers
from facetrack.lips.enrol import EnrolledWords, enrol, take_of, take_of_part
from facetrack.lips.preparing import crops_file
from facetrack.lips.reader import LipReader, load_reader, store_reject
from facetrack.lips.rejection import NOTHING, Reject
from facetrack.lips.spotting import spot
from facetrack.lips.stream import LipStream, ReadWord, read_clip
from facetrack.lips.words import Word, spelled
from facetrack.reporting.tables import as_text
from facetrack.synthetic.clips import demo_video

FRAMES = 150
LOWER = [7, 8, 9, 10, 11, 17, 18, 19]  # of the 20 points: the lower lip
SPOKEN = ((20, 50), (100, 125))  # frames


@pytest.fixture(scope="module")
def reader() -> LipReader:
    """Give the shipped reader."""
    return load_reader()


def speaking(
    seed: int = 0, spoken: tuple[tuple[int, int], ...] = SPOKEN, height: float = 8.0
) -> LipClip:
    """Make a mouth that opens and closes four times a second in two stretches, over noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(FRAMES) / RATE
    wave = np.zeros(FRAMES)
    for first, stop in spoken:
        wave[first:stop] = height * np.sin(2 * np.pi * 4 * times[first:stop])
    points = np.full((FRAMES, 20, 2), 44.0)
    points[:, LOWER, 1] += 10 + wave[:, None]
    pixels = rng.integers(0, 255, (FRAMES, 96, 96), dtype=np.uint8)
    tracked = np.ones(FRAMES, dtype=bool)
    return LipClip(pixels, points.astype(np.float32), tracked, 2.0, "made")


def enrolled(reader: LipReader) -> EnrolledWords:
    """Enrol two words of two takes each, and take anything for one of them."""
    takes = [(word, take_of(reader, speaking(seed, (place,))))
             for word, place in zip(("short", "long"), ((30, 50), (30, 70)), strict=True)
             for seed in (1, 2)]  # fmt: skip
    return replace(enrol(takes, reader.version), farthest=10.0)


def whole(reader: LipReader, clip: LipClip, words: EnrolledWords | None) -> list[ReadWord]:
    """Read a clip from features of all of it at once."""
    meter = ActivityMeter()
    lively = [one for points in clip.points for one in meter.push(lip_opening(points))]
    lively += meter.finish()
    spoken = np.flatnonzero([one.speaking for one in lively])
    features = reader.features(clip)
    found = []
    for run in np.split(spoken, np.flatnonzero(np.diff(spoken) > 9) + 1):
        first, stop = int(run[0]), int(run[-1]) + 1
        if words is None:
            first, stop = first - 6, stop + 6
            logits = reader.frames(features[first:stop])
            said = [
                (one.text, (one.first, one.centre, one.stop - 1), one.probability)
                for one in spot(logits, reader.words)
            ]
        else:
            first, stop = first + 3, stop - 3
            answer = words.tell(take_of_part(clip.part(first, stop), features[first:stop]))
            length = stop - first
            said = [(answer.text, (0, length // 2, length - 1), answer.probability)]
        for text, places, sure in said:
            begin, peak, end = (clip.start + (first + n) / RATE for n in places)
            found += [ReadWord(text, begin, peak, end, sure)] if text else []
    return found


@pytest.mark.parametrize("own", [False, True])
def test_a_stream_reads_what_the_whole_clip_holds(reader: LipReader, own: bool) -> None:
    clip, words = speaking(), enrolled(reader) if own else None
    one = LipStream(reader, words, NOTHING)
    found = []
    for number, frame in enumerate(clip.frames()):
        if number == 45:  # a session that was closed and opened
            other = LipStream(reader, words, NOTHING)
            other.restore(json.loads(json.dumps(one.state())))
            one = other
        found += one.push(frame)
    found += one.finish()
    assert found == read_clip(reader, clip, words, NOTHING)
    offline = whole(reader, clip, words)
    assert len(found) >= 2
    assert [word.text for word in found] == [word.text for word in offline]
    for word, other_word in zip(found, offline, strict=True):
        times = (word.start, word.peak, word.stop)
        assert times == pytest.approx((other_word.start, other_word.peak, other_word.stop))
        assert word.probability == pytest.approx(other_word.probability, abs=1e-3)


def test_what_the_reader_rejects_is_not_reported(reader: LipReader) -> None:
    clip = speaking()
    heard = read_clip(reader, clip, reject=NOTHING)
    assert read_clip(reader, clip) == []  # noise is no speech that it knows
    least = sorted(word.probability for word in heard)[1]
    assert read_clip(reader, clip, reject=Reject(0.0, least)) == [
        word for word in heard if word.probability >= least
    ]
    energies = {word.energy for word in heard}
    assert len(energies) == 2  # one of each stretch
    assert {w.energy for w in read_clip(reader, clip, reject=Reject(max(energies), 0.0))} == {
        max(energies)
    }


def test_words_of_speech_that_is_cut_are_read_once(reader: LipReader) -> None:
    clip = speaking(spoken=((10, 140),))  # longer than a stretch may be
    found = read_clip(reader, clip, reject=NOTHING)
    assert len({word.energy for word in found}) > 1
    assert all(one.stop < other.start for one, other in pairwise(found))


def test_the_track_of_a_clip_says_what_predict_says(shared: Path, tmp_path: Path, capsys) -> None:
    clip = shared / "data" / "lips" / "grid_s1" / "bbaf2n.mp4"
    assert main(["lips", "predict", str(clip)]) == 0
    offline = [line.split("\t")[1:] for line in capsys.readouterr().out.splitlines()]
    command = ["track", str(clip), "-o", str(tmp_path), "--signals", "lips", "--words", "lips"]
    assert main(command) == 0
    rows = csv.DictReader((tmp_path / "bbaf2n.events.csv").read_text().splitlines())
    words = [row for row in rows if row["name"] == "word"]
    streamed = [
        [
            f"{float(w['start']):.2f}",
            f"{float(w['stop']):.2f}",
            w["text"],
            f"{float(w['score']):.2f}",
        ]
        for w in words
    ]
    assert len(streamed) > 3
    assert streamed == offline


def test_false_words_are_counted_by_talking_and_silence(reader: LipReader, tmp_path: Path) -> None:
    clip = speaking()
    clip.write(crops_file(tmp_path, Item("a", tmp_path, ())))
    clip.write(crops_file(tmp_path, Item("b", tmp_path, ())))
    heard = read_clip(reader, clip, reject=NOTHING)
    late = [w for w in heard if w.start < clip.start + 2.5]  # of the first stretch
    right = Word(late[0].text, late[0].start, late[0].stop)
    items = [Item("a", tmp_path, ()), Item("b", tmp_path, (right,))]
    details = score_alarms(items, tmp_path, reader="lips")
    assert details["right"] == 1
    every = details["every"]["alarms"]
    assert every["talking"] + every["silence"] == 2 * len(heard) - 1
    assert every["silence"] >= len(heard) - len(late)  # of b, after its word
    passing = [word for word in heard if reader.reject.passes(word.energy, word.probability)]
    assert len(passing) < len(heard)
    assert sum(details["kept"]["alarms"].values()) == 2 * len(passing)
    alone = score_alarms(items[1:], tmp_path, reader="lips")
    assert alone["every"]["alarms"] == {"talking": 0, "silence": len(heard) - 1}
    first, stop = Word(right.text, right.start - clip.start, right.stop - clip.start).frames(RATE)
    assert alone["hours"]["talking"] * 3600 * RATE == pytest.approx(stop - first)
    frames = 3600 * RATE * (details["hours"]["talking"] + details["hours"]["silence"])
    assert frames == pytest.approx(2 * FRAMES)
    assert details["trade"][0]["false"] == pytest.approx(
        every["talking"] / details["hours"]["talking"]
    )
    assert details["late"]["n"] == 2 * len(late)
    # Speech ends some frames early or late; 8 of quiet, 19 of activity, 2 of context, 6 of crops.
    assert 30 <= details["late"]["median"] <= 75
    low, high = details["every"]["interval"]["talking"]
    assert low < details["every"]["per_hour"]["talking"] < high
    table = as_text(alarm_table(details))
    assert "false words" in table
    assert "talking, with the reject" in table


def test_an_hour_without_false_words_has_an_upper_bound(tmp_path: Path) -> None:
    speaking(spoken=()).write(crops_file(tmp_path, Item("a", tmp_path, ())))
    details = score_alarms([Item("a", tmp_path, ())], tmp_path, reader="lips")
    assert details["every"]["alarms"] == {"talking": 0, "silence": 0}
    assert details["every"]["interval"]["talking"] is None
    low, high = details["every"]["interval"]["silence"]
    assert low == 0
    assert high == pytest.approx(3.689 / (FRAMES / RATE / 3600), rel=1e-3)
    assert details["late"] == {"n": 0, "median": None, "p95": None, "most": None}
    assert "none" in as_text(alarm_table(details))


@pytest.mark.parametrize("spoken", [SPOKEN, (), ((148, 150),)])  # the last: of four frames
def test_words_without_an_alignment_are_placed_in_their_order(
    spoken: tuple[tuple[int, int], ...], tmp_path: Path
) -> None:
    clip = speaking(spoken=spoken, height=4.0)
    clip.write(crops_file(tmp_path, Item("s2_swwp2s", tmp_path, ())))
    said = tuple(Word(text, 0.0, 0.0) for text in spelled("swwp2s"))
    details = score_sentences([Item("s2_swwp2s", tmp_path, said)], tmp_path, reader="lips")
    assert details["placed"] == 1
    assert details["talkers"] == {"s2": [round(6 * details["accuracy"]), 6]}
    assert "1 clips have no alignment" in as_text(lip_table(details))


def _align(path: Path, said: str, last: int = 53000) -> None:
    edges = [0, 23750, 29500, 34000, 35500, 41000, 47250, last, last + 21500]
    words = ["sil", *said.split(), "sil"]
    spans = zip(edges[:-1], edges[1:], words, strict=True)
    path.write_text("".join(f"{a} {b} {word}\n" for a, b, word in spans))


def test_the_reject_that_sentences_choose_is_stored(tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "bbaf2n.mp4").touch()
    crops, mine, report = tmp_path / "crops", tmp_path / "mine.npz", tmp_path / "a.json"
    crops.mkdir()
    clip = speaking()
    clip.write(crops_file(crops, Item("bbaf2n", tmp_path, ())))
    shutil.copy(find_model("lips"), mine)
    store_reject(mine, Reject(3.0, 0.25))
    before = load_reader(mine)
    assert before.reject == Reject(3.0, 0.25)
    assert before.version == load_reader().version
    command = ["lips", "evaluate", str(tmp_path), "--data", "grid-named", "--crops", str(crops),
               "--reader", str(mine), "--store-reject", "--json", str(report)]  # fmt: skip
    right = Heard(0.5, 4.0, 0)
    monkeypatch.setattr(lips, "_as_heard", lambda one, word, known: right)
    assert main(command) == 0
    assert "energy 3.00 and probability 0.25 at least" in capsys.readouterr().out
    assert json.loads(report.read_text())["details"]["chosen"]["energy"] == 4.0
    assert load_reader(mine).reject == Reject(4.0, 0.0)
    monkeypatch.setattr(lips, "_as_heard", lambda one, word, known: replace(right, said=-1))
    assert main(command) == 1
    assert "no word was read right" in capsys.readouterr().err
    command[4] = "avletters"
    assert main(command) == 1
    assert "--store-reject needs GRID's sentences" in capsys.readouterr().err


def test_clips_whose_words_are_not_known_are_told_and_left_out(tmp_path: Path) -> None:
    names = ("bbaf2n", "bbaf3s", "s2_swwp2s", "holiday")
    for name in names:
        (tmp_path / f"{name}.mp4").touch()
    _align(tmp_path / "bbaf2n.align", "bin blue at f two now")
    _align(tmp_path / "bbaf3s.align", "bin blue at f two now")  # of another clip
    told: list[str] = []
    assert [item.key for item in grid(tmp_path, tell=told.append)] == ["bbaf2n"]
    assert len(told) == 3
    assert "is not what 'bbaf3s' spells; put the clip's own alignment beside it" in told[0]
    assert "holiday.mp4: has no alignment" in told[1]
    told = []
    named = grid_named(tmp_path, tell=told.append)
    assert [item.key for item in named] == ["bbaf2n", "s2_swwp2s"]
    assert [word.text for word in named[1].words] == ["set", "white", "with", "p", "two", "soon"]
    assert all(word.start == word.stop == 0 for word in named[1].words)
    assert len(told) == 2
    assert "holiday.mp4: its name spells no sentence of GRID" in told[1]
    assert [len(item.words) for item in talkers(tmp_path)] == [6, 0, 0]


def _write(path: Path, images: Sequence[npt.NDArray[np.uint8]], rate: int) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of a face at 30 frames a second, one of four frames and one of no face."""
    from facetrack.model import load_model

    folder = tmp_path_factory.mktemp("takes")
    video = list(demo_video(load_model().shape_model, n_frames=30, size=(160, 160)))
    images = [frame.image for frame in video]
    _write(folder / "face.mp4", images, 30)
    _write(folder / "short.mp4", images[:4], 25)
    _write(folder / "nobody.mp4", [np.full_like(images[0], 90)] * 12, 25)
    return folder


def test_one_bad_clip_does_not_stop_the_others(takes: Path, tmp_path: Path, capsys) -> None:
    clips = [str(takes / f"{name}.mp4") for name in ("short", "nobody", "face")]
    assert main(["lips", "predict", *clips]) == 0
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    for name, line in zip(("short", "nobody"), told, strict=True):
        assert f"{name}.mp4: no mouth is seen for 8 frames or more; record the face whole" in line
    assert main(["lips", "predict", *clips[:2]]) == 1
    capsys.readouterr()
    root = tmp_path / "own"
    for place, name in (("one/a", "face"), ("one/b", "short"), ("two/a", "face")):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(takes / f"{name}.mp4", root / f"{place}.mp4")
    words, report = tmp_path / "words.npz", tmp_path / "own.json"
    assert main(["lips", "enroll", str(root), "-o", str(words)]) == 0
    out, err = capsys.readouterr()
    assert "b.mp4: no mouth is seen for 8 frames or more" in out + err
    assert "one: one take only; how it varies is not known, record another one" in out + err
    assert "2 takes of 2 words: one, two" in out
    score = ["lips", "evaluate", str(root), "--words", str(words), "--json", str(report)]
    assert main(score) == 0
    assert json.loads(report.read_text())["details"]["takes"] == 2
    capsys.readouterr()
    shutil.move(root / "one", root / "three")
    shutil.move(root / "two", root / "four")
    assert main(score) == 1
    assert "none of the enrolled words is there; the folder holds four, three" in (
        capsys.readouterr().err
    )


def test_an_alignment_that_ends_after_its_clip_is_told(takes: Path, tmp_path: Path, capsys) -> None:
    for name in ("bbaf2n", "lbaf2n"):
        shutil.copy(takes / "face.mp4", tmp_path / f"{name}.mp4")
    _align(tmp_path / "bbaf2n.align", "bin blue at f two now")  # up to 2.12 s, the clip has 1 s
    words = enumerate(("lay", "blue", "at", "f", "two", "now"))
    lines = (f"{3000 * n} {3000 * n + 3000} {word}\n" for n, word in words)
    (tmp_path / "lbaf2n.align").write_text("".join(lines))
    crops = tmp_path / "crops"
    assert main(["lips", "prepare", str(tmp_path), "-o", str(crops)]) == 0
    out, err = capsys.readouterr()
    assert "1 of 2 clips are prepared" in out
    assert (
        "'bin' is said from 0.95 to 1.18 s, but the mouth is seen from 0.00 to 1.00 s" in out + err
    )
    assert "is the alignment of another clip?" in out + err
    clip = LipClip.read(crops / "lbaf2n.npz")  # of 30 frames at 30 a second
    assert len(clip) == RATE
