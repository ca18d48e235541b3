"""What a class takes is what its documentation calls parameters; the rest is its own."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

from facetrack.signals.episodes import Episodes
from facetrack.signals.pipeline import Pipeline
from facetrack.signals.rows import RowAssembler


@pytest.mark.parametrize("of", [Episodes, Pipeline, RowAssembler])
def test_only_parameters_are_taken(of: type) -> None:
    (section,) = re.findall(r"Parameters\n-+\n(.*?)(?:\n\n|\Z)", inspect.getdoc(of) or "", re.S)
    names = [name for line in re.findall(r"^(\w.*?)(?: :|$)", section, re.M) for name in
             line.split(", ")]  # fmt: skip
    taken = [field.name for field in dataclasses.fields(of) if field.init]
    assert taken == names
