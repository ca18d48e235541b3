"""Compiled loops of this room: plain arrays in, plain arrays out, no checks (callers check)."""

import numpy as np

from facetrack.features.jit import kernel

DIRECTIONS = 8
CELLS = 4  # per side of a patch
_COS = np.cos(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)).astype(np.float32)
_SIN = np.sin(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)).astype(np.float32)


@kernel
def orientation_maps(patch, out):  # (H, W) uint8, (H, W, 8) float32
    height, width = patch.shape
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            gx = half * (np.float32(patch[y, right]) - np.float32(patch[y, left]))
            gy = half * (np.float32(patch[below, x]) - np.float32(patch[above, x]))
            weight = one / np.sqrt(np.sqrt(gx * gx + gy * gy) + one)
            gx *= weight
            gy *= weight
            for k in range(8):
                out[y, x, k] = max(gx * _COS[k] + gy * _SIN[k], zero)


@kernel
def halve(maps, out):  # (2H, 2W, 8), (H, W, 8) float32: means of 2 x 2 pixels
    height, width, _ = out.shape
    quarter = np.float32(0.25)
    for y in range(height):
        for x in range(width):
            for k in range(8):
                out[y, x, k] = quarter * (
                    maps[2 * y, 2 * x, k]
                    + maps[2 * y, 2 * x + 1, k]
                    + maps[2 * y + 1, 2 * x, k]
                    + maps[2 * y + 1, 2 * x + 1, k]
                )


@kernel
def box_blur(maps, radius, columns, out):  # (H, W, 8), int, (W, 8) scratch, (H, W, 8); float32
    """Mean over a (2 radius + 1)^2 window by running sums; the border is replicated."""
    height, width, _ = maps.shape
    norm = np.float32(1.0 / ((2 * radius + 1) * (2 * radius + 1)))
    running = np.zeros(8, dtype=np.float32)
    for x in range(width):
        for k in range(8):
            total = np.float32(radius + 1) * maps[0, x, k]
            for y in range(1, radius + 1):
                total += maps[min(y, height - 1), x, k]
            columns[x, k] = total
    for y in range(height):
        for k in range(8):
            total = np.float32(radius + 1) * columns[0, k]
            for x in range(1, radius + 1):
                total += columns[min(x, width - 1), k]
            running[k] = total
        for x in range(width):
            ahead, behind = min(x + radius + 1, width - 1), max(x - radius, 0)
            for k in range(8):
                out[y, x, k] = norm * running[k]
                running[k] += columns[ahead, k] - columns[behind, k]
        below, above = min(y + radius + 1, height - 1), max(y - radius, 0)
        for x in range(width):
            for k in range(8):
                columns[x, k] += maps[below, x, k] - maps[above, x, k]


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
