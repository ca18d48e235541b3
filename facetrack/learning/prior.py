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
    """The training sums of one level, per training frame: S = (sum E E^T + lambda I) / N."""

    number: int  # which level of the tracking cascade it is, from 0
    scales: Features  # (d,), square roots of the diagonal of S
    # (d (d - 1) / 2,), S over its scales below the diagonal, row by row, in units of 1 / 32767: it
    # moves V by less than a thousandth, as S is well conditioned
    correlations: npt.NDArray[np.int16]
    spread: Features  # (m, r), Sigma = spread spread^T of continuous regression
    # half the distance of the positions that a difference compares, pixels of the frame
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
        """Keep the sums of a training: S (d, d), regularised, per training frame."""
        scales = np.sqrt(np.diag(gram))
        below = np.tril_indices(len(gram), -1)
        correlations = (gram / np.outer(scales, scales))[below]
        rounded = np.rint(correlations * _STEPS).astype(np.int16)
        return cls(
            number, scales.astype(np.float32), rounded, spread.astype(np.float32), float(step)
        )

    @one_blas_thread()
    def inverse(self) -> npt.NDArray[np.float64]:
        """Return V = S^-1 of one training frame's weight, (d, d), Fortran order, read-only.

        Only the lower triangle counts; it has float32 accuracy, and to the last bit it is these
        numbers that learning starts from. The first call takes some hundredths of a second. Raises
        InputError if the sums are not positive definite: the file they come from is broken.
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
