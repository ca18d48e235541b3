"""Reading one vector of numbers from a MATLAB file (level 5, as `save` writes up to -v7).

`scipy.io.loadmat` reads far more, but a single wrong byte can end it, and with it the whole
process, by a segmentation fault; this reader checks every length before it follows it.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError
from facetrack.formats.textfile import read_bytes

MAX_BYTES: Final = 1 << 22
_HEADER: Final = 128
_MATRIX, _COMPRESSED = 14, 15
_FLAGS_TYPES: Final = (5, 6)
_NUMERIC_CLASSES: Final = range(6, 16)  # double, single, int8 ... uint64
_DTYPES: Final = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"
}  # fmt: skip
_REMEDY: Final = "save it again with MATLAB's -v7 or scipy.io.savemat"

_Element = tuple[int, bytes]


class _DamageError(ValueError):
    """The file is not built as it should be."""


def read_mat_vector(path: str | os.PathLike[str], name: str) -> npt.NDArray[np.float64]:
    """Read a numeric variable, column by column, of a file of at most 4 MB; raises FormatError."""
    content = read_bytes(path, limit=MAX_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(content[126:_HEADER])
    if order is None or content[125 if order == "<" else 124] != 1:
        raise FormatError(path, "no MATLAB file of level 5", remedy=_REMEDY)
    try:
        for kind, data in _elements(content[_HEADER:], order):
            matrix = _decompress(data, order) if kind == _COMPRESSED else (kind, data)
            values = _numbers(matrix, name.encode(), order)
            if values is not None:
                return values
    except _DamageError as error:
        raise FormatError(path, f"damaged MATLAB file ({error})", remedy=_REMEDY) from error
    raise FormatError(path, f"no vector of numbers named {name!r}")


def _elements(data: bytes, order: str) -> Iterator[_Element]:
    """Walk through data elements: type and content of each."""
    position = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, position)
        start = position + 8
        if kind >> 16:  # a small element keeps up to four bytes within its tag
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
            if size > 4:
                raise _DamageError(f"a small element of {size} bytes")
        if size > len(data) - start:
            raise _DamageError("an element reaches beyond the end")
        yield kind, data[start : start + size]
        position = start + size
        if kind != _COMPRESSED:
            position += -position % 8
    if data[position:].strip(b"\0"):
        raise _DamageError("cut short")


def _decompress(data: bytes, order: str) -> _Element:
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise _DamageError(str(error)) from error
    if not unpacker.eof:
        raise _DamageError("a compressed variable is cut short or unpacks to more than 4 MB")
    return next(_elements(unpacked, order), (0, b""))


def _numbers(matrix: _Element, name: bytes, order: str) -> npt.NDArray[np.float64] | None:
    """Read a matrix if it has this name and holds real numbers."""
    kind, data = matrix
    parts = list(_elements(data, order)) if kind == _MATRIX else []
    if len(parts) < 4 or parts[2][1].rstrip(b"\0") != name:
        return None
    (flags_kind, flags), (_, sizes), _, (number_kind, numbers) = parts[:4]
    if flags_kind not in _FLAGS_TYPES or len(flags) != 8 or len(sizes) % 4:
        raise _DamageError("a variable without a proper description")
    (flag_word,) = struct.unpack_from(order + "I", flags)
    if flag_word & 0xFF not in _NUMERIC_CLASSES or number_kind not in _DTYPES:
        return None
    dtype = np.dtype(order + _DTYPES[number_kind])
    shape = np.frombuffer(sizes, dtype=order + "i4").astype(np.float64)
    if len(numbers) % dtype.itemsize or len(numbers) // dtype.itemsize != shape.prod():
        raise _DamageError(f"{len(numbers)} bytes of numbers do not fit the variable's size")
    return np.frombuffer(numbers, dtype=dtype).astype(np.float64)
