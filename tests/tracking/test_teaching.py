"""Teaching a tracker: corrections, profiles, forgetting."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.datasets.pts_folder import load_folder
from facetrack.errors import InputError, LearningError
from facetrack.evaluation.people import synthetic_people
from facetrack.face import Source
from facetrack.identity import person_state
from facetrack.identity.self_teacher import SelfTeacher
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.learning.learner import Learner
from facetrack.synthetic.motion import Placement
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo
from facetrack.tracking.tracker import Tracker

LONG = 40  # frames


@pytest.fixture(scope="module")
def video(shipped_model) -> SyntheticVideo:
    return SyntheticVideo(shipped_model.shape_model, n_frames=LONG, size=(320, 240))


@pytest.fixture(scope="module")
def frames(video) -> list[np.ndarray]:
    return [video.frame(number).image for number in range(LONG)]


def opinion(video, number: int) -> np.ndarray:
    points: np.ndarray = video.truth(number)
    points[17:27, 1] -= 0.08 * outer_eye_distance(points)
    return points


def run(tracker, frames, start: int = 0) -> list[np.ndarray]:
    return [tracker.update(frame)[0].points for frame in frames[start:]]


def taught(shipped_model, frames, video, at: int = 5) -> Tracker:
    tracker = Tracker(shipped_model)
    run(tracker, frames[: at + 1])
    tracker.correct(0, opinion(video, at))
    return tracker


def wrong(tracks, video, start: int) -> float:
    """Mean error of the brows over the frames from `start`, fractions of the eye distance."""
    found = []
    for number, points in enumerate(tracks, start):
        far = np.linalg.norm(points - opinion(video, number), axis=1)[17:27].mean()
        found.append(far / outer_eye_distance(points))
    return float(np.mean(found))


def test_one_correction_teaches(shipped_model, frames, video) -> None:
    before = wrong(run(Tracker(shipped_model), frames)[6:], video, 6)
    after = wrong(run(taught(shipped_model, frames, video), frames, 6), video, 6)
    assert after < 0.5 * before


@pytest.mark.parametrize("smoothing", [0.0, 0.7])
def test_a_correction_says_what_it_did(shipped_model, frames, video, smoothing) -> None:
    tracker = Tracker(shipped_model, smoothing=smoothing)
    run(tracker, frames[:6])
    mask = np.zeros(68, bool)
    mask[17:27] = True
    first = tracker.correct(0, opinion(video, 5), mask)
    assert (first.examples, first.replaced) == (1, False)
    assert_allclose(first.face.points[17:27], opinion(video, 5)[17:27], atol=1e-9)
    assert_allclose(first.face.points, first.face.raw_points, atol=1e-9)  # there at once
    assert set(first.face.source[17:27]) == {Source.CORRECTED}
    assert set(first.face.source[27:]) == {Source.LEARNED}
    second = tracker.correct(0, opinion(video, 5) + 1)
    assert (second.examples, second.replaced) == (1, True)
    assert set(tracker.update(frames[6])[0].source) == {Source.LEARNED}


def test_the_later_of_two_contradicting_corrections_wins(shipped_model, frames, video) -> None:
    twice = Tracker(shipped_model)
    run(twice, frames[:6])
    twice.correct(0, opinion(video, 5) + np.array([6, 0]))
    twice.correct(0, opinion(video, 5))
    once = taught(shipped_model, frames, video)
    for a, b in zip(run(twice, frames, 6), run(once, frames, 6), strict=True):
        assert_array_equal(a, b)


def test_of_many_corrections_the_latest_stay(shipped_model, frames, video, monkeypatch) -> None:
    monkeypatch.setattr(person_state, "_MOST", 3)
    monkeypatch.setattr(person_state, "_KEPT", 2)
    tracker, counts = Tracker(shipped_model), []
    for number in range(5):
        tracker.update(frames[number])
        counts.append(tracker.correct(0, opinion(video, number)).examples)
    assert counts == [1, 2, 3, 2, 3]
    profile = tracker.profile(0)
    assert [example.key for example in profile.examples] == [2, 3, 4]
    anew = Learner(shipped_model.tracking, shipped_model.priors).learn(profile.examples)
    known = [learned.own for learned in (profile.learned, anew) if learned is not None]
    weights = [own.weights.tobytes() for own in known if own is not None]
    assert weights == [weights[0]] * 2


def test_the_same_video_and_corrections_give_the_same_bytes(shipped_model, frames, video) -> None:
    one = run(taught(shipped_model, frames, video), frames, 6)
    other = run(taught(shipped_model, frames, video), frames, 6)
    assert_array_equal(one, other)


def test_going_on_from_a_saved_state_gives_the_same_bytes(shipped_model, frames, video) -> None:
    tracker = taught(shipped_model, frames, video)
    run(tracker, frames[:20], 6)
    state = json.loads(json.dumps(tracker.state()))
    other = Tracker(shipped_model)
    other.restore(state)
    assert_array_equal(run(tracker, frames, 20), run(other, frames, 20))


def test_forgetting_removes_all_that_was_taught(shipped_model, frames, video) -> None:
    tracker = taught(shipped_model, frames, video)
    run(tracker, frames[:10], 6)
    tracker.forget(0)
    assert tracker.profile(0).examples == ()
    face = tracker.update(frames[10])[0]
    assert set(face.source) == {Source.TRACKED}
    plain = wrong(run(Tracker(shipped_model), frames)[30:], video, 30)
    assert wrong(run(tracker, frames, 11)[19:], video, 30) == pytest.approx(plain, rel=0.02)


def test_a_profile_helps_from_the_first_frame(shipped_model, frames, video, tmp_path) -> None:
    tracker = taught(shipped_model, frames, video, at=12)
    tracker.profile(0).save(tmp_path / "anna.npz")
    plain = wrong(run(Tracker(shipped_model), frames)[:5], video, 0)
    known = wrong(run(Tracker(shipped_model, profile=tmp_path / "anna.npz"), frames)[:5], video, 0)
    assert known < 0.5 * plain


def test_a_profile_does_not_leak_to_somebody_else(shipped_model, frames, video) -> None:
    mine = taught(shipped_model, frames, video, at=12).profile(0)
    strangers = replace(mine, gallery=tuple(-look for look in mine.gallery))
    plain = run(Tracker(shipped_model), frames[:10])
    assert_array_equal(run(Tracker(shipped_model, profile=strangers), frames[:10]), plain)
    assert np.abs(run(Tracker(shipped_model, profile=mine), frames[:10])[0] - plain[0]).max() > 1


@pytest.mark.parametrize(
    ("points", "mask", "message"),
    [
        (np.full((68, 2), np.nan), None, "corrected points must be finite, point 0 is not"),
        (np.full((68, 2), 1e4), None, "68 of 68 corrected points lie outside of the frame"),
        (np.zeros((68, 2)), np.zeros(68, bool), "vouch for at least one point"),
        (np.zeros((67, 2)), None, r"got \(67, 2\)"),
    ],
)
def test_broken_corrections_change_nothing(
    shipped_model, frames, video, points, mask, message
) -> None:
    tracker = taught(shipped_model, frames, video)
    before = json.dumps(tracker.state())
    with pytest.raises(InputError, match=message):
        tracker.correct(0, points, mask)
    assert json.dumps(tracker.state()) == before


def test_a_face_that_is_gone_cannot_be_corrected(shipped_model, frames, video) -> None:
    tracker = taught(shipped_model, frames, video)
    with pytest.raises(InputError, match="no face with id 7 is tracked in this frame; tracked: 0"):
        tracker.correct(7, opinion(video, 5))


def test_a_model_of_an_older_version_cannot_learn(shipped_model, frames, video) -> None:
    tracker = Tracker(replace(shipped_model, priors=()))
    run(tracker, frames[:3])
    with pytest.raises(LearningError, match="cannot learn"):
        tracker.correct(0, opinion(video, 2))


def test_two_people_are_taught_apart(shipped_model) -> None:
    places = [Placement(100, 110, 44), Placement(230, 110, 44)]
    both = SyntheticVideo(
        shipped_model.shape_model,
        n_frames=16,
        size=(340, 240),
        faces=[SyntheticFace(astronaut(), home=place) for place in places],
    )
    pictures = [both.frame(number).image for number in range(16)]
    tracker, plain = Tracker(shipped_model, max_faces=2), Tracker(shipped_model, max_faces=2)
    for picture in pictures[:12]:
        faces = tracker.update(picture)
        plain.update(picture)
    assert len(faces) == 2
    tracker.correct(faces[0].id, faces[0].points + np.array([0, 4]))
    for picture in pictures[12:]:
        seen, untaught = tracker.update(picture), plain.update(picture)
        assert_array_equal(seen[1].points, untaught[1].points)
        assert np.abs(seen[0].points - untaught[0].points).max() > 1


def test_adapting_learns_and_says_so(shipped_model, frames) -> None:
    tracker = Tracker(shipped_model, adapt=True)
    sources = [set(tracker.update(frame)[0].source) for frame in frames]
    assert sources[0] == {Source.TRACKED}
    assert sources[-1] == {Source.LEARNED}
    assert tracker.profile(0).examples == ()  # no person corrected anything
    assert tracker.profile(0).learned is not None


def test_adapting_makes_a_hard_face_better(shipped_model, shared) -> None:
    pictures = load_folder(shared / "data" / "landmarks" / "helen_test")
    people = synthetic_people(pictures, shipped_model.shape_model)
    hard = next(clip for clip in people if clip.name.endswith("expressions"))
    truth = hard.references["truth"]
    with hard.open() as source:
        greys = [frame.grey for frame in source]

    def mean_error(adapt: bool) -> float:
        tracks = run(Tracker(shipped_model, adapt=adapt), greys)
        return float(np.mean(np.linalg.norm(np.array(tracks) - truth, axis=2)[100:]))

    assert mean_error(adapt=True) < 0.95 * mean_error(adapt=False)


def test_where_fits_disagree_nothing_is_taught(shipped_model, frames, monkeypatch) -> None:
    points = run(Tracker(shipped_model), frames[:5])[-1]

    first = []

    def fits(self, cascade, patch, shape):
        first.append(shape)
        other = first[0] + np.array([0.4, 0.0])
        other[5] += 6.0  # a hand hides the jaw
        return first[0].copy(), other

    monkeypatch.setattr(type(shipped_model), "both_ways", fits)
    example = SelfTeacher(shipped_model, [])._example(frames[5], points)
    assert example is not None
    taught = example.label - example.start
    assert_allclose(taught[5], 0, atol=1e-12)
    believed = np.linalg.norm(taught[np.arange(68) != 5], axis=1)
    assert_allclose(believed, believed[0])
    assert believed[0] > 0.1


@pytest.mark.parametrize("at", [24, 25])  # between finding an example and learning it, or after
def test_going_on_while_adapting_gives_the_same_bytes(shipped_model, frames, at) -> None:
    tracker = Tracker(shipped_model, adapt=True)
    run(tracker, frames[:at])
    other = Tracker(shipped_model, adapt=True)
    other.restore(json.loads(json.dumps(tracker.state())))
    assert_array_equal(run(tracker, frames, at), run(other, frames, at))


def test_a_profile_that_taught_itself_survives_a_saved_state(
    shipped_model, frames, tmp_path
) -> None:
    adapting = Tracker(shipped_model, adapt=True)
    run(adapting, frames)
    adapting.profile(0).save(tmp_path / "anna.npz")
    tracker, other = (Tracker(shipped_model, profile=tmp_path / "anna.npz") for _ in range(2))
    run(tracker, frames[:5])
    other.restore(json.loads(json.dumps(tracker.state())))
    a, b = run(tracker, frames, 5), run(other, frames, 5)
    assert_array_equal(a, b)
    assert np.abs(a[0] - run(Tracker(shipped_model), frames)[5]).max() > 0.01
    tracker.profile(0).save(tmp_path / "a.npz")
    other.profile(0).save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_what_was_learned_is_dropped_when_tracking_becomes_worse(shipped_model, frames) -> None:
    tracker = Tracker(shipped_model, adapt=True)
    run(tracker, frames[:20])
    track = tracker._now.tracks[0]
    assert track.person.model_state is not None
    teacher = track.person.model_state.teacher
    assert teacher is not None
    assert teacher.learned is not None
    for _ in range(60):  # fits are poor by now
        teacher.watch(frames[0], track.points, track.points, 0.3)
    assert teacher.learned is None


def test_a_correction_far_from_common_faces_does_not_lose_the_face(
    shipped_model, frames, video
) -> None:
    tracker = Tracker(shipped_model)
    run(tracker, frames[:6])
    points = video.truth(5)
    points[8] += [0, 0.5 * outer_eye_distance(points)]  # a long beard, say
    tracker.correct(0, points)
    faces = [tracker.update(frame)[0] for frame in frames[6:16]]
    assert all(face.tracked for face in faces)
    moved = [face.points[8] - video.truth(6 + k)[8] for k, face in enumerate(faces)]
    assert np.mean([y for _, y in moved]) > 0.3 * outer_eye_distance(points)
