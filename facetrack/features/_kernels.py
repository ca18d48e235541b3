"""Compiled loops of this room: plain arrays in, plain arrays out, no checks (callers check)."""

import numpy as np

from facetrack.features.jit import kernel

DIRECTIONS = 8
CELLS = 4  # per side of a patch
_COS = np.cos(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)).astype(np.float32)
_SIN = np.sin(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)).astype(np.float32)


# The loops over whole rows run from 0 with offsets inside slices: an index that could be negative
# would make numba check for wrap-around and keep the loop from using vector registers.


@kernel
def orientation_maps(patch, gradient, out):  # (H, W) uint8, (2, W) scratch, (H, W, 8); float32
    height, width = patch.shape
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    gx, gy = gradient[0], gradient[1]
    for y in range(height):
        row, above, below = patch[y], patch[max(y - 1, 0)], patch[min(y + 1, height - 1)]
        for x in range(width):
            gy[x] = half * (np.float32(below[x]) - np.float32(above[x]))
        gx[0] = half * (np.float32(row[1]) - np.float32(row[0]))
        gx[width - 1] = half * (np.float32(row[width - 1]) - np.float32(row[width - 2]))
        for x in range(1, width - 1):
            gx[x] = half * (np.float32(row[x + 1]) - np.float32(row[x - 1]))
        for x in range(width):
            weight = one / np.sqrt(np.sqrt(gx[x] * gx[x] + gy[x] * gy[x]) + one)
            gx[x] *= weight
            gy[x] *= weight
        for x in range(width):
            along_x, along_y = gx[x], gy[x]
            for k in range(8):
                value = along_x * _COS[k] + along_y * _SIN[k]
                out[y, x, k] = value if value > zero else zero


@kernel
def halve(maps, out):  # (2H, 2W 8), (H, W 8) float32: means of 2 x 2 pixels, rows flattened
    height, size = out.shape
    quarter = np.float32(0.25)
    for y in range(height):
        upper, lower, target = maps[2 * y], maps[2 * y + 1], out[y]
        for x in range(size // 8):
            for k in range(8):
                target[x * 8 + k] = quarter * (
                    upper[x * 16 + k]
                    + upper[x * 16 + 8 + k]
                    + lower[x * 16 + k]
                    + lower[x * 16 + 8 + k]
                )


@kernel
def box_blur(maps, radius, scratch, out):  # (H, W 8), int > 0, (W 8 + 16 radius,), (H, W 8); f32
    """Mean over a (2 radius + 1)^2 window; rows flattened, the border is replicated.

    `scratch` holds the running sums over rows, padded by `radius` pixels at both ends.
    """
    height, size = maps.shape
    norm = np.float32(1.0 / ((2 * radius + 1) * (2 * radius + 1)))
    pad = 8 * radius
    sums = scratch[pad : pad + size]
    first = maps[0]
    for j in range(size):
        sums[j] = np.float32(radius + 1) * first[j]
    for y in range(1, radius + 1):
        row = maps[min(y, height - 1)]
        for j in range(size):
            sums[j] += row[j]
    for y in range(height):
        for r in range(radius):
            for k in range(8):
                scratch[r * 8 + k] = sums[k]
                scratch[pad + size + r * 8 + k] = sums[size - 8 + k]
        target = out[y]
        for j in range(size):
            target[j] = scratch[j]
        for shift in range(1, 2 * radius + 1):
            shifted = scratch[8 * shift : 8 * shift + size]
            for j in range(size):
                target[j] += shifted[j]
        for j in range(size):
            target[j] *= norm
        below, above = maps[min(y + radius + 1, height - 1)], maps[max(y - radius, 0)]
        for j in range(size):
            sums[j] += below[j] - above[j]


@kernel
def describe(maps, points, spacing, out):  # (H, W, 8) f32, (n, 2) f64, f64, (n, 128) f32
    """Read 4 x 4 cells around each point bilinearly and normalise each point's 128 numbers."""
    height, width, _ = maps.shape
    one = np.float32(1)
    for i in range(points.shape[0]):
        norm = np.float32(0.01)
        for row in range(4):
            y = min(max(points[i, 1] + (row - 1.5) * spacing, 0.0), height - 1.001)
            y0 = int(y)
            fy = np.float32(y - y0)
            for column in range(4):
                x = min(max(points[i, 0] + (column - 1.5) * spacing, 0.0), width - 1.001)
                x0 = int(x)
                fx = np.float32(x - x0)
                w00, w01 = (one - fy) * (one - fx), (one - fy) * fx
                w10, w11 = fy * (one - fx), fy * fx
                at = (row * 4 + column) * 8
                for k in range(8):
                    value = (
                        w00 * maps[y0, x0, k]
                        + w01 * maps[y0, x0 + 1, k]
                        + w10 * maps[y0 + 1, x0, k]
                        + w11 * maps[y0 + 1, x0 + 1, k]
                    )
                    out[i, at + k] = value
                    norm += value * value
        inverse = one / np.sqrt(norm)
        for j in range(128):
            out[i, j] *= inverse


@kernel
def reduce(descriptors, basis, offset, out):  # (n, 128), (n, 128, k), (n, k), (n, k); float32
    """Reduce each landmark by its own basis: out_i = P_i^T v_i - offset_i."""
    n, size, k = basis.shape
    for i in range(n):
        for c in range(k):
            out[i, c] = -offset[i, c]
        for j in range(size):
            value = descriptors[i, j]
            for c in range(k):
                out[i, c] += value * basis[i, j, c]
