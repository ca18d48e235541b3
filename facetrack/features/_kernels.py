"""Compiled loops of this room: plain arrays in, plain arrays out, no checks (callers check)."""

import numpy as np

from facetrack.jit import kernel

DIRECTIONS = 8
CELLS = 4  # per side of a patch
_COS = np.cos(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)).astype(np.float32)
_SIN = np.sin(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)).astype(np.float32)


# The loops over whole rows run from 0 with offsets inside slices: an index that could be negative
# would make numba check for wrap-around and keep the loop from using vector registers.


@kernel
def average(image, out):  # (H, W), (h <= H, w <= W) uint8: mean over each new pixel's area
    height, width = image.shape
    new_height, new_width = out.shape
    step_y, step_x = height / new_height, width / new_width
    taps = int(np.ceil(step_x)) + 1  # columns that a new pixel touches, at most
    first = np.empty(new_width, np.int64)
    weights = np.empty((taps, new_width), np.float32)
    for x in range(new_width):
        begin, end = x * step_x, (x + 1) * step_x
        first[x] = int(begin)
        for t in range(taps):
            column = float(first[x] + t)
            weights[t, x] = max(min(end, column + 1) - max(begin, column), 0.0) / step_x
    sums, line = np.empty(width + taps, np.float32), np.empty(new_width, np.float32)
    for y in range(new_height):
        begin, end = y * step_y, (y + 1) * step_y
        sums[:] = 0
        for above in range(int(begin), min(height, int(np.ceil(end)))):
            weight = np.float32((min(end, above + 1.0) - max(begin, float(above))) / step_y)
            row = image[above]
            for x in range(width):
                sums[x] += weight * np.float32(row[x])
        line[:] = 0
        for t in range(taps):
            share = weights[t]
            for x in range(new_width):
                line[x] += share[x] * sums[first[x] + t]
        for x in range(new_width):
            out[y, x] = np.uint8(np.rint(line[x]))


# The loops over whole rows run from 0 with offsets inside slices: an index that could be negative
# would make numba check for wrap-around and keep the loop from using vector registers.


@kernel
def orientation_maps(patch, gradient, out):  # (H, W) uint8, (2, W) scratch, (H, W 8); float32
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
        target = out[y]
        for x in range(width):
            along_x, along_y = gx[x], gy[x]
            for k in range(8):
                value = along_x * _COS[k] + along_y * _SIN[k]
                target[x * 8 + k] = value if value > zero else zero


@kernel
def halve(maps, both, out):  # (2H, 2W 8), (2W 8,) scratch, (H, W 8) float32, rows flattened
    height, size = out.shape  # means of 2 x 2 pixels
    quarter = np.float32(0.25)
    for y in range(height):
        upper, lower, target = maps[2 * y], maps[2 * y + 1], out[y]
        for j in range(2 * size):
            both[j] = quarter * (upper[j] + lower[j])
        for x in range(size // 8):
            for k in range(8):
                target[x * 8 + k] = both[x * 16 + k] + both[x * 16 + 8 + k]


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
            target[j] = norm * sums[j]
        for shift in range(1, radius + 1):
            left = scratch[pad - 8 * shift : pad - 8 * shift + size]
            right = scratch[pad + 8 * shift : pad + 8 * shift + size]
            for j in range(size):
                target[j] += norm * (left[j] + right[j])
        below, above = maps[min(y + radius + 1, height - 1)], maps[max(y - radius, 0)]
        for j in range(size):
            sums[j] += below[j] - above[j]


@kernel
def describe(maps, points, shrink, spacing, out):
    # (H, W, 8) f32; (n, 2) f64 in pixels of the frame, of which a map's pixel covers `shrink` a
    # side; distance of the cells in pixels of the maps; (n, 128) f32
    columns, parts = np.empty(CELLS, np.int64), np.empty(CELLS, np.float32)
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        _describe_point(maps, x, y, shrink, spacing, columns, parts, out[i])


@kernel
def features(maps, points, shrink, spacing, basis, offset, out):
    # as above; (n, k, 128), (n, k) and, row by row, (n k + 1,) float32: each landmark's descriptor
    # reduced by its own basis, out_i = P_i^T v_i - offset_i; the last feature is 1.
    n, k, size = basis.shape
    columns, parts = np.empty(CELLS, np.int64), np.empty(CELLS, np.float32)
    descriptor = np.empty(size, np.float32)
    for i in range(n):
        x, y = points[i, 0], points[i, 1]
        _describe_point(maps, x, y, shrink, spacing, columns, parts, descriptor)
        for c in range(k):
            direction = basis[i, c]
            total = np.float32(0)
            for j in range(size):
                total += descriptor[j] * direction[j]
            out[i * k + c] = total - offset[i, c]
    out[n * k] = 1


@kernel
def correct(maps, points, shrink, spacing, basis, offset, regressor, modes):
    # as above; (m, n k + 1), (2 n, m) float32: points <- points - modes regressor features. It
    # stands here because numba's cache does not see changes of a kernel in another file.
    m, size = regressor.shape
    read, parameters = np.empty(size, np.float32), np.empty(m, np.float32)
    features(maps, points, shrink, spacing, basis, offset, read)
    for a in range(m):
        row = regressor[a]
        total = np.float32(0)
        for j in range(size):
            total += row[j] * read[j]
        parameters[a] = total
    for i in range(points.shape[0]):
        for c in range(2):
            row = modes[2 * i + c]
            total = np.float32(0)
            for a in range(m):
                total += row[a] * parameters[a]
            points[i, c] -= total


@kernel
def _describe_point(maps, x, y, shrink, spacing, columns, parts, out):
    # (4,) int64 and (4,) f32 scratch, (128,) f32: reads 4 x 4 cells around a point bilinearly and
    # normalises the 128 numbers
    height, width, _ = maps.shape
    one = np.float32(1)
    # pixel i of a shrunken map covers frame pixels s i ... s i + s - 1
    left = (x - 0.5 * (shrink - 1)) / shrink - 1.5 * spacing
    top = (y - 0.5 * (shrink - 1)) / shrink - 1.5 * spacing
    for column in range(4):
        cell_x = min(max(left + column * spacing, 0.0), width - 1.001)
        columns[column] = int(cell_x)
        parts[column] = cell_x - int(cell_x)
    for row in range(4):
        cell_y = min(max(top + row * spacing, 0.0), height - 1.001)
        y0 = int(cell_y)
        fy = np.float32(cell_y - y0)
        upper, lower = maps[y0], maps[y0 + 1]
        for column in range(4):
            x0, fx = columns[column], parts[column]
            w00, w01 = (one - fy) * (one - fx), (one - fy) * fx
            w10, w11 = fy * (one - fx), fy * fx
            at = (row * 4 + column) * 8
            for k in range(8):
                out[at + k] = (
                    w00 * upper[x0, k]
                    + w01 * upper[x0 + 1, k]
                    + w10 * lower[x0, k]
                    + w11 * lower[x0 + 1, k]
                )
    norm = np.float32(0.01)
    for j in range(128):
        norm += out[j] * out[j]
    inverse = one / np.sqrt(norm)
    for j in range(128):
        out[j] *= inverse
