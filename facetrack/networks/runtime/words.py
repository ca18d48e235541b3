"""Signs as bits of 64-bit words: how channels, groups and weights lie in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.networks.runtime.arrays import Words
from facetrack.networks.runtime.vectors import LANES

BITS = 64


def words_of(channels: int) -> int:
    """Return how many words hold a bit for each channel."""
    return -(-channels // BITS)


def first_channels(channels: int, groups: int) -> npt.NDArray[np.int64]:
    """List where the channels of each word of a pixel begin; every group begins a word.

    The result is (words + 1,); the last entry is the number of channels.
    """
    group = channels // groups
    inside = np.arange(0, group, BITS)
    firsts = (np.arange(groups)[:, None] * group + inside).ravel()
    return np.append(firsts, channels).astype(np.int64)


def pack_weights(weight: npt.NDArray[np.floating], groups: int = 1) -> Words:
    """Pack the signs of a convolution's weights; output channels end up side by side.

    Weights are (outputs, inputs / groups, side, side) as in torch; a weight >= 0 becomes a bit of
    1. The result is (groups, side * side * words, outputs / groups): words of a tap follow each
    other, bits without a channel are 0, as in activations. An `InputError` says that the outputs
    cannot be divided by the groups, or that a weight is NaN.
    """
    outputs, inputs, side, _ = weight.shape
    if outputs % groups or np.isnan(weight).any():
        raise InputError(f"{outputs} outputs in {groups} groups, or a weight is not a number")
    bits = np.zeros((outputs, side, side, words_of(inputs) * BITS), np.uint8)
    bits[..., :inputs] = np.moveaxis(weight >= 0, 1, -1)
    words = np.packbits(bits, axis=-1, bitorder="little").view("<u8")
    grouped = words.reshape(groups, outputs // groups, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(grouped, dtype=np.uint64)


def interleaved(words: Words) -> Words:
    """Arrange packed weights, (groups, n, m), for the registers of this machine.

    The result is (groups, vectors * n * LANES): LANES output channels beside each other, filled up
    with zeros.
    """
    groups, n, outputs = words.shape
    vectors = -(-outputs // LANES)
    filled = np.zeros((groups, n, vectors * LANES), np.uint64)
    filled[..., :outputs] = words
    apart = filled.reshape(groups, n, vectors, LANES).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(apart).reshape(groups, -1)
