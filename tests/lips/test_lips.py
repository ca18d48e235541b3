"""Crops, words and readings of lips, on data made by code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from facetrack.errors import FormatError, InputError
from facetrack.evaluation.lip_reject import Heard, counted, trade, working_point
from facetrack.features.warp import warp
from facetrack.landmarks.procrustes import Similarity
from facetrack.lips.activity import ActivityMeter, activity, speech
from facetrack.lips.clips import RATE, LipClip, LipFrame, stretches
from facetrack.lips.crops import MouthCropper, Seen
from facetrack.lips.datasets import Item, set_aside
from facetrack.lips.enrol import Take, enrol
from facetrack.lips.reader import stacked
from facetrack.lips.rejection import NOTHING, Reject, energy
from facetrack.lips.spotting import best_sentence, spot
from facetrack.lips.windows import indices, own, tight, wide
from facetrack.lips.words import GRID_WORDS, Word, read_align, spell, spelled
from facetrack.model import load_model

MEAN = load_model().shape_model.mean
Points = npt.NDArray[np.float64]


def _video(frames: int, *, motion: Similarity | None = None) -> list[Seen]:
    """Make a smooth picture with a face of known landmarks, moved as a whole."""
    y, x = np.mgrid[0:400, 0:400]
    picture = (127 + 60 * np.sin(x / 9) * np.cos(y / 13) + 40 * np.sin((x + y) / 31)).astype(
        np.uint8
    )
    rng = np.random.default_rng(3)
    shift = np.array([200.0, 200.0]) - MEAN.mean(axis=0)
    found = []
    for t in range(frames):
        points = MEAN + shift + rng.normal(0, 0.3, (68, 2))
        grey = picture
        if motion is not None:
            grey, points = warp(picture, motion, (400, 400)), motion.apply(points)
        found.append(Seen(t / RATE, grey, points))
    return found


def _crop(video: list[Seen]) -> list[LipFrame]:
    cropper = MouthCropper(MEAN)
    return [f for seen in video for f in cropper.push(seen)] + cropper.finish()


def test_crops_do_not_depend_on_the_frames_rotation_scale_and_shift() -> None:
    turn = np.radians(20)
    a, b = 0.7 * np.cos(turn), 0.7 * np.sin(turn)
    centre = np.array([200.0, 200.0])
    shift = centre - Similarity(a, b, 0, 0).apply(centre) + [30, 0]
    plain = _crop(_video(20))
    moved = _crop(_video(20, motion=Similarity(a, b, *shift.tolist())))
    for one, other in zip(plain, moved, strict=True):
        assert one.pixels is not None
        assert other.pixels is not None
        inner = slice(8, -8)
        differ = one.pixels[inner, inner].astype(float) - other.pixels[inner, inner]
        assert np.abs(differ).mean() < 3
        np.testing.assert_allclose(one.points, other.points, atol=0.01)


def test_short_gaps_are_bridged_and_long_ones_divide() -> None:
    video = _video(60)
    for t in (10, 11, 12):
        video[t] = Seen(video[t].timestamp, video[t].grey, None)
    for t in range(30, 45):
        video[t] = Seen(video[t].timestamp, video[t].grey, None)
    pieces = list(stretches(_crop(video)))
    assert [len(piece) for piece in pieces] == [
        30,
        17,
    ]  # two frames early: the others went with the gap
    assert [frame.tracked for frame in pieces[0][9:14]] == [True, False, False, False, True]


@pytest.mark.parametrize("rate", [15.0, 30.0])
def test_other_frame_rates_become_25(rate: float) -> None:
    video = [Seen(t / rate, s.grey, s.points) for t, s in enumerate(_video(int(2 * rate)))]
    times = [frame.timestamp for frame in _crop(video)]
    assert len(times) in (49, 50, 51)
    np.testing.assert_allclose(np.diff(times), 1 / RATE)


def test_a_cropper_goes_on_from_its_state() -> None:
    video, whole = _video(30), _crop(_video(30))
    first = MouthCropper(MEAN)
    found = [f for seen in video[:17] for f in first.push(seen)]
    second = MouthCropper(MEAN)
    second.restore(json.loads(json.dumps(first.state())))
    found += [f for seen in video[17:] for f in second.push(seen)] + second.finish()
    for one, other in zip(whole, found, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_allclose(one.points, other.points, atol=1e-4)


def test_time_must_grow() -> None:
    cropper = MouthCropper(MEAN)
    cropper.push(_video(1)[0])
    with pytest.raises(InputError, match="time must grow"):
        cropper.push(_video(1)[0])


def test_clips_are_read_as_they_were_written(tmp_path: Path) -> None:
    clip = LipClip.of(_crop(_video(12)), "made")
    clip.write(tmp_path / "made.npz")
    read = LipClip.read(tmp_path / "made.npz")
    np.testing.assert_array_equal(read.pixels, clip.pixels)
    assert read.source == "made"


def test_alignments_count_in_thousandths_of_frames(tmp_path: Path) -> None:
    path = tmp_path / "bbaf2n.align"
    edges = [0, 23750, 29500, 34000, 35500, 41000, 47250, 53000, 74500]
    said = ["sil", "bin", "blue", "at", "f", "two", "now", "sil"]
    spans = zip(edges[:-1], edges[1:], said, strict=True)
    path.write_text("".join(f"{a} {b} {word}\n" for a, b, word in spans))
    words = read_align(path)
    assert spell([word.text for word in words]) == "bbaf2n"
    assert words[0].frames(RATE) == (23, 30)
    assert words[2].frames(RATE) == (34, 36)
    path.write_text("0 100 bin\n50 200 blue\n")
    with pytest.raises(FormatError, match="line 2"):
        read_align(path)


def test_there_are_51_words() -> None:
    assert len(GRID_WORDS) == len(set(GRID_WORDS)) == 51
    assert spell(["set", "white", "with", "p", "zero", "soon"]) == "swwpzs"
    assert spell(["bin", "blue"]) == ""
    assert spelled("swwpzs") == ("set", "white", "with", "p", "zero", "soon")
    assert spelled("bgaw2n") == spelled("bgaz2") == spelled("bgaz2nn") == spelled("") == ()


def test_sentences_that_share_their_words_are_set_aside_together() -> None:
    items = [Item(f"{a}{d}n", Path(a), ()) for a in ("bbaf", "lgwx", "swiz", "pray") for d in "123"]
    parts = {item.key: item.part for item in set_aside(items, 4)}
    assert sum(part == "val" for part in parts.values()) == 6
    assert all(len({parts[f"{a}{d}n"] for d in "123"}) == 1 for a in ("bbaf", "lgwx"))


def test_windows_leave_out_what_a_clip_has_not() -> None:
    known = np.ones((1, 20), dtype=np.float32)
    word = Word("bin", 0.0, 0.12)
    _, frames, mask = indices([wide(0, 1), own(0, word), tight(0, word)], known)
    assert mask[0].sum() == 16
    assert frames[1][mask[1] > 0].tolist() == [0, 1, 2]
    assert frames[2][mask[2] > 0].tolist() == list(range(6))


def test_stacks_have_each_frame_in_the_middle() -> None:
    frames = np.arange(1, 5, dtype=np.float32)[:, None]
    assert stacked(frames)[:, :, 0].tolist() == [
        [0, 0, 1, 2, 3], [0, 1, 2, 3, 4], [1, 2, 3, 4, 0], [2, 3, 4, 0, 0]
    ]  # fmt: skip


def test_a_speaking_mouth_is_told_from_a_yawn_and_from_rest() -> None:
    t = np.arange(200) / RATE
    still = 0.1 + np.zeros_like(t)
    yawn = 0.1 + 0.2 * np.exp(-((t - 4) ** 2) / (2 * 0.8**2))
    talk = still + np.where((t > 3) & (t < 5), 0.05 * np.sin(2 * np.pi * 4 * t), 0)
    assert speech(activity(still)) == []
    assert speech(activity(yawn)) == []
    ((first, stop),) = speech(activity(talk))
    assert first <= 3 * RATE + 2
    assert stop >= 5 * RATE - 2
    assert stop - first < 2 * RATE + 20


def test_activity_while_frames_come_is_that_of_the_whole() -> None:
    rng = np.random.default_rng(5)
    openings = rng.normal(0.1, 0.03, 120).tolist()
    meter = ActivityMeter()
    found = [one.value for opening in openings for one in meter.push(opening)]
    found += [one.value for one in meter.finish()]
    np.testing.assert_allclose(found, activity(openings), atol=1e-9)


def _logits(path: list[int], classes: int) -> npt.NDArray[np.float32]:
    logits = np.zeros((len(path), classes), dtype=np.float32)
    logits[np.arange(len(path)), path] = 6
    return logits


def test_words_are_found_where_they_are() -> None:
    words = ["bin", "blue", "at", "by"]
    logits = _logits([0] * 6 + [1] * 5 + [3] * 4, 4)
    found = [(one.text, one.first, one.stop) for one in spot(logits, words)]
    assert found == [("bin", 0, 6), ("blue", 6, 11), ("by", 11, 15)]
    ruled = best_sentence(logits, words, [["bin"], ["blue"], ["at"]])
    assert [one.text for one in ruled] == ["bin", "blue", "at"]
    assert best_sentence(logits[:2], words, [["bin"], ["blue"], ["at"]]) == []


def test_frames_that_are_no_words_belong_to_none() -> None:
    words = ["bin", "blue", "at", "by"]
    said = _logits([0] * 7 + [1] * 6, 4)
    unsure = np.zeros((12, 4), dtype=np.float32)
    unsure[:, 0] = 0.3  # as a network that was taught no silence: what comes next is a bit likelier
    places = [("bin", 12, 19), ("blue", 19, 25)]
    logits = np.concatenate([unsure, said, unsure])
    ruled = best_sentence(logits, words, [["bin", "at"], ["blue", "by"]])
    assert [(one.text, one.first, one.stop) for one in ruled] == places
    unsure[:, 0] = 3
    logits = np.column_stack([np.concatenate([unsure, said, unsure]), np.zeros(37)])
    logits[[*range(12), *range(25, 37)], 4] = 3.5  # a network that was taught silence
    found = spot(logits.astype(np.float32), [*words, ""])
    assert [(one.text, one.first, one.stop) for one in found] == places


def test_a_word_is_no_longer_than_words_are() -> None:
    (one,) = best_sentence(_logits([0] * 60, 2), ["bin", "blue"], [["bin"]])
    assert one.stop - one.first <= 22
    assert all(one.stop - one.first <= 22 for one in spot(_logits([0] * 60, 2), ["bin", "blue"]))


def test_familiar_speech_and_sure_words_pass() -> None:
    logits = np.log(np.array([[1, 3], [4, 12]], dtype=np.float32))
    assert energy(logits) == pytest.approx(np.log(4) / 2 + np.log(16) / 2)
    reject = Reject(5.0, 0.6)
    assert reject.passes(5.0, 0.6)
    assert not reject.passes(4.9, 0.99)
    assert not reject.passes(9.0, 0.59)
    assert NOTHING.passes(-1e9, 0.0)


def test_the_working_point_is_that_of_its_rule() -> None:
    sure = [(n + 1) / 100 for n in range(80)]  # of 100 words that were said 80 are heard
    clips = [[Heard(p, 10.0, n), Heard(p, 1.0, n), Heard(0.05, 20.0, -1)]
             for n, p in enumerate(sure)]  # fmt: skip
    reject = working_point(clips, 80)
    assert reject is not None
    assert reject.energy == 1.0
    assert reject.probability == pytest.approx(sure[16])  # 64 of 80 are left
    assert counted(clips, reject) == (64, 0)
    assert counted(clips) == (80, 80)  # a word heard twice counts once
    assert working_point(clips, 100) == Reject(1.0, 0.01)
    assert working_point(clips, 101) == Reject(1.0, 0.0)
    assert working_point([[]], 3) is None
    rows = trade(clips, 80, 0.5, 5.0)
    assert rows[0] == {"probability": 0.0, "right": 1.0, "false": 160.0, "right_known": 1.0,
                       "false_known": 160.0}  # fmt: skip
    assert trade(clips, 80, 0.5, 15.0)[0]["right_known"] == 0.0


def _take(kind: int, rng: np.random.Generator) -> Take:
    t = np.linspace(0, 1, int(rng.integers(14, 22)))[:, None]
    wave = np.sin(2 * np.pi * (kind + 1) * t + np.arange(40) / 7).astype(np.float32)
    noise = rng.normal(0, 0.1, (3, len(t), 40)).astype(np.float32)
    return Take(wave + noise[0], wave + noise[1], wave + noise[2])


def test_a_persons_words_are_told_apart_and_others_refused(tmp_path: Path) -> None:
    from facetrack.lips.enrol import LIP_WORDS

    rng = np.random.default_rng(8)
    told: list[str] = []
    takes = [(f"word{k}", _take(k, rng)) for k in range(3) for _ in range(2)]
    words = enrol([*takes, ("single", _take(5, rng))], "reader", tell=told.append)
    assert told == ["single: one take only; how it varies is not known, record another one"]
    for k in range(3):
        assert words.tell(_take(k, rng)).text == f"word{k}"
    assert words.tell(_take(9, rng)).text == ""
    words.write(tmp_path / "words.npz")
    again = LIP_WORDS.read(tmp_path / "words.npz")
    assert again.words == words.words
    take = _take(1, rng)
    np.testing.assert_array_equal(again.distances(take), words.distances(take))
    with pytest.raises(InputError, match="two or more"):
        enrol(takes[:2], "reader")
