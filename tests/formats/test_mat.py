from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from facetrack.errors import FormatError
from facetrack.formats.mat import read_mat_vector


def save(path: Path, variables: dict[str, Any], **options: Any) -> Path:
    stream = io.BytesIO()  # scipy adds a suffix of its own to paths
    scipy.io.savemat(stream, variables, **options)
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (3,)])
def test_what_scipy_writes_is_read(
    tmp_path: Path, dtype: str, shape: tuple[int, ...], compressed: bool
) -> None:
    values = np.array([3, 1, 120]).astype(dtype).reshape(shape)
    variables = {"before": "text", "struct": {"error": 5}, "error": values, "after": [[1.0]]}
    path = save(tmp_path / "a.mat", variables, do_compression=compressed)
    assert_array_equal(read_mat_vector(path, "error"), [3, 1, 120])


@pytest.mark.parametrize("values", [np.zeros((0, 0)), np.array([7.0]), np.arange(2000.0)])
def test_every_length_is_read(tmp_path: Path, values: np.ndarray) -> None:
    path = save(tmp_path / "a.mat", {"error": values})
    assert_array_equal(read_mat_vector(path, "error"), values.ravel())


WRONG = {
    "another name": ({"errors": [1.0]}, "no vector of numbers named 'error'"),
    "text": ({"error": "none"}, "no vector of numbers"),
    "cells": ({"error": np.array([1, "a"], dtype=object)}, "no vector of numbers"),
    "nothing": ({}, "no vector of numbers"),
}


@pytest.mark.parametrize(("variables", "message"), WRONG.values(), ids=WRONG)
def test_other_variables_are_named(tmp_path: Path, variables: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_mat_vector(save(tmp_path / "a.mat", variables), "error")


def test_other_files_are_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mat", {"error": [1.0]}, format="4")
    with pytest.raises(FormatError, match=r"no MATLAB file of level 5; save it again"):
        read_mat_vector(path, "error")
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\x02IM" + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(FormatError, match="level 5"):
        read_mat_vector(path, "error")
    with pytest.raises(FormatError, match="no such file"):
        read_mat_vector(tmp_path / "b.mat", "error")


def test_a_variable_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mat", {"error": np.zeros(1 << 20)}, do_compression=True)
    assert path.stat().st_size < 20_000
    with pytest.raises(FormatError, match="unpacks to more than"):
        read_mat_vector(path, "error")


@pytest.mark.fuzz
@pytest.mark.parametrize("compressed", [False, True])
def test_damage_is_named_or_gives_finite_work(tmp_path: Path, compressed: bool) -> None:
    path = save(tmp_path / "a.mat", {"error": [3.0, 4.0]}, do_compression=compressed)
    content = path.read_bytes()

    @given(place=st.integers(0, len(content) - 1), value=st.integers(0, 255), cut=st.booleans())
    def check(place: int, value: int, cut: bool) -> None:
        damaged = bytearray(content[:place] if cut else content)
        if not cut:
            damaged[place] = value
        path.write_bytes(damaged)
        shape: tuple[int, ...] = ()
        message = ""
        try:
            shape = read_mat_vector(path, "error").shape
        except FormatError as error:
            message = str(error)
        assert "a.mat" in message or (shape == (2,) and not cut)

    check()
