"""Compiled loops of binary networks: plain C-contiguous arrays, no checks (callers check).

Arrays that intrinsics read or write are flat. A map of words is (H + 2 half, W + 2 half, words)
with zeros round it; each group of channels begins a word of its own.
"""

import numpy as np

from facetrack.jit import exact_kernel, kernel
from facetrack.networks.runtime.vectors import (
    LANES,
    MOST_COUNTED,
    PIXELS,
    add_differing,
    add_totals,
    load_words,
    no_counts,
    signs,
    store_totals,
    wide,
)

BATCH = 32  # pixels whose patches and counts stay in the first cache


@exact_kernel
def pack(x, thresholds, flips, firsts, half, words):
    # (H, W, C), (C,) f32; (n,) u64; (n + 1,) i64: first channel of each word; map of n words
    height, width, channels = x.shape
    flat = x.reshape(-1)
    for row in range(height):
        for column in range(width):
            pixel = (row * width + column) * channels
            target = words[row + half, column + half]
            for n in range(firsts.size - 1):
                word, first, count = np.uint64(0), firsts[n], firsts[n + 1] - firsts[n]
                for k in range(count // 8):
                    eight = signs(flat, pixel + first + 8 * k, thresholds, first + 8 * k)
                    word |= eight << np.uint64(8 * k)
                for k in range(count // 8 * 8, count):
                    if flat[pixel + first + k] >= thresholds[first + k]:
                        word |= np.uint64(1) << np.uint64(k)
                target[n] = word ^ flips[n]


@exact_kernel
def count_differing(patches, weights, size, totals):
    # (n, size) u64, (vectors, size, LANES) u64, all flat; (n, LANES vectors) f32; PIXELS divides n
    pixels, stride = totals.shape
    flat = totals.reshape(-1)
    for vector in range(stride // LANES):
        base = vector * size * LANES
        for pixel in range(0, pixels, PIXELS):
            total = no_counts()
            for first in range(0, size, MOST_COUNTED):
                counts = no_counts()
                for k in range(first, min(first + MOST_COUNTED, size)):
                    weight = load_words(weights, base + k * LANES)
                    counts = add_differing(counts, weight, patches, pixel * size + k, size)
                total = add_totals(total, counts)
            store_totals(total, flat, pixel * stride + vector * LANES, stride)


@exact_kernel
def gather(words, row, first, side, stride, dilation, size, patches):
    # map of words; the group's first word; `size` words of a pixel; out: flat (>= W', side^2 size)
    n = 0
    for column in range((words.shape[1] - dilation * (side - 1) - 1) // stride + 1):
        for y in range(side):
            for x in range(side):
                for k in range(size):
                    patches[n] = words[
                        row + y * dilation, column * stride + x * dilation, first + k
                    ]
                    n += 1


@exact_kernel
def finish(totals, bases, classes, scale, factors, slope, skip, first, out):
    # (W', >= m) f32; (classes, m) f32, (W',) i64; (m,) f32 x 3; (W', C') f32 x 2; m from `first` on
    wide()
    two, zero = np.float32(2), np.float32(0)
    last = first + bases.shape[1]
    for column in range(out.shape[0]):
        base, total = bases[classes[column]], totals[column]
        before, after = skip[column][first:last], out[column][first:last]
        for k in range(base.size):
            y = (base[k] - two * total[k]) * scale[k] * factors[k]
            after[k] = (y if y > zero else y * slope[k]) + before[k]


@exact_kernel
def convolve(words, weights, bases, rows, columns, scale, factors, slope, skip, kernel, out):
    # map of words; (G, flat) u64; (row classes, G, column classes, m) f32; (H',), (W',) i64;
    # (G m,) f32 x 3; (H', W', G m) f32; (side, stride, dilation); as skip
    side, stride, dilation = kernel
    height, width, _ = out.shape
    _, groups, _, outputs = bases.shape
    size = words.shape[2] // groups
    inside = side * side * size
    batch = max(1, BATCH // width)  # rows: narrow maps fill the tiles
    pixels = -(-batch * width // PIXELS) * PIXELS
    patches = np.zeros(pixels * inside, np.uint64)
    totals = np.empty((pixels, weights.shape[1] // inside), np.float32)
    for top in range(0, height, batch):
        bottom = min(top + batch, height)
        used = -(-(bottom - top) * width // PIXELS) * PIXELS
        for group in range(groups):
            for row in range(top, bottom):
                target = patches[(row - top) * width * inside :]
                gather(words, row * stride, group * size, side, stride, dilation, size, target)
            count_differing(patches, weights[group], inside, totals[:used])
            own = slice(group * outputs, (group + 1) * outputs)
            for row in range(top, bottom):
                finish(
                    totals[(row - top) * width :],
                    bases[rows[row], group],
                    columns,
                    scale[own],
                    factors[own],
                    slope[own],
                    skip[row],
                    group * outputs,
                    out[row],
                )


@kernel
def activate(x, bias, slope):  # (n, C), (C,), (C,) f32: PReLU in place
    wide()
    zero = np.float32(0)
    for n in range(x.shape[0]):
        row = x[n]
        for k in range(row.size):
            y = row[k] + bias[k]
            row[k] = y if y > zero else y * slope[k]


@kernel
def average(x, out):  # (H, W, C) f32, (C,) f32: mean of every channel
    wide()
    height, width, _ = x.shape
    out[:] = 0
    for row in range(height):
        for column in range(width):
            pixel = x[row, column]
            for k in range(out.size):
                out[k] += pixel[k]
    share = np.float32(1) / np.float32(height * width)
    for k in range(out.size):
        out[k] *= share


@exact_kernel
def halve(x, out):  # (H, W, C), (ceil(H / 2), ceil(W / 2), C) f32: mean of 2 x 2, less at the ends
    height, width, channels = x.shape
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            top, left = 2 * row, 2 * column
            bottom, right = min(top + 2, height), min(left + 2, width)
            pixel = out[row, column]
            pixel[:] = 0
            for y in range(top, bottom):
                for x_ in range(left, right):
                    near = x[y, x_]
                    for k in range(channels):
                        pixel[k] += near[k]
            pixel /= np.float32((bottom - top) * (right - left))
