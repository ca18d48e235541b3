"""Eyes are closed in pictures: skin covers them, and the landmarks of the lids follow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facetrack.landmarks.procrustes import Similarity
from facetrack.synthetic.portrait import astronaut
from facetrack.training import lids
from facetrack.training.lids import blinking, close_eyes
from facetrack.training.pictures import Picture

UPPER, LOWER = [37, 38, 43, 44], [41, 40, 47, 46]
EYES = list(range(36, 48))


@pytest.fixture
def picture() -> Picture:
    portrait = astronaut()
    grey = cv2.cvtColor(portrait.image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    return Picture(5, grey, portrait.points)


def _gaps(points: np.ndarray) -> np.ndarray:
    gaps: np.ndarray = np.linalg.norm(points[UPPER] - points[LOWER], axis=1)
    return gaps


def test_closed_eyes_are_closed_and_nothing_else_moves(picture: Picture, monkeypatch) -> None:
    monkeypatch.setattr(lids, "_HALF", 0.0)
    closed = close_eyes(picture, np.random.default_rng(0))
    assert (_gaps(closed.points) < 0.25 * _gaps(picture.points)).all()
    others = np.setdiff1d(np.arange(68), UPPER + LOWER)
    assert (closed.points[others] == picture.points[others]).all()
    assert closed.box is closed.five is None
    changed = closed.grey != picture.grey
    x0, y0 = picture.points[17:48].min(axis=0) - 2
    x1, y1 = picture.points[EYES].max(axis=0) + 0.6 * np.ptp(picture.points[36:42, 0])
    rows, columns = np.nonzero(changed)
    assert x0 < columns.min() < columns.max() < x1
    assert y0 < rows.min() < rows.max() < y1


def test_skin_covers_the_iris(picture: Picture, monkeypatch) -> None:
    """The dark pupils are gone, but for the lashes."""
    monkeypatch.setattr(lids, "_HALF", 0.0)
    monkeypatch.setattr(lids, "_LASHES", (0.0, 0.0))
    closed = close_eyes(picture, np.random.default_rng(0))
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = np.rint(picture.points[eye].mean(axis=0)).astype(int)
        before = picture.grey[y - 1 : y + 2, x - 2 : x + 3].mean()
        after = closed.grey[y - 1 : y + 2, x - 2 : x + 3].mean()
        assert after > 1.2 * before


def test_some_lids_stop_on_their_way(picture: Picture) -> None:
    rng = np.random.default_rng(1)
    shares = [
        (_gaps(close_eyes(picture, rng).points) / _gaps(picture.points)).mean() for _ in range(60)
    ]
    assert 0.3 < np.mean(np.array(shares) < 0.15) < 0.8
    assert max(shares) > 0.5


def test_rolled_eyes_close_alike(picture: Picture, monkeypatch) -> None:
    monkeypatch.setattr(lids, "_HALF", 0.0)
    turn = Similarity(0.0, 1.0, 511.0, 0.0)  # a quarter of a circle
    rolled = Picture(
        5, np.ascontiguousarray(np.rot90(picture.grey, -1)), turn.apply(picture.points)
    )
    upright = close_eyes(picture, np.random.default_rng(2))
    closed = close_eyes(rolled, np.random.default_rng(2))
    assert np.abs(closed.points - turn.apply(upright.points)).max() < 1e-6
    away = np.abs(np.rot90(closed.grey, 1).astype(int) - upright.grey)
    assert away.max() <= 2


def test_eyes_at_the_border_or_of_no_size_are_left_alone(picture: Picture) -> None:
    rng = np.random.default_rng(3)
    cut = Picture(5, picture.grey[:, 230:].copy(), picture.points - (230, 0))
    assert close_eyes(cut, rng).grey.shape == cut.grey.shape
    point = Picture(5, picture.grey, np.zeros((68, 2)))
    assert (close_eyes(point, rng).grey == picture.grey).all()


def test_some_of_what_is_seen_has_closed_eyes_and_some_had(picture: Picture) -> None:
    rng, kinds = np.random.default_rng(4), []
    for _ in range(1500):
        seen, before = blinking(picture, rng)
        kinds.append((seen is picture, (before == picture.points).all()))
    shares = {kind: kinds.count(kind) / len(kinds) for kind in set(kinds)}
    assert 0.8 < shares[True, True] < 0.95  # open, and was open
    assert 0.02 < shares[True, False] < 0.07  # opens again
    assert 0.02 < shares[False, True] < 0.07  # has just closed
    assert 0.02 < shares[False, False] < 0.07
