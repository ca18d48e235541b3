"""Compiled loops of this room: plain arrays in, plain arrays out, no checks (callers check)."""

import numpy as np

from facetrack.jit import kernel

SURE = 8.0  # logit of the quality beyond which nothing is added
BORDER = 0.3  # outer-eye distances from which on the picture's border does not matter
MODES = 6  # of the shape model that are looked at one by one: yaw, pitch, open mouth, ...
OWN, COMMON = 5, 8 + 2 * MODES  # features of each point, and the same for all points


@kernel
def point_features(features, moved, modes, points, facts, regions, out):
    # (68 k + 1,) and (136,) float32; (n,), (68, 2), (5,) float64: logit of the quality, scale,
    # contrast, width, height; (r + 1,) int64: where regions start, and 68; (68, OWN + COMMON)
    n = points.shape[0]
    k = (features.shape[0] - 1) // n
    eyes = max(np.hypot(points[45, 0] - points[36, 0], points[45, 1] - points[36, 1]), 1e-6)
    all_steps, all_energy = 0.0, 0.0
    for r in range(regions.shape[0] - 1):
        first, end = regions[r], regions[r + 1]
        region_steps, region_energy = 0.0, 0.0
        for i in range(first, end):
            step = moved[2 * i] * moved[2 * i] + moved[2 * i + 1] * moved[2 * i + 1]
            energy = 0.0
            for j in range(i * k, (i + 1) * k):
                energy += features[j] * features[j]
            x, y = points[i, 0], points[i, 1]
            margin = min(min(x, facts[3] - 1 - x), min(y, facts[4] - 1 - y)) / eyes
            out[i, 0] = np.log(step + 0.01)  # square pixels of the frame
            out[i, 1] = np.log(energy + 1e-3)
            out[i, 4] = min(max(-margin, -BORDER), BORDER)
            region_steps += step
            region_energy += energy
        for i in range(first, end):
            out[i, 2] = np.log(region_steps / (end - first) + 0.01)
            out[i, 3] = np.log(region_energy / (end - first) + 1e-3)
        all_steps += region_steps
        all_energy += region_energy
    common = out[0, OWN:]
    quality, small = min(max(facts[0], -SURE), SURE), np.log(facts[1])
    common[0] = np.log(all_steps / n + 0.01)
    common[1] = np.log(all_energy / n + 1e-3)
    common[2], common[3] = quality, quality * quality
    common[4] = small
    common[5] = max(small, 0.0)  # a face smaller than the frame is blurred, a larger one is not
    common[6] = np.log(facts[2] + 0.01)
    squares = 0.0
    for a in range(modes.shape[0]):
        squares += modes[a] * modes[a]
    common[7] = np.log(squares / modes.shape[0] + 0.1)
    for a in range(MODES):
        value = modes[a] if a < modes.shape[0] else 0.0
        common[8 + a], common[8 + MODES + a] = value, value * value
    for i in range(1, n):
        for c in range(COMMON):
            out[i, OWN + c] = common[c]


@kernel
def logistic(inputs, weights, bias, out):  # (68, q), (68, q), (68,), (68,) float64
    for i in range(inputs.shape[0]):
        logit = bias[i]
        for j in range(inputs.shape[1]):
            logit += inputs[i, j] * weights[i, j]
        # not below: a broken shape has inputs that are no numbers
        out[i] = 1 / (1 + np.exp(-min(max(logit, -50.0), 50.0))) if logit == logit else 0.0
