"""Binary networks as named arrays and a description in plain types, and as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np

from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import ModelKind, register_kind
from facetrack.networks.runtime.block import BinaryBlock, Gate, Shortcut
from facetrack.networks.runtime.network import BinaryNetwork
from facetrack.networks.runtime.real import Flatten, Linear, LocalPool, Pool, Stem

__all__ = ["BINARY_NETWORK", "pack", "unpack"]

_LAYERS: Final[dict[str, type[Any]]] = {
    layer.__name__: layer for layer in (BinaryBlock, Flatten, Linear, LocalPool, Pool, Stem)
}
_PLAIN: Final[dict[Any, type[Any]]] = {"int": int, "bool": bool}
_LATER: Final = ("dilation", "skip")  # older files lack them
_PARTS: Final[dict[str, type[Any]]] = {"gate": Gate, "shortcut": Shortcut}  # of a block
# Real weights that may be halved, by the ends of their names.
_HALVED: Final = ("gate/squeeze", "gate/excite", "shortcut/weight")


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
    layers = []
    for number, layer in enumerate(network.layers):
        entries = _take_apart(layer, f"{prefix}{number}/", arrays)
        layers.append({"layer": type(layer).__name__, **entries})
        if half and isinstance(layer, Linear):
            _halve(arrays, f"{prefix}{number}/weight")
    for name in arrays:
        if half and name.endswith(_HALVED):
            _halve(arrays, name)
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
            _put_together(_LAYERS[entries["layer"]], entries, f"{prefix}{number}/", arrays)
            for number, entries in enumerate(description["layers"])
        ]
    )


def _take_apart(part: Any, prefix: str, arrays: Arrays) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for name in (field.name for field in fields(part)):
        value = getattr(part, name)
        if isinstance(value, np.ndarray):
            arrays[prefix + name] = value
        elif name in _PARTS:
            entries[name] = value is not None
            if value is not None:
                _take_apart(value, f"{prefix}{name}/", arrays)
        else:
            entries[name] = value
    return entries


def _put_together(kind: type[Any], entries: Mapping[str, Any], prefix: str, arrays: Arrays) -> Any:
    values: dict[str, Any] = {}
    for field in fields(kind):
        name = field.name
        if name in _PARTS:  # which hold arrays alone
            has = entries[name]
            values[name] = (
                _put_together(_PARTS[name], {}, f"{prefix}{name}/", arrays) if has else None
            )
        elif field.type in _PLAIN:
            if name in entries or name not in _LATER:
                values[name] = _PLAIN[field.type](entries[name])
        else:
            array = arrays[prefix + name]
            single = array.astype(np.float32) if array.dtype == np.float16 else array
            values[name] = np.ascontiguousarray(single)
    return kind(**values)


def _halve(arrays: Arrays, name: str) -> None:
    arrays[name] = arrays[name].astype(np.float16)


BINARY_NETWORK = ModelKind("facetrack binary network", "binary network", schema=1, load=unpack)
register_kind(BINARY_NETWORK)
