"""How fast networks run, beside onnxruntime on the same thread.

    python -m benchmarks networks --bnn-lab FOLDER --json networks_speed.json
    python -m benchmarks networks --only encoder --rounds 100

`convolution`: a binary 3x3 layer (packing, convolution, scale, PReLU, skip) against float32 and
int8 convolutions of onnxruntime. Times are CPU time of the one thread; the candidates take turns in
blocks of 20 calls, and medians over blocks are shown. `--bnn-lab` names the folder of an unpacked
wheel of bnn-lab 1.0.0, whose product of packed matrices is timed with packing, by its own packer,
and without; it knows no zero padding, so its border is filled with signs.

`encoder`: a binary expression encoder, both patches, beside its float twin (the same layers
with real convolutions and no signs) in onnxruntime.

`residual`: the binary ResNet-18 with gates of the recipe r2b_imagenet, 224 x 224, beside the usual
ResNet-18 (the network that it replaces, its normalisations folded) and its float twin in
onnxruntime, with new weights; and the sizes of their files.

numba can be held to an older processor (NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=; the page says
so), onnxruntime cannot.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from llvmlite import binding
from numba.core import config
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits
from torch import nn

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.errors import InputError
from facetrack.networks.binary_form import BinaryForm
from facetrack.networks.expression import load_encoder
from facetrack.networks.patches import PATCHES
from facetrack.networks.runtime.block import BinaryBlock
from facetrack.networks.runtime.files import BINARY_NETWORK, pack
from facetrack.networks.runtime.real import Linear, Stem
from facetrack.networks.runtime.vectors import FEATURES
from facetrack.networks.runtime.words import pack_weights
from facetrack.networks.train.binary import Stage, binary_convolutions, set_stage
from facetrack.networks.train.encoder import Architecture, Encoder
from facetrack.networks.train.export import export
from facetrack.networks.train.images.network import Classifier, ResidualForm, in_layers
from facetrack.networks.train.images.recipe import read_recipe
from facetrack.networks.train.model_file import encoder_onnx
from facetrack.networks.train.onnx_file import onnx_bytes
from facetrack.reporting.tables import Part, Quantity, Table

Floats = npt.NDArray[np.float32]
Call = Callable[[], Any]

_SIZES: Final = ((28, 128), (14, 256))  # side of the map, channels
_BLOCK: Final = 20  # calls
_NAMED: Final = ("avx2", "avx512bw", "avx512vpopcntdq", "avx512bitalg", "neon")
_ENCODER: Final = 3.0  # times as long as the binary encoder, its float twin
_WHOLE: Final = {True: 3.0, False: 2.3}  # the whole network, with and without VPOPCNTDQ
_SIDE: Final = 224
_OURS: Final = "binary"
_FLOAT: Final = "onnxruntime float32"


def features() -> dict[str, list[str]]:
    """Name the vector instructions that numba may use, and those of the machine."""
    host = {name for name, has in binding.get_host_cpu_features().items() if has}
    compiled = FEATURES or ({"avx2"} if "haswell" in _target() else set())
    return {
        "numba": [name for name in _NAMED if name in compiled],
        "machine": [name for name in _NAMED if name in host],
    }


def _target() -> str:
    return str(getattr(config, "CPU_NAME", None) or binding.get_host_cpu_name())


def target(found: Mapping[str, Sequence[str]]) -> float:
    """Return how many times faster than float32 the layer is meant to be."""
    if "avx512vpopcntdq" in found["numba"]:
        return 8.0
    if "avx512bw" in found["numba"]:
        return 3.5
    return 2.8 if "avx512bw" in found["machine"] else 4.0


def ours(x: Floats, weight: Floats) -> Call:
    """Prepare a binary layer."""
    channels = x.shape[2]
    zeros, ones = np.zeros(channels, np.float32), np.ones(channels, np.float32)
    flips = np.zeros(channels, np.bool_)
    block = BinaryBlock(zeros, flips, pack_weights(weight), ones, 0.25 * ones)
    run = block.prepare(x.shape).run
    return lambda: run(x)


def onnx_float(x: Floats, weight: Floats) -> Call:
    """Prepare the float32 convolution of onnxruntime."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)
    return _session(node, {"w": weight}, x.transpose(2, 0, 1)[None])


def onnx_int8(x: Floats, weight: Floats) -> Call:
    """Prepare onnxruntime's convolution of unsigned 8-bit maps with signed 8-bit weights."""
    node = helper.make_node(
        "QLinearConv", ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy"], ["y"], pads=[1] * 4
    )
    constants = {
        "sx": np.float32(1 / 32),
        "zx": np.uint8(128),
        "w": np.clip(np.rint(32 * weight), -127, 127).astype(np.int8),
        "sw": np.float32(1 / 32),
        "zw": np.int8(0),
        "sy": np.float32(1),
        "zy": np.uint8(128),
    }
    quantised = np.clip(np.rint(32 * x) + 128, 0, 255).astype(np.uint8)
    return _session(node, constants, quantised.transpose(2, 0, 1)[None])


def _session(node: Any, constants: Mapping[str, Any], x: npt.NDArray[Any]) -> Call:
    kind = TensorProto.UINT8 if x.dtype == np.uint8 else TensorProto.FLOAT
    ends = [helper.make_tensor_value_info(name, kind, x.shape) for name in ("x", "y")]
    stored = [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()]
    graph = helper.make_graph([node], "convolution", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    session = _open(model.SerializeToString())
    feed = {"x": np.ascontiguousarray(x)}
    return lambda: session.run(None, feed)


def _open(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def bnn_lab(folder: Path, x: Floats, weight: Floats) -> dict[str, Call]:
    """Prepare bnn-lab's product: on packed matrices, and with the packing of the map."""
    sys.path.insert(0, str(folder))
    try:
        packed = importlib.import_module("bnn.kernels.packed")
    except ImportError as error:
        raise InputError(f"no bnn-lab in {folder} ({error}); unpack its wheel there") from error
    if not packed.native_kernel_available():
        raise InputError(f"bnn-lab in {folder} finds no compiled product for this machine")
    packed.set_num_threads(1)
    side, _, channels = x.shape
    length = 9 * channels
    framed = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    weights, _ = packed.pack_binary_pm1(weight.transpose(0, 2, 3, 1).reshape(channels, length))

    def patches() -> npt.NDArray[np.uint64]:
        words, _ = packed.pack_binary_pm1(framed)
        windows = np.lib.stride_tricks.sliding_window_view(words, (3, 3), axis=(0, 1))
        ordered = windows.transpose(0, 1, 3, 4, 2).reshape(side * side, length // 64)
        return np.ascontiguousarray(ordered)

    ready = patches()
    product = packed.binary_gemm_native_prepacked
    return {
        "bnn-lab, packing and product": lambda: product(patches(), weights, length),
        "bnn-lab, product alone": lambda: product(ready, weights, length),
    }


def time_in_turns(calls: Mapping[str, Call], rounds: int) -> dict[str, list[float]]:
    """Return milliseconds of CPU time per call, one for each block of calls."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            begun = time.thread_time()
            for _ in range(_BLOCK):
                call()
            if number:  # the first round compiles and warms up
                times[name].append(1e3 * (time.thread_time() - begun) / _BLOCK)
    return times


def convolution(rounds: int, folder: Path | None) -> list[dict[str, Any]]:
    """Time a layer at each size."""
    results = []
    for side, channels in _SIZES:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((side, side, channels), np.float32)
        weight = rng.standard_normal((channels, channels, 3, 3), np.float32)
        calls = {
            _OURS: ours(x, weight),
            _FLOAT: onnx_float(x, weight),
            "onnxruntime int8": onnx_int8(x, weight),
        }
        if folder is not None:
            calls |= bnn_lab(folder, x, weight)
        results += _results(f"{side}x{side}x{channels}", time_in_turns(calls, rounds))
    return results


def encoder(rounds: int, name: str) -> list[dict[str, Any]]:
    """Time a binary encoder beside its float twin."""
    network = load_encoder(name).network
    if not isinstance(network, BinaryForm):
        raise InputError(f"the encoder {name!r} is not binary")
    rng = np.random.default_rng(0)
    inputs = {
        patch: rng.standard_normal((*view.crop.size[::-1], 2), np.float32)
        for patch, view in PATCHES.items()
    }
    session = _open(encoder_onnx(float_twin(network)))
    arrays = {n: np.ascontiguousarray(x.transpose(2, 0, 1)[None]) for n, x in inputs.items()}
    calls: dict[str, Call] = {
        _OURS: lambda: network.run(inputs),
        _FLOAT: lambda: session.run(None, arrays),
    }
    return _results("both patches", time_in_turns(calls, rounds))


def float_twin(network: BinaryForm) -> Encoder:
    """Make the encoder with the same layers, its convolutions real and without signs."""
    branch = network.branches["eyes"].layers
    stem, *_, last = branch
    assert isinstance(stem, Stem)
    assert isinstance(last, Linear)
    first, second, third = (b.outputs for b in branch[1::2] if isinstance(b, BinaryBlock))
    widths = len(stem.bias), first, second, third
    twin = Encoder(Architecture("half", widths, len(last.bias)), len(network.head.bias))
    _make_real(twin)
    return twin.eval()


def _make_real(network: nn.Module) -> None:
    """Leave out the signs of a network."""
    set_stage(network, Stage.REAL)
    for convolution in binary_convolutions(network):
        convolution.binarised = nn.Identity()  # type: ignore[method-assign]


def residual(rounds: int) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Time the binary ResNet-18 beside real ones, and weigh their files."""
    torch.manual_seed(0)
    recipe = read_recipe("r2b_imagenet")
    built: dict[str, Classifier] = {}
    for name, form in recipe.networks.items():
        assert isinstance(form, ResidualForm)
        built[name] = Classifier(form, recipe.classes).eval()
    binary, x = export(in_layers(built["binary"])), torch.randn(_SIDE, _SIDE, 3)
    _make_real(built["binary"])
    given = {"x": x.permute(2, 0, 1)[None].contiguous()}
    stored = {name: onnx_bytes(network, given, ["y"]) for name, network in built.items()}
    feed = {"x": given["x"].numpy()}
    usual, twin = _open(stored["usual"]), _open(stored["binary"])
    calls: dict[str, Call] = {
        _OURS: lambda: binary.run(x.numpy()),
        _FLOAT: lambda: usual.run(None, feed),
        "onnxruntime float32, the same layers": lambda: twin.run(None, feed),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "binary.npz"
        arrays, description = pack(binary)
        BINARY_NETWORK.write(path, arrays, {"name": recipe.name, "card": {}, **description})
        sizes = {"binary": path.stat().st_size, "float32": len(stored["usual"])}
    return _results("ResNet-18, 224x224", time_in_turns(calls, rounds)), sizes


def _results(size: str, times: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    medians = {name: float(np.median(values)) for name, values in times.items()}
    return [
        {
            "size": size,
            "what": name,
            "milliseconds": medians[name],
            "quartiles": np.quantile(values, (0.25, 0.75)),
            "times_as_long_as_binary": medians[name] / medians[_OURS],
        }
        for name, values in times.items()
    ]


def speed_table(results: Sequence[Mapping[str, Any]], goal: float) -> Table:
    """Lay the medians out, with what was asked beside the candidate that it is asked against."""
    rows = [
        [
            str(r["size"]),
            str(r["what"]),
            Quantity(r["milliseconds"]),
            f"{r['quartiles'][0]:.3f} to {r['quartiles'][1]:.3f}",
            Quantity(r["times_as_long_as_binary"], 2),
            Quantity(goal, 1) if r["what"] == _FLOAT else None,
        ]
        for r in results
    ]
    header = ["size", "what", "ms", "quartiles", "times as long as binary", "asked"]
    return Table(header, rows)


def main() -> int:
    """Run what was asked for."""
    kinds = ("convolution", "encoder", "residual")
    parser = make_parser(__doc__)
    parser.add_argument("--only", nargs="+", default=kinds, choices=kinds)
    parser.add_argument("--encoder", default="expression_binary", help="name or file")
    parser.add_argument("--rounds", type=int, default=30, help="blocks of 20 calls each")
    parser.add_argument("--bnn-lab", type=Path, help="the folder of an unpacked wheel")
    parser.add_argument("--json", type=Path, help="the report")
    args = parser.parse_args()
    found, sizes, parts = features(), dict[str, int](), list[Part]()
    with threadpool_limits(1):
        if "convolution" in args.only:
            parts.append(speed_table(convolution(args.rounds, args.bnn_lab), target(found)))
        if "encoder" in args.only:
            parts.append(speed_table(encoder(args.rounds, args.encoder), _ENCODER))
        if "residual" in args.only:
            results, sizes = residual(args.rounds)
            parts.append(speed_table(results, _WHOLE["avx512vpopcntdq" in found["numba"]]))
    if sizes:
        smaller = sizes["float32"] / sizes["binary"]
        line = (
            f"Files: {sizes['binary'] / 1e6:.2f} MB, as float32 {sizes['float32'] / 1e6:.2f} MB, "
            f"{smaller:.2f} times as large (asked 8)."
        )
        parts.append(line)
    vectors = "; ".join(f"{who}: {', '.join(names) or 'none'}" for who, names in found.items())
    # what an older processor was asked for does not stand in the command
    parts.append(f"Vector instructions of {vectors}; compiled for {_target()}.")
    show(parts, args.json, n=args.rounds)
    return 0
