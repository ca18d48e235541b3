"""Timestamps are taken, made or refused."""

import pytest

from facetrack.errors import InputError
from facetrack.tracking.clock import NOMINAL_RATE, next_time


def test_given_times_pass():
    assert next_time(None, -3.5) == -3.5
    assert next_time(1.0, 1.25) == 1.25


def test_missing_times_go_on_at_the_nominal_rate():
    assert next_time(None, None) == 0
    assert next_time(2.0, None) == 2.0 + 1 / NOMINAL_RATE


@pytest.mark.parametrize("wrong", [2.0, 1.0, float("nan"), float("inf")])
def test_time_that_does_not_increase_is_named(wrong):
    with pytest.raises(InputError, match="timestamp"):
        next_time(2.0, wrong)
