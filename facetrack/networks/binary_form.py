"""The expression encoder's network as packed bits."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import Description
from facetrack.networks.patches import PATCHES
from facetrack.networks.runtime.files import pack, unpack
from facetrack.networks.runtime.network import BinaryNetwork
from facetrack.networks.runtime.real import Linear

Floats = npt.NDArray[np.float32]


class BinaryForm:
    """An encoder's network as packed bits: a branch for each patch, by name, and the common head.

    `slope` is that of the head's PReLU.
    """

    def __init__(self, branches: Mapping[str, BinaryNetwork], slope: float, head: Linear) -> None:
        self.branches, self.slope, self.head = branches, np.float32(slope), head
        self._alone = Lock()  # branches keep buffers

    def run(self, inputs: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """See `expression.Network`."""
        with self._alone:
            features = np.concatenate([b.run(inputs[name]) for name, b in self.branches.items()])
        bent = np.where(features > 0, features, features * self.slope)
        return bent @ self.head.weight + self.head.bias, features

    def pack(self) -> tuple[Arrays, dict[str, Any]]:
        """Take it apart, as `runtime.files.pack` does; real weights are rounded to 16 bits."""
        packed = {n: pack(b, f"{n}/", half=True) for n, b in self.branches.items()}
        packed["head"] = pack(BinaryNetwork([self.head]), "head/", half=True)
        arrays = {key: array for part, _ in packed.values() for key, array in part.items()}
        parts = {name: description for name, (_, description) in packed.items()}
        return arrays, {"parts": parts, "slope": float(self.slope)}

    @classmethod
    def unpack(cls, arrays: Arrays, description: Description) -> BinaryForm:
        """Put it together again."""
        parts = description["parts"]
        branches = {name: unpack(arrays, parts[name], f"{name}/") for name in PATCHES}
        (head,) = unpack(arrays, parts["head"], "head/").layers
        if not isinstance(head, Linear):
            raise ValueError("the head is no linear layer")
        return cls(branches, description["slope"], head)
