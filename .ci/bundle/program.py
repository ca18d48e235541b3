# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the bundle: `facetrack`, `facetrack-app`, and the Python of their children."""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import multiprocessing
import os
import runpy
import sys
import traceback
import warnings
from pathlib import Path
from typing import Final

# x86-64-v3: what the shipped kernels are compiled for, so that numba finds them on every such CPU.
CPU: Final = {
    "NUMBA_CPU_NAME": "x86-64-v3",
    "NUMBA_CPU_FEATURES": "+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe,+popcnt",
}
FLAGS: Final = {"avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "popcnt"}  # as Linux says it
# What Qt needs of a desktop's libraries and PyInstaller leaves out; each needs some before it.
FALLBACK: Final = ("libxcb.so.1", "libGLdispatch.so.0", "libGLX.so.0", "libGL.so.1")
TERMS: Final = (
    "Facetrack is free software under the GNU GPL, version 3 or later. Its models were learned "
    "from data released for research: use them for research, not commercially. Texts: {licences}; "
    "the models' cards: `facetrack models`. This is said once."
)


def choose_kernels() -> None:
    """Have numba use the shipped kernels, where this processor runs them."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    if set(flags) >= FLAGS:
        for name, value in CPU.items():
            os.environ.setdefault(name, value)


def load_fallback() -> None:
    """Load the bundle's own libraries of a desktop where the system has none."""
    folder = Path(sys.executable).with_name("_internal") / "fallback"
    for name in FALLBACK:
        try:
            ctypes.CDLL(name)
        except OSError:
            with contextlib.suppress(OSError):  # then Qt names what it lacks
                ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)


def say_terms() -> None:
    """Say licence and terms at the first start of this user."""
    from facetrack_app.model.places import user_folder

    said = user_folder("config") / "terms-said"
    if said.exists():
        return
    licences = Path(sys.executable).with_name("LICENCES")
    print(TERMS.format(licences=licences), file=sys.stderr)
    try:
        said.parent.mkdir(parents=True, exist_ok=True)
        said.touch()
    except OSError:  # then it is said again
        return


def as_python(arguments: list[str]) -> bool:
    """Do what children are asked for, `[-W ...] -c CODE ...` or `-m MODULE ...`, if it is that."""
    while arguments[:1] == ["-W"] and len(arguments) > 1:
        action, _, category = arguments[1].partition("::")
        warnings.simplefilter(action, getattr(builtins, category or "Warning"))  # type: ignore[arg-type]
        arguments = arguments[2:]
    if arguments[:1] not in (["-c"], ["-m"]) or len(arguments) < 2:
        return False
    kind, what, *rest = arguments
    sys.argv = [kind, *rest]
    try:
        if kind == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except Exception:  # as Python ends: the error last, of which parents read the last line
        traceback.print_exc()
        sys.exit(1)
    return True


def main() -> int:
    """Run what the program was called as."""
    multiprocessing.freeze_support()
    choose_kernels()
    load_fallback()
    if as_python(sys.argv[1:]):
        return 0
    say_terms()
    if Path(sys.argv[0]).stem == "facetrack-app":
        from facetrack_app.cli.app import main as run
    else:
        from facetrack.cli.main import main as run
    return run()


if __name__ == "__main__":
    sys.exit(main())
