"""Signatures tell people apart; in doubt a face is a new person's."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.formats.encoding import decode, encode
from facetrack.identity.people import Missing, People
from facetrack.identity.person import SIGNATURE_SIZE, Person, signature, similarity
from facetrack.landmarks.markup import to_markup

FPS = 30


@pytest.fixture
def look(stage, puppet):
    """Give the signature of puppet `seed` at a place, and where its points are."""

    def make(seed, *, place=(320, 240), grey=lambda image: image, turn=None):
        play = stage(puppet(seed, lambda frame: place))
        image = grey(play.world.image())
        points = play.world.seen()[0][1]
        return signature(image, points, play.world.shape_model), points

    return make


def test_signatures_agree_with_themselves_and_not_with_others(look):
    same = similarity(look(1)[0], look(1, place=(200, 200))[0])
    others = [similarity(look(1)[0], look(seed)[0]) for seed in range(2, 12)]
    assert same > 0.9
    assert max(others) < 0.6


def test_light_changes_little(look):
    darker = look(1, grey=lambda image: (image * 0.6 + 10).astype(np.uint8))[0]
    assert similarity(look(1)[0], darker) > 0.7


def test_colour_and_grey_pictures_agree(look):
    colour = look(1, grey=lambda image: np.dstack([image] * 3))[0]
    assert similarity(look(1)[0], colour) > 0.999


@pytest.mark.parametrize("place", [(5, 5), (-300, 240), (640, 480), (2000, -500)])
def test_faces_over_the_border_have_finite_signatures(look, shape_model, place):
    image = np.full((480, 640), 100, np.uint8)
    points = look(1)[1] - look(1)[1].mean(axis=0) + place
    seen = signature(image, points, shape_model)
    assert seen.shape == (SIGNATURE_SIZE,)
    assert np.isfinite(seen).all()


def test_a_person_keeps_different_looks_but_not_too_many(look):
    person = Person(0)
    for seed in range(20):
        person.learn(look(seed)[0])
    assert len(person.exemplars) == 6
    assert_array_equal(person.exemplars[0], look(0)[0])
    assert person.likeness(look(19)[0]) > 0.9


def test_a_like_look_is_averaged_in(look):
    person = Person(0)
    for shift in range(5):
        person.learn(look(3, place=(320 + shift, 240))[0])
    assert len(person.exemplars) == 1
    assert person.likeness(look(3)[0]) > 0.9


def who(people, seen, points, frame, *, looks=3):
    """Give the id of the person that a face is taken for; None while it is in doubt."""
    person = people.recognise([seen] * looks, points, frame, frame / FPS)
    return None if person is None else person.id


def missing(look, seed, number, *, behind=False):
    seen, points = look(seed)
    return Missing(Person(number, [seen]), points, np.zeros(2), 0, 0.0, "covered", behind)


def fainter(seen, agreement):
    """Make a signature that agrees with another one by so much."""
    other = seen.copy()
    other[:-2] *= agreement
    return other


def test_somebody_missing_is_recognised(look):
    people = People()
    people.lose(missing(look, 1, 41))
    people.lose(missing(look, 2, 42))
    seen, points = look(2, place=(100, 100))
    assert who(people, seen, points, 500) == 42
    assert [m.person.id for m in people.missing] == [41]


def test_somebody_else_is_new(look):
    people = People()
    people.new()
    people.lose(missing(look, 1, 0))
    seen, points = look(7)
    assert who(people, seen, points, 500) == 1
    assert who(people, seen, points, 500) == 2


def test_of_two_who_look_alike_nobody_is_recognised(look):
    people = People()
    people.lose(missing(look, 1, 41))
    people.lose(missing(look, 1, 42))
    seen, points = look(1)
    assert who(people, seen, points, 500) not in (41, 42)


def test_where_somebody_was_lost_a_moment_ago_a_strange_face_is_in_doubt(look):
    people = People()
    people.lose(missing(look, 1, people.new().id))
    seen, points = look(7)
    assert who(people, seen, points, 5) is None
    assert who(people, seen, points + 2000, 5) == 1
    assert who(people, look(1)[0], points, 6) == 0


@pytest.mark.parametrize(
    ("agreement", "frame", "away", "known"),
    [
        (0.4, 5, 0, True),
        (0.4, 5, 2000, False),
        (0.4, 29, 0, False),  # the longer ago, the less it matters where
        (0.4, 500, 0, False),
        (0.55, 500, 2000, True),
    ],
)
def test_less_likeness_is_needed_where_somebody_was_right_now(look, agreement, frame, away, known):
    people = People()
    people.lose(missing(look, 1, 41))
    seen, points = look(1)
    assert (who(people, fainter(seen, agreement), points + away, frame) == 41) is known


def test_a_moment_is_as_long_at_every_frame_rate(look):
    seen, points = look(1)
    for time, known in ((0.1, True), (0.95, False)):
        people = People()
        people.lose(missing(look, 1, 41))
        person = people.recognise([fainter(seen, 0.4)] * 3, points, 1, time)
        assert (person is not None and person.id == 41) is known


def test_who_went_behind_a_face_may_come_out_looking_otherwise(look):
    seen, points = look(1)
    for behind in (True, False):
        people = People()
        people.lose(missing(look, 1, people.new().id, behind=behind))
        assert (who(people, fainter(seen, 0.3), points, 20) == 0) is behind


def test_one_look_is_enough_only_if_it_is_clear(look):
    people = People()
    people.lose(missing(look, 1, people.new().id))
    seen, points = look(1)
    for agreement in (0.1, 0.4, 0.6):
        assert who(people, fainter(seen, agreement), points + 2000, 500, looks=1) is None
    assert who(people, seen, points + 2000, 500, looks=1) == 0


def test_one_poor_look_among_several_changes_little(look):
    people = People()
    people.lose(missing(look, 1, people.new().id))
    seen, points = look(1)
    looks = [fainter(seen, agreement) for agreement in (0.1, 0.8, 0.8)]
    person = people.recognise(looks, points + 2000, 500, 500 / FPS)
    assert person is not None
    assert person.id == 0


def test_a_face_a_little_like_somebody_missing_stays_in_doubt(look):
    people = People()
    people.lose(missing(look, 1, people.new().id))
    seen, points = look(1)
    assert who(people, fainter(seen, 0.4), points + 2000, 500, looks=8) is None


def test_ids_are_never_used_again(look):
    people = People()
    first = people.new().id
    people.lose(missing(look, 1, first))
    people.forget_all()
    seen, points = look(1)
    assert who(people, seen, points, 1) != first


def test_memory_is_bounded(look):
    people = People()
    person = missing(look, 1, 0)
    for _ in range(200):
        people.lose(person)
    assert len(people.missing) == 64


def test_state_goes_through_json(look):
    people = People()
    people.new()
    people.lose(missing(look, 1, 0))
    other = decode(People, json.loads(json.dumps(encode(people))))
    assert encode(other) == encode(people)
    seen, points = look(1)
    assert who(other, seen, points, 3) == 0


def test_same_and_different_people_of_real_clips(shared, shape_model):
    """Two frames of one clip agree better than frames of two clips, for nearly all."""
    cv2 = pytest.importorskip("cv2")
    folder = shared / "data" / "landmarks" / "ytf" / "train"
    looks = []
    for path in sorted(folder.glob("*_a.pts"))[:40]:
        pair = []
        for side in (path, path.with_name(path.name.replace("_a.pts", "_b.pts"))):
            body = side.read_text().split("{")[1].split("}")[0]
            points = to_markup(np.array(body.split(), float).reshape(68, 2) - 1, 68)
            image = cv2.imread(str(side.with_suffix(".jpg")), cv2.IMREAD_COLOR)
            pair.append(signature(image, points, shape_model))
        looks.append(pair)
    agreement = np.array([[similarity(a, b) for _, b in looks] for a, _ in looks])
    same, other = np.diag(agreement), agreement[~np.eye(len(looks), dtype=bool)]
    assert np.median(same) > 0.7
    assert (other > 0.62).mean() < 0.01


def unit(angle):
    """Give a signature of mean 100 and contrast 40 that lies at an angle to others."""
    seen = np.zeros(SIGNATURE_SIZE, np.float32)
    seen[:2], seen[-2:] = (np.cos(angle), np.sin(angle)), (100, 40)
    return seen


@pytest.mark.parametrize(
    ("mean", "contrast", "loss"),
    [(0, 0, 0), (20, 0, 0.05), (-8, 12, 0.05), (40, 20, 0.15), (99, 0, 0.15)],
)
def test_agreement_is_a_cosine_less_what_the_grey_levels_differ(mean, contrast, loss):
    """A tenth for 40 grey levels, 0.15 at most."""
    other = unit(np.radians(60))
    other[-2:] += mean, contrast
    assert similarity(unit(0), other) == pytest.approx(0.5 - loss, abs=1e-6)


def test_a_like_look_is_averaged_in_and_another_one_is_kept_besides():
    person = Person(0, [unit(0)])
    assert person.likeness(unit(np.radians(60))) == pytest.approx(0.5)
    assert Person(0).likeness(unit(0)) == -1
    person.learn(unit(np.radians(41)))  # a cosine of 0.755
    (mixed,) = person.exemplars
    expected = 0.9 * unit(0)[:2] + 0.1 * unit(np.radians(41))[:2]
    assert mixed[:2] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)
    assert mixed[-2:] == pytest.approx((100, 40))
    assert mixed.dtype == np.float32
    person.learn(unit(np.radians(90)))
    assert len(person.exemplars) == 2
    assert_array_equal(person.exemplars[1], unit(np.radians(90)))


def test_the_first_look_and_the_last_five_are_kept():
    looks = [np.eye(1, SIGNATURE_SIZE, k, dtype=np.float32)[0] for k in range(9)]
    person = Person(0)
    for seen in looks:
        person.learn(seen)
    assert_array_equal(person.exemplars, [looks[0], *looks[4:]])
