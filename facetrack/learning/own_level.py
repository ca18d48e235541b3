"""The level that a person alone owns: what the cascade leaves over, from the last features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.regression.cascade import Level

Array = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]

# Variances of the prior, in units of the constant part's: the constant is what two conventions of
# annotation differ by; the linear part changes with pose and expression.
_CONSTANT: Final = 3.0
_LINEAR: Final = 0.3  # per squared unit of the features' length
_NOISE: Final = 0.1  # of one lesson's start


@dataclass(frozen=True, slots=True)
class OwnLevel:
    """A last level that starts from nothing and learns from a person's lessons alone.

    Attributes
    ----------
    level : Level
        Reads the features: the last level of the cascade.
    weights : ndarray, shape (136, d), float32
        From features to the missing displacement, pixels of the reference frame.

    Notes
    -----
    Bayesian linear regression, or the mean of a Gaussian process with the covariance
    c + l z(s)^T z(s'): near a lesson its correction is repeated, far from all of them their mean.
    """

    level: Level
    weights: Features

    def finish(self, maps: list[Features], shape: Array) -> Array:
        """Add what the cascade leaves over for this person.

        Parameters
        ----------
        maps : list of ndarray
            Orientation maps of the frame.
        shape : ndarray, shape (68, 2), float64
            Where the cascade ends, pixels of the reference frame.

        Returns
        -------
        ndarray, shape (68, 2), float64
        """
        missing = self.weights @ self.level.features(maps, shape)
        return shape + missing.reshape(-1, 2)


def learn_weights(features: Features, missing: Array, vouched: npt.NDArray[np.bool_]) -> Features:
    """Learn what the cascade leaves over.

    Parameters
    ----------
    features : ndarray, shape (N, d), float32
        Where the cascade ends from each start of each lesson; the last column is 1.
    missing : ndarray, shape (N, 68, 2), float64
        From there to the label, pixels of the reference frame.
    vouched : ndarray, shape (N, 68), bool
        The points that count.

    Returns
    -------
    ndarray, shape (136, d), float32
        For `OwnLevel`.
    """
    weighted = features * np.float32(np.sqrt(_LINEAR))
    weighted[:, -1] = np.sqrt(_CONSTANT)
    weights = np.zeros((68, 2, features.shape[1]), dtype=np.float32)
    patterns, which = np.unique(vouched, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        if not pattern.any():
            continue
        chosen, points = weighted[pattern], which.ravel() == number
        covariance = chosen @ chosen.T + _NOISE * np.eye(len(chosen))
        own = missing[pattern][:, points].reshape(len(chosen), -1)
        dual = np.linalg.solve(covariance, own)  # (n, 2 points)
        primal = (dual.T @ chosen).reshape(-1, 2, features.shape[1])
        primal *= np.sqrt(_LINEAR)
        primal[..., -1] *= np.sqrt(_CONSTANT / _LINEAR)
        weights[points] = primal
    return weights.reshape(136, -1)
