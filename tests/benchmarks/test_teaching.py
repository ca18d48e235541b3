"""Learning from corrections: the protocol judges fairly, the rivals do what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.learning.report import learning_details, learning_table, ratio_curves
from benchmarks.learning.rivals import (
    ConstantOffset,
    InterpolatedResidual,
    LucasKanade,
    NoLearning,
    rivals,
)
from benchmarks.learning.teaching import LOST, Outcome, give_examples
from facetrack.errors import InputError
from facetrack.evaluation.clips import Clip
from facetrack.evaluation.difficulty import Difficulty
from facetrack.evaluation.footage import (
    Corrections,
    Footage,
    Spread,
    choose_frames,
    followed,
    read_footage,
)
from facetrack.face import Face, State, read_only_points
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.reporting.tables import as_text
from facetrack.synthetic.motion import Amplitudes
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo
from facetrack.video.frame import Image

Points = npt.NDArray[np.float64]
N = 40


def _video(shape_model: ShapeModel) -> SyntheticVideo:
    calm = Amplitudes(yaw=0, pitch=0, roll=0.1, modes=0, mouth=0, blink=0, travel=0.1, zoom=0.1)
    faces = [SyntheticFace(astronaut(), amplitudes=calm, whole=True)]
    return SyntheticVideo(shape_model, n_frames=N, size=(160, 120), seed=1, faces=faces)


@pytest.fixture(scope="module")
def truth(shape_model: ShapeModel) -> Points:
    video = _video(shape_model)
    return np.stack([video.truth(k) for k in range(N)])


@pytest.fixture
def clip(shape_model: ShapeModel, truth: Points) -> Clip:
    rng = np.random.default_rng(0)
    difficulty = Difficulty(*rng.random((3, N)))
    return Clip(
        "clip", lambda: _video(shape_model), {"truth": truth}, np.ones(N, bool), True, difficulty
    )


@pytest.fixture
def footage(shape_model: ShapeModel, truth: Points) -> Footage:
    greys = tuple(frame.grey for frame in _video(shape_model))
    times = np.arange(N) / 30
    return Footage("clip", greys, times, truth, np.ones(N, bool), truth.copy())


class Scripted:
    """Says what a script says of the frames that it is shown, by their times."""

    def __init__(self, points: Points, fps: float = 30.0) -> None:
        self.points, self.fps, self.seen = points, fps, list[float]()

    def update(self, image: Image, timestamp: float | None = None) -> list[Face]:
        assert timestamp is not None
        self.seen.append(timestamp)
        points = read_only_points(self.points[round(timestamp * self.fps)])
        found = bool(np.isfinite(points).all())
        state = State.TRACKED if found else State.LOST
        return [Face(0, state, "", points, points, 1.0, None)]


def _turned(shift: Points, track: Points) -> Points:
    """Add a shift that turns and grows with each face, in outer-eye distances."""
    along = track[:, 45] - track[:, 36]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    return track + shift[..., :1] * along[:, None] + shift[..., 1:] * across[:, None]


@given(
    trusted=st.lists(st.booleans(), min_size=1, max_size=200).map(np.array),
    count=st.integers(1, 9),
    spread=st.sampled_from(list(Spread)),
)
def test_chosen_frames_are_trusted_and_corrected_ones_are_not_judged(
    trusted: npt.NDArray[np.bool_], count: int, spread: Spread
) -> None:
    corrected, judged = choose_frames(trusted, count, spread)
    assert trusted[corrected].all()
    assert trusted[judged].all()
    assert not set(corrected.tolist()) & set(judged.tolist())
    assert len(corrected) <= count
    if len(corrected) < count:
        assert not len(judged)
    assert (np.diff(corrected) > 0).all()
    if spread is Spread.FORWARD and len(judged):
        assert 4 * corrected.max() < len(trusted)
        assert 2 * judged.min() >= len(trusted)


def test_corrections_are_spread_evenly() -> None:
    trusted = np.ones(120, bool)
    assert choose_frames(trusted, 1, Spread.CLIP)[0].tolist() == [60]
    assert choose_frames(trusted, 3, Spread.CLIP)[0].tolist() == [20, 60, 100]
    assert choose_frames(trusted, 3, Spread.FORWARD)[0].tolist() == [5, 15, 25]
    assert len(choose_frames(trusted, 8, Spread.CLIP)[1]) == 112
    assert_array_equal(choose_frames(trusted, 1, Spread.FORWARD)[1], np.arange(60, 120))


def test_footage_holds_every_second_frame_and_what_can_be_trusted(
    shape_model: ShapeModel, truth: Points
) -> None:
    other = truth + 0.001
    other[4] += 30  # the references disagree here
    compared = np.ones(N, bool)
    compared[8] = False
    clip = Clip("c", lambda: _video(shape_model), {"a": other, "b": truth}, compared)
    tracker = Scripted(truth)
    footage = read_footage(tracker, clip, reference="b", every=2, most=15)
    assert_allclose(tracker.seen, np.arange(0, 30, 2) / 30)
    assert_array_equal(np.flatnonzero(~footage.trusted), [2, 4])
    assert_allclose(footage.reference, truth[:30:2])
    assert_allclose(footage.plain, truth[:30:2])
    with pytest.raises(InputError, match=r"no reference 'PFLD'; choose one of: a, b"):
        read_footage(Scripted(truth), clip, reference="PFLD")


def test_a_lost_face_is_followed_by_nan(truth: Points) -> None:
    assert np.isnan(
        followed(Scripted(np.full_like(truth, np.nan)), np.zeros((9, 9), "u1"), 0)
    ).all()


def test_a_constant_offset_is_learnt_whole(
    footage: Footage, shape_model: ShapeModel, truth: Points
) -> None:
    shift = np.random.default_rng(1).normal(0, 0.03, (1, 68, 2))
    taught = replace(footage, plain=truth, reference=_turned(shift, truth))
    frames = np.array([5, 20])
    corrections = Corrections(frames, taught.reference[frames])
    for learner in (ConstantOffset(shape_model), InterpolatedResidual(shape_model)):
        track = learner.teach(taught, corrections)
        assert_allclose(track, taught.reference, atol=1e-6)
    assert_array_equal(NoLearning().teach(taught, corrections), truth)


def test_a_residual_that_grows_is_interpolated(
    footage: Footage, shape_model: ShapeModel, truth: Points
) -> None:
    shift = np.linspace(0, 1, N)[:, None, None] * np.random.default_rng(1).normal(
        0, 0.05, (1, 68, 2)
    )
    taught = replace(footage, reference=_turned(shift, truth))
    frames = np.array([10, 30])
    corrections = Corrections(frames, taught.reference[frames])
    track = InterpolatedResidual(shape_model).teach(taught, corrections)
    assert_allclose(track[10:31], taught.reference[10:31], atol=1e-6)
    held = _turned(np.repeat(shift[10:11], 10, axis=0), truth[:10])
    assert_allclose(track[:10], held, atol=1e-6)  # constant outside
    constant = ConstantOffset(shape_model).teach(taught, corrections)
    assert np.abs(constant - taught.reference)[10].max() > 0.1


@pytest.mark.parametrize("kind", [ConstantOffset, InterpolatedResidual])
def test_corrected_frames_without_a_fit_teach_nothing(
    kind: Callable[[ShapeModel], ConstantOffset], footage: Footage, shape_model: ShapeModel
) -> None:
    lost = footage.plain.copy()
    lost[5] = np.nan
    taught = replace(footage, plain=lost)
    learner = kind(shape_model)
    track = learner.teach(taught, Corrections(np.array([5]), footage.reference[5:6] + 9))
    assert_array_equal(track, lost)


def test_optical_flow_carries_points_both_ways(footage: Footage, truth: Points) -> None:
    frames = np.array([15, 28])
    track = LucasKanade().teach(footage, Corrections(frames, truth[frames]))
    assert_allclose(track[frames], truth[frames])
    eyes = np.linalg.norm(truth[:, 45] - truth[:, 36], axis=1)
    errors = np.linalg.norm(track - truth, axis=2).mean(axis=1) / eyes
    stays = np.linalg.norm(truth[15] - truth, axis=2).mean(axis=1) / eyes
    assert errors.max() < 0.1 < 0.2 < stays.max()


def test_points_that_do_not_come_back_follow_the_others() -> None:
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (30, 40)).repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8)
    texture[:, 100:] = 90  # nothing to be seen there
    moved = np.roll(texture, 2, axis=0)
    points = np.stack([rng.uniform(20, 80, 68), rng.uniform(20, 100, 68)], axis=1)
    points[36], points[45] = (30, 50), (70, 50)
    points[60:] += (60, 0)
    footage = Footage(
        "c",
        (texture, moved),
        np.arange(2.0),
        np.stack([points] * 2),
        np.ones(2, bool),
        np.stack([points] * 2),
    )
    track = LucasKanade().teach(footage, Corrections(np.array([0]), points[None]))
    assert_allclose(track[1] - points, np.broadcast_to((0, 2), (68, 2)), atol=0.3)


def test_examples_give_ratios_by_clip_protocol_and_third(
    clip: Clip, shape_model: ShapeModel, truth: Points
) -> None:
    shift = np.full((1, 68, 2), 0.04)
    examples = give_examples(
        lambda: Scripted(_turned(shift, truth)), rivals(shape_model), [clip], counts=(1, 3), every=1
    )
    assert len(examples) == 2 * 2 * 4
    by_name = {(x.learner, x.spread, x.count): x for x in examples}
    plain = by_name["no learning", Spread.CLIP, 1]
    assert plain.ratio == 1
    assert plain.before == pytest.approx(0.04 * np.sqrt(2), rel=1e-6)
    assert plain.judged == N - 1
    offset = by_name["constant offset", Spread.FORWARD, 3]
    assert offset.ratio < 0.01
    assert offset.judged == N // 2
    assert set(plain.thirds) == {"easy", "light", "hard"}
    assert plain.thirds["hard"][0] == pytest.approx(plain.before)


def test_lost_frames_count_as_a_whole_eye_distance(
    clip: Clip, shape_model: ShapeModel, truth: Points
) -> None:
    track = truth.copy()
    track[1:] = np.nan
    examples = give_examples(lambda: Scripted(track), [NoLearning()], [clip], counts=(1,), every=1)
    assert [(x.before, x.after) for x in examples] == [(LOST, LOST)] * 2
    assert examples[0].lost == examples[0].judged - 1  # frame 0 was found


def test_clips_with_too_few_trusted_frames_give_no_example(
    clip: Clip, shape_model: ShapeModel, truth: Points
) -> None:
    few = np.arange(N) < 3
    short = replace(clip, compared=few)
    examples = give_examples(
        lambda: Scripted(truth), [NoLearning()], [short], counts=(1, 3, 8), every=1
    )
    assert {(x.spread, x.count) for x in examples} == {(Spread.CLIP, 1)}


@pytest.mark.parametrize("wrong", [{"every": 0}, {"most": 0}, {"counts": (0,)}])
def test_senseless_numbers_are_named(clip: Clip, truth: Points, wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="counts > 0"):
        give_examples(lambda: Scripted(truth), [], [clip], **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no clip"):
        give_examples(lambda: Scripted(truth), [], [])


def test_reports_show_the_median_and_the_worst_clip() -> None:
    examples = [
        Outcome(
            clip=f"clip {k}",
            learner="ours",
            spread=Spread.CLIP,
            count=3,
            before=0.04,
            after=after,
            judged=50,
            lost=k,
            thirds={"hard": (0.05, 0.03)},
        )
        for k, after in enumerate((0.01, 0.02, 0.06))
    ]
    details = learning_details(examples)
    (row,) = details["summary"]
    assert (row["learner"], row["clips"], row["corrections"]) == ("ours", 3, 3)
    assert (row["median_ratio"], row["worst_ratio"]) == (0.5, 1.5)
    assert row["thirds"] == {"hard": pytest.approx(0.6)}
    text = as_text(learning_table(details))
    assert "0.500 (1.50) lost 3" in text
    assert "- / - / 0.600" in text
    assert ratio_curves(examples, Spread.CLIP) == {"ours": {3.0: 0.5}}
    assert ratio_curves(examples, Spread.FORWARD) == {"ours": {}}
