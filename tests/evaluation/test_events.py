from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.cli.main import main
from facetrack.datasets.events import Label, channel_events, read_labels
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.events import (
    Found,
    Scored,
    event_details,
    event_table,
    find_events,
    score_events,
)
from facetrack.model import load_model
from facetrack.reporting.tables import as_text
from facetrack.synthetic.clips import demo_video
from facetrack.video.sink import write_video

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def found(*apexes: int, delay: float = 0.1, early: bool = False) -> list[Found]:
    return [Found(apex - 1, apex, apex + 1, delay, early) for apex in apexes]


def blinks(*apexes: int) -> list[Label]:
    return [Label("blink", apex - 1, apex, apex + 1) for apex in apexes]


def score(events: list[Found], labels: list[Label]) -> Scored:
    return score_events("clip", events, labels, "blink", tolerance=2)


def test_apexes_within_the_tolerance_match_once() -> None:
    scored = score(found(9, 12, 40), blinks(10, 30))
    assert (scored.labelled, scored.hits) == (2, 1)
    assert scored.missed == (30,)
    assert scored.false == (12, 40)


def test_the_nearest_pairs_match_first() -> None:
    scored = score(found(10, 12), blinks(12, 14))
    assert (scored.hits, scored.missed, scored.false) == (1, (14,), (10,))


def test_false_alarms_count_only_in_stretches_without_events_if_wished() -> None:
    labels = [*blinks(10), Label("no_blink", 20, 20, 30)]
    args = "clip", found(10, 25, 50), labels, "blink"
    scored = score_events(*args, tolerance=2, everywhere=False)
    assert (scored.hits, scored.false, scored.unlabelled) == (1, (25,), 1)
    scored = score_events(*args, tolerance=2)
    assert (scored.hits, scored.false, scored.unlabelled) == (1, (25, 50), 0)


def test_one_labelled_stretch_speaks_for_all_clips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for clip in ("a", "b"):
        (tmp_path / f"{clip}.mp4").touch()
    labels = tmp_path / "labels.csv"
    rows = ["clip,label,start,apex,end", "a,blink,9,10,11", "b,blink,9,10,11"]
    monkeypatch.setattr("facetrack.evaluation.events.find_events", lambda *a, **k: found(10, 40))
    for extra, false in (("a,no_blink,60,,80", 0), ("a,no_blink,30,,80", 1), ("", 2)):
        labels.write_text("\n".join([*rows, extra]) + "\n")
        main(["evaluate", "events", str(tmp_path), "--labels", str(labels), "--json",
              str(tmp_path / "r.json")])  # fmt: skip
        assert json.loads((tmp_path / "r.json").read_text())["details"]["false"] == false
    capsys.readouterr()


def test_the_sums_are_what_the_clips_say() -> None:
    scores = [
        score(found(10, early=True, delay=1.5), blinks(10, 20)),
        score(found(5, 30, delay=0.2), blinks(5)),
        score(found(7, delay=math.nan), blinks(7)),
    ]
    details = event_details("clips", "blink", scores)
    assert (details["found"], details["missed"], details["false"]) == (3, 1, 1)
    assert details["precision"] == details["recall"] == details["f1"] == 0.75
    assert (details["delay_first_second"], details["delay_later"]) == (1.5, 0.2)
    assert details["disagreements"] == {"clip": {"missed": [], "false": [30]}}
    text = as_text(event_table(details))
    assert "clip: false at frame 30" in text
    assert "1.50 s at the latest in the first second of a face, 0.20 s later on" in text


def test_nothing_labelled_is_an_error_and_no_perfect_score() -> None:
    with pytest.raises(InputError, match="no clip here has a labelled blink"):
        event_details("clips", "blink", [score(found(3), [])])


def test_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("clip,label,start,apex,end,more\na,blink,3,4,6,x\na,no_blink,10,,30,\n")
    assert read_labels(path) == {"a": [Label("blink", 3, 4, 6), Label("no_blink", 10, 10, 30)]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip,label\n", "the column 'start' is missing"),
        ("clip,label,start,apex,end\na,blink,x,,2\n", "line 2: invalid literal"),
        ("clip,label,start,apex,end\na,blink,3,9,5\n", "frames 3, 9, 5 are in no order"),
    ],
)
def test_wrong_labels_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_labels(tmp_path / "labels.csv")


@given(st.lists(st.sampled_from([0.0, 0.9, math.nan]), max_size=60))
def test_channels_become_events_as_the_rule_says(values: list[float]) -> None:
    labels = channel_events({"clip": np.array(values)}, "blink")["clip"]
    for label in labels:
        assert 2 <= label.stop - label.start + 1 <= 15
        assert values[label.start] == values[label.apex] == values[label.stop] == 0.9
        inside = "".join("1" if v > 0.5 else "0" for v in values[label.start : label.stop + 1])
        assert "000" not in inside  # gaps of at most two frames
    for earlier, later in pairwise(labels):
        assert later.start - earlier.stop > 3


def test_events_of_a_clip_are_told_with_their_frames(tmp_path: Path) -> None:
    model = load_model()
    video = demo_video(model.shape_model)
    write_video(video, tmp_path / "demo.mp4")
    events = find_events(tmp_path / "demo.mp4", "blink", model)
    truth = [video.head(i).blink for i in range(video.n_frames)]
    closed = channel_events({"demo": np.array(truth)}, "blink", shortest=1)["demo"]
    assert len(closed) >= 3
    scored = score_events("demo", events, closed, "blink", tolerance=2)
    assert (scored.hits, scored.missed, scored.false) == (len(closed), (), ())
    assert all(f.start <= f.apex <= f.stop for f in events)


# Looked at by eye, frame by frame, in the clips themselves; frames from 0. In the first the woman
# flutters her lids from 126 to 204, and lids that close for one frame only (66, 94, 207, 211, 371,
# 457) are a fault of the clip: no lid is that fast. In the second, the man blinks at 60 in the
# middle of a smile, which the first look missed.
SEEN = {
    "blinks_turns_woman": [19, 52, 110, 285, 347],
    "talking_face": [60, 166, 591, 730, 883],
}
# From 494 to 508 the woman's lids half close, three times for two frames while her eyes jump: of
# these the present model takes one for a blink.
HALF_CLOSED = {"blinks_turns_woman": (501,)}


@pytest.mark.parametrize("clip", SEEN)
def test_blinks_of_people_are_those_that_the_eye_sees(clip: str) -> None:
    path = REAL / "videos" / f"{clip}.mp4"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there: the shared videos are missing")
    scored = score_events(
        clip, find_events(path, "blink", load_model()), blinks(*SEEN[clip]), "blink", tolerance=2
    )
    assert (scored.missed, scored.false) == ((), HALF_CLOSED.get(clip, ()))
