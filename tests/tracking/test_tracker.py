"""The tracker's behaviour: following, loss and return, crossings, cuts, odd input, resuming."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.people.owners import find_owners, strayed
from facetrack.errors import InputError
from facetrack.face import Source, State
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.clips import absence_video, demo_video
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame

HOME = (320, 240)


def still(frame):
    return HOME


def tracker_of(play, **options):
    return Tracker(play.model, detector=play.detector, **options)


def tracked(faces):
    return [face for face in faces if face.tracked]


def test_a_face_is_followed_with_one_fit_a_frame_and_no_detection(stage, puppet):
    play = stage(puppet(1, lambda frame: (250 + 2 * frame, 240 + frame)))
    tracker = tracker_of(play)
    result = play.run(tracker, range(40))
    assert all([face.id for face in faces] == [0] for faces in result)
    assert play.detector.calls == 1
    assert play.model.fits == 39
    play.world.frame = 39
    face = result[-1][0]
    assert_allclose(face.points, play.world.seen()[0][1], atol=1.5)
    assert face.state is State.TRACKED
    assert face.reason == ""
    assert face.quality > 0.9
    assert np.isfinite([*face.pose.rotation, *face.pose.translation]).all()
    assert not face.points.flags.writeable


def test_smoothing_keeps_the_raw_points(stage, puppet):
    play = stage(puppet(1, still))
    result = play.run(tracker_of(play, smoothing=0.8), range(30))
    raw = np.array([faces[0].raw_points for faces in result])
    smooth = np.array([faces[0].points for faces in result])
    assert np.diff(smooth, axis=0).std() < 0.4 * np.diff(raw, axis=0).std()
    plain = play.run(tracker_of(play), range(30))
    assert_array_equal(raw[-1], plain[-1][0].raw_points)


def test_the_dial_can_be_turned_while_tracking(stage, puppet):
    play = stage(puppet(1, still))
    tracker = tracker_of(play)
    before = play.run(tracker, range(20))[-1][0]
    assert_array_equal(before.points, before.raw_points)
    tracker.set_smoothing(0.8)
    after = play.run(tracker, range(20, 40))[-1][0]
    assert np.abs(after.points - after.raw_points).max() > 0
    tracker.set_smoothing(0)
    last = play.run(tracker, range(40, 50))[-1][0]
    assert_array_equal(last.points, last.raw_points)
    with pytest.raises(InputError, match="between 0 and 1"):
        tracker.set_smoothing(1.5)


def test_loss_says_why_and_return_keeps_the_id(stage, puppet):
    play = stage(puppet(1, lambda frame: None if 20 <= frame < 40 else HOME))
    result = play.run(tracker_of(play), range(60))
    gone = result[20][0]
    assert gone.state is State.LOST
    assert gone.reason == "covered or out of view"
    assert gone.quality == 0
    assert gone.pose is None
    assert np.isnan(gone.points).all()
    assert (gone.source == Source.ABSENT).all()
    assert all(faces[0].state is State.LOST for faces in result[20:40])
    assert [face.id for face in tracked(result[-1])] == [0]
    assert any(tracked(faces) for faces in result[40:46])


def test_a_face_that_walks_out_has_left_the_image(stage, puppet):
    play = stage(puppet(1, lambda frame: (400 + 12 * frame, 240)))
    result = play.run(tracker_of(play), range(35))
    reasons = {face.reason for faces in result for face in faces if not face.tracked}
    assert reasons == {"left the image"}


def test_somebody_else_gets_another_id(stage, puppet):
    play = stage(
        puppet(1, lambda frame: HOME if frame < 20 else None),
        puppet(2, lambda frame: HOME if 30 <= frame < 50 else None),
        puppet(3, lambda frame: HOME if frame >= 60 else None),
    )
    result = play.run(tracker_of(play), range(80))
    for frame, number in ((10, 0), (45, 1), (75, 2)):
        assert [face.id for face in tracked(result[frame])] == [number]


def test_a_strange_face_where_somebody_was_lost_is_not_named_at_once(stage, puppet):
    play = stage(
        puppet(1, lambda frame: HOME if frame < 20 else None),
        puppet(2, lambda frame: HOME if frame >= 24 else None),
    )
    result = play.run(tracker_of(play), range(50))
    first = next(n for n, faces in enumerate(result) if any(face.id == 1 for face in faces))
    assert 28 <= first <= 36
    assert all([face.id for face in faces] == [0] for faces in result[:first])


def test_the_first_comes_back_after_the_second(stage, puppet):
    play = stage(
        puppet(1, lambda frame: HOME if not 20 <= frame < 60 else None),
        puppet(2, lambda frame: HOME if 30 <= frame < 50 else None),
    )
    result = play.run(tracker_of(play), range(80))
    assert [[face.id for face in tracked(result[n])] for n in (10, 45, 75)] == [[0], [1], [0]]


def test_a_lost_face_is_not_reported_where_somebody_took_its_place(stage, puppet):
    play = stage(
        puppet(1, lambda frame: HOME if frame < 20 else None),
        puppet(2, lambda frame: HOME if frame >= 25 else None),
    )
    result = play.run(tracker_of(play), range(40))
    assert [face.id for face in result[-1]] == [1]


def test_a_lost_face_is_reported_for_a_while_only(stage, puppet):
    play = stage(puppet(1, lambda frame: HOME if frame < 5 else None))
    result = play.run(tracker_of(play), range(120))
    assert len(result[90]) == 1
    assert result[-1] == []


def test_no_more_faces_than_wanted(stage, puppet):
    places = [(120, 140), (320, 140), (520, 140), (220, 360)]
    play = stage(*(puppet(n, lambda frame, place=place: place) for n, place in enumerate(places)))
    for wanted in (1, 3, 4):
        result = play.run(tracker_of(play, max_faces=wanted), range(5))
        assert len(tracked(result[-1])) == wanted


def test_newcomers_are_noticed(stage, puppet):
    play = stage(puppet(1, still), puppet(2, lambda frame: (120, 140) if frame > 10 else None))
    result = play.run(tracker_of(play, max_faces=2), range(60))
    assert [face.id for face in tracked(result[-1])] == [0, 1]


def crossing(stage, puppet, seed):
    """Two people who walk past each other, or meet and turn back."""
    rng = np.random.default_rng(seed)
    ends = rng.uniform(110, 160), rng.uniform(480, 530)
    heights, speed, turns_back = rng.uniform(200, 280, 2), rng.uniform(0.8, 1.6), rng.random() < 0.3

    def path(number):
        def place(frame):
            done = frame / 59
            done = 0.55 * np.sin(np.pi * done) if turns_back else (done - 0.5) * speed + 0.5
            x = ends[number] + (ends[1 - number] - ends[number]) * np.clip(done, 0, 1)
            return x, heights[number] + 8 * np.sin(frame / 7 + number)

        return place

    return stage(puppet(2 * seed, path(0)), puppet(2 * seed + 1, path(1)))


@pytest.mark.parametrize("seed", range(20))
def test_crossing_faces_keep_their_ids(stage, puppet, seed):
    play = crossing(stage, puppet, seed)
    result = play.run(tracker_of(play, max_faces=2), range(60))
    owners: dict[int, int] = {}
    for frame, faces in enumerate(result):
        for face in tracked(faces):
            assert owners.setdefault(face.id, play.owner(frame, face)) == play.owner(frame, face)
    assert len(owners) == 2
    assert len(tracked(result[-1])) == 2


def test_a_hidden_face_is_said_to_be_hidden(stage, puppet):
    play = stage(puppet(1, still), puppet(2, lambda frame: (320 - 260 + 6 * frame, 250)))
    result = play.run(tracker_of(play, max_faces=2), range(60))
    reasons = {face.reason for faces in result for face in faces if not face.tracked}
    assert reasons == {"hidden behind face 1"} or reasons == {"covered or out of view"}


def before_another_picture(stage, puppet):
    play = stage(puppet(1, still))
    other = stage(puppet(1, still), background=5, contrast=0.2)
    tracker = tracker_of(play)
    play.run(tracker, range(20))
    tracker.model, tracker._detector = other.model, other.detector
    other.world.frame = 20
    return tracker, other


def test_a_cut_gives_new_ids_even_to_the_same_person(stage, puppet):
    tracker, other = before_another_picture(stage, puppet)
    faces = tracker.update(other.world.image())
    assert [(face.id, face.state) for face in faces] == [(0, State.LOST), (1, State.TRACKED)]
    assert faces[0].reason == "the picture was cut"
    assert [face.id for face in other.run(tracker, range(21, 30))[-1]] == [1]


def test_a_pause_is_no_cut(stage, puppet):
    tracker, other = before_another_picture(stage, puppet)
    tracker.pause()
    assert [(face.id, face.tracked) for face in tracker.update(other.world.image())] == [(0, True)]


def test_same_frames_same_bytes(stage, puppet):
    play = crossing(stage, puppet, 3)
    a = play.run(tracker_of(play, max_faces=2, smoothing=0.5), range(40))
    b = play.run(tracker_of(play, max_faces=2, smoothing=0.5), range(40))
    for one, two in zip(a, b, strict=True):
        assert [face.id for face in one] == [face.id for face in two]
        for face, other in zip(one, two, strict=True):
            assert face.points.tobytes() == other.points.tobytes()
            assert face.pose == other.pose


@pytest.mark.parametrize("stop", [0, 1, 12, 25, 33, 50])
def test_a_run_goes_on_from_its_state_with_the_same_bytes(stage, puppet, stop):
    play = crossing(stage, puppet, 2)
    options = {"max_faces": 2, "smoothing": 0.5}
    whole = play.run(tracker_of(play, **options), range(60))
    first = tracker_of(play, **options)
    play.run(first, range(stop))
    second = tracker_of(play, **options)
    second.restore(json.loads(json.dumps(first.state())))
    for faces, others in zip(whole[stop:], play.run(second, range(stop, 60)), strict=True):
        assert [(f.id, f.state, f.reason, f.quality) for f in faces] == [
            (f.id, f.state, f.reason, f.quality) for f in others
        ]
        for face, other in zip(faces, others, strict=True):
            assert face.points.tobytes() == other.points.tobytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.pop("tracks"),
        lambda state: state.update(version=99),
        lambda state: state.update(max_faces=7),
        lambda state: state.update(tracks=[{}]),
        lambda state: state["tracks"][0].update(points="AAAA"),
        lambda state: state.update(people=None),
        lambda state: state.update(cuts={"last": "x"}),
    ],
)
def test_a_broken_state_is_named_and_changes_nothing(stage, puppet, spoil):
    play = stage(puppet(1, still))
    tracker = tracker_of(play)
    play.run(tracker, range(3))
    before = tracker.state()
    state = json.loads(json.dumps(before))
    spoil(state)
    with pytest.raises(InputError, match="saved state"):
        tracker.restore(state)
    assert tracker.state() == before


def test_pictures_of_every_kind_give_the_same_face(stage, puppet):
    play = stage(puppet(1, still))
    grey = play.world.image()
    pictures = {
        "colour": np.dstack([grey] * 3),
        "alpha": np.dstack([grey] * 4),
        "channel": grey[:, :, None],
        "wide": grey.astype(np.uint16) << 8,
        "strided": np.repeat(grey, 2, axis=1)[:, ::2],
        "frame": Frame(0, 0.0, _Picture(grey)),
    }
    expected = tracker_of(play).update(grey)[0]
    for picture in pictures.values():
        face = tracker_of(play).update(picture)[0]
        assert_array_equal(face.points, expected.points)


class _Picture:
    nbytes = 0

    def __init__(self, image):
        self._image = image

    def grey(self):
        return self._image

    def bgr(self):
        raise AssertionError("nobody needs the colours")


@pytest.mark.parametrize("shape", [(0, 0), (0, 5, 3), (1, 1), (1, 640), (15, 15, 3)])
def test_pictures_too_small_for_a_face_hold_none(stage, puppet, shape):
    play = stage(puppet(1, still))
    tracker = tracker_of(play)
    assert tracker.update(np.zeros(shape, np.uint8)) == []
    play.run(tracker, range(3))
    faces = tracker.update(np.zeros(shape, np.uint8))
    assert [face.reason for face in faces] == ["the picture is too small"]
    assert [face.id for face in tracked(play.run(tracker, range(4, 12))[-1])] == [0]


@given(
    image=arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.one_of(
            st.tuples(st.integers(0, 40), st.integers(0, 40)),
            st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from([1, 3, 4])),
        ),
    )
)
@settings(max_examples=30)
def test_no_picture_crashes(image, oracle_play):
    tracker = tracker_of(oracle_play)
    for _ in range(3):
        for face in tracker.update(image):
            assert not np.isnan(face.points).any()


@pytest.fixture(scope="module")
def oracle_play():
    class Nothing:
        shape_model = None

        def detect(self, image, *, wanted=1):
            return []

        def search(self, image, rung):
            return []

        def detect_near(self, image, box):
            return []

    class Play:
        model = detector = Nothing()

    return Play()


@pytest.mark.parametrize("image", [np.zeros((9, 9)), np.zeros((9, 9, 2), np.uint8), "face.png"])
def test_wrong_pictures_are_named(stage, puppet, image):
    with pytest.raises(InputError, match="image"):
        tracker_of(stage(puppet(1, still))).update(image)


def test_time_must_increase(stage, puppet):
    play = stage(puppet(1, still))
    tracker, image = tracker_of(play), play.world.image()
    tracker.update(image, 1.0)
    for wrong in (1.0, 0.5, np.nan, np.inf):
        with pytest.raises(InputError, match="timestamp"):
            tracker.update(image, wrong)
    assert tracked(tracker.update(image, 1.1))
    assert tracked(tracker.update(image))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"max_faces": 0}, "max_faces"), ({"smoothing": 1.5}, "smoothing"),
     ({"smoothing": float("nan")}, "smoothing")],
)  # fmt: skip
def test_wrong_options_are_named(stage, puppet, options, message):
    with pytest.raises(InputError, match=message):
        tracker_of(stage(puppet(1, still)), **options)


def test_memory_does_not_grow(stage, puppet):
    play = stage(puppet(1, lambda frame: None if frame % 7 < 2 else HOME))
    tracker = tracker_of(play)
    play.run(tracker, range(70))
    size = len(json.dumps(tracker.state()))
    play.run(tracker, range(70, 210))
    assert len(json.dumps(tracker.state())) < 1.5 * size


def test_rows_of_a_cut_come_to_equal_those_of_the_whole(shipped_model):
    """A tracker that starts later soon agrees with one that has seen all.

    The bytes differ, because each fit starts from the last one, but the start is forgotten. Over
    75 starts in the demo clip the mean distance of the points was 1.2 % of the eye distance in the
    first frame and, from the tenth on, never above 0.38 %; no single point was above 1.15 %: the
    model follows the lids farther than the one that this was first measured with (0.47 %).
    """
    video = demo_video(shipped_model.shape_model)
    frames = [video.frame(index) for index in range(130)]
    whole = follow(shipped_model, frames)
    for start in (5, 40, 75):
        cut = follow(shipped_model, frames[start : start + 55])
        there = whole[start : start + 55]
        distances = np.linalg.norm(cut - there, axis=2) / outer_eye_distance(there)[:, None]
        assert distances[10:].mean(axis=1).max() < 0.004
        assert distances[10:].max() < 0.012


def follow(model, frames):
    """Track the one face of some frames; gives (n, 68, 2)."""
    tracker = Tracker(model)
    faces = [tracked(tracker.update(frame)) for frame in frames]
    assert all([face.id for face in found] == [0] for found in faces)
    return np.array([found[0].raw_points for found in faces])


@pytest.mark.parametrize("seed", [0, 1])  # elsewhere, and where another person sat meanwhile
def test_who_was_away_is_known_again_and_nobody_else_is(shipped_model, seed):
    video = absence_video(shipped_model.shape_model, seed=seed)
    tracker = Tracker(shipped_model)
    owned = []
    for frame in video:
        truths = [video.truth(frame.index, face=k) for k in range(2)]
        owned.append(find_owners(tracker.update(frame), truths))
    leaves, returns = video.faces[0].absent[0]
    assert set().union(*owned[:leaves]) == {0}
    assert set().union(*owned[leaves + 6 : returns - 6]) == {1}
    assert owned[-1] == {0: 0}
    assert strayed(owned) == 0
