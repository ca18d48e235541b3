"""Films of one action: what happens, when, on which side and where is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.actions import ACTIONS, NOTHING, ActionFilm, film_action
from facetrack.synthetic.actor import Actor
from facetrack.synthetic.portrait import astronaut

# Points of which at least one lies in the event's box, and points that do not.
INSIDE = {
    "blink": (37, 44), "brow raise": (19, 24), "frown": (21, 22), "smile": (48, 54),
    "nose wrinkle": (31, 50), "lip press": (51, 57), "mouth open": (8, 57), "yawn": (8, 57),
    "nod": (27, 30), "shake": (27, 30),
}  # fmt: skip
SMALL = ("blink", "wink", "brow raise", "frown", "smile", "lip press")


@pytest.fixture(scope="module")
def actor(shape_model: ShapeModel) -> Actor:
    rng = np.random.default_rng(0)
    return Actor.drawn(rng, astronaut(), shape_model, size=(160, 120))


def film(actor: Actor, action: str, seed: int = 0, **options: str) -> ActionFilm:
    rng = np.random.default_rng(seed)
    return film_action(actor, action, rng, n_frames=24, side=options.get("side"))


def centre(box: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (box[:2] + box[2:]))


@pytest.mark.parametrize("action", [a for a in ACTIONS if a != NOTHING])
def test_an_event_has_its_frames_and_its_place(actor: Actor, action: str) -> None:
    made = film(actor, action)
    assert made.action == action
    assert made.images.shape == (24, 120, 160, 3)
    assert made.points.shape == (24, 68, 2)
    assert np.isfinite(made.points).all()
    assert 0 <= made.start <= made.peak <= made.stop < 24
    assert made.stop - made.start >= 2
    left, top, right, bottom = made.box
    for number in INSIDE.get(action, ()):
        x, y = made.points[made.peak, number]
        assert left <= x <= right
        assert top <= y <= bottom
    face = np.ptp(made.points[0], axis=0).prod()
    assert (((right - left) * (bottom - top)) < 0.25 * face) == (action in SMALL)


def test_nothing_has_neither_frames_nor_place(actor: Actor) -> None:
    made = film(actor, NOTHING)
    assert (made.start, made.peak, made.stop, made.side) == (-1, -1, -1, "")
    assert np.isnan(made.box).all()
    assert np.ptp(made.points, axis=0).max() > 0.1  # it sways all the same


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_wink_closes_the_eye_that_is_said(actor: Actor, side: str) -> None:
    made = film(actor, "wink", side=side)
    gaps = [
        np.linalg.norm(made.points[:, upper] - made.points[:, lower], axis=1)
        for upper, lower in ((37, 41), (44, 46))
    ]
    closed, other = gaps if side == "right" else gaps[::-1]
    assert made.side == side
    assert closed[made.peak] < 0.4 * closed.max()
    assert other[made.peak] > 0.6 * other.max()
    eyes = made.points[made.peak][[39, 42]].mean(axis=0)
    assert (centre(made.box)[0] < eyes[0]) == (side == "right")  # the person's right


def test_the_side_of_a_wink_is_drawn_otherwise(actor: Actor) -> None:
    assert {film(actor, "wink", seed).side for seed in range(6)} == {"right", "left"}


def test_a_blink_is_short_and_a_yawn_long(actor: Actor) -> None:
    spans = {
        action: np.mean([(f := film(actor, action, s)).stop - f.start for s in range(3)])
        for action in ("blink", "yawn")
    }
    assert spans["blink"] < 13
    assert spans["yawn"] > 18


def test_the_same_seed_makes_the_same_film(actor: Actor) -> None:
    one, again, other = (film(actor, "smile", seed) for seed in (3, 3, 4))
    assert_array_equal(one.images, again.images)
    assert_array_equal(one.points, again.points)
    assert_array_equal(one.box, again.box)
    assert (one.images != other.images).any()
