"""Per-landmark reduction chosen by the derivatives (method.md, 2.4)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy  # its linalg loads where it is first used

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

_REGULARISATION = 0.03  # not critical: 0.01 to 0.3 give the same (method.md, 2.4)


class BasisStatistics:
    """Second moments of descriptors, differences and remainders, of n landmarks."""

    def __init__(self, n: int, size: int) -> None:
        self._count = 0
        self._sum = np.zeros((n, size))
        self._second = np.zeros((n, size, size))
        self._signal = np.zeros((n, size, size))
        self._remainder = np.zeros((n, size, size))

    def add(
        self, descriptors: Features, gradients: Features, remainders: Features, spread: Array
    ) -> None:
        """Add a batch of images.

        `descriptors` (N, n, size) at the true shapes; `gradients` (N, 2, n, size), differences per
        pixel; `remainders` (N, n, size), descriptors at displaced shapes minus their linear
        prediction; `spread` (n, 2, 2), second moments of each landmark's displacement, square
        pixels.
        """
        factor = np.linalg.cholesky(spread + 1e-9 * np.eye(2)).astype(np.float32)
        # g Sigma g^T = (g L)(g L)^T
        along_x = gradients[:, 0] * factor[:, 0, 0, None] + gradients[:, 1] * factor[:, 1, 0, None]
        along_y = gradients[:, 1] * factor[:, 1, 1, None]  # L is lower triangular
        self._count += len(descriptors)
        self._sum += descriptors.sum(axis=0, dtype=np.float64)
        self._second += _second_moments(descriptors)
        self._signal += _second_moments(along_x) + _second_moments(along_y)
        self._remainder += _second_moments(remainders)

    def solve(self, k: int) -> tuple[Features, Features]:
        """Choose the k directions in which a descriptor changes most when its landmark moves.

        C_s v = w (C_n + 0.03 tr(C_n) / size I) v with signal C_s = E[g Sigma g^T] and nuisance C_n
        = cov(x) + E[r r^T]. Returns P (n, size, k), orthonormal columns per landmark, rounded to
        half precision: everything that is learned on top of it sees the rounded basis, and model
        files store it in half the space; and the offset P^T mean (n, k): reduced features are P^T v
        - offset.
        """
        mean = self._sum / self._count
        n, size = mean.shape
        basis = np.empty((n, size, k))
        for i in range(n):
            nuisance = self._second[i] / self._count - np.outer(mean[i], mean[i])
            nuisance += self._remainder[i] / self._count
            nuisance += _REGULARISATION * np.trace(nuisance) / size * np.eye(size)
            vectors = scipy.linalg.eigh(
                self._signal[i] / self._count, nuisance, subset_by_index=[size - k, size - 1]
            )[1]
            basis[i] = np.linalg.qr(vectors[:, ::-1])[0]
        rounded = basis.astype(np.float16).astype(np.float32)
        offset = np.einsum("njk,nj->nk", rounded, mean)
        return rounded, offset.astype(np.float32)


def _second_moments(vectors: Features) -> Features:
    """Sum of outer products per landmark: (N, n, size) -> (n, size, size)."""
    # BLAS takes the products only when each landmark's block is contiguous
    by_landmark = np.ascontiguousarray(vectors.transpose(1, 0, 2))
    moments: Features = by_landmark.transpose(0, 2, 1) @ by_landmark
    return moments
