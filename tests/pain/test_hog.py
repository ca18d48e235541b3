from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage.feature import hog

from facetrack.features.crops import Crop
from facetrack.model import load_model
from facetrack.pain.hog import CELLS, FACE, FaceHog
from facetrack.synthetic.portrait import Portrait, astronaut, stranger

Floats = npt.NDArray[np.float64]

MEAN = load_model().shape_model.mean
SEEN = FaceHog(MEAN)
ASKEW = Crop("face", (112, 112), upright=False)


def crop_of(portrait: Portrait, *, roll: float = 0.0, crop: Crop = FACE) -> npt.NDArray[np.uint8]:
    """Cut the face out of the portrait, which is rolled by so many degrees before."""
    grey = cv2.cvtColor(portrait.image, cv2.COLOR_BGR2GRAY)
    turn = cv2.getRotationMatrix2D(portrait.points.mean(axis=0).tolist(), roll, 1.0)
    turned = cv2.warpAffine(grey, turn, grey.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    points = portrait.points @ turn[:, :2].T + turn[:, 2]
    return crop.cut(turned.astype(np.uint8), points, MEAN).pixels


def described(face: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return SEEN.describe(SEEN.cells(face))


def correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    return float(np.corrcoef(np.ravel(first), np.ravel(second))[0, 1])


@pytest.mark.parametrize("roll", [20.0, -20.0])
def test_a_rolled_face_is_described_as_the_upright_one(roll: float) -> None:
    upright = described(crop_of(astronaut()))
    assert correlation(upright, described(crop_of(astronaut(), roll=roll))) > 0.99
    not_turned = described(crop_of(astronaut(), roll=roll, crop=ASKEW))
    assert correlation(upright, not_turned) < 0.6
    assert correlation(upright, described(crop_of(stranger()))) < 0.8


@pytest.mark.parametrize("portrait", [astronaut, stranger])
def test_cells_agree_with_scikit_image(portrait: Callable[[], Portrait]) -> None:
    """Its gradients in fine bins, shared between directions as the maps share them.

    0.97 and more is measured; maps are blurred and take the root of a gradient's magnitude, which
    its histograms do not. One cell or one direction away there is 0.6 at most.
    """
    face = crop_of(portrait())
    bins = 36
    fine = hog(face, bins, (8, 8), (1, 1), block_norm="L1", feature_vector=False)[:, :, 0, 0]
    angles = (np.arange(bins) + 0.5) * np.pi / bins
    wanted = fine @ np.abs(np.cos(angles[:, None] - np.arange(4) * np.pi / 4))
    wanted /= wanted.sum(axis=2, keepdims=True)
    cells = SEEN.cells(face)
    both = cells[..., :4] + cells[..., 4:]  # skimage does not tell dark-light from light-dark
    found = both / both.sum(axis=2, keepdims=True)
    assert correlation(found, wanted) > 0.95
    assert correlation(np.roll(found, 1, axis=0), wanted) < 0.7
    assert correlation(np.roll(found, 1, axis=1), wanted) < 0.7
    assert correlation(np.roll(found, 1, axis=2), wanted) < 0.3


def test_directions_tell_light_above_from_light_below() -> None:
    ramp = np.repeat(np.arange(112, dtype=np.uint8)[:, None] * 2, 112, axis=1)
    down = SEEN.cells(ramp)[5, 5].copy()
    up = SEEN.cells(ramp[::-1])[5, 5]
    assert down.argmax() == 2
    assert up.argmax() == 6
    assert SEEN.cells(np.ascontiguousarray(ramp.T))[5, 5].argmax() == 0


def test_values_are_scaled_and_clipped_blocks() -> None:
    cells = np.random.default_rng(0).gamma(0.3, 1.0, (CELLS, CELLS, 8)).astype(np.float32)
    blocks = SEEN.describe(cells).reshape(-1, 32)
    assert SEEN.size == blocks.size == SEEN.rows.size * 32
    assert_allclose(np.linalg.norm(blocks, axis=1), 1, atol=0.05)
    assert_allclose(SEEN.describe(cells * 50), SEEN.describe(cells * 100), atol=1e-3)
    one = np.zeros((CELLS, CELLS, 8), np.float32)
    one[6, 6, 0], one[6, 6, 1] = 100, 10  # without clipping one were ten times the other
    strongest = SEEN.describe(one).reshape(-1, 32)
    used = strongest[strongest.any(axis=1)]
    assert len(used) == 4
    assert_allclose(np.sort(used, axis=1)[:, -2] / used.max(axis=1), 10 / (0.2 * 100.5), rtol=0.01)


def test_a_flat_picture_says_nothing_instead_of_noise() -> None:
    assert_array_equal(described(np.full((112, 112), 90, np.uint8)), 0)


def test_corners_are_left_out_and_the_middle_of_the_face_is_not() -> None:
    def touched(row: int, column: int) -> bool:
        cells = np.zeros((CELLS, CELLS, 8), np.float32)
        cells[row, column] = 1
        return bool(SEEN.describe(cells).any())

    assert [touched(r, c) for r in (0, 13) for c in (0, 13)] == [False] * 4
    for point in (30, 36, 45, 48, 54, 62):
        x, y = FACE.transform(MEAN, MEAN).apply(MEAN)[point]
        assert touched(int((y + 0.5) // 8), int((x + 0.5) // 8))
    assert 0.5 < SEEN.size / 32 / 13**2 < 0.9


def test_rows_say_how_far_down_blocks_lie() -> None:
    cells = np.zeros((CELLS, CELLS, 8), np.float32)
    cells[5] = 1  # rows 40 to 47 of the crop; the eyes are in row 40, 56 px apart
    used = SEEN.describe(cells).reshape(-1, 32).any(axis=1)
    assert_allclose(np.unique(SEEN.rows[used]), [(39.5 - 40) / 56, (47.5 - 40) / 56], atol=0.01)
    assert not np.isin(SEEN.rows[~used], SEEN.rows[used]).any()
