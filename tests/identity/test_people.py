"""Who a face belongs to, by agreements that a test chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from facetrack.identity.people import Missing, People, Reason
from facetrack.identity.person import Person

POINTS = np.array([[0.0, 0.0], [100.0, 50.0]])  # 100 px wide


@dataclass(slots=True, eq=False)
class Like(Person):
    """A person whom looks, which are numbers here, are like by just these numbers."""

    factor: float = 1.0

    def likeness(self, seen):
        return self.factor * seen


def three(likeness: float) -> list[Any]:
    """Give three looks that are as like."""
    return [likeness] * 3


def missing(
    person: Person, *, since: int = 0, time: float = 0.0, behind: bool = False, right: float = 0.0
) -> Missing:
    velocity = np.array([right, 0.0])
    return Missing(person, POINTS, velocity, since, time, Reason.COVERED, behind)


@pytest.mark.parametrize(
    ("shift", "frame", "time", "may"),
    [
        ((100, 0), 10, 2.0, True),  # at once by its size
        ((101, 0), 10, 2.0, False),
        ((0, -100), 10, 2.0, True),
        ((0, 0), 10, 2.1, False),  # too long ago
        ((109, 0), 11, 2.0, True),  # a tenth more in a frame
        ((111, 0), 11, 2.0, False),
        ((300, 0), 20, 2.0, False),
    ],
)
def test_who_is_lost_moves_by_a_size_at_once_and_a_tenth_a_frame(
    shift: tuple[float, float], frame: int, time: float, may: bool
) -> None:
    assert missing(Like(0), since=10).may_be_at(POINTS + shift, frame, time) == may


@pytest.mark.parametrize(
    ("shift", "may"), [((400, 0), True), ((401, 0), False), ((-200, 0), True), ((-201, 0), False)]
)
def test_who_was_moving_may_have_stopped_or_gone_on(shift: tuple[float, float], may: bool) -> None:
    """Ten frames on at 20 px a frame, and by two sizes to each side of both places."""
    assert missing(Like(0), right=20.0).may_be_at(POINTS + shift, 10, 0.0) == may


FAR = POINTS + 5000.0
AGES = 100.0  # seconds, after which nobody is expected near


@pytest.mark.parametrize(
    ("looks", "decision"),
    [
        ([0.44] * 3, "known"),
        ([0.43] * 3, "doubt"),
        ([0.3] * 3, "doubt"),
        ([0.29] * 3, "new"),
        ([0.29] * 2, "doubt"),  # too few looks
        ([0.65], "known"),
        ([0.64], "doubt"),
        ([0.64] * 2, "doubt"),
        ([0.34, 0.44, 0.54], "known"),  # their mean counts
    ],
)
def test_faces_are_recognised_by_the_mean_of_three_looks_or_one_that_is_sure(
    looks: list[Any], decision: str
) -> None:
    people = People()
    people.lose(missing(Like(7)))
    person = people.recognise(looks, FAR, 1000, AGES)
    said = "doubt" if person is None else {7: "known", 0: "new"}[person.id]
    assert said == decision
    assert len(people.missing) == (decision != "known")


@pytest.mark.parametrize(("second", "known"), [(0.89, True), (0.91, False)])
def test_nobody_is_recognised_whom_another_is_nearly_as_like(second: float, known: bool) -> None:
    people = People()
    for person in (Like(7, factor=second), Like(8), Like(9, factor=0.1)):
        people.lose(missing(person))
    found = people.recognise(three(1.0), FAR, 1000, AGES)
    assert (found is not None and found.id == 8) == known


@pytest.mark.parametrize(
    ("since", "behind", "enough"),
    [(0.0, False, 0.35), (0.5, False, 0.395), (1.0, False, 0.44), (1.5, False, 0.44),
     (0.5, True, 0.25)],
)  # fmt: skip
def test_near_the_place_less_agreement_is_enough_for_a_second(
    since: float, behind: bool, enough: float
) -> None:
    for likeness, known in ((enough + 0.001, True), (enough - 0.001, False)):
        people = People()
        people.lose(missing(Like(7), behind=behind))
        assert (people.recognise(three(likeness), POINTS, 0, since) is not None) == known


def test_a_face_near_the_place_is_in_doubt_however_strange_it_is() -> None:
    people = People()
    people.lose(missing(Like(7)))
    assert people.recognise(three(-1.0), POINTS, 0, 0.0) is None
    assert people.recognise(three(-1.0), FAR, 0, 0.0) is not None


def test_sixty_four_people_are_remembered_the_last_ones() -> None:
    people = People()
    for number in range(70):
        people.lose(missing(Like(number)))
    assert [one.person.id for one in people.missing] == list(range(6, 70))
    people.forget_all()
    assert not people.missing
    assert [people.new().id for _ in range(3)] == [0, 1, 2]
