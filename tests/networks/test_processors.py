"""Other processors than this one: older ones give the same floats, newer ones get wide vectors."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from facetrack.networks.runtime.vectors import FEATURES

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="names processors of x86"
)
ROOT = Path(__file__).resolve().parents[2]

_BLOCK_AGREES = """
import numpy as np
from facetrack.networks.runtime.vectors import LANES
from tests.networks.reference import eighths, output, random_block

rng = np.random.default_rng(0)
block, weight = random_block(rng, 70, 12, stride=2)
x = eighths(rng, 5, 4, 70)
got = block.prepare(x.shape).run(x)
np.testing.assert_array_equal(got, output(block, weight, x, np.ones(12, np.float32)))
print(LANES)
"""

# The code for AVX-512 as such, in registers of whatever size this processor has.
_AS_IF_WIDE = """
from numba.core.registry import cpu_target

codegen = cpu_target.target_context.codegen()
codegen.magic_tuple = lambda: ("", "", "+avx512bw,+avx512vpopcntdq")
"""

# Compiled, not run: this processor may lack the instructions.
_ASSEMBLY = """
from numba import types
from facetrack.networks.runtime import _kernels

words, floats = types.uint64[::1], types.float32[:, ::1]
row, number = types.float32[::1], types.intp
_kernels.count_differing.compile((words, words, number, floats))
_kernels.finish.compile(
    (floats, floats, types.intp[::1], row, row, row, floats, number, floats)
)
for kernel in (_kernels.count_differing, _kernels.finish):
    (text,) = kernel.inspect_asm().values()
    looked_for = ("vpopcntq", "vpshufb", "vpsadbw", "vmulps", "vfmadd", "vfnmadd")
    print([name for name in looked_for if name in text], "zmm" in text)
"""


def _run(code: str, name: str, features: str, cache: Path) -> list[str]:
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["haswell", "x86-64"])
def test_a_block_is_the_same_on_older_processors(name: str, tmp_path: Path) -> None:
    if name == "haswell" and FEATURES and "avx2" not in FEATURES:
        pytest.skip("this processor has no AVX2")
    assert _run(_BLOCK_AGREES, name, "", tmp_path) == ["4"]


@pytest.mark.parametrize(
    ("name", "features", "counted", "wide"),
    [
        ("haswell", "+avx2,+fma", ["vpshufb", "vpsadbw"], False),
        ("cascadelake", "+avx2,+fma,+avx512bw", ["vpshufb", "vpsadbw"], True),
        ("icelake-server", "+avx2,+fma,+avx512bw,+avx512vpopcntdq", ["vpopcntq"], True),
    ],
)
def test_vectors_are_as_wide_as_registers(
    name: str, features: str, counted: list[str], wide: bool, tmp_path: Path
) -> None:
    # Products and sums stay apart: no fused multiply-add, though the processor has it.
    expected = [f"{counted} {wide}", f"['vmulps'] {wide}"]
    assert _run(_ASSEMBLY, name, features, tmp_path) == expected


def test_a_block_is_the_same_in_vectors_of_eight_words(tmp_path: Path) -> None:
    assert _run(_AS_IF_WIDE + _BLOCK_AGREES, "", "", tmp_path) == ["8"]
