"""A palsy: one half hangs and hardly moves, the other half is as it was."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.landmarks.markup import MIRROR, REGIONS
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.mesh import HeadMesh, HeadState
from facetrack.synthetic.palsy import Palsy
from facetrack.synthetic.portrait import astronaut

REST = HeadState(0, 0, 0, np.zeros(0), 0, 0)


@pytest.mark.parametrize(("side", "weak", "sound"), [("right", 48, 54), ("left", 54, 48)])
def test_one_corner_of_the_mouth_hangs(
    shape_model: ShapeModel, side: str, weak: int, sound: int
) -> None:
    mesh = HeadMesh(astronaut(), shape_model, palsy=Palsy(side))
    shift = mesh.pose(REST)[0][:68] - astronaut().points
    assert shift[weak, 1] > 0.08 * mesh.eye_distance
    assert_allclose(shift[sound], 0, atol=1e-9)


def test_the_weak_half_hardly_moves(shape_model: ShapeModel) -> None:
    sound, weak = (HeadMesh(astronaut(), shape_model, palsy=p) for p in (None, Palsy()))
    state = HeadState(0, 0, 0, np.full(3, 1.5), 0, 1)

    def moved(mesh: HeadMesh) -> np.ndarray:
        return np.asarray(
            np.linalg.norm(mesh.pose(state)[0] - mesh.pose(REST)[0], axis=1)[:68], dtype=float
        )

    corner, brow, lid = 48, 19, 37
    for point in (corner, brow, lid):
        assert moved(weak)[point] < 0.35 * moved(sound)[point]
    other = [54, *REGIONS["left_brow"], 44]
    assert_allclose(moved(weak)[other], moved(sound)[other])


def test_sides_mirror_each_other() -> None:
    right, left = Palsy("right", 0.7), Palsy("left", 0.7)
    assert_array_equal(right.droop[list(MIRROR)], left.droop)
    assert_array_equal(right.mobility[list(MIRROR)], left.mobility)


def test_no_strength_is_no_palsy() -> None:
    assert (Palsy(strength=0).droop == 0).all()
    assert (Palsy(strength=0).mobility == 1).all()


def test_modes_without_their_turns_leave_the_head_where_it_looks(shape_model: ShapeModel) -> None:
    # The nose's tip is the nearest point: of all turns it shows most.
    mesh = HeadMesh(astronaut(), shape_model)
    modes = np.array([2.0, -1.5, 1.0])
    rest = mesh.pose(REST)[0][:68]
    depth = shape_model.mean_3d[:, 2] - shape_model.mean_3d[:, 2].mean()

    def turn(turning: float) -> float:
        state = HeadState(0, 0, 0, modes, 0, 0, turning)
        shift = mesh.pose(state)[0][:68] - rest
        return float(np.abs(depth @ (shift - shift.mean(axis=0))).max())

    assert turn(0.0) < 0.2 * turn(1.0)
