"""A binary network: layers one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from facetrack.errors import InputError
from facetrack.networks.runtime.arrays import Floats, Prepared, Shape, Words, require

__all__ = ["BinaryNetwork", "Layer"]


class Layer(Protocol):
    """Anything that can be prepared for inputs of one size."""

    def prepare(self, shape: Shape) -> Prepared:
        """Allocate what the layer needs; an `InputError` says why it cannot take the shape.

        Parameters
        ----------
        shape : tuple of int
            Of the input.

        Returns
        -------
        Prepared
        """


class BinaryNetwork:
    """Layers one after the other, with buffers for every input size that was met.

    Buffers belong to the network, so it runs in one thread at a time.

    Parameters
    ----------
    layers : sequence of Layer
        `Stem`, `BinaryBlock`, `LocalPool`, `Pool`, `Flatten`, `Linear`.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        self._prepared: dict[Shape, list[Prepared]] = {}

    def run(self, x: Floats) -> Floats:
        """Run the network on one input.

        Parameters
        ----------
        x : ndarray, (height, width, channels), float32

        Returns
        -------
        ndarray, float32
            The last layer's output; a new array.

        Raises
        ------
        InputError
            If the input has another shape or dtype than the layers take, or a value, there or in
            the result, is NaN or infinite.
        """
        x = np.ascontiguousarray(x)
        require(x, "the input of a network", x.shape)
        _require_finite(x, "input")
        for layer in self._prepare(x.shape):
            x = layer.run(x)
        _require_finite(x, "output")
        return x.copy()

    def activations(self, x: Floats) -> list[Words]:
        """Run the network and keep what its binary convolutions see.

        Parameters
        ----------
        x : ndarray, (height, width, channels), float32

        Returns
        -------
        list of ndarray, (height + 2 half, width + 2 half, words), uint64
            The packed input of each binary layer with its border of zeros.

        Raises
        ------
        InputError
            As `run`.
        """
        self.run(x)
        prepared = self._prepare(x.shape)
        return [layer.words.copy() for layer in prepared if layer.words is not None]

    def _prepare(self, shape: Shape) -> list[Prepared]:
        if shape not in self._prepared:
            steps: list[Prepared] = []
            for layer in self.layers:
                steps.append(layer.prepare(steps[-1].shape if steps else shape))
            self._prepared[shape] = steps
        return self._prepared[shape]


def _require_finite(x: Floats, what: str) -> None:
    wrong = x.size - np.count_nonzero(np.isfinite(x))
    if wrong:
        raise InputError(f"{wrong} of {x.size} values of a network's {what} are not finite")
