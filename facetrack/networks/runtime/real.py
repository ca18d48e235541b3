"""The few layers of a binary network that stay real: first, last and what pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facetrack.errors import InputError
from facetrack.networks.runtime import _kernels
from facetrack.networks.runtime.arrays import Floats, Prepared, Shape, require, require_shape

__all__ = ["Flatten", "Linear", "LocalPool", "Pool", "Stem"]


@dataclass(frozen=True, eq=False, slots=True)
class Stem:
    """A real convolution with its batch normalisation folded in, and PReLU.

    Attributes
    ----------
    weight : ndarray, (side, side, inputs, outputs), float32
    bias, slope : ndarray, (outputs,), float32
    stride, padding : int

    Raises
    ------
    InputError
        If arrays do not fit each other.
    """

    weight: Floats
    bias: Floats
    slope: Floats
    stride: int = 1
    padding: int = 1

    def __post_init__(self) -> None:
        outputs = len(self.bias)
        side, inputs = self.weight.shape[0], self.weight.shape[-2]
        require(self.weight, "the weight of a stem", (side, side, inputs, outputs))
        require(self.bias, "the bias of a stem", (outputs,))
        require(self.slope, "the slope of a stem", (outputs,))
        if self.stride < 1 or self.padding < 0:
            raise InputError(f"a stem of stride {self.stride} and padding {self.padding}")

    def prepare(self, shape: Shape) -> Prepared:
        """Allocate what the layer needs for inputs of one size; see `Layer.prepare`."""
        side, _, inputs, outputs = self.weight.shape
        require_shape(shape, inputs, "the stem")
        pad, stride = self.padding, self.stride
        height, width, _ = shape
        rows, columns = ((size + 2 * pad - side) // stride + 1 for size in (height, width))
        if min(rows, columns) < 1:
            raise InputError(f"{height} x {width} pixels are too few for a kernel of {side}")
        framed = np.zeros((height + 2 * pad, width + 2 * pad, inputs), np.float32)
        inner = framed[pad : pad + height, pad : pad + width]
        patches = np.empty((rows, columns * side * side * inputs), np.float32)
        out = np.empty((rows * columns, outputs), np.float32)
        weight = self.weight.reshape(-1, outputs)

        def run(x: Floats) -> Floats:
            inner[:] = x
            _kernels.unfold(framed, side, stride, patches)
            np.dot(patches.reshape(-1, len(weight)), weight, out=out)
            _kernels.activate(out, self.bias, self.slope)
            return out.reshape(rows, columns, outputs)

        return Prepared((rows, columns, outputs), run)


@dataclass(frozen=True, slots=True)
class LocalPool:
    """The maximum or the mean of 3 x 3 pixels of each channel; what lies outside does not count.

    Attributes
    ----------
    maximum : bool
    stride : int

    Raises
    ------
    InputError
        If the stride is below 1.
    """

    maximum: bool
    stride: int = 1

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise InputError(f"a pool of stride {self.stride}")

    def prepare(self, shape: Shape) -> Prepared:
        """Allocate what the layer needs for inputs of one size; see `Layer.prepare`."""
        require_shape(shape, shape[-1], "a pool")
        height, width, channels = shape
        out = np.empty((-(-height // self.stride), -(-width // self.stride), channels), np.float32)

        def run(x: Floats) -> Floats:
            _kernels.pool(x, self.maximum, self.stride, out)
            return out

        return Prepared(out.shape, run)


@dataclass(frozen=True, slots=True)
class Pool:
    """The mean of each channel over the whole map."""

    def prepare(self, shape: Shape) -> Prepared:
        """Allocate what the layer needs for inputs of one size; see `Layer.prepare`."""
        require_shape(shape, shape[-1], "a pool")
        out = np.empty(shape[2], np.float32)

        def run(x: Floats) -> Floats:
            _kernels.average(x, out)
            return out

        return Prepared(out.shape, run)


@dataclass(frozen=True, slots=True)
class Flatten:
    """A map as one vector, in the order of torch: channels, rows, columns."""

    def prepare(self, shape: Shape) -> Prepared:
        """Work out the length of the vector; see `Layer.prepare`."""
        require_shape(shape, shape[-1], "a flattening")
        size = shape[0] * shape[1] * shape[2]
        return Prepared((size,), lambda x: x.transpose(2, 0, 1).reshape(size))


@dataclass(frozen=True, eq=False, slots=True)
class Linear:
    """A real linear layer.

    Attributes
    ----------
    weight : ndarray, (inputs, outputs), float32
    bias : ndarray, (outputs,), float32

    Raises
    ------
    InputError
        If arrays do not fit each other.
    """

    weight: Floats
    bias: Floats

    def __post_init__(self) -> None:
        require(self.weight, "a linear weight", (len(self.weight), len(self.bias)))
        require(self.bias, "a linear bias", (len(self.bias),))

    def prepare(self, shape: Shape) -> Prepared:
        """Check the size of inputs; see `Layer.prepare`."""
        if shape != (len(self.weight),):
            raise InputError(f"a linear layer of {len(self.weight)} inputs meets {shape}")

        def run(x: Floats) -> Floats:
            y: Floats = x @ self.weight + self.bias
            return y

        return Prepared(self.bias.shape, run)
