"""Binary blocks on packed bits: the same floats as plain sums, whatever size and channels."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from facetrack.errors import InputError
from facetrack.networks.runtime import _kernels
from facetrack.networks.runtime.block import BinaryBlock, Shortcut
from facetrack.networks.runtime.vectors import LANES, PIXELS
from facetrack.networks.runtime.words import first_channels, interleaved, pack_weights
from tests.networks.reference import convolved, eighths, output, random_block, signs

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def _popcount(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Count ones by the classic trick: pairs, nibbles, bytes, and their sum by a product."""
    fives, threes, ones = (np.uint64(m * (2**64 // 255)) for m in (0x55, 0x33, 0x0F))
    x = words - ((words >> np.uint64(1)) & fives)
    x = (x & threes) + ((x >> np.uint64(2)) & threes)
    x = (x + (x >> np.uint64(4))) & ones
    with np.errstate(over="ignore"):
        counts: npt.NDArray[np.uint64] = (x * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return counts


@pytest.mark.parametrize("size", [1, 9, 30, 31, 32, 63, 100])
@pytest.mark.parametrize("tiles", [1, 3])
def test_differing_bits_are_counted(size: int, tiles: int) -> None:
    rng = np.random.default_rng(size)
    patches = rng.integers(0, 2**64, (tiles * PIXELS, size), dtype=np.uint64)
    weights = rng.integers(0, 2**64, (1, size, 2 * LANES), dtype=np.uint64)
    patches[0], weights[0, :, 0] = 2**64 - 1, 0  # all bits differ: the most that is counted
    totals = np.full((tiles * PIXELS, 2 * LANES), -1, np.float32)
    _kernels.count_differing(patches.ravel(), interleaved(weights)[0], size, totals)
    expected = _popcount(patches[:, :, None] ^ weights[0]).sum(axis=1)
    np.testing.assert_array_equal(totals, expected)


@settings(max_examples=60)
@given(
    SIZES,
    st.sampled_from([1, 3, 31, 64, 65, 130]),
    st.sampled_from([1, 5, 64, 70]),
    st.sampled_from([1, 3, 5]),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 1, 2, 3]),
    st.booleans(),
    st.integers(0, 99),
)
@example((1, 1), 64, 64, 3, 1, 1, False, 0)
@example((4, 4), 3, 5, 3, 2, 1, True, 0)  # an even size: the last row does not touch the border
@example((7, 5), 130, 70, 3, 2, 2, True, 0)
@example((9, 9), 64, 64, 5, 1, 1, False, 0)
@example((2, 40), 64, 8, 3, 1, 2, False, 0)  # wider than a batch of pixels
def test_a_block_computes_what_plain_sums_do(
    size: tuple[int, int],
    inputs: int,
    outputs: int,
    side: int,
    stride: int,
    groups: int,
    gated: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    block, weight = random_block(
        rng, inputs * groups, outputs * groups, side, stride, groups, gated=gated
    )
    x = eighths(rng, *size, block.inputs)
    run = block.prepare(x.shape)
    got = run.run(x)
    assert got.shape == run.shape
    np.testing.assert_array_equal(got, output(block, weight, x, _factors(block, x)))


@pytest.mark.parametrize("size", [(1, 1), (3, 9), (8, 7)])
@pytest.mark.parametrize(("side", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2)])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_wide_kernels_and_blocks_without_a_skip(
    size: tuple[int, int], side: int, stride: int, dilation: int
) -> None:
    rng = np.random.default_rng(0)
    block, weight = random_block(rng, 24, 24, side, stride, 3)
    block = replace(block, dilation=dilation, shortcut=None, skip=False)
    x = eighths(rng, *size, 24)
    got = block.prepare(x.shape).run(x)
    assert got.shape[:2] == tuple(-(-n // stride) for n in size)
    np.testing.assert_array_equal(got, output(block, weight, x, _factors(block, x)))


def _factors(block: BinaryBlock, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if block.gate is None:
        return np.ones(block.outputs, np.float32)
    mean = np.empty(block.inputs, np.float32)
    _kernels.average(x, mean)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1)), atol=1e-6)
    return block.gate.factors(mean)


def test_rounding_is_that_of_single_operations() -> None:
    # Scale and gate multiplied beforehand, for instance, would round otherwise than torch does.
    rng = np.random.default_rng(5)
    block, weight = random_block(rng, 64, 64, gated=True)
    x = rng.normal(size=(14, 14, 64)).astype(np.float32)
    expected = output(block, weight, x, _factors(block, x))
    np.testing.assert_array_equal(block.prepare(x.shape).run(x), expected)


def test_a_sum_of_products_is_what_bits_say_also_at_the_border() -> None:
    # K - 2 popcount(xor) with a scale of 1, no PReLU, no skip
    rng = np.random.default_rng(1)
    block, weight = random_block(rng, 64, 32)
    ones, zeros = np.ones(32, np.float32), np.zeros(32, np.float32)
    nothing = Shortcut(np.zeros((64, 32), np.float32), zeros)
    block = replace(block, scale=ones, slope=ones, shortcut=nothing)
    x = eighths(rng, 5, 6, 64)
    got = block.prepare(x.shape).run(x)
    np.testing.assert_array_equal(got, convolved(signs(block, x), weight, 1))


@pytest.mark.parametrize(("channels", "groups"), [(64, 1), (70, 1), (12, 3), (130, 2), (7, 1)])
def test_bits_are_those_of_the_thresholds(channels: int, groups: int) -> None:
    rng = np.random.default_rng(channels)
    block, _ = random_block(rng, channels, channels, groups=groups)
    x = eighths(rng, 4, 3, channels)
    x[0, 0], x[0, 1] = block.thresholds, np.nextafter(block.thresholds, np.float32(-np.inf))
    x = np.nan_to_num(x)
    run = block.prepare(x.shape)
    run.run(x)
    assert run.words is not None
    bits = np.unpackbits(run.words.astype("<u8").view(np.uint8), axis=-1, bitorder="little")
    firsts = first_channels(channels, groups)
    places = np.concatenate(
        [64 * n + np.arange(b - a) for n, (a, b) in enumerate(pairwise(firsts))]
    )
    np.testing.assert_array_equal(bits[1:-1, 1:-1, places], signs(block, x) > 0)
    assert bits.sum() == (signs(block, x) > 0).sum()  # no bit in the border, none between groups


def test_zero_weights_are_positive_and_no_others() -> None:
    weight = np.array([0.0, -0.0, -1e-30, 1e-30], np.float32).reshape(1, 4, 1, 1)
    assert pack_weights(weight)[0, 0, 0] == 0b1011
    weight[0, 0] = np.nan
    with pytest.raises(InputError, match="not a number"):
        pack_weights(weight)


def test_what_does_not_fit_is_refused() -> None:
    block, _ = random_block(np.random.default_rng(0), 64, 64, gated=True)
    assert block.gate is not None
    changes: list[dict[str, Any]] = [
        {"scale": block.scale[:5]},
        {"slope": block.slope.astype(np.float64)},
        {"weight": block.weight[:, 1:]},
        {"weight": np.asfortranarray(block.weight)},
        {"flips": block.flips.astype(np.uint8)},
        {"thresholds": np.full(64, np.nan, np.float32)},
        {"stride": 2},  # without a shortcut
        {"side": 2},
        {"dilation": 0},
        {"gate": replace(block.gate, excite=np.zeros((2, 9), np.float32))},
    ]
    for part, wrong in {
        "gain": block.gate.gain[1:],
        "offset": block.gate.offset[1:],
        "squeeze": block.gate.squeeze[1:],
        "excite": block.gate.excite[:, 1:],
    }.items():
        changes.append({"gate": replace(block.gate, **{part: wrong})})
    for change in changes:
        with pytest.raises(InputError):
            replace(block, **change)
    with pytest.raises(InputError, match=r"takes \(height, width, 64\), but meets \(3, 3, 65\)"):
        block.prepare((3, 3, 65))
