"""Where charts of the built-in signals begin and end, and what counts as present."""

from __future__ import annotations

import pytest

from facetrack.signals import Estimator, estimators
from facetrack.signals.expression import GAZE

RATIO, ANGLE, SIDES = (0.0, 0.5), (-90.0, 90.0), (-1.0, 1.0)
# unit, range and level by name
EXPECTED: dict[str, tuple[str, tuple[float, float], float | None]] = {
    "eye_opening_right": ("1", RATIO, None),
    "eye_opening_left": ("1", RATIO, None),
    "mouth_opening": ("1", (0.0, 0.6), 0.08),
    "brow_height_right": ("1", RATIO, None),
    "brow_height_left": ("1", RATIO, None),
    "eye_asymmetry": ("1", SIDES, None),
    "brow_asymmetry": ("1", SIDES, None),
    "mouth_asymmetry": ("1", (-0.3, 0.3), None),
    "eye_openness": ("1", (0.3, 1.2), None),
    "blink": ("1", (0.0, 1.0), None),
    "eyes_closed": ("1", (0.0, 1.0), None),
    "pose_pitch": ("deg", ANGLE, None),
    "pose_yaw": ("deg", ANGLE, None),
    "pose_roll": ("deg", (-180.0, 180.0), None),
    "head_speed": ("deg/s", (0.0, 200.0), 10.0),
    "turn": ("deg", ANGLE, None),
    "nod": ("deg", (0.0, 60.0), None),
    "shake": ("deg", (0.0, 60.0), None),
    "quality": ("1", (0.0, 1.0), None),
}


@pytest.mark.parametrize("name", ["geometry", "blinks", "head", "quality"])
def test_signals_have_units_ranges_and_levels(name: str) -> None:
    estimator: Estimator = estimators()[name]
    for spec in estimator.specs:
        assert (spec.unit, spec.range, spec.level) == EXPECTED[spec.name]


def test_a_gaze_goes_from_side_to_side() -> None:
    assert [spec.range for spec in GAZE.values()] == [SIDES, SIDES]
