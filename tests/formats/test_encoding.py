"""State survives the way through JSON to the last bit; what is of another type is refused."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from facetrack.errors import InputError
from facetrack.formats.encoding import NO_STATE, Stateful, decode, encode


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Place(NamedTuple):
    x: float
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    number: int
    spread: float
    kind: Colour | None


@dataclass(slots=True)
class Everything:
    yes: bool
    count: int
    size: float
    text: str
    colour: Colour
    place: Place | None
    pair: tuple[int, str]
    many: tuple[float, ...]
    recent: deque[Place]
    records: list[Record]
    by_key: dict[tuple[int, int], Record]
    by_name: Mapping[str, list[float]]
    derived: int = field(default=7, metadata=NO_STATE)


numbers = st.floats(allow_nan=False)
places = st.builds(Place, numbers, st.text())
colours = st.sampled_from(Colour)
records = st.builds(Record, st.integers(), numbers, st.none() | colours)
everything = st.builds(
    Everything, st.booleans(), st.integers(), numbers, st.text(), colours, st.none() | places,
    st.tuples(st.integers(), st.text()), st.lists(numbers).map(tuple),
    st.lists(places).map(deque), st.lists(records),
    st.dictionaries(st.tuples(st.integers(), st.integers()), records),
    st.dictionaries(st.text(), st.lists(numbers)),
)  # fmt: skip


def through_json(value: object) -> Any:
    return json.loads(json.dumps(encode(value), allow_nan=False))


@given(value=everything)
def test_every_type_comes_back(value: Everything) -> None:
    assert decode(Everything, through_json(value)) == value
    assert decode(Everything, encode(value)) == value


@given(value=everything, name=st.sampled_from(list(Everything.__slots__[:-1])))
def test_what_is_of_another_type_is_refused(value: Everything, name: str) -> None:
    plain = through_json(value)
    for wrong in (object(), {"x": 1}, [[]], 0.5j):
        with pytest.raises(InputError, match=f"saved state is broken: {name}: "):
            decode(Everything, {**plain, name: wrong})
    with pytest.raises(InputError, match="has not the parts"):
        decode(Everything, {**plain, "more": 1})
    del plain[name]
    with pytest.raises(InputError, match="has not the parts"):
        decode(Everything, plain)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [(int, True), (int, 1.0), (bool, 1), (float, True), (float, "1.0"), (float, None), (str, 1),
     (Colour, "green"), (Place, [1.0]), (Place, {"x": 1.0, "name": "a"}), (Record, None),
     (list[int], {"a": 1}), (list[int], "12"), (tuple[int, int], [1, 2, 3]),
     (dict[str, int], {"a": 1}), (dict[str, int], [["a"]]), (Everything, [])],
)  # fmt: skip
def test_nothing_is_taken_for_something_else(kind: Any, plain: object) -> None:
    with pytest.raises(InputError, match="saved state is broken"):
        decode(kind, plain)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1, np.float32(0.1)])
def test_numbers_without_a_name_in_json_have_one(value: float) -> None:
    back = decode(float, through_json(value))
    assert type(back) is float
    assert repr(back) == repr(float(value))


@given(array=arrays(np.float64, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))
def test_arrays_keep_every_bit(array: npt.NDArray[np.float64]) -> None:
    back = decode(npt.NDArray[np.float64], through_json(array))
    assert_array_equal(back.view(np.uint64), array.view(np.uint64))
    assert back.shape == array.shape
    assert back.flags.writeable


@pytest.mark.parametrize("spoilt", [
    None, 5, "AAAA", [], ["float64", [2], "AAAA"], ["float64", [2], "?"], ["float64", [2], None],
    ["float32", [2], "AAAAAAAAAAA="], ["object", [0], ""], ["nonsense", [0], ""],
    ["float64", [1], "AAAAAAAAAAA="], ["float64", "2", "AAAA"],
])  # fmt: skip
def test_broken_arrays_are_refused(spoilt: object) -> None:
    kind: Any = Annotated[npt.NDArray[np.float64], (2,)]
    with pytest.raises(InputError, match="array"):
        decode(kind, spoilt)


def test_what_no_state_can_hold_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError, match="no state can hold"):
        encode(object())
    for kind in (object, Any, set[int], int | str):
        with pytest.raises(TypeError, match="no state can hold"):
            decode(kind, [])  # type: ignore[arg-type]


@dataclass
class Inner(Stateful):
    limit: float = field(metadata=NO_STATE)
    seen: list[float] = field(default_factory=list)


@dataclass
class Outer(Stateful):
    inner: Inner
    other: Inner | None = None
    turn: int = 0


def test_what_was_given_stays_and_what_was_remembered_moves() -> None:
    one, two = Outer(Inner(1.0, [0.5]), turn=3), Outer(Inner(2.0))
    inner = two.inner
    two.restore(through_json(one))
    assert (two.turn, two.inner.seen, two.inner.limit) == (3, [0.5], 2.0)
    assert two.inner is inner
    for broken in ({}, None, {"inner": None, "other": None, "turn": 0}, [1]):
        with pytest.raises(InputError, match="saved state is broken"):
            two.restore(broken)


def test_some_are_made_by_others() -> None:
    made = decode(list[Inner], [{"seen": []}], {Inner: lambda state: Inner(5.0, [1.0])})
    assert made == [Inner(5.0, [1.0])]
