"""Vectors of 64-bit words inside kernels, as wide as the processor's registers.

LLVM makes a poor choice when it vectorises sums of population counts by itself: it widens every
count to 64 bits. Here counts stay in bytes where the processor counts by table look-up (AVX2,
NEON), and in words where it counts words (AVX-512 VPOPCNTDQ).
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic, models, register_model

# What numba compiles for: the host, or what NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say.
FEATURES: Final = frozenset(
    feature[1:]
    for feature in cpu_target.target_context.codegen().magic_tuple()[2].split(",")
    if feature.startswith("+")
)
LANES: Final = 8 if "avx512bw" in FEATURES else 4  # words of a vector
_COUNTS_WORDS: Final = "avx512vpopcntdq" in FEATURES
PIXELS: Final = 4  # that share the loads of weights: their counts fit into 16 registers
MOST_COUNTED: Final = 31  # words that can be counted in bytes before `add_totals`

cgutils: Any = _cgutils  # untyped
_INT32: Final = ir.IntType(32)
_WORDS: Final = ir.VectorType(ir.IntType(64), LANES)
_BYTES: Final = ir.VectorType(ir.IntType(8), 8 * LANES)


class _Content(types.Type):
    def __init__(self, name: str, content: Any) -> None:
        super().__init__(name=f"{name}, {LANES} words")
        self.content = content


@register_model(_Content)
class _ContentModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.content)  # type: ignore[no-untyped-call]


_VECTOR: Final = _Content("vector", _WORDS)
_TILE: Final = _Content("tile", ir.ArrayType(_WORDS, PIXELS))  # one vector of counts for each pixel


def _constant(value: int) -> Any:
    return ir.Constant(_WORDS, [value] * LANES)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Point at an element of a C-contiguous array; numba's own indexing tests for index < 0."""
    data = cgutils.create_struct_proxy(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _no_counts(_: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(_TILE.content, [_constant(0)] * PIXELS)

    return _TILE(), emit


def _load_words(_: Any, array: Any, index: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], *arguments)
        return builder.load(builder.bitcast(pointer, _WORDS.as_pointer()), align=8)

    return _VECTOR(array, types.intp), emit


def _add_differing(_: Any, counts: Any, words: Any, array: Any, index: Any, step: Any) -> Any:
    kind = _WORDS if _COUNTS_WORDS else _BYTES
    name = f"llvm.ctpop.v{kind.count}i{kind.element.width}"
    undefined = ir.Constant(_WORDS, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        counts, words, array, index, step = arguments
        count = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind]), name)
        for pixel in range(PIXELS):
            word = builder.load(_pointer(context, builder, signature.args[2], array, index))
            one = builder.insert_element(undefined, word, _INT32(0))
            same = builder.shuffle_vector(one, undefined, zeros)
            differing = builder.call(count, [builder.bitcast(builder.xor(words, same), kind)])
            before = builder.bitcast(builder.extract_value(counts, pixel), kind)
            after = builder.bitcast(builder.add(before, differing), _WORDS)
            counts = builder.insert_value(counts, after, pixel)
            index = builder.add(index, step)
        return counts

    return _TILE(counts, words, array, types.intp, types.intp), emit


def _add_totals(_: Any, totals: Any, counts: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        totals, counts = arguments
        for pixel in range(PIXELS):
            count = builder.extract_value(counts, pixel)
            if not _COUNTS_WORDS:
                count = _sum_of_bytes(builder, count)
            total = builder.add(builder.extract_value(totals, pixel), count)
            totals = builder.insert_value(totals, total, pixel)
        return totals

    return _TILE(totals, counts), emit


def _sum_of_bytes(builder: Any, counts: Any) -> Any:
    """Add the bytes of each word, whose sum is below 2^16."""
    if "avx2" in FEATURES:  # one instruction; LLVM has no name of its own for it
        name = "llvm.x86.avx2.psad.bw" if LANES == 4 else "llvm.x86.avx512.psad.bw.512"
        kind = ir.FunctionType(_WORDS, [_BYTES, _BYTES])
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        zeros = ir.Constant(_BYTES, [0] * _BYTES.count)
        return builder.call(function, [builder.bitcast(counts, _BYTES), zeros])
    even = _constant(0x00FF00FF00FF00FF)
    odd = builder.and_(builder.lshr(counts, _constant(8)), even)
    counts = builder.add(builder.and_(counts, even), odd)
    for shift in (16, 32):
        counts = builder.add(counts, builder.lshr(counts, _constant(shift)))
    return builder.and_(counts, _constant(0xFFFF))


def _store_totals(_: Any, totals: Any, array: Any, index: Any, step: Any) -> Any:
    short, kind = (ir.VectorType(of, LANES) for of in (_INT32, ir.FloatType()))

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        totals, array, index, step = arguments
        for pixel in range(PIXELS):
            pointer = _pointer(context, builder, signature.args[1], array, index)
            total = builder.trunc(builder.extract_value(totals, pixel), short)
            pointer = builder.bitcast(pointer, kind.as_pointer())
            builder.store(builder.sitofp(total, kind), pointer, align=4)
            index = builder.add(index, step)
        return context.get_dummy_value()

    return types.void(totals, array, types.intp, types.intp), emit


def _signs(_: Any, values: Any, first: Any, thresholds: Any, channel: Any) -> Any:
    kind = ir.VectorType(ir.FloatType(), 8)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loaded = []
        for position in (0, 2):
            pointer = _pointer(
                context, builder, signature.args[position], *arguments[position : position + 2]
            )
            loaded.append(builder.load(builder.bitcast(pointer, kind.as_pointer()), align=4))
        reached = builder.fcmp_ordered(">=", *loaded)
        return builder.zext(builder.bitcast(reached, ir.IntType(8)), ir.IntType(64))

    return types.uint64(values, types.intp, thresholds, types.intp), emit


def _wide(_: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if LANES == 8:  # llvmlite's own `add` refuses names that it does not know
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), emit


no_counts: Final[Any] = intrinsic(_no_counts)
load_words: Final[Any] = intrinsic(_load_words)
add_differing: Final[Any] = intrinsic(_add_differing)
add_totals: Final[Any] = intrinsic(_add_totals)
store_totals: Final[Any] = intrinsic(_store_totals)
signs: Final[Any] = intrinsic(_signs)
wide: Final[Any] = intrinsic(_wide)
