"""Binary networks as named arrays and a description in plain types, and as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import ModelKind, register_kind
from facetrack.networks.runtime.block import BinaryBlock, Gate, Shortcut
from facetrack.networks.runtime.network import BinaryNetwork
from facetrack.networks.runtime.real import Flatten, Linear, Pool, Stem

__all__ = ["BINARY_NETWORK", "pack", "unpack"]

_PARTS: Final[dict[str, type[Any]]] = {
    part.__name__: part for part in (BinaryBlock, Flatten, Gate, Linear, Pool, Shortcut, Stem)
}
# Real weights that may be halved: (part, attribute).
_HALVED: Final = {
    ("Gate", "squeeze"),
    ("Gate", "excite"),
    ("Linear", "weight"),
    ("Shortcut", "weight"),
}


def pack(
    network: BinaryNetwork, prefix: str = "", *, half: bool = False
) -> tuple[Arrays, dict[str, Any]]:
    """Take a network apart.

    Parameters
    ----------
    network : BinaryNetwork
        Of the layers that this package brings.
    prefix : str, optional
        Before the names of all arrays, for files that hold more than one network.
    half : bool, optional
        Store the weights of shortcuts, gates and linear layers as float16, which rounds them.

    Returns
    -------
    arrays : dict of str to ndarray
        By names such as "3/shortcut/weight".
    description : dict
        All that is no array, JSON-able.
    """
    arrays: Arrays = {}
    layers = [
        _take_apart(layer, f"{prefix}{number}/", arrays, half)
        for number, layer in enumerate(network.layers)
    ]
    return arrays, {"layers": layers}


def unpack(arrays: Arrays, description: Mapping[str, Any], prefix: str = "") -> BinaryNetwork:
    """Put a network together again.

    Parameters
    ----------
    arrays : dict of str to ndarray
    description : mapping
        From `pack`; other entries are ignored.
    prefix : str, optional
        As for `pack`.

    Returns
    -------
    BinaryNetwork

    Raises
    ------
    LookupError, TypeError, ValueError
        If an entry is missing or wrong.
    """
    return BinaryNetwork(
        [
            _put_together(layer, f"{prefix}{number}/", arrays)
            for number, layer in enumerate(description["layers"])
        ]
    )


def _take_apart(part: Any, prefix: str, arrays: Arrays, half: bool) -> dict[str, Any]:
    name = type(part).__name__
    description: dict[str, Any] = {"part": name}
    for entry in (field.name for field in fields(part)):
        value = getattr(part, entry)
        if isinstance(value, np.ndarray):
            halved = half and (name, entry) in _HALVED
            arrays[prefix + entry] = value.astype(np.float16) if halved else value
        elif is_dataclass(value):
            description[entry] = _take_apart(value, f"{prefix}{entry}/", arrays, half)
        elif value is not None:
            description[entry] = value
    return description


def _put_together(description: Mapping[str, Any], prefix: str, arrays: Arrays) -> Any:
    kind = _PARTS[description["part"]]
    values: dict[str, Any] = {}
    for entry in (field.name for field in fields(kind)):
        if prefix + entry in arrays:
            values[entry] = _as_it_runs(arrays[prefix + entry])
        elif isinstance(description.get(entry), dict):
            values[entry] = _put_together(description[entry], f"{prefix}{entry}/", arrays)
        elif entry in description:
            values[entry] = int(description[entry])
    return kind(**values)


def _as_it_runs(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    single = array.astype(np.float32) if array.dtype == np.float16 else array
    return np.ascontiguousarray(single)


BINARY_NETWORK = ModelKind("facetrack binary network", "binary network", schema=1, load=unpack)
register_kind(BINARY_NETWORK)
