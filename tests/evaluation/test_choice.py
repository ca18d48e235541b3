"""Which face a user would mean."""

from __future__ import annotations

from facetrack.evaluation.choice import choose_face


def test_the_larger_of_two_faces_beside_each_other_is_meant() -> None:
    assert choose_face([(20, 50, 60, 90), (140, 50, 200, 110)], (220, 160)) == 1


def test_a_face_in_the_middle_beats_a_little_larger_one_at_the_border() -> None:
    assert choose_face([(0, 0, 50, 50), (80, 80, 120, 120)], (200, 200)) == 1
