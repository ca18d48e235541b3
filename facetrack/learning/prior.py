"""What a level of the cascade knows of all people: where a person's learning starts from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy  # its linalg loads where it is first used

from facetrack.errors import InputError
from facetrack.parallel import one_blas_thread

Features = npt.NDArray[np.float32]

_STEPS = 32767  # of a correlation in a file: 16 bits


@dataclass(frozen=True, slots=True)
class LevelPrior:
    """The training sums of one level, per training frame.

    Attributes
    ----------
    number : int
        Which level of the tracking cascade it is, from 0.
    scales : ndarray, shape (d,), float32
        Square roots of the diagonal of S = (sum E E^T + lambda I) / N, N training frames.
    correlations : ndarray, shape (d (d - 1) / 2,), int16
        S over its scales below the diagonal, row by row, in units of 1 / 32767. What is lost moves
        V by less than a thousandth: S is well conditioned.
    spread : ndarray, shape (m, r), float32
        The r largest principal displacements around which continuous regression is continuous,
        Sigma = spread spread^T.
    step : float
        Half the distance of the positions that a difference compares, pixels of the frame.
    """

    number: int
    scales: Features
    correlations: npt.NDArray[np.int16]
    spread: Features
    step: float
    _inverse: list[npt.NDArray[np.float64]] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def from_sums(
        cls,
        number: int,
        gram: npt.NDArray[np.float64],
        spread: npt.NDArray[np.float64],
        step: float,
    ) -> LevelPrior:
        """Keep the sums of a training.

        Parameters
        ----------
        number : int
        gram : ndarray, shape (d, d), float64
            S, regularised, per training frame.
        spread : ndarray, shape (m, r), float64
        step : float

        Returns
        -------
        LevelPrior
        """
        scales = np.sqrt(np.diag(gram))
        below = np.tril_indices(len(gram), -1)
        correlations = (gram / np.outer(scales, scales))[below]
        rounded = np.rint(correlations * _STEPS).astype(np.int16)
        return cls(
            number, scales.astype(np.float32), rounded, spread.astype(np.float32), float(step)
        )

    @one_blas_thread()
    def inverse(self) -> npt.NDArray[np.float64]:
        """Invert the sums; the first call takes some hundredths of a second.

        Returns
        -------
        ndarray, shape (d, d), float64, Fortran order, read-only
            V = S^-1 of one training frame's weight, lower triangle, of float32 accuracy: to the
            last bit it is these numbers that learning starts from.

        Raises
        ------
        InputError
            If the sums are not positive definite: the file they come from is broken.
        """
        if not self._inverse:
            matrix = self._correlation()
            potrf, potri = scipy.linalg.get_lapack_funcs(("potrf", "potri"), (matrix,))
            factor, failed = potrf(matrix, lower=True, overwrite_a=True)
            if failed:
                raise InputError("the training sums of a level are not positive definite")
            inverse, _ = potri(factor, lower=True, overwrite_c=True)
            inverse /= self.scales[:, None]
            inverse /= self.scales
            exact = inverse.astype(np.float64)
            exact.setflags(write=False)
            self._inverse.append(exact)
        return self._inverse[0]

    def _correlation(self) -> Features:
        """Unpack the correlations, (d, d) in Fortran order, lower triangle."""
        d = len(self.scales)
        matrix = np.eye(d, dtype=np.float32, order="F")
        matrix[np.tril_indices(d, -1)] = self.correlations.astype(np.float32) / _STEPS
        return matrix
