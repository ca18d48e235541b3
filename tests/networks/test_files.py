"""Whole networks, and their files: the same output comes back, and damage is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facetrack.errors import InputError, ModelError
from facetrack.formats.archive import write_archive
from facetrack.formats.modelfile import ModelKind, describe, find_kind
from facetrack.networks.runtime.files import BINARY_NETWORK, pack, unpack
from facetrack.networks.runtime.network import BinaryNetwork
from facetrack.networks.runtime.real import Flatten, Linear, LocalPool, Pool, Stem
from tests.networks.reference import random_block

CARD = {"name": "toy", "card": {"data": "made by code", "terms": "none"}}


def _network(seed: int = 0, *, flat: bool = False) -> BinaryNetwork:
    rng = np.random.default_rng(seed)

    def single(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    stem = Stem(single(3, 3, 2, 20), single(20), single(20), stride=2)
    blocks = [random_block(rng, 20, 20)[0], random_block(rng, 20, 40, stride=2, gated=True)[0]]
    end = [Flatten(), Linear(single(40 * 3 * 2, 5), single(5))] if flat else [Pool()]
    return BinaryNetwork([stem, *blocks, *end])


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(11, 8, 2)).astype(np.float32)


@pytest.mark.parametrize("flat", [True, False])
def test_a_network_comes_back_from_its_file(flat: bool, x: np.ndarray, tmp_path: Path) -> None:
    network = _network(flat=flat)
    arrays, description = pack(network)
    BINARY_NETWORK.write(tmp_path / "network.npz", arrays, {**CARD, **description})
    again = BINARY_NETWORK.read(tmp_path / "network.npz")
    np.testing.assert_array_equal(again.run(x), network.run(x))
    assert pack(again)[1] == description
    assert {a.dtype.name for a in arrays.values()} == {"bool", "float32", "uint64"}
    assert describe(tmp_path / "network.npz").problem == ""
    assert find_kind("facetrack binary network") is BINARY_NETWORK


def test_files_from_before_dilation_are_read(x: np.ndarray) -> None:
    arrays, description = pack(_network())
    for entries in description["layers"]:
        entries.pop("dilation", None)
        entries.pop("skip", None)
    np.testing.assert_array_equal(unpack(arrays, description).run(x), _network().run(x))
    del description["layers"][0]["stride"]
    with pytest.raises(LookupError):
        unpack(arrays, description)


@pytest.mark.parametrize("size", [(1, 1), (7, 4), (8, 9), (1, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_pools_leave_out_what_lies_outside(size: tuple[int, int], stride: int) -> None:
    x = np.random.default_rng(0).integers(-9, 9, (*size, 5)).astype(np.float32)
    stored = unpack(*pack(BinaryNetwork([LocalPool(maximum=True, stride=stride)])))
    assert stored.layers == (LocalPool(maximum=True, stride=stride),)
    framed = np.pad(x, ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), axis=(0, 1))
    for maximum, reduce in ((True, np.nanmax), (False, np.nanmean)):
        got = LocalPool(maximum, stride).prepare(x.shape).run(x)
        expected = reduce(windows[::stride, ::stride], axis=(3, 4))
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)
    with pytest.raises(InputError, match="a pool of stride 0"):
        LocalPool(maximum=True, stride=0)


def test_two_networks_fit_into_one_file(x: np.ndarray) -> None:
    eyes, mouth = _network(1), _network(2)
    arrays, of_eyes = pack(eyes, "eyes/")
    others, of_mouth = pack(mouth, "mouth/")
    assert not set(arrays) & set(others)
    together = {**arrays, **others}
    np.testing.assert_array_equal(unpack(together, of_eyes, "eyes/").run(x), eyes.run(x))
    np.testing.assert_array_equal(unpack(together, of_mouth, "mouth/").run(x), mouth.run(x))


def test_half_precision_halves_real_weights_and_nothing_else(x: np.ndarray) -> None:
    network = _network(flat=True)
    arrays, description = pack(network, half=True)
    halved = {name for name, array in arrays.items() if array.dtype == np.float16}
    assert halved == {"2/gate/squeeze", "2/gate/excite", "2/shortcut/weight", "4/weight"}
    again = unpack(arrays, description)
    np.testing.assert_allclose(again.run(x), network.run(x), rtol=0.01, atol=0.1)
    assert not np.array_equal(again.run(x), network.run(x))


def test_a_damaged_or_foreign_file_is_named(tmp_path: Path) -> None:
    arrays, description = pack(_network())
    path = tmp_path / "network.npz"
    BINARY_NETWORK.write(path, arrays, {**CARD, **description})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="cut short"):
        BINARY_NETWORK.read(path)
    write_archive(path, arrays, {**CARD, **description}, kind=BINARY_NETWORK.name, schema=2)
    with pytest.raises(ModelError, match="schema 2, this version reads up to 1"):
        BINARY_NETWORK.read(path)
    ModelKind("test sums", "sums", 1, unpack).write(path, arrays, {**CARD, **description})
    with pytest.raises(ModelError, match="kind 'test sums', but no binary network"):
        BINARY_NETWORK.read(path)


@pytest.mark.parametrize("missing", ["0/weight", "1/thresholds", "2/gate/squeeze"])
def test_a_file_without_an_array_is_refused(missing: str, tmp_path: Path) -> None:
    arrays, description = pack(_network())
    del arrays[missing]
    BINARY_NETWORK.write(tmp_path / "network.npz", arrays, {**CARD, **description})
    with pytest.raises(ModelError, match="an entry is missing or wrong"):
        BINARY_NETWORK.read(tmp_path / "network.npz")


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, {"layer": "Gate"}),
        (1, {"layer": ["Pool"]}),
        (1, {"side": None}),
        (1, {"side": -3}),
        (1, {"stride": "two"}),
        (1, {"gate": True}),
        (2, {"shortcut": False}),
        (0, {"stride": 0}),
    ],
)
def test_a_file_with_a_wrong_entry_is_refused(
    number: int, change: dict[str, Any], tmp_path: Path
) -> None:
    arrays, description = pack(_network())
    description["layers"][number] |= change
    BINARY_NETWORK.write(tmp_path / "network.npz", arrays, {**CARD, **description})
    with pytest.raises(ModelError, match="an entry is missing or wrong"):
        BINARY_NETWORK.read(tmp_path / "network.npz")


@pytest.mark.parametrize("name", ["0/weight", "1/weight", "1/scale", "2/gate/gain"])
@pytest.mark.parametrize("shape", [(), (0,), (1, 0, 0, 0)])
def test_a_file_with_an_array_of_another_shape_is_refused(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    arrays, description = pack(_network())
    arrays[name] = np.zeros(shape, arrays[name].dtype)
    BINARY_NETWORK.write(tmp_path / "network.npz", arrays, {**CARD, **description})
    with pytest.raises(ModelError, match="an entry is missing or wrong"):
        BINARY_NETWORK.read(tmp_path / "network.npz")


def test_activations_are_the_packed_inputs_of_binary_layers(x: np.ndarray) -> None:
    network = _network()
    first, second = network.activations(x)
    assert (first.shape, second.shape) == ((8, 6, 1), (8, 6, 1))  # 6 x 4 and a border
    stem, block, *_ = network.layers
    real = stem.prepare(x.shape).run(x).copy()
    run = block.prepare(real.shape)
    run.run(real)
    np.testing.assert_array_equal(first, run.words)


def test_a_result_outlives_the_next_run_and_sizes_may_change(x: np.ndarray) -> None:
    network = _network()
    kept = network.run(x)
    before = kept.copy()
    network.run(-x)
    network.run(x[:7])
    np.testing.assert_array_equal(kept, before)
    np.testing.assert_array_equal(network.run(x), before)


def test_wrong_inputs_are_named(x: np.ndarray) -> None:
    network = _network()
    holed = x.copy()
    holed[2, 3, 1] = np.nan
    endless = np.full_like(x, -np.inf)
    cases: list[tuple[Any, str]] = [
        (x[:, :, :1], r"takes \(height, width, 2\), but meets \(11, 8, 1\)"),
        (x[0], r"meets \(8, 2\)"),
        (x.astype(np.float64), "must be float32 of shape"),
        (holed, "holds NaN"),
        (endless, "176 of 176 values of a network's input are not finite"),
        (x[:0], r"meets \(0, 8, 2\)"),
    ]
    for wrong, said in cases:
        with pytest.raises(InputError, match=said):
            network.run(wrong)
    with pytest.raises(InputError, match="1 of 2 values of a network's output are not finite"):
        BinaryNetwork([Pool()]).run(np.array([[[3e38, 1], [3e38, 1]]], np.float32))


@pytest.mark.parametrize("side", [3, 4, 7])
@pytest.mark.parametrize("stride", [1, 3, 4])
@pytest.mark.parametrize("inputs", [1, 4])
def test_a_stem_is_a_convolution_with_prelu(side: int, stride: int, inputs: int) -> None:
    rng = np.random.default_rng(side)
    weight, bias, slope, x = (
        rng.normal(size=shape).astype(np.float32)
        for shape in ((side, side, inputs, 6), (6,), (6,), (9, 12, inputs))
    )
    stem = Stem(weight, bias, slope, stride, padding=side // 2)
    framed = np.pad(x, ((side // 2,) * 2, (side // 2,) * 2, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (side, side), axis=(0, 1))
    y = np.einsum("yxcij,ijco->yxo", windows[::stride, ::stride], weight) + bias
    prepared = stem.prepare(x.shape)
    assert prepared.shape == y.shape
    np.testing.assert_allclose(prepared.run(x), np.where(y > 0, y, slope * y), atol=1e-4)


def test_stems_and_ends_that_do_not_fit_are_refused() -> None:
    ones = np.ones(6, np.float32)
    stem = Stem(np.ones((3, 3, 1, 6), np.float32), ones, ones, padding=0)
    with pytest.raises(InputError, match="2 x 9 pixels are too few for a kernel of 3"):
        stem.prepare((2, 9, 1))
    with pytest.raises(InputError, match="the slope of a stem must be float32"):
        replace(stem, slope=ones[:5])
    with pytest.raises(InputError, match="stride 0"):
        replace(stem, stride=0)
    with pytest.raises(InputError, match=r"6 inputs meets \(7,\)"):
        Linear(np.ones((6, 2), np.float32), ones[:2]).prepare((7,))
