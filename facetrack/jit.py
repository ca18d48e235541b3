"""The one place where kernels get their compiler flags."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from numba import njit

# Contraction (FMA) and re-association let sums over the eight directions use vector registers and
# keep NaN meaningful, which `fastmath=True` would not.
FLAGS: dict[str, Any] = {
    "nogil": True,
    "no_cfunc_wrapper": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc"},
}
# Every operation rounds by itself and in the order that is written, as in numpy and torch.
EXACT: dict[str, Any] = {**FLAGS, "fastmath": False}


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function with the project's flags, cached on disk where a cache can be written."""
    return _compiled(function, FLAGS)


def exact_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as `kernel` does, for arithmetic that must give the same bits everywhere."""
    return _compiled(function, EXACT)


def _compiled(function: Callable[..., Any], flags: dict[str, Any]) -> Callable[..., Any]:
    try:
        return njit(cache=True, **flags)(function)  # type: ignore[no-any-return]
    except RuntimeError as error:  # numba: "no locator available", neither source nor home writable
        warnings.warn(
            f"compiled kernels cannot be cached ({error}); set NUMBA_CACHE_DIR to a folder that "
            "can be written, or every start compiles anew",
            RuntimeWarning,
            stacklevel=2,
        )
        return njit(**flags)(function)  # type: ignore[no-any-return]
