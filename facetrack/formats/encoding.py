"""State as JSON knows it, to the last bit: dataclasses by the annotations of their fields.

A mutable dataclass becomes an object by the names of its fields, a record (frozen dataclass or
named tuple) a list, as tuples, lists and deques do; a mapping a list of pairs; an array its type,
shape and bytes; NaN and infinities their names. Checkpoints come from files: what is read is
checked against the annotations, and nothing in it names what is called.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from math import isfinite
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

__all__ = ["NO_STATE", "Stateful"]

T = TypeVar("T")
_F = TypeVar("_F", bound=Callable[..., Any])
Makers = Mapping[type, Callable[[Any], Any]]
_Reader = Callable[[Any, Makers], Any]

NO_STATE: Final = {"state": False}  # metadata of a field that is given or follows from others
_NO_MAKERS: Final[Makers] = {}
_NOT_FINITE: Final = ("nan", "inf", "-inf")
_SEQUENCES: Final[dict[Any, type]] = {list: list, Sequence: list, deque: deque, tuple: tuple}


class _Refused(ValueError):
    """What is read is not of the type that was expected."""


class Stateful:
    """Base of dataclasses that remember something and need more than that to be made.

    `state` and `restore` go over their fields, except those with the metadata `NO_STATE`.
    """

    __slots__ = ()

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs.

        Returns
        -------
        dict
            As JSON knows it, without NaN.
        """
        return {name: encode(getattr(self, name)) for name in _kinds(type(self))}

    def restore(self, state: Any) -> None:
        """Continue where another one that was made of the same stood.

        Parameters
        ----------
        state : dict
            What `state` gave.

        Raises
        ------
        InputError
            If it is broken.
        """
        kinds = _kinds(type(self))
        if not isinstance(state, Mapping) or set(state) != set(kinds):  # it comes from a file
            raise InputError(f"the saved state is broken: {state!r:.60} has not {', '.join(kinds)}")
        inner = {n: part for n in kinds if isinstance(part := getattr(self, n), Stateful)}
        read = {n: decode(kind, state[n]) for n, kind in kinds.items() if n not in inner}
        for name, part in inner.items():
            part.restore(state[name])
        for name, value in read.items():
            setattr(self, name, value)


def encode(value: Any) -> Any:
    """Put a value into the plain types of JSON, for `decode`.

    A number, text, truth value, None, enum, array or `Stateful`, or a list, tuple, deque, mapping,
    named tuple or dataclass of such; a `TypeError` refuses others.
    """
    return _writer(type(value))(value)


def decode(kind: type[T], plain: object, makers: Makers = _NO_MAKERS) -> T:
    """Read what `encode` gave, also after a way through JSON.

    `kind` is the type of what was encoded: of an array the dtype and the shape, where it is
    ``Annotated[..., (n, m)]``. Arrays are writable and in the machine's byte order. `makers` make
    the `Stateful` types within of their state. An `InputError` says that `plain` is of another
    type, a `TypeError` that `kind` is none that can be encoded.
    """
    try:
        read: T = _reader(kind)(plain, makers)
    except _Refused as error:
        raise InputError(f"the saved state is broken: {error}") from error
    return read


def _once(make: _F) -> _F:
    return cast("_F", cache(make))


@_once
def _kinds(kind: Any) -> dict[str, Any]:
    """Return the annotations of the fields that are state."""
    hints = get_type_hints(kind, include_extras=True)
    if issubclass(kind, tuple):
        return {name: hints[name] for name in kind._fields}
    kept = (f.name for f in dataclasses.fields(kind) if f.metadata.get("state", True))
    return {name: hints[name] for name in kept}


def _is_record(kind: Any) -> bool:
    if issubclass(kind, tuple):
        return hasattr(kind, "_fields")
    return dataclasses.is_dataclass(kind) and bool(vars(kind)["__dataclass_params__"].frozen)


@_once
def _writer(kind: Any) -> Callable[[Any], Any]:
    if issubclass(kind, Stateful):
        return lambda value: value.state()
    if issubclass(kind, Enum):
        return lambda value: encode(value.value)
    if issubclass(kind, (bool, str, NoneType)):
        return lambda value: value
    if issubclass(kind, (float, np.floating)):
        return _number
    if issubclass(kind, (int, np.integer)):
        return int
    if issubclass(kind, np.bool_):
        return bool
    if issubclass(kind, Mapping):
        return lambda value: [[encode(key), encode(one)] for key, one in value.items()]
    if issubclass(kind, np.ndarray):
        return _array_out
    if _is_record(kind):
        names = tuple(_kinds(kind))
        return lambda value: [encode(getattr(value, name)) for name in names]
    if issubclass(kind, (list, tuple, deque)):
        return lambda value: [encode(one) for one in value]
    if dataclasses.is_dataclass(kind):
        names = tuple(_kinds(kind))
        return lambda value: {name: encode(getattr(value, name)) for name in names}
    raise TypeError(f"no state can hold a {kind.__name__}")


def _number(value: float) -> float | str:
    number = float(value)
    return number if isfinite(number) else repr(number)


def _array_out(array: npt.NDArray[Any]) -> list[Any]:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    text = base64.b64encode(little.tobytes()).decode("ascii")
    return [array.dtype.name, list(array.shape), text]


@_once
def _reader(kind: Any) -> _Reader:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return partial(_array, _dtype_of(parts[0]), parts[1])
    if origin is np.ndarray:
        return partial(_array, _dtype_of(kind), None)
    if origin in (Union, UnionType) and len(parts) == 2 and NoneType in parts:
        (part,) = (_reader(p) for p in parts if p is not NoneType)
        return lambda plain, makers: None if plain is None else part(plain, makers)
    if origin is tuple and parts[-1] is not ...:
        return partial(_parts, tuple, [_reader(part) for part in parts])
    if origin in _SEQUENCES:
        return partial(_items, _SEQUENCES[origin], _reader(parts[0]))
    if origin in (dict, Mapping):
        pair = partial(_parts, tuple, [_reader(part) for part in parts])
        return partial(_items, dict, pair)
    if kind is float:
        return _float
    if kind in (int, str, bool):
        return partial(_simple, kind)
    if not isinstance(kind, type):
        raise TypeError(f"no state can hold {kind}")
    if issubclass(kind, Stateful):
        return lambda plain, makers: makers[kind](plain)
    if issubclass(kind, Enum):
        return partial(_enum, kind)
    return _fields_reader(kind)


def _fields_reader(kind: Any) -> _Reader:
    if not _is_record(kind) and not dataclasses.is_dataclass(kind):
        raise TypeError(f"no state can hold a {kind.__name__}")
    readers = {name: _reader(part) for name, part in _kinds(kind).items()}
    if _is_record(kind):
        return partial(_parts, lambda values: kind(*values), list(readers.values()))
    return partial(_object, kind, readers)


def _dtype_of(kind: Any) -> Any:
    (dtype,) = get_args(get_args(kind)[1])
    return dtype


def _float(plain: Any, _: Makers) -> float:
    if type(plain) in (float, int) or plain in _NOT_FINITE:
        return float(plain)
    raise _Refused(f"{plain!r:.60} is no number")


def _simple(kind: type, plain: Any, _: Makers) -> Any:
    if type(plain) is kind:
        return plain
    raise _Refused(f"{plain!r:.60} is no {kind.__name__}")


def _enum(kind: type[Enum], plain: Any, _: Makers) -> Enum:
    try:
        return kind(plain)
    except ValueError as error:
        raise _Refused(str(error)) from error


def _array(dtype: Any, shape: tuple[int, ...] | None, plain: Any, _: Makers) -> Any:
    try:
        name, sides, text = plain
        kind = np.dtype(name)
        if kind.kind not in "biuf" or (dtype is not Any and kind != dtype):
            raise _Refused(f"an array of {name}, not of {np.dtype(dtype)}")
        if shape is not None and tuple(sides) != shape:
            raise _Refused(f"an array of shape {tuple(sides)}, not {shape}")
        values = np.frombuffer(base64.b64decode(text, validate=True), kind.newbyteorder("<"))
        return values.reshape(sides).astype(kind)
    except (ValueError, TypeError, binascii.Error) as error:
        raise _Refused(f"{plain!r:.60} is no array: {error}") from error


def _items(kind: Callable[[Any], Any], read: _Reader, plain: Any, makers: Makers) -> Any:
    if not isinstance(plain, (list, tuple)):
        raise _Refused(f"{plain!r:.60} is no list")
    return kind([read(one, makers) for one in plain])


def _parts(
    kind: Callable[[Any], Any], readers: Sequence[_Reader], plain: Any, makers: Makers
) -> Any:
    if not isinstance(plain, (list, tuple)) or len(plain) != len(readers):
        raise _Refused(f"{plain!r:.60} are not {len(readers)} parts")
    return kind([read(one, makers) for read, one in zip(readers, plain, strict=True)])


def _object(kind: Any, readers: Mapping[str, _Reader], plain: Any, makers: Makers) -> Any:
    if not isinstance(plain, Mapping) or set(plain) != set(readers):
        raise _Refused(f"{plain!r:.60} has not the parts {', '.join(readers)}")
    values = {}
    for name, read in readers.items():
        try:
            values[name] = read(plain[name], makers)
        except _Refused as error:
            raise _Refused(f"{name}: {error}") from error
    given = {field.name for field in dataclasses.fields(kind) if field.init}
    made = kind(**{name: value for name, value in values.items() if name in given})
    for name in values.keys() - given:
        setattr(made, name, values[name])
    return made
