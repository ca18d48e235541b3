from __future__ import annotations

import json
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.formats.encoding import decode, encode
from facetrack.reading import Event
from facetrack.signals.episodes import JOINED, LEVEL, LONGEST, SHORTEST, Episodes

Scores = list[tuple[float, float]]
EPS = 1e-6
# Stretches of frames: a score, how many frames of it, and the seconds from frame to frame.
stretches = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.99, LEVEL, 5.0, nan]),
        st.integers(1, 130),
        st.sampled_from([0.04, 0.1, 0.25, 0.3, 0.4]),
    ),
    max_size=12,
)


def played(*parts: tuple[float, int, float]) -> Scores:
    found, time = [], 0.0
    for score, count, step in parts:
        for number in range(count):
            found.append((time, score + number % 3 / 10))
            time += step
    return found


def events(scores: Scores) -> list[Event]:
    episodes = Episodes("hurt", "said")
    found = [event for time, score in scores for event in episodes.update(time, score)]
    return found + episodes.finish()


def offline(scores: Scores) -> list[tuple[float, float, float, float, bool]]:
    """Find the same with all frames at hand: start, peak, stop, score, continued."""
    groups: list[Scores] = []
    for time, score in scores:
        if isnan(score) or score < LEVEL:
            continue
        if groups and time - groups[-1][-1][0] <= JOINED + EPS:
            groups[-1].append((time, score))
        else:
            groups.append([(time, score)])
    found = []
    for group in groups:
        pieces: list[Scores] = [[]]
        for one in group:
            if pieces[-1] and pieces[-1][-1][0] - pieces[-1][0][0] >= LONGEST:
                pieces.append([])
            pieces[-1].append(one)
        for number, piece in enumerate(pieces):
            start, stop = piece[0][0], piece[-1][0]
            if stop - start >= SHORTEST - EPS:
                peak, score = max(piece, key=lambda one: one[1])
                found.append((start, peak, stop, round(score, 2), number > 0))
    return found


@given(stretches)
def test_frame_by_frame_gives_what_all_frames_at_hand_give(
    parts: list[tuple[float, int, float]],
) -> None:
    scores = played(*parts)
    found = [(e.start, e.peak, e.stop, e.score, "continued" in e.detail) for e in events(scores)]
    assert found == offline(scores)


@given(stretches)
def test_scores_below_the_level_may_be_left_out(parts: list[tuple[float, int, float]]) -> None:
    scores = played(*parts)
    assert events([one for one in scores if one[1] >= LEVEL]) == events(scores)


@given(stretches, st.integers(0, 500))
def test_another_one_goes_on_where_one_stood(
    parts: list[tuple[float, int, float]], cut: int
) -> None:
    scores = played(*parts)
    first = Episodes("hurt", "said")
    found = [event for time, score in scores[:cut] for event in first.update(time, score)]
    second = decode(Episodes, json.loads(json.dumps(encode(first), allow_nan=False)))
    found += [event for time, score in scores[cut:] for event in second.update(time, score)]
    assert found + second.finish() == events(scores)


def test_an_episode_says_when_and_how_strong() -> None:
    (event,) = events([(0.0, 0.5), (0.1, 2.0), (0.2, 4.129), (0.3, 3.0), (0.4, 2.5), (0.5, 0.0)])
    assert event == Event("hurt", 0.1, 0.2, 0.4, 4.13, detail={"model": "said"})


def test_a_short_one_is_none() -> None:
    assert not events(played((0.0, 5, 0.1), (5.0, 3, 0.1), (0.0, 9, 0.1)))
    assert len(events(played((0.0, 5, 0.1), (5.0, 4, 0.1), (0.0, 9, 0.1)))) == 1


@pytest.mark.parametrize("between", [0.0, nan])
@pytest.mark.parametrize(("frames", "count"), [(2, 1), (3, 2)])
def test_short_dips_and_moments_without_a_score_are_bridged(
    between: float, frames: int, count: int
) -> None:
    scores = played((5.0, 10, 0.1), (between, frames, 0.1), (5.0, 10, 0.1))
    assert len(events(scores)) == count


def test_a_gap_ends_an_episode() -> None:
    scores = played((5.0, 10, 0.1))
    later = [(time + 5.0, score) for time, score in scores]
    found = [time for e in events(scores + later) for time in (e.start, e.stop)]
    assert found == pytest.approx([0.0, 0.9, 5.0, 5.9])


def test_an_episode_is_told_once_it_is_over() -> None:
    episodes = Episodes("hurt")
    told = [bool(episodes.update(t, s)) for t, s in played((5.0, 10, 0.1), (0.0, 5, 0.1))]
    assert told == [False] * 13 + [True, False]


def test_a_long_one_comes_in_pieces_that_say_so() -> None:
    found = events(played((3.0, 2000, 0.04)))
    assert ["continued" in e.detail for e in found] == [False, True, True]
    assert all(e.stop - e.start <= LONGEST + 0.05 for e in found)
    assert found[1].start - found[0].stop == pytest.approx(0.04)


def test_what_follows_a_long_one_after_a_break_is_not_the_same_one() -> None:
    long = played((3.0, 301, 0.1))
    for pause, continued in ((0.2, True), (0.5, False), (9.0, False)):
        later = [(long[-1][0] + pause + k * 0.1, 3.0) for k in range(10)]
        assert ["continued" in e.detail for e in events(long + later)] == [False, continued]
