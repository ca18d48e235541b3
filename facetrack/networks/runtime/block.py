"""The half block of real-to-binary networks on packed bits.

Martinez et al., *Training binary neural networks with real-to-binary convolutions*, ICLR 2020,
arXiv 2003.11535: normalise, sign, convolve, scale (and gate), PReLU, and a real-valued skip.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.networks.runtime import _kernels
from facetrack.networks.runtime.arrays import Floats, Prepared, Shape, Words, require, require_shape
from facetrack.networks.runtime.words import first_channels, interleaved, words_of

_ONE_BIT = np.uint64(1)


@dataclass(frozen=True, eq=False, slots=True)
class Gate:
    """Data-driven factors of the output channels (section "channel re-scaling" of the paper).

    The normalisation before the sign is affine (`gain`, `offset`), so the mean of its output over a
    map follows from the mean of its input.
    """

    gain: Floats  # (inputs,)
    offset: Floats  # (inputs,)
    squeeze: Floats  # (inputs, hidden)
    excite: Floats  # (hidden, outputs)

    def factors(self, mean: Floats) -> Floats:
        """Return factors (outputs,) in [0, 1] for the mean (inputs,) of each input channel."""
        hidden = np.maximum((mean * self.gain + self.offset) @ self.squeeze, 0)
        # The logistic function, in a form that cannot overflow.
        half = np.float32(0.5)
        factors: Floats = half + half * np.tanh(half * (hidden @ self.excite))
        return factors


@dataclass(frozen=True, eq=False, slots=True)
class Shortcut:
    """The skip where stride or width change: 2 x 2 average (stride 2), then mixed channels."""

    weight: Floats  # (inputs, outputs), of the 1 x 1 convolution, normalisation folded in
    bias: Floats  # (outputs,)


@dataclass(frozen=True, eq=False, slots=True)
class BinaryBlock:
    """One binary convolution with all that surrounds it; an `InputError` where arrays do not fit.

    Channels are flipped whose normalisation has a negative gain. The padding is half of the
    kernel's side, times the dilation.
    """

    thresholds: Floats  # (inputs,), a channel's bit is 1 where x >= threshold
    flips: npt.NDArray[np.bool_]  # (inputs,), where it is 1 for x < threshold
    weight: Words  # (groups, side * side * words, outputs / groups), from `pack_weights`
    scale: Floats  # (outputs,), of the convolution
    slope: Floats  # (outputs,), of the PReLU
    side: int = 3  # of the kernel: 1, 3, 5, ...
    stride: int = 1
    gate: Gate | None = None
    shortcut: Shortcut | None = None  # the identity without it
    dilation: int = 1
    skip: bool = True  # whether the input is added at all

    def __post_init__(self) -> None:
        inputs, outputs, groups = self.inputs, self.outputs, self.weight.shape[0]
        fit = groups > 0 and inputs % groups == outputs % groups == 0
        odd = self.side > 0 and self.side % 2 == 1
        if not fit or not odd or self.stride not in (1, 2) or self.dilation < 1:
            raise InputError(
                f"kernel {self.side}, stride {self.stride}, {groups} groups of {inputs} inputs and "
                f"{outputs} outputs: the kernel must be odd, the stride 1 or 2"
            )
        if self.skip and not self.shortcut and (self.stride != 1 or inputs != outputs):
            raise InputError(f"no shortcut from {inputs} to {outputs}, stride {self.stride}")
        words = self.side * self.side * words_of(inputs // groups)
        require(self.thresholds, "thresholds", (inputs,))
        require(self.flips, "flips", (inputs,), np.bool_)
        require(self.weight, "a packed weight", (groups, words, outputs // groups), np.uint64)
        require(self.scale, "a scale", (outputs,))
        require(self.slope, "a slope", (outputs,))
        if gate := self.gate:
            require(gate.gain, "the gain of a gate", (inputs,))
            require(gate.offset, "the offset of a gate", (inputs,))
            require(gate.squeeze, "a squeezing weight", (inputs, gate.squeeze.shape[-1]))
            require(gate.excite, "an exciting weight", (gate.squeeze.shape[-1], outputs))
        if shortcut := self.shortcut:
            require(shortcut.weight, "the weight of a shortcut", (inputs, outputs))
            require(shortcut.bias, "the bias of a shortcut", (outputs,))

    @property
    def inputs(self) -> int:
        """Return the number of input channels."""
        return len(self.thresholds)

    @property
    def outputs(self) -> int:
        """Return the number of output channels."""
        return len(self.scale)

    def prepare(self, shape: Shape) -> Prepared:
        """Allocate what the block needs for inputs of one size, (height, width, channels)."""
        require_shape(shape, self.inputs, "a binary block")
        run = _Run(self, shape)
        return Prepared(run.shape, run, run.words)


class _Run:
    """A block with its buffers."""

    def __init__(self, block: BinaryBlock, shape: Shape) -> None:
        height, width, inputs = shape
        half, groups = _half(block), block.weight.shape[0]
        self._block, self._half = block, half
        self._firsts = first_channels(inputs, groups)
        self._flips = _flip_words(block.flips, self._firsts)
        framed = (height + 2 * half, width + 2 * half, len(self._flips))
        self.words: Words = np.zeros(framed, np.uint64)
        self._weight = interleaved(block.weight)
        rows, self._rows = _classes(height, block)
        columns, self._columns = _classes(width, block)
        self._bases = _bases(block, rows, columns)
        self.shape = (len(self._rows), len(self._columns), block.outputs)
        self._out = np.empty(self.shape, np.float32)
        self._factors = np.ones(block.outputs, np.float32)
        self._mean = np.empty(inputs, np.float32)
        self._skip = np.zeros(self.shape if block.shortcut or not block.skip else 0, np.float32)
        if block.shortcut:
            self._halved = np.empty((*self.shape[:2], inputs), np.float32)

    def __call__(self, x: Floats) -> Floats:
        block = self._block
        _kernels.pack(x, block.thresholds, self._flips, self._firsts, self._half, self.words)
        if block.gate is not None:
            _kernels.average(x, self._mean)
            self._factors = block.gate.factors(self._mean)
        _kernels.convolve(
            self.words,
            self._weight,
            self._bases,
            self._rows,
            self._columns,
            block.scale,
            self._factors,
            block.slope,
            self._skipped(x),
            (block.side, block.stride, block.dilation),
            self._out,
        )
        return self._out

    def _skipped(self, x: Floats) -> Floats:
        shortcut = self._block.shortcut
        if shortcut is None:
            return x if self._block.skip else self._skip
        if self._block.stride == 2:
            _kernels.halve(x, self._halved)
            x = self._halved
        inputs, outputs = shortcut.weight.shape
        np.dot(x.reshape(-1, inputs), shortcut.weight, out=self._skip.reshape(-1, outputs))
        self._skip += shortcut.bias
        return self._skip


def _half(block: BinaryBlock) -> int:
    return block.dilation * (block.side // 2)


def _flip_words(flips: npt.NDArray[np.bool_], firsts: npt.NDArray[np.int64]) -> Words:
    words = np.zeros(len(firsts) - 1, np.uint64)
    for n, (first, last) in enumerate(pairwise(firsts)):
        for k in np.flatnonzero(flips[first:last]):
            words[n] |= _ONE_BIT << np.uint64(k)
    return words


def _classes(size: int, block: BinaryBlock) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Return which taps can lie inside along one axis (classes, side), and each output's class."""
    half, last = _half(block), block.dilation * (block.side - 1)
    starts = np.arange((size + 2 * half - last - 1) // block.stride + 1) * block.stride - half
    taps = starts[:, None] + block.dilation * np.arange(block.side)
    inside, classes = np.unique((taps >= 0) & (taps < size), axis=0, return_inverse=True)
    return inside, classes.reshape(-1).astype(np.int64)


def _bases(
    block: BinaryBlock, rows: npt.NDArray[np.bool_], columns: npt.NDArray[np.bool_]
) -> Floats:
    """Return what the sum of products is for a count of 0, (rows, groups, columns, outputs).

    A tap outside the image meets a word of zeros, so it counts the ones of its weights: that is
    taken back here, and its products are not among the sum.
    """
    groups, _, outputs = block.weight.shape
    ones = np.bitwise_count(block.weight).astype(np.float32)
    ones = ones.reshape(groups, block.side, block.side, -1, outputs).sum(axis=3)
    inside = (rows[:, None, :, None] & columns[None, :, None, :]).astype(np.float32)
    products = inside.sum(axis=(2, 3)) * (block.inputs // groups)
    outside = np.einsum("rcyx,gyxo->rgco", 1 - inside, ones)
    bases: Floats = (products[:, None, :, None] + 2 * outside).astype(np.float32)
    return bases
