"""Arrays as JSON knows them, to the last bit."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError


def encode_array(array: npt.NDArray[Any]) -> str:
    """Write an array's bytes as text.

    Parameters
    ----------
    array : ndarray

    Returns
    -------
    str
        Base64 of the values, little-endian, C order. Shape and type are the reader's business.
    """
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")


def decode_array(text: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Read what `encode_array` wrote.

    Parameters
    ----------
    text : str
    shape : tuple of int
        One entry may be -1.
    dtype : dtype

    Returns
    -------
    ndarray
        Writable, in the machine's byte order.

    Raises
    ------
    InputError
        If the text is no base64 or has another number of values.
    """
    try:
        little = np.dtype(dtype).newbyteorder("<")
        values = np.frombuffer(base64.b64decode(text, validate=True), dtype=little)
        return values.reshape(shape).astype(dtype)
    except (ValueError, TypeError, binascii.Error) as error:
        raise InputError(f"saved state holds a broken array: {error}") from error
