"""What learns a person while a video is annotated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facetrack.annotation.corrections import Correction
from facetrack.annotation.taught import MOST, Examples, taught, worth_learning
from facetrack.face import Source
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.tracker import Tracker

CHIN = 8


@pytest.fixture(scope="module")
def frames(shipped_model):
    return list(SyntheticVideo(shipped_model.shape_model, n_frames=31, size=(320, 240), seed=1))


@pytest.fixture(scope="module")
def tracked(shipped_model, frames):
    tracker = Tracker(shipped_model)
    return [np.array(tracker.update(frame)[0].points) for frame in frames]


@pytest.mark.parametrize(
    ("drags", "least", "most"),
    [
        ({8: 6.0}, 4.0, 7.0),
        ({8: 6.0, 20: 6.0}, 4.0, 7.0),
        ({8: 6.0, 20: 12.0}, 4.0, 12.0),  # they contradict each other: something in between
    ],
)
def test_a_dragged_point_stays_dragged_in_other_frames(
    shipped_model, frames, tracked, drags, least, most
) -> None:
    corrections = {}
    for number, drag in drags.items():
        points = tracked[number].copy()
        points[CHIN, 1] += drag
        source = np.full(68, Source.TRACKED, np.uint8)
        source[CHIN] = Source.CORRECTED
        corrections[number] = Correction(points, source)
    learned = taught(shipped_model, corrections, lambda number: frames[number].grey)
    for number in (9, 11, 15, 20, 30):
        image, start = frames[number].grey, tracked[number]
        moved = learned.fit(image, start).points - shipped_model.fit(image, start).points
        assert least < moved[CHIN, 1] < most
        assert np.linalg.norm(np.delete(moved, CHIN, axis=0), axis=1).mean() < 1.0


def test_examples_are_made_once_and_forgotten_with_their_correction(
    shipped_model, frames, tracked
) -> None:
    asked: list[int] = []

    def look(number: int):
        asked.append(number)
        return frames[number].grey

    def said(number: int, drag: float) -> Correction:
        points = tracked[number].copy()
        points[CHIN, 1] += drag
        return Correction(points, np.full(68, Source.CORRECTED, np.uint8))

    examples = Examples()
    taught(shipped_model, {8: said(8, 6.0), 20: said(20, 6.0)}, look, examples)
    corrections = {20: said(20, 6.0), 25: said(25, 3.0)}
    again = taught(shipped_model, corrections, look, examples)
    assert asked == [8, 20, 25]
    assert [frame for frame, *_ in examples.made] == [20, 25]
    taught(shipped_model, {20: said(20, 7.0)}, look, examples)
    assert asked == [8, 20, 25, 20]
    anew = taught(shipped_model, corrections, lambda number: frames[number].grey)
    image, start = frames[22].grey, tracked[22]
    np.testing.assert_array_equal(again.fit(image, start).points, anew.fit(image, start).points)


@given(st.sets(st.integers(0, 2000), max_size=200), st.integers(0, 2000), st.integers(1, 400))
def test_of_many_corrections_the_nearest_are_learned(frames, start, length) -> None:
    ordered, stop = sorted(frames), start + length
    chosen = worth_learning(ordered, start, stop)
    assert chosen == sorted(set(chosen) & frames)
    assert len(chosen) == min(MOST, len(frames))
    inside = [frame for frame in ordered if start <= frame < stop]
    if len(inside) <= MOST:
        assert set(inside) <= set(chosen)
        far = [max(start - f, f - stop + 1, 0) for f in frames - set(chosen)]
        assert not far or min(far) >= max(max(start - f, f - stop + 1, 0) for f in chosen)
    else:
        assert (chosen[0], chosen[-1]) == (inside[0], inside[-1])
