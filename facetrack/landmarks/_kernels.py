"""Compiled loops of this room: plain arrays in, plain arrays out, no checks (callers check)."""

import math

import numpy as np

from facetrack.jit import kernel

_MAX_STEPS = 10
_CONVERGED = 5e-3  # radians, and distances relative to Tz: the last step is then exact to about its
# square
_DAMPING = 1e-9  # keeps the normal equations solvable for points on a line
_NEAREST = 1.0  # mm; a camera closer than this stands inside the head
_SMALLEST = 1e-9  # pixels per mm; a head is seen at least at this scale
_FLATTEST = 1e-6  # ratio of singular values below which the points lie on a line
SPREAD = 1e-6  # px; points closer together than this coincide


@kernel
def move(points, a, b, tx, ty):  # (n, 2) float64 in place: p -> [[a, -b], [b, a]] p + t
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        points[i, 0] = a * x - b * y + tx
        points[i, 1] = b * x + a * y + ty


@kernel
def similarity(source, target, out):
    # (n, 2), (n, 2), (4,) float64: a, b, tx, ty of the least-squares similarity; not finite where
    # an input is not or all source points coincide.
    n = source.shape[0]
    sx, sy, dx, dy = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        sx += float(source[i, 0])
        sy += float(source[i, 1])
        dx += float(target[i, 0])
        dy += float(target[i, 1])
    sx, sy, dx, dy = sx / n, sy / n, dx / n, dy / n
    out[:] = np.nan
    if not math.isfinite(sx + sy + dx + dy):
        return
    dot, cross, norm = 0.0, 0.0, 0.0
    for i in range(n):
        px, py = source[i, 0] - sx, source[i, 1] - sy
        qx, qy = target[i, 0] - dx, target[i, 1] - dy
        dot += px * qx + py * qy
        cross += px * qy - py * qx
        norm += px * px + py * py
    if norm == 0:
        return
    a, b = dot / norm, cross / norm
    out[0], out[1] = a, b
    out[2], out[3] = dx - (a * sx - b * sy), dy - (b * sx + a * sy)


@kernel
def camera(points, head, focal, out):
    # (n, 2) pixels from the image's middle, (n, 3) mm, pixels, (4, 3): R and, last, T; float64.
    # Not finite where the points coincide, the head is flat, or an input is not finite.
    out[:] = np.nan
    total, left, right, top, bottom = 0.0, np.inf, -np.inf, np.inf, -np.inf
    for i in range(points.shape[0]):
        total += float(head[i, 0]) + float(head[i, 1]) + float(head[i, 2])
        x, y = float(points[i, 0]), float(points[i, 1])
        total += x + y
        left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
    if not math.isfinite(total) or max(right - left, bottom - top) < SPREAD:
        return
    _weak_perspective(points, head, focal, out)
    if math.isfinite(out[3, 2]):
        _refine(points, head, focal, out)


@kernel
def _weak_perspective(points, head, focal, out):  # the same: a camera far away (POS)
    n = points.shape[0]
    mean = np.empty(5)
    mean[:] = 0.0
    for i in range(n):
        for c in range(3):
            mean[c] += head[i, c] / n
        for c in range(2):
            mean[3 + c] += points[i, c] / n
    moments, mixed = np.empty((3, 3)), np.empty((2, 3))
    moments[:], mixed[:] = 0.0, 0.0
    for i in range(n):
        for c in range(3):
            h = head[i, c] - mean[c]
            for d in range(3):
                moments[c, d] += h * (head[i, d] - mean[d])
            for d in range(2):
                mixed[d, c] += h * (points[i, d] - mean[3 + d])
    inverse = np.empty((3, 3))
    for c in range(3):
        c1, c2 = (c + 1) % 3, (c + 2) % 3
        for d in range(3):
            d1, d2 = (d + 1) % 3, (d + 2) % 3
            inverse[d, c] = moments[c1, d1] * moments[c2, d2] - moments[c1, d2] * moments[c2, d1]
    determinant = 0.0
    for c in range(3):
        determinant += moments[0, c] * inverse[c, 0]
    if determinant == 0:
        return
    affine = np.empty((2, 3))  # pixels per mm
    affine[:] = 0.0
    for d in range(2):
        for c in range(3):
            for e in range(3):
                affine[d, c] += mixed[d, e] * inverse[e, c] / determinant
    scale = _nearest_rows(affine, out)
    for c in range(3):
        c1, c2 = (c + 1) % 3, (c + 2) % 3
        out[2, c] = out[0, c1] * out[1, c2] - out[0, c2] * out[1, c1]
    depth = focal / max(scale, _SMALLEST)
    for d in range(3):
        turned = 0.0
        for c in range(3):
            turned += out[d, c] * mean[c]
        out[3, d] = (mean[3 + d] / focal * depth if d < 2 else depth) - turned


@kernel
def _nearest_rows(affine, out):  # (2, 3); the two orthonormal rows nearest to it; returns the scale
    # Polar decomposition A = S Q, S^2 = A A^T; the scale is the mean of the singular values.
    p, q, r = 0.0, 0.0, 0.0
    for c in range(3):
        p += affine[0, c] * affine[0, c]
        q += affine[0, c] * affine[1, c]
        r += affine[1, c] * affine[1, c]
    root = math.sqrt(max(p * r - q * q, 0.0))  # product of the singular values
    total = math.sqrt(p + r + 2 * root)
    if root <= _FLATTEST * (p + r):  # the points lie on a line: any plane through it will do
        longer = 0 if p >= r else 1
        length = math.sqrt(max(p, r))
        axis = 0
        for c in range(3):
            out[longer, c] = affine[longer, c] / length
            if abs(affine[longer, c]) < abs(affine[longer, axis]):
                axis = c
        along = out[longer, axis]
        rest = math.sqrt(1 - along * along)
        for c in range(3):
            out[1 - longer, c] = ((1.0 if c == axis else 0.0) - along * out[longer, c]) / rest
        return 0.5 * total
    # S = (S^2 + root I) / total, and its inverse by the rule for 2 x 2 matrices
    s, t, u = (p + root) / total, q / total, (r + root) / total
    for c in range(3):
        x, y = affine[0, c], affine[1, c]
        out[0, c] = (u * x - t * y) / root
        out[1, c] = (s * y - t * x) / root
    return 0.5 * total


@kernel
def _refine(points, head, focal, out):  # the same: Gauss-Newton steps on the reprojection error
    # A step that does not lower the error ends the search, so the result is never worse than the
    # start. With q = R X and P = q + T, a small rotation w moves P by w x q; the residual of a
    # point is P_xy / P_z - ray.
    pose = np.empty((4, 3))
    _copy(out, pose)
    error = np.inf
    row, normal, step = np.empty((2, 6)), np.empty((6, 6)), np.empty(6)
    for _ in range(_MAX_STEPS):
        normal[:], step[:] = 0.0, 0.0
        previous, error = error, 0.0
        for i in range(points.shape[0]):
            x = pose[0, 0] * head[i, 0] + pose[0, 1] * head[i, 1] + pose[0, 2] * head[i, 2]
            y = pose[1, 0] * head[i, 0] + pose[1, 1] * head[i, 1] + pose[1, 2] * head[i, 2]
            z = pose[2, 0] * head[i, 0] + pose[2, 1] * head[i, 1] + pose[2, 2] * head[i, 2]
            depth = z + pose[3, 2]
            if not depth > _NEAREST:
                return
            u, v = (x + pose[3, 0]) / depth, (y + pose[3, 1]) / depth
            row[0, 0], row[0, 1], row[0, 2] = -u * y / depth, (z + u * x) / depth, -y / depth
            row[1, 0], row[1, 1], row[1, 2] = -(z + v * y) / depth, v * x / depth, x / depth
            row[0, 3], row[0, 4], row[0, 5] = 1 / depth, 0.0, -u / depth
            row[1, 3], row[1, 4], row[1, 5] = 0.0, 1 / depth, -v / depth
            for d in range(2):
                residual = (u if d == 0 else v) - points[i, d] / focal
                error += residual * residual
                for c in range(6):
                    step[c] -= row[d, c] * residual
                    for e in range(c + 1):
                        normal[c, e] += row[d, c] * row[d, e]
        if not error < previous:
            return
        _copy(pose, out)
        if not _solve(normal, step):
            return
        _turn(pose, step)
        largest = 0.0
        for c in range(3):
            pose[3, c] += step[3 + c]
            largest = max(largest, abs(step[c]))
        for c in range(3):
            largest = max(largest, abs(step[3 + c] / pose[3, 2]))
        if largest < _CONVERGED:
            _copy(pose, out)
            return


@kernel
def _copy(source, target):  # (m, n), (m, n) float64; numba's own takes seconds to compile
    for r in range(source.shape[0]):
        for c in range(source.shape[1]):
            target[r, c] = source[r, c]


@kernel
def _solve(matrix, vector):
    # (n, n), (n,) float64 in place: (A + damping) x = b by Cholesky. Only the lower triangle of A
    # is read; returns whether A was positive definite.
    n = vector.shape[0]
    for c in range(n):
        matrix[c, c] *= 1 + _DAMPING
        for e in range(c):
            matrix[c, c] -= matrix[c, e] * matrix[c, e]
        if not matrix[c, c] > 0:
            return False
        matrix[c, c] = math.sqrt(matrix[c, c])
        for r in range(c + 1, n):
            for e in range(c):
                matrix[r, c] -= matrix[r, e] * matrix[c, e]
            matrix[r, c] /= matrix[c, c]
    for c in range(n):
        for e in range(c):
            vector[c] -= matrix[c, e] * vector[e]
        vector[c] /= matrix[c, c]
    for c in range(n - 1, -1, -1):
        for e in range(c + 1, n):
            vector[c] -= matrix[e, c] * vector[e]
        vector[c] /= matrix[c, c]
    return True


@kernel
def _turn(pose, w):  # (4, 3) in place, (n >= 3,) float64: R <- exp(w) R (Rodrigues)
    angle = math.sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2])
    if angle < 1e-12:
        return
    x, y, z = w[0] / angle, w[1] / angle, w[2] / angle
    cosine, sine = math.cos(angle), math.sin(angle)
    for c in range(3):
        p, q, r = pose[0, c], pose[1, c], pose[2, c]
        along = (1 - cosine) * (x * p + y * q + z * r)
        pose[0, c] = cosine * p + sine * (y * r - z * q) + along * x
        pose[1, c] = cosine * q + sine * (z * p - x * r) + along * y
        pose[2, c] = cosine * r + sine * (x * q - y * p) + along * z
