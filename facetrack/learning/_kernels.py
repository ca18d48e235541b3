"""Compiled loops of this room: plain arrays in, plain arrays out, no checks (callers check)."""

import numpy as np

from facetrack.jit import kernel

# A factor of each landmark lies packed, lower rows one after the other: row i begins at
# i (i + 1) / 2 and stays when rows are added: the first rows are those of the first samples.


@kernel
def products(read, count, total, out):
    # (n, C, k) float32, of which the first `total` count; (n, total - count, total) float64: inner
    # products of the new with all. In float64: whose turn came first must not show.
    n, _, size = read.shape
    for p in range(n):
        for j in range(total):
            other = read[p, j]
            for r in range(total - count):
                row = read[p, count + r]
                sum_ = 0.0
                for k in range(size):
                    sum_ += np.float64(row[k]) * np.float64(other[k])
                out[p, r, j] = sum_


@kernel
def grow(covariances, missing, count, factors, solved):
    # (n, s, count + s), lower rows of the new samples; (n, s, 2); rows so far; (n, T) packed;
    # (n, 2, C): L^-1 times what is missing; all float64. The last two get s more rows.
    n, added, _ = covariances.shape
    for p in range(n):
        factor = factors[p]
        begin = count * (count + 1) // 2
        for j in range(count):  # all new rows at once: each old one is read once
            at = j * (j + 1) // 2
            old = factor[at : at + j + 1]
            for r in range(added):
                i = count + r
                first = i * (i + 1) // 2
                row = factor[first : first + j]
                total = 0.0
                for k in range(j):
                    total += row[k] * old[k]
                factor[first + j] = (covariances[p, r, j] - total) / old[j]
        for r in range(added):
            i = count + r
            row = factor[begin : begin + i + 1]
            for j in range(count, i):
                at = j * (j + 1) // 2
                old = factor[at : at + j + 1]
                total = 0.0
                for k in range(j):
                    total += row[k] * old[k]
                row[j] = (covariances[p, r, j] - total) / old[j]
            total = 0.0
            for k in range(i):
                total += row[k] * row[k]
            row[i] = np.sqrt(covariances[p, r, i] - total)
            for c in range(2):
                side = solved[p, c]
                total = 0.0
                for k in range(i):
                    total += row[k] * side[k]
                side[i] = (missing[p, r, c] - total) / row[i]
            begin += i + 1


@kernel
def solve_back(factors, out):  # (n, T) packed, (n, 2, N) float64: out <- L^-T out, in place
    n, _, count = out.shape
    for p in range(n):
        factor, a, b = factors[p], out[p, 0], out[p, 1]
        for back in range(count):
            i = count - 1 - back
            at = i * (i + 1) // 2
            row = factor[at : at + i + 1]
            x, y = a[i] / row[i], b[i] / row[i]
            a[i], b[i] = x, y
            for k in range(i):
                a[k] -= x * row[k]
                b[k] -= y * row[k]
