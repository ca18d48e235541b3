"""Compiled loops of this room: plain arrays in, plain arrays out, no checks (callers check)."""

import math

from facetrack.jit import kernel


@kernel
def rasterise(corners, maps, order, out):
    # corners (m, 3, 2) float64, maps (m, 2, 3) float64, order (k,) int64, out (H, W, 2) float32:
    # every pixel centre inside a triangle gets the triangle's affine map of its place.
    height, width, _ = out.shape
    for position in range(order.shape[0]):
        t = order[position]
        low = min(corners[t, 0, 1], corners[t, 1, 1], corners[t, 2, 1])
        high = max(corners[t, 0, 1], corners[t, 1, 1], corners[t, 2, 1])
        first = max(math.ceil(max(low, -1.0) - 1e-6), 0)
        last = min(math.floor(min(high, float(height)) + 1e-6), height - 1)
        for y in range(first, last + 1):
            left, right = math.inf, -math.inf
            for e in range(3):
                f = (e + 1) % 3
                x0, y0 = corners[t, e, 0], corners[t, e, 1]
                x1, y1 = corners[t, f, 0], corners[t, f, 1]
                if min(y0, y1) - 1e-6 <= y <= max(y0, y1) + 1e-6:
                    if abs(y1 - y0) < 1e-9:
                        left, right = min(left, x0, x1), max(right, x0, x1)
                    else:
                        part = min(max((y - y0) / (y1 - y0), 0.0), 1.0)
                        x = x0 + part * (x1 - x0)
                        left, right = min(left, x), max(right, x)
            begin = max(math.ceil(max(left, -1.0) - 1e-6), 0)
            end = min(math.floor(min(right, float(width)) + 1e-6), width - 1)
            base_x = maps[t, 0, 1] * y + maps[t, 0, 2]
            base_y = maps[t, 1, 1] * y + maps[t, 1, 2]
            for x in range(begin, end + 1):
                out[y, x, 0] = maps[t, 0, 0] * x + base_x
                out[y, x, 1] = maps[t, 1, 0] * x + base_y


@kernel
def blend(frame, layer, x0, y0):  # (H, W, 3), (h, w, 4) uint8, int, int: in place, part inside
    height, width, _ = layer.shape
    for y in range(height):
        for x in range(width):
            opacity = int(layer[y, x, 3])
            if opacity > 0:
                for c in range(3):
                    below = int(frame[y0 + y, x0 + x, c])
                    mixed = below * (255 - opacity) + int(layer[y, x, c]) * opacity
                    frame[y0 + y, x0 + x, c] = (mixed + 127) // 255
