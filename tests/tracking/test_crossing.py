"""Of tracks on one face one stays, by right; persons go back to the faces that are theirs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from facetrack.identity.people import Missing
from facetrack.identity.person import UNKNOWN, Person, signature
from facetrack.tracking.crossing import settle_crossings
from facetrack.tracking.track import Track
from tests.painted import EYE, Puppet, World, head_68, small_shape_model

PLACES = ((120.0, 240.0), (320.0, 240.0), (520.0, 240.0))


@pytest.fixture(scope="module")
def world() -> World:
    return World([Puppet(n, partial(lambda place, _: place, at)) for n, at in enumerate(PLACES)])


def looks(world, number):
    points = world.puppets[number].points(0)
    return signature(world.image(), points, small_shape_model())


def track(world, number, person, *, quality=0.9, age=50, aside=0.0):
    points = world.puppets[number].points(0) + np.array([aside * EYE, 0.0])
    return Track(person, points, quality, np.zeros((24, 24), np.uint8), None, age=age)


def settle(world, *tracks, missing=()):
    return settle_crossings(tracks, list(missing), world.image(), small_shape_model())


def persons(world):
    return [Person(10 + number, [looks(world, number)]) for number in range(3)]


def test_faces_of_their_own_are_left_alone(world):
    tracks = [track(world, n, person) for n, person in enumerate(persons(world))]
    for one in tracks:
        one.apart = 3
    assert settle(world, *tracks) == []
    assert [one.person.id for one in tracks] == [10, 11, 12]
    assert [one.apart for one in tracks] == [4, 4, 4]


def test_the_face_is_his_who_looks_like_it_whatever_else_is_better(world):
    mine, other, _ = persons(world)
    right = track(world, 0, mine, quality=0.5, age=1)
    wrong = track(world, 0, other, quality=0.9, age=99, aside=0.1)
    for tracks in ((right, wrong), (wrong, right)):
        assert settle(world, *tracks) == [(wrong, "hidden behind face 10")]
        assert (right.person, wrong.person) == (mine, other)


def test_of_unknown_ones_the_older_stays_and_then_the_better(world):
    old = track(world, 0, Person(UNKNOWN), age=9, quality=0.5)
    young = track(world, 0, Person(UNKNOWN), age=8, quality=0.9)
    assert settle(world, young, old) == [(young, "hidden behind another face")]
    good = track(world, 0, Person(UNKNOWN), age=8, quality=0.95)
    assert settle(world, young, good) == [(young, "hidden behind another face")]


def test_of_three_on_one_face_two_end_once_each(world):
    mine, *others = persons(world)
    tracks = [track(world, 0, mine), *(track(world, 0, other) for other in others)]
    ended = settle(world, *tracks)
    assert sorted(one.person.id for one, _ in ended) == [11, 12]


@pytest.mark.parametrize(("aside", "one_face"), [(0.34, True), (0.36, False)])
def test_one_face_is_a_third_of_the_eyes_distance(world, aside, one_face):
    pair = [track(world, 0, p, aside=i * aside) for i, p in enumerate(persons(world)[:2])]
    assert (len(settle(world, *pair)) == 1) == one_face
    assert [one.apart for one in pair] == [0, 0]  # they touch in any case


@pytest.mark.parametrize(("share", "touch"), [(0.09, False), (0.11, True)])
@pytest.mark.parametrize("upwards", [False, True])
def test_heads_touch_before_points_do(world, share, touch, upwards):
    """A head is a fifth wider than the points on either side, and two fifths higher."""
    first = track(world, 1, Person(UNKNOWN))
    x0, y0, x1, y1 = first.box
    size = np.array([1.4 * (x1 - x0), 1.4 * (y1 - y0)])
    second = track(world, 1, Person(UNKNOWN))
    second.points = second.points + (1 - share) * size * ([0, -1] if upwards else [1, 0])
    settle(world, first, second)
    assert (first.apart == second.apart == 0) == touch


@pytest.mark.parametrize(("apart", "given_back"), [(8, True), (9, True), (10, False)])
def test_exchanged_ids_are_given_back_within_ten_frames(world, apart, given_back):
    """`apart` counts this frame, too."""
    mine, other, _ = persons(world)
    first, second = track(world, 0, other), track(world, 1, mine)
    first.apart = second.apart = apart
    assert settle(world, first, second) == []
    assert (first.person is mine and second.person is other) == given_back


def test_ids_stay_where_looks_say_nothing(world):
    mine, *_ = persons(world)
    first, second = track(world, 1, mine), track(world, 0, Person(11))
    first.apart = second.apart = 0
    settle(world, first, second)
    assert first.person is mine
    twin, alike = Person(12, [looks(world, 0)]), Person(13, [looks(world, 0)])
    first, second = track(world, 0, twin), track(world, 1, alike)
    first.apart = second.apart = 0
    settle(world, first, second)
    assert first.person is twin


@pytest.mark.parametrize("touched", [False, True])
def test_who_was_taken_for_a_missing_person_is_that_person_again(world, touched):
    mine, other, _ = persons(world)
    seen = track(world, 0, other)
    gone = Missing(mine, head_68() * EYE, np.zeros(2), since=0, time=0.0, reason="covered")
    if touched:
        seen.apart = 5
    settle(world, seen, missing=[gone])
    assert (seen.person is mine and gone.person is other) == touched


def test_the_look_is_that_of_the_better_fit(world):
    """Two people, each of whom looks like one of the fits."""
    good, poor = track(world, 0, Person(10), quality=0.9), track(world, 0, Person(11), aside=0.3)
    poor.quality = 0.6
    for one in (good, poor):
        one.person.exemplars.append(signature(world.image(), one.points, small_shape_model()))
    for tracks in ((good, poor), (poor, good)):
        assert settle(world, *tracks) == [(poor, "hidden behind face 10")]


def test_tracks_that_end_and_people_as_like_take_no_missing_person(world):
    mine, other, _ = persons(world)
    twin = Person(13, [looks(world, 0)])
    gone = Missing(twin, head_68() * EYE, np.zeros(2), since=0, time=0.0, reason="covered")
    right, wrong = track(world, 0, mine), track(world, 0, other)
    assert settle(world, right, wrong, missing=[gone]) == [(wrong, "hidden behind face 10")]
    assert (right.person, wrong.person, gone.person) == (mine, other, twin)
