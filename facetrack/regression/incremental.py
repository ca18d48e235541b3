"""Regressors that learn further images one by one (iCCR, Sánchez-Lozano et al.; method.md, 6).

`IncrementalRegressor` is the incremental form of continuous regression (iCCR): a new image enters
as a thin block of pseudo-samples, and Woodbury's identity gives exactly the regressor that solving
anew from all images would give. The two functions at the end are the sampled rival (iSDM) that the
papers compare with, in the order of evaluation that they print and in the better one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy  # its linalg loads where it is first used

from facetrack.errors import InputError, LearningError

Matrix = npt.NDArray[np.floating]

_ANEW: Final = "solve them anew"


class IncrementalRegressor:
    """A ridge regressor R = W V with V = (sum E E^T + lambda I)^-1 that takes more columns E.

    `regressor` is R (m, d), `inverse` V (d, d), both float32 or both float64, of the images so far;
    V is symmetric: only its lower triangle is read and kept. `learn` replaces them or changes them,
    never those passed in; the inverse is brought up to date when it is asked for, as the last
    image's regressor does without. float64 keeps 1e-12 over hundreds of updates. float32 keeps 1e-6
    at condition numbers of some thousands, which lambda and the remainders' covariance see to, at
    half the time.
    """

    def __init__(self, regressor: Matrix, inverse: Matrix) -> None:
        m, d = np.shape(regressor)
        if np.shape(inverse) != (d, d) or regressor.dtype != inverse.dtype:
            raise InputError(
                f"regressor (m, d) and inverse (d, d) of one dtype are needed, got {(m, d)} "
                f"{regressor.dtype} and {np.shape(inverse)} {inverse.dtype}"
            )
        self.regressor = np.array(regressor)
        # BLAS works in place on columns that are contiguous; the first change makes the copy
        self._inverse = np.asfortranarray(inverse)
        self._own = self._inverse is not inverse
        self._due: tuple[float, Matrix] | None = None  # what is still to be added: sign H H^T
        self._before = self.regressor

    @property
    def inverse(self) -> Matrix:
        """V of all images so far, (d, d), Fortran order; only the lower triangle is kept."""
        self.settle()
        return self._inverse

    def settle(self) -> None:
        """Bring the inverse up to date now, so that the next image need not."""
        if self._due is not None:
            sign, h = self._due
            (syrk,) = scipy.linalg.get_blas_funcs(("syrk",), (self._inverse, h))
            self._inverse = syrk(sign, h, beta=1.0, c=self._inverse, lower=1, overwrite_c=self._own)
            self._own, self._due = True, None

    def learn(self, columns: Matrix, targets: Matrix) -> None:
        """Add an image (method.md, equation 4).

        `columns` (d, c) are E, the image's pseudo-samples, each times the square root of its
        weight; `targets` (m, c) are Y, what the regressor should say of each, times the same roots.
        Raises LearningError if the sums are no longer positive definite, which only rounding can
        cause (solve anew from the images), InputError for wrong shapes or values; nothing has
        changed then.
        """
        self._change(columns, targets, 1.0)

    def unlearn(self, columns: Matrix, targets: Matrix) -> None:
        """Take an image away again: the state is as if it had never been learned.

        Raises as `learn`; LearningError also if the image was not among those learned.
        """
        self._change(columns, targets, -1.0)

    def take_back(self) -> bool:
        """Undo the last change to the byte; False, nothing done, where the inverse holds it."""
        if self._due is None:
            return False
        self.regressor, self._due = self._before, None
        return True

    def _change(self, columns: Matrix, targets: Matrix, sign: float) -> None:
        e, y = _checked(columns, targets, self.regressor.shape, self._inverse.dtype)
        if not e.any():
            return
        (symm,) = scipy.linalg.get_blas_funcs(("symm",), (self._inverse, e))
        g = symm(1.0, self.inverse, e, lower=1)  # V E
        s = np.eye(e.shape[1], dtype=e.dtype) + sign * (e.T @ g)
        potrf, trtrs = scipy.linalg.get_lapack_funcs(("potrf", "trtrs"), (s,))
        root, failed = potrf(s, lower=True)
        if failed:
            raise LearningError("the learned sums are not positive definite any more", remedy=_ANEW)
        # G and what R says wrongly, times S^(-T/2)
        both = trtrs(root, np.vstack([g, y - self.regressor @ e]).T, lower=True)[0].T
        h, surprise = both[: len(g)], both[len(g) :]
        self._before = self.regressor
        (gemm,) = scipy.linalg.get_blas_funcs(("gemm",), (h, surprise))
        self.regressor = gemm(sign, h, surprise, beta=1.0, c=self.regressor.T, trans_b=True).T
        self._due = -sign, h

    def condition(self) -> float:
        """Estimate V's condition number in the 1-norm, infinite if it is not positive definite."""
        lower = np.tril(self.inverse)
        full = lower + np.tril(lower, -1).T
        norm = float(np.abs(full).sum(axis=0).max())
        potrf, pocon = scipy.linalg.get_lapack_funcs(("potrf", "pocon"), (full,))
        factor, failed = potrf(full, lower=True)
        if failed:
            return float("inf")
        reciprocal, _ = pocon(factor, norm, uplo="L")
        return float(1 / reciprocal) if reciprocal > 0 else float("inf")


def _checked(
    columns: Matrix, targets: Matrix, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[Matrix, Matrix]:
    """Return columns, in Fortran order, and targets that fit to a regressor of this shape."""
    e = np.asarray(columns, dtype=dtype, order="F")
    y = np.asarray(targets, dtype=dtype)
    m, d = shape
    if e.ndim != 2 or len(e) != d or y.shape != (m, e.shape[1]):
        raise InputError(
            f"columns ({d}, c) and targets ({m}, c) are needed, got {e.shape} and {y.shape}"
        )
    if not (np.isfinite(e).all() and np.isfinite(y).all()):
        raise InputError("columns and targets must be finite")
    return e, y


def learn_sampled_literally(
    regressor: Matrix, inverse: Matrix, features: Matrix, targets: Matrix
) -> tuple[Matrix, Matrix]:
    """Learn K samples as iSDM is written: two products of d x d matrices (method.md, 6.3).

    `features` (d, K) are X at K drawn shapes of the new image, `targets` (m, K) their displacements
    Delta. Returns R - R Q + Delta X^T V' with Q = X X^T V', and V' = V - V X (I + X^T V X)^-1 X^T
    V, evaluated from left to right. A baseline of the benchmark; `IncrementalRegressor` gives the
    same.
    """
    inner = np.linalg.inv(np.eye(features.shape[1]) + features.T @ inverse @ features)
    new = inverse - inverse @ features @ inner @ features.T @ inverse
    q = features @ features.T @ new
    return regressor - regressor @ q + targets @ features.T @ new, new


def learn_sampled(
    regressor: Matrix, inverse: Matrix, features: Matrix, targets: Matrix
) -> tuple[Matrix, Matrix]:
    """Learn K samples in the order that keeps the thin factor, 4 d^2 K operations, same result."""
    g = inverse @ features
    gain = np.linalg.solve(np.eye(features.shape[1]) + features.T @ g, g.T).T
    return regressor + (targets - regressor @ features) @ gain.T, inverse - gain @ g.T
