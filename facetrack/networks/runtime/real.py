"""The few layers of a binary network that stay real: first, last and what pools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facetrack.errors import InputError
from facetrack.networks.runtime import _kernels
from facetrack.networks.runtime.arrays import Floats, Prepared, Shape, require, require_shape

_CACHED: Final = 1 << 16  # numbers of patches that stay in the second cache


@dataclass(frozen=True, eq=False, slots=True)
class Stem:
    """A real convolution with its batch normalisation folded in, and PReLU; arrays must fit."""

    weight: Floats  # (side, side, inputs, outputs)
    bias: Floats  # (outputs,)
    slope: Floats  # (outputs,)
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
        """Allocate for inputs of one size, (height, width, channels), not below the kernel's."""
        side, _, inputs, outputs = self.weight.shape
        require_shape(shape, inputs, "the stem")
        pad, stride = self.padding, self.stride
        height, width, _ = shape
        rows, columns = ((size + 2 * pad - side) // stride + 1 for size in (height, width))
        if min(rows, columns) < 1:
            raise InputError(f"{height} x {width} pixels are too few for a kernel of {side}")
        framed = np.zeros((height + 2 * pad, width + 2 * pad, inputs), np.float32)
        inner = framed[pad : pad + height, pad : pad + width]
        weight = self.weight.reshape(-1, outputs)
        lines = framed.reshape(len(framed), -1)
        taps = (side, side * inputs)
        windows = sliding_window_view(lines, taps)[::stride, :: stride * inputs]
        at_once = min(max(_CACHED // (columns * len(weight)), 1), rows)
        patches = np.empty((at_once, columns, *taps), np.float32)
        out = np.empty((rows, columns, outputs), np.float32)

        def run(x: Floats) -> Floats:
            inner[:] = x
            for first in range(0, rows, at_once):
                taken = patches[: rows - first]
                made = out[first : first + at_once].reshape(-1, outputs)
                np.copyto(taken, windows[first : first + at_once])
                np.dot(taken.reshape(-1, len(weight)), weight, out=made)
                _kernels.activate(made, self.bias, self.slope)
            return out

        return Prepared((rows, columns, outputs), run)


@dataclass(frozen=True, slots=True)
class LocalPool:
    """The maximum or the mean of 3 x 3 pixels of each channel; what lies outside does not count."""

    maximum: bool
    stride: int = 1

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise InputError(f"a pool of stride {self.stride}")

    def prepare(self, shape: Shape) -> Prepared:
        """Allocate what the layer needs for inputs of one size, (height, width, channels)."""
        require_shape(shape, shape[-1], "a pool")
        height, width, channels = shape
        step, rows, columns = self.stride, -(-height // self.stride), -(-width // self.stride)
        framed = np.full((height + 2, width + 2, channels), -np.inf, np.float32)
        if not self.maximum:
            framed[:] = 0
        merged = np.empty((rows, width + 2, channels), np.float32)
        out = np.empty((rows, columns, channels), np.float32)
        tall = [framed[i : i + step * (rows - 1) + 1 : step] for i in range(3)]
        wide = [merged[:, i : i + step * (columns - 1) + 1 : step] for i in range(3)]
        down, across = _inside(height, step), _inside(width, step)
        counts = down[:, None, None] * across[:, None]
        combine = np.maximum if self.maximum else np.add

        def run(x: Floats) -> Floats:
            framed[1:-1, 1:-1] = x
            for parts, into in ((tall, merged), (wide, out)):
                combine(parts[0], parts[1], out=into)
                combine(into, parts[2], out=into)
            if not self.maximum:
                np.divide(out, counts, out=out)
            return out

        return Prepared(out.shape, run)


def _inside(size: int, stride: int) -> Floats:
    """Count which of the three taps of each output lie inside along one axis."""
    at = np.arange(0, size, stride)
    counts: Floats = np.full(len(at), 3, np.float32) - (at == 0) - (at == size - 1)
    return counts


@dataclass(frozen=True, slots=True)
class Pool:
    """The mean of each channel over the whole map."""

    def prepare(self, shape: Shape) -> Prepared:
        """Allocate what the layer needs for inputs of one size, (height, width, channels)."""
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
        """Work out the length of the vector from (height, width, channels)."""
        require_shape(shape, shape[-1], "a flattening")
        size = shape[0] * shape[1] * shape[2]
        return Prepared((size,), lambda x: x.transpose(2, 0, 1).reshape(size))


@dataclass(frozen=True, eq=False, slots=True)
class Linear:
    """A real linear layer; its arrays must fit."""

    weight: Floats  # (inputs, outputs)
    bias: Floats  # (outputs,)

    def __post_init__(self) -> None:
        require(self.weight, "a linear weight", (len(self.weight), len(self.bias)))
        require(self.bias, "a linear bias", (len(self.bias),))

    def prepare(self, shape: Shape) -> Prepared:
        """Check the size of inputs, (inputs,)."""
        if shape != (len(self.weight),):
            raise InputError(f"a linear layer of {len(self.weight)} inputs meets {shape}")

        def run(x: Floats) -> Floats:
            y: Floats = x @ self.weight + self.bias
            return y

        return Prepared(self.bias.shape, run)
