"""Numbers beside the curves of the timeline."""

from __future__ import annotations

import pytest

from facetrack_app.views.timeline_painting import number_of_scale


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0376, "-0.038"), (0.234, "0.234"), (-0.307, "-0.307"), (-1e-5, "-1e-05"), (123.4, "123")],
)
def test_numbers_fit_with_their_sign(value: float, text: str) -> None:
    assert number_of_scale(value) == text
