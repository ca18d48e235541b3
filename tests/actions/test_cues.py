"""Where on a face an action was seen."""

from __future__ import annotations

import numpy as np
import pytest

from facetrack.actions.cues import heat, named_cues
from facetrack.actions.looks import LOOK, mirrored
from facetrack.landmarks.markup import MIRROR, REGIONS


def test_cues_are_shares_of_what_speaks_for_it() -> None:
    added = np.zeros(len(LOOK))
    added[[LOOK.index("jawOpen"), LOOK.index("pitch"), LOOK.index("roll")]] = 6.0, 2.0, -9.0
    added[LOOK.index("yaw")] = 0.1
    assert named_cues(added) == {"jawOpen": 0.741, "pitch": 0.247}
    assert named_cues(np.zeros(len(LOOK))) == {}


@pytest.mark.parametrize("name", LOOK)
def test_heat_is_of_the_mirrored_landmarks_in_a_mirrored_face(name: str) -> None:
    found = heat({name: 0.6})
    assert found.sum() == pytest.approx(0.6)
    one_hot = np.zeros(len(LOOK))
    one_hot[LOOK.index(name)] = 1.0
    other = LOOK[int(np.abs(mirrored(one_hot)).argmax())]
    np.testing.assert_allclose(heat({other: 0.6}), found[list(MIRROR)])


def test_heat_is_where_a_value_is_of() -> None:
    left_eye = heat({"eyeBlinkLeft": 1.0})
    assert set(np.flatnonzero(left_eye).tolist()) == set(REGIONS["left_eye"])
    corner = heat({"mouthSmileRight": 1.0})
    assert set(np.flatnonzero(corner).tolist()) == {48, 60}
    head = heat({"yaw": 1.0})
    assert head.min() == head.max() > 0
    assert not heat({}).any()
