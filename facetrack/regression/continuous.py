"""Continuous regression in closed form (Sánchez-Lozano et al., ECCV 2016; method.md, 3).

Sign convention: delta = p_current - p_true. A regressor predicts delta from features and the update
subtracts it, p <- p - R f.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy  # its linalg loads where it is first used

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]


class RegressionSums:
    """Sums from which a regressor is solved: sum E E^T (`gram`, d x d), sum Y E^T (`cross`, m x d).

    d counts the constant feature too; `weight` is how many images the sums stand for.
    """

    def __init__(self, n_features: int, n_targets: int) -> None:
        self.gram = np.zeros((n_features, n_features))
        self.cross = np.zeros((n_targets, n_features))
        self.weight = 0.0

    def add_continuous(
        self, features: Features, gradients: Features, basis: Array, means: Array, covariance: Array
    ) -> None:
        """Add images by the closed form, each with a mean of its own (method.md, equation 2).

        E[f f^T] = f_mu f_mu^T + J Sigma J^T with f_mu = x + J mu: a sample at the mean, and what
        `add_spread` adds. `features` (N, d) are f_mu, the last column 1; `gradients` (N, 2, n, k)
        the differences per pixel of n landmarks' reduced descriptors along x and y, d = n k + 1;
        `basis` (2 n, m) is B, how the parameters move the landmarks: J_i = (df_i/dx, df_i/dy) B_i
        (method.md, 2.5); `means` (N, m) are mu of each image (method.md, 3.4); `covariance` (m, m)
        is Sigma.
        """
        self.add_sampled(features, means)
        self.add_spread(gradients, basis, covariance)

    def add_spread(
        self, gradients: Features, basis: Array, covariance: Array, *, weight: float = 1.0
    ) -> None:
        """Add what the displacements' spread around their mean brings, J Sigma J^T and Sigma J^T.

        A landmark's features depend on its own two coordinates only, so block (i, l) of J Sigma J^T
        is g_i (B Sigma B^T)_il g_l^T with g = (df/dx, df/dy), and the middle factor is the same for
        all images: the sums of g_x g_x^T, g_x g_y^T and g_y g_y^T over the images suffice. That is
        4 columns an image where the pseudo-samples (method.md, equation 3) take m + 1, for the same
        result. `weight` is that of one image: N / n when n images stand for N.
        """
        count, _, n, k = gradients.shape
        d = n * k
        gx = np.ascontiguousarray(gradients[:, 0]).reshape(count, d)
        gy = np.ascontiguousarray(gradients[:, 1]).reshape(count, d)
        covariance = weight * covariance
        spread = basis @ covariance @ basis.T
        mixed = (gx.T @ gy) * _expand(spread[0::2, 1::2], k)

        self.gram[:d, :d] += (gx.T @ gx) * _expand(spread[0::2, 0::2], k)
        self.gram[:d, :d] += (gy.T @ gy) * _expand(spread[1::2, 1::2], k)
        self.gram[:d, :d] += mixed + mixed.T

        moments = covariance @ basis.T  # (m, 2 n)
        self.cross[:, :d] += np.repeat(moments[:, 0::2], k, axis=1) * gx.sum(axis=0)
        self.cross[:, :d] += np.repeat(moments[:, 1::2], k, axis=1) * gy.sum(axis=0)

    def add_sampled(self, features: Features, targets: Array, *, weight: float = 1.0) -> None:
        """Add drawn samples, as SDM does: features (N, d), the last column 1, displacements (N, m).

        `weight` is that of one sample: 1 / K when an image gives K samples.
        """
        self.gram += weight * (features.T @ features)
        self.cross += weight * (targets.T.astype(np.float32) @ features)
        self.weight += weight * len(features)

    def add_remainder(self, remainders: Features, *, weight: float = 1.0) -> None:
        """Add the remainders' covariance, half full and half diagonal (method.md, equation 3').

        `remainders` (N, d - 1): real features at one displaced shape per image minus what the
        linear model says there.
        """
        d = remainders.shape[1]
        covariance = weight * (remainders.T @ remainders)
        self.gram[:d, :d] += 0.5 * (covariance + np.diag(np.diag(covariance)))

    def regularised(self, ridge: float) -> Array:
        """Return sum E E^T + lambda I, shape (d, d); `ridge` as for `solve`."""
        d = len(self.gram)
        regularised: Array = self.gram + ridge * np.trace(self.gram) / d * np.eye(d)
        return regularised

    def solve(self, *, ridge: float) -> Array:
        """Solve for the regressor (m, d), R = (sum Y E^T) (sum E E^T + lambda I)^-1.

        `ridge` is lambda in units of the Gram matrix' mean diagonal.
        """
        factor = scipy.linalg.cho_factor(self.regularised(ridge), lower=True, overwrite_a=True)
        solution: Array = scipy.linalg.cho_solve(factor, self.cross.T).T
        return solution


def _expand(per_landmark: Array, k: int) -> Features:
    """Repeat an (n, n) matrix to (n k, n k), one block of k x k equal values per pair."""
    return np.repeat(np.repeat(per_landmark.astype(np.float32), k, axis=0), k, axis=1)
