"""Signs as bits of 64-bit words: how channels, groups and weights lie in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.networks.runtime.arrays import Words
from facetrack.networks.runtime.vectors import LANES

__all__ = ["first_channels", "interleaved", "pack_weights", "words_of"]

BITS = 64


def words_of(channels: int) -> int:
    """Return how many words hold a bit for each channel.

    Parameters
    ----------
    channels : int

    Returns
    -------
    int
    """
    return -(-channels // BITS)


def first_channels(channels: int, groups: int) -> npt.NDArray[np.int64]:
    """List where the channels of each word of a pixel begin; every group begins a word.

    Parameters
    ----------
    channels, groups : int

    Returns
    -------
    ndarray, (words + 1,), int64
        The last entry is the number of channels.
    """
    group = channels // groups
    inside = np.arange(0, group, BITS)
    firsts = (np.arange(groups)[:, None] * group + inside).ravel()
    return np.append(firsts, channels).astype(np.int64)


def pack_weights(weight: npt.NDArray[np.floating], groups: int = 1) -> Words:
    """Pack the signs of a convolution's weights; output channels end up side by side.

    Parameters
    ----------
    weight : ndarray, (outputs, inputs / groups, side, side), float
        The order of torch; a weight >= 0 becomes a bit of 1.
    groups : int

    Returns
    -------
    ndarray, (groups, side * side * words, outputs / groups), uint64
        Words of a tap follow each other; bits without a channel are 0, as in activations.

    Raises
    ------
    InputError
        If the outputs cannot be divided by the groups, or a weight is NaN.
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
    """Arrange packed weights for the registers of this machine.

    Parameters
    ----------
    words : ndarray, (groups, n, m), uint64
        From `pack_weights`.

    Returns
    -------
    ndarray, (groups, vectors * n * LANES), uint64
        LANES output channels beside each other, filled up with zeros.
    """
    groups, n, outputs = words.shape
    vectors = -(-outputs // LANES)
    filled = np.zeros((groups, n, vectors * LANES), np.uint64)
    filled[..., :outputs] = words
    apart = filled.reshape(groups, n, vectors, LANES).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(apart).reshape(groups, -1)
