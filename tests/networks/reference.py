"""Binary convolutions by plain sums, with neither bits nor kernels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facetrack.networks.runtime.block import BinaryBlock, Gate, Shortcut
from facetrack.networks.runtime.words import pack_weights

Floats = npt.NDArray[np.float32]


def random_block(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    side: int = 3,
    stride: int = 1,
    groups: int = 1,
    *,
    gated: bool = False,
) -> tuple[BinaryBlock, Floats]:
    """Make a block, and the real weights whose signs it has."""

    def single(*shape: int) -> Floats:
        return rng.normal(size=shape).astype(np.float32)

    weight = single(outputs, inputs // groups, side, side)
    bounds = eighths(rng, inputs)
    bounds[rng.random(inputs) < 0.1] = -np.inf
    squeeze = single(inputs, 2) / np.float32(np.sqrt(inputs))  # no factor is 0 or 1
    gate = Gate(single(inputs), single(inputs), squeeze, single(2, outputs))
    mixed = rng.integers(-2, 3, (inputs, outputs)).astype(np.float32)
    plain = stride == 1 and inputs == outputs
    block = BinaryBlock(
        bounds,
        rng.random(inputs) < 0.4,
        pack_weights(weight, groups),
        single(outputs),
        single(outputs),
        side,
        stride,
        gate if gated else None,
        None if plain else Shortcut(mixed, eighths(rng, outputs)),
    )
    return block, weight


def eighths(rng: np.random.Generator, *shape: int) -> Floats:
    """Draw multiples of 1/8, whose sums and means of 2 x 2 are exact in any order."""
    return rng.integers(-16, 17, shape).astype(np.float32) / np.float32(8)


def signs(block: BinaryBlock, x: Floats) -> Floats:
    """Return what the block's convolution sees, -1 and +1."""
    return np.where((x >= block.thresholds) != block.flips, 1, -1).astype(np.float32)


def convolved(x: Floats, weight: Floats, stride: int, dilation: int = 1) -> Floats:
    """Convolve with signs of weights (outputs, inputs / groups, side, side), zeros outside."""
    outputs, inputs, side, _ = weight.shape
    groups = x.shape[2] // inputs
    half, seen = dilation * (side // 2), dilation * (side - 1) + 1
    framed = np.pad(x, ((half, half), (half, half), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (seen, seen), axis=(0, 1))
    windows = windows[::stride, ::stride, :, ::dilation, ::dilation]
    rows, columns = windows.shape[:2]
    kernels = np.where(weight >= 0, 1, -1).reshape(groups, outputs // groups, -1)
    sums = np.einsum("yxgk,gok->yxgo", windows.reshape(rows, columns, groups, -1), kernels)
    return np.asarray(sums.reshape(rows, columns, outputs), np.float32)


def halved(x: Floats) -> Floats:
    """Average 2 x 2 pixels; what is beyond a last odd row or column does not count."""
    rows, columns = np.arange(0, x.shape[0], 2), np.arange(0, x.shape[1], 2)
    means = [[x[r : r + 2, c : c + 2].mean(axis=(0, 1)) for c in columns] for r in rows]
    return np.array(means, np.float32)


def output(block: BinaryBlock, weight: Floats, x: Floats, factors: Floats) -> Floats:
    """Compute a block's output in the order of the training code."""
    y = convolved(signs(block, x), weight, block.stride, block.dilation) * block.scale * factors
    y = np.where(y > 0, y, y * block.slope)
    if (shortcut := block.shortcut) is None:
        skip = x if block.skip else np.zeros_like(y)
    else:
        pooled = halved(x) if block.stride == 2 else x
        skip = np.add(pooled @ shortcut.weight, shortcut.bias)
    out: Floats = y + skip
    return out
