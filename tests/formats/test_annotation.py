from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.errors import InputError
from facetrack.face import Source
from facetrack.formats.annotation import (
    Annotation,
    event_annotations,
    in_milliseconds,
    side_by_side,
    track_annotations,
)
from facetrack.formats.table import TrackTable, make_table
from facetrack.reading import HUMAN, Event, EventRecord


def test_stretches_say_when_a_face_was_seen_and_why_it_was_lost(table: TrackTable) -> None:
    found = [a for a in track_annotations(table) if not a.tier.endswith("points")]
    assert [(a.tier, a.value) for a in found] == [
        ("face 0", "tracked"),
        ("face 0", 'lost: hidden by a hand, "maybe"'),
        ("face 1", "tracked"),
        ("face 1", "tracked"),
    ]
    # The last frame lasts as long as the median one, 0.04 s.
    np.testing.assert_allclose(
        [(a.start, a.end) for a in found], [(0, 0.08), (0.08, 0.12), (0.04, 0.12), (0.2, 0.24)]
    )


def test_stretches_say_what_is_known_of_the_points(table: TrackTable) -> None:
    every = "tracked, learned, corrected, interpolated, occluded"  # in each row of the table
    said = [a for a in track_annotations(table) if a.tier.endswith("points")]
    assert [a.tier for a in said] == ["face 0 points", "face 1 points", "face 1 points"]
    for annotation, rows in zip(said, ([0, 1], [2, 4], [6]), strict=True):
        mean = table.point_confidence[rows].mean()
        assert annotation.value == f"{every}; confidence {mean:.2f}"
    assert (said[0].start, said[0].end) == (0, 0.08)


def test_points_that_were_tracked_and_no_more_need_no_words() -> None:
    table = make_table([0, 1, 2], np.zeros((3, 68, 2)), timestamp=[0, 1, 2])
    assert [a.tier for a in track_annotations(table)] == ["face 0"]
    source = table.source.copy()
    source[1, 5] = Source.CORRECTED
    found = track_annotations(replace(table, source=source))
    assert [(a.tier, a.start, a.value) for a in found] == [
        ("face 0", 0, "tracked"),
        ("face 0 points", 1, "tracked, corrected"),
    ]


@given(kept=st.sets(st.integers(0, 30), min_size=1), step=st.floats(0.05, 3.0))
def test_excluded_frames_lie_in_no_stretch(kept: set[int], step: float) -> None:
    frames = np.array(sorted(kept))
    table = make_table(frames, np.zeros((len(kept), 68, 2)), timestamp=frames * step)
    found = track_annotations(table)
    for frame in range(31):
        said = [a for a in found if a.start <= frame * step + 1e-6 < a.end]
        assert len(said) == (frame in kept)


def test_a_picture_that_froze_is_a_gap() -> None:
    table = make_table(range(4), np.zeros((4, 68, 2)), timestamp=[0, 0.04, 9, 9.04])
    found = [(a.start, a.end) for a in track_annotations(table)]
    np.testing.assert_allclose(found, [(0, 1.04), (9, 9.08)])  # a frame speaks for 1 s at most


def test_tiers_are_named_by_people(table: TrackTable) -> None:
    named = replace(table, people={0: "Anna", 1: "Ben"})
    assert {a.tier for a in track_annotations(named)} == {
        "Anna", "Anna points", "Ben", "Ben points"
    }  # fmt: skip
    twins = replace(table, people={0: "Anna", 1: "Anna"})
    tiers = {a.tier for a in track_annotations(twins)}
    assert tiers == {f"Anna (face {i}){end}" for i in (0, 1) for end in ("", " points")}
    blink = EventRecord(1, Event("blink", 1.0, 1.1, 1.2), "blinks", HUMAN)
    assert [a.tier for a in event_annotations([blink], {1: "Ben"})] == ["Ben blink human"]
    assert [a.tier for a in event_annotations([blink])] == ["face 1 blink human"]


def test_what_overlaps_shares_no_tier() -> None:
    spans = [(0, 5), (2, 3), (4, 6), (5, 7)]
    laid = side_by_side(Annotation("events", *span, str(span)) for span in spans)
    assert [a.tier for a in laid] == ["events", "events 2", "events 2", "events"]
    assert len(in_milliseconds(laid)) == 4


def test_an_empty_table_has_no_annotations(table: TrackTable) -> None:
    assert track_annotations(table.select([])) == []


@pytest.mark.parametrize("times", [[0.0, np.nan], [0.1, 0.1], [0.2, 0.1], [-0.1, 0.0]])
def test_times_must_be_known_and_grow(times: list[float]) -> None:
    with pytest.raises(InputError, match="timestamps must be known"):
        track_annotations(make_table([0, 1], np.zeros((2, 68, 2)), timestamp=times))


gaps = st.lists(
    st.tuples(st.floats(0, 0.01), st.floats(0, 0.01), st.sampled_from("ab")), max_size=30
)


@given(gaps=gaps)
def test_milliseconds_never_overlap_and_always_last(gaps: list[tuple[float, float, str]]) -> None:
    now, annotations = {"a": 0.0, "b": 0.0}, []
    for gap, length, tier in gaps:
        start = now[tier] + gap
        now[tier] = start + length
        annotations.append(Annotation(tier, start, now[tier], ""))
    reached = {"a": 0, "b": 0}
    for start, end, annotation in in_milliseconds(annotations):
        assert start >= reached[annotation.tier]
        assert end >= start + 1
        assert abs(start - 1000 * annotation.start) <= 1 + len(annotations)
        reached[annotation.tier] = end


@pytest.mark.parametrize(
    ("start", "end"), [(-1.0, 2.0), (2.0, 1.0), (0.0, np.inf), (np.nan, 1.0), (0.0, 2e9)]
)
def test_impossible_times_are_named(start: float, end: float) -> None:
    with pytest.raises(InputError, match="annotation 'blink' has times"):
        in_milliseconds([Annotation("a", start, end, "blink")])


def test_overlaps_are_named() -> None:
    with pytest.raises(InputError, match=r"tier 'a' overlap at 0\.5 s"):
        in_milliseconds([Annotation("a", 0, 1, ""), Annotation("a", 0.5, 2, "")])
