"""Compiled kernels: dynamic time warping."""

import numpy as np

from facetrack.jit import kernel


# costs: (n, m) float64, of standing at frame i of one and j of the other; returns the mean cost
# along the cheapest way from corner to corner by steps (1, 1), (1, 0) and (0, 1), diagonal steps
# counted twice (Sakoe and Chiba 1978), per frame of both.
@kernel
def warped(costs):
    n, m = costs.shape
    total = np.full((n, m), np.inf)
    total[0, 0] = 2 * costs[0, 0]
    for i in range(n):
        for j in range(m):
            best = total[i, j]
            if i > 0 and j > 0:
                best = min(best, total[i - 1, j - 1] + 2 * costs[i, j])
            if i > 0:
                best = min(best, total[i - 1, j] + costs[i, j])
            if j > 0:
                best = min(best, total[i, j - 1] + costs[i, j])
            total[i, j] = best
    return total[n - 1, m - 1] / (n + m)
