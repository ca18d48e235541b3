"""As plain Python, where an index outside is an error, factors grow by rows and solve."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from facetrack.learning import _kernels
from tests.plain import uncompiled

KERNELS = uncompiled(_kernels)
RNG = np.random.default_rng(0)
N, OLD, NEW = 2, 3, 2
TOTAL = OLD + NEW


def test_new_samples_are_multiplied_with_all() -> None:
    read = RNG.normal(size=(N, TOTAL + 1, 4)).astype(np.float32)  # with room for one more
    found = np.empty((N, NEW, TOTAL))
    KERNELS.products(read, OLD, TOTAL, found)
    known = read[:, :TOTAL].astype(float)
    assert_allclose(found, known[:, OLD:] @ known.transpose(0, 2, 1), rtol=1e-12)


def test_factors_that_grow_by_rows_are_those_of_cholesky() -> None:
    root = RNG.normal(size=(N, TOTAL, 8))
    matrix, missing = root @ root.transpose(0, 2, 1), RNG.normal(size=(N, TOTAL, 2))
    factors, solved = np.empty((N, TOTAL * (TOTAL + 1) // 2)), np.empty((N, 2, TOTAL))
    for first, end in ((0, OLD), (OLD, TOTAL)):
        new = np.ascontiguousarray(matrix[:, first:end, :end])
        KERNELS.grow(new, missing[:, first:end].copy(), first, factors, solved)
    lower = np.linalg.cholesky(matrix)
    assert_allclose(factors, lower[:, *np.tril_indices(TOTAL)], rtol=1e-9)
    assert_allclose(solved.transpose(0, 2, 1), np.linalg.solve(lower, missing), rtol=1e-9)
    KERNELS.solve_back(factors, solved)
    assert_allclose(solved.transpose(0, 2, 1), np.linalg.solve(matrix, missing), rtol=1e-8)
