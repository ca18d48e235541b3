"""On whose face ids lie."""

import numpy as np

from benchmarks.people.owners import (
    find_owners,
    owner_of_first_sight,
    owner_of_ids,
    strayed,
)
from facetrack.face import Face, State, read_only_points

RIGHT = np.random.default_rng(0).uniform(0, 60, (68, 2))
RIGHT[36], RIGHT[45] = (0, 20), (60, 20)
LEFT = RIGHT + np.array([200, 0])
ABSENT = np.full((68, 2), np.nan)


def face(number, points, state=State.TRACKED):
    shape = read_only_points(points)
    return Face(number, state, "", shape, shape, 0.9, None)


def test_each_face_lies_on_the_person_nearest_to_it():
    faces = [face(4, LEFT + 3), face(7, RIGHT), face(8, RIGHT + np.array([0, 100]))]
    assert find_owners(faces, [RIGHT, LEFT]) == {4: 1, 7: 0, 8: -1}


def test_nobody_owns_a_face_where_all_are_absent():
    assert find_owners([face(4, LEFT)], [ABSENT, ABSENT]) == {4: -1}
    assert find_owners([face(4, LEFT)], [ABSENT, LEFT]) == {4: 1}


def test_lost_faces_are_on_nobody():
    assert find_owners([face(4, LEFT, State.LOST)], [LEFT]) == {}


def test_an_id_is_whose_face_it_lies_on_most():
    owned = [{1: 0}, {1: 1, 2: 0}, {1: 1}, {}]
    assert owner_of_ids(owned) == {1: 1, 2: 0}
    assert owner_of_first_sight(owned) == {1: 0, 2: 0}


def test_an_id_strays_where_it_leaves_its_first_face():
    assert strayed([{1: 0}, {1: -1}, {1: 0}]) == 0
    assert strayed([{1: -1}, {1: 1}, {1: 0, 2: 0}, {1: 0}]) == 2
