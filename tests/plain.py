"""Kernels as plain Python: the same text, where an index outside of an array is an error."""

from __future__ import annotations

from types import FunctionType, ModuleType, SimpleNamespace


def uncompiled(module: ModuleType) -> SimpleNamespace:
    """Give a module's names; its kernels are not compiled, nor are those that they call."""
    names = dict(vars(module))
    for name, of in vars(module).items():
        if hasattr(of, "py_func"):
            names[name] = FunctionType(of.py_func.__code__, names, name)
    return SimpleNamespace(**names)
