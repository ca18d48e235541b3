"""Relevance vector regression: sparse Bayesian kernel regression, fitted one vector at a time.

Tipping, "Sparse Bayesian learning and the relevance vector machine", JMLR 2001; Tipping and Faul,
"Fast marginal likelihood maximisation for sparse Bayesian models", AISTATS 2003.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

STEPS: Final = 2000
_STILL: Final = 1e-6  # change of log alpha and log beta, and gain, below which all is settled
_REFRESH: Final = 10  # steps between estimates of the noise, which computes all anew
_ALIKE: Final = 1 - 1e-10  # cosine of a column to one in use that adds nothing but trouble
_FINEST: Final = 1e6  # the precision of the noise in units of that of the targets, at most


@dataclass(frozen=True, slots=True, eq=False)
class SparseFit:
    """Weights of a few columns."""

    active: Indices  # (m,), the columns that are used
    alphas: Floats  # (m,), precisions of their weights' priors
    weights: Floats
    covariance: Floats  # (m, m), of the weights
    beta: float  # precision of the noise
    steps: int
    converged: bool  # no step would have changed anything; else the limit was reached


def rbf(x: npt.ArrayLike, z: npt.ArrayLike, gamma: float, lengths: Floats | None = None) -> Floats:
    """Compute exp(-gamma |x - z|^2), (n, m); `lengths` are those of z, squared, where known."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(z, dtype=np.float64)
    own = (b**2).sum(1) if lengths is None else lengths
    squares = (a**2).sum(1)[:, None] + own - 2 * a @ b.T
    return np.asarray(np.exp(-gamma * np.maximum(squares, 0.0)))


def evidence(
    phi: npt.ArrayLike, targets: npt.ArrayLike, alphas: npt.ArrayLike, beta: float
) -> float:
    """Compute the log marginal likelihood by its definition (Tipping 2001, eq. 14)."""
    # log N(t | 0, 1/beta + phi diag(1/alpha) phi^T), of the columns in use.
    from scipy.linalg import solve_triangular  # loads slowly, and scoring needs none of it

    p, t = np.asarray(phi, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    covariance = np.eye(len(t)) / beta + (p / np.asarray(alphas)) @ p.T
    factor = np.linalg.cholesky(covariance)
    white = solve_triangular(factor, t, lower=True)
    log_determinant = 2 * np.log(np.diag(factor)).sum()
    return float(-0.5 * (len(t) * np.log(2 * np.pi) + log_determinant + white @ white))


class _Fitting:
    """The state of Tipping and Faul's algorithm; names as in their paper."""

    def __init__(self, phi: Floats, targets: Floats) -> None:
        self.phi, self.t = phi, targets
        self.squares = np.einsum("nm,nm->m", phi, phi)
        self.along = phi.T @ targets
        variance = float(targets.var()) or 1.0
        self.finest = _FINEST / variance
        self.beta = 10.0 / variance
        first = int(np.argmax(self.along**2 / self.squares))
        norm, projection = self.squares[first], self.along[first] ** 2 / self.squares[first]
        alpha = norm / max(projection - 1 / self.beta, 1e-6 / self.beta)
        self.active: list[int] = [first]
        self.alphas = np.array([alpha])
        self.products = phi.T @ phi[:, [first]]  # of all columns with those in use
        self.refresh()

    def refresh(self) -> None:
        """Compute everything from the columns in use."""
        from scipy.linalg import cho_factor, cho_solve, solve_triangular

        inner = self.beta * self.products[self.active] + np.diag(self.alphas)
        factor = cho_factor(inner, lower=True)
        self.sigma = cho_solve(factor, np.eye(len(self.active)))
        self.mu = self.beta * self.sigma @ self.along[self.active]
        half = solve_triangular(factor[0], self.products.T, lower=True)
        self.S = self.beta * self.squares - self.beta**2 * (half**2).sum(0)
        self.Q = self.beta * (self.along - self.products @ self.mu)

    def estimate_noise(self) -> float:
        """Estimate the noise anew; return by how much the logarithm of its precision changed."""
        residual = self.t - self.phi[:, self.active] @ self.mu
        used = len(self.active) - float(self.alphas @ np.diag(self.sigma))
        beta = (len(self.t) - used) / max(float(residual @ residual), 1e-300)
        change = abs(np.log(min(beta, self.finest) / self.beta))
        self.beta = min(beta, self.finest)
        self.refresh()
        return float(change)

    def gains(self) -> tuple[Floats, Floats]:
        """Return what each column would add to twice the evidence, and its best alpha."""
        S, Q = self.S, self.Q
        s, q = S.copy(), Q.copy()
        used = np.array(self.active)
        alpha, s_used, q_used = self.alphas, S[used], Q[used]
        s[used], q[used] = alpha * s_used / (alpha - s_used), alpha * q_used / (alpha - s_used)
        theta = q**2 - s
        gain, best = np.full(len(S), -np.inf), np.full(len(S), np.inf)
        inside = np.zeros(len(S), dtype=bool)
        inside[used] = True
        with np.errstate(divide="ignore", invalid="ignore"):
            best[theta > 0] = (s**2 / theta)[theta > 0]
            new = (theta > 0) & ~inside
            gain[new] = ((Q**2 - S) / S + np.log(S / Q**2))[new]
            change = 1 / best[used] - 1 / alpha
            gain[used] = Q[used] ** 2 / (s_used + 1 / change) - np.log1p(s_used * change)
            gain[used[np.abs(change) * alpha < 1e-12]] = 0.0
            gone = theta[used] <= 0
            removed = q_used**2 / (s_used - alpha) - np.log1p(-s_used / alpha)
            gain[used[gone]] = removed[gone] if len(used) > 1 else -np.inf
        gain[~np.isfinite(gain)] = -np.inf
        return gain, best

    def alike(self, column: int) -> bool:
        """Return whether a column nearly is one in use, as the next frame of a still video."""
        cosines = np.abs(self.products[column]) / np.sqrt(
            self.squares[column] * self.squares[self.active]
        )
        return bool((cosines > _ALIKE).any())

    def add(self, column: int, alpha: float) -> None:
        """Use one more column."""
        towards = self.beta * self.sigma @ self.products[column]
        sigma = 1 / (alpha + self.S[column])
        mu = sigma * self.Q[column]
        products = self.phi.T @ self.phi[:, column]
        error = self.beta * (products - self.products @ towards)
        corner = -sigma * towards[:, None]
        self.sigma = np.block(
            [[self.sigma + sigma * np.outer(towards, towards), corner], [corner.T, sigma]]
        )
        self.mu = np.append(self.mu - mu * towards, mu)
        self.S -= sigma * error**2
        self.Q -= mu * error
        self.active.append(column)
        self.alphas = np.append(self.alphas, alpha)
        self.products = np.column_stack([self.products, products])

    def change(self, place: int, alpha: float) -> None:
        """Give a column in use another alpha; an infinite one takes it out."""
        row = self.sigma[place].copy()
        gone = not np.isfinite(alpha)
        step = 1 / row[place] if gone else 1 / (row[place] + 1 / (alpha - self.alphas[place]))
        across = self.beta * self.products @ row
        self.S += step * across**2
        self.Q += step * self.mu[place] * across
        self.mu = self.mu - step * self.mu[place] * row
        self.sigma = self.sigma - step * np.outer(row, row)
        if gone:
            keep = [i for i in range(len(self.active)) if i != place]
            self.active = [self.active[i] for i in keep]
            self.alphas, self.mu = self.alphas[keep], self.mu[keep]
            self.sigma, self.products = self.sigma[np.ix_(keep, keep)], self.products[:, keep]
        else:
            self.alphas[place] = alpha

    def take(self, column: int, alpha: float) -> float:
        """Add, change or remove a column; return by how much the logarithm of alpha changed."""
        if column not in self.active:
            self.add(column, alpha)
            return float("inf")
        place = self.active.index(column)
        change = abs(float(np.log(alpha / self.alphas[place])))
        self.change(place, alpha)
        return change


def fit_sparse(phi: npt.ArrayLike, targets: npt.ArrayLike, *, steps: int = STEPS) -> SparseFit:
    """Fit a linear model of few columns by maximising the marginal likelihood.

    Each step takes the column whose addition, new alpha or removal gains most (Tipping and Faul
    2003, section 4); the updates are of rank one (their appendix). The noise is estimated, and all
    computed anew, every ten steps. A column that is nearly parallel to one in use is not added.
    Targets must have mean 0, unless a column is constant.
    """
    p, t = np.array(phi, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if p.ndim != 2 or t.shape != (len(p),) or not len(p):
        raise InputError(f"columns (n, m) and targets (n,) do not fit: {p.shape}, {t.shape}")
    if not (np.isfinite(p).all() and np.isfinite(t).all()):
        raise InputError("columns and targets must be finite")
    some = np.flatnonzero((p**2).sum(0) > 0)
    if not len(some):
        raise InputError("all columns are 0: there is nothing to fit with")
    fitting = _Fitting(np.ascontiguousarray(p[:, some]), t)
    banned: set[int] = set()
    converged, step = False, 0
    while step < steps:
        step += 1
        gain, best = fitting.gains()
        gain[list(banned)] = -np.inf
        column = int(np.argmax(gain))
        settled = gain[column] < _STILL
        if not settled and column not in fitting.active and fitting.alike(column):
            banned.add(column)
            continue
        if not settled:
            settled = fitting.take(column, float(best[column])) < _STILL
        if settled or step % _REFRESH == 0:
            noise = fitting.estimate_noise()
            if settled and noise < _STILL:
                converged = True
                break
    fitting.refresh()
    active = some[fitting.active]
    return SparseFit(
        active, fitting.alphas, fitting.mu, fitting.sigma, fitting.beta, step, converged
    )


@dataclass(frozen=True, slots=True, eq=False)
class RelevanceVectors:
    """A fitted regression with Gaussian kernels."""

    vectors: Floats  # (m, d), the training inputs that are used
    weights: Floats
    covariance: Floats  # (m, m), of the weights
    gamma: float  # of the kernel, see `rbf`
    offset: float  # mean of the training targets, far from all vectors
    noise: float  # standard deviation, in the unit of the targets
    converged: bool = True
    _lengths: Floats = field(init=False, repr=False)  # of the vectors, squared: once for all frames

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lengths", (self.vectors**2).sum(1))

    def columns(self, x: npt.ArrayLike) -> Floats:
        """Compute the kernel's columns of inputs (n, d)."""
        return rbf(x, self.vectors, self.gamma, self._lengths)

    def predict(self, x: npt.ArrayLike) -> Floats:
        """Predict targets of inputs (n, d)."""
        return np.asarray(self.offset + self.columns(x) @ self.weights)

    def judge(self, x: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Predict targets: mean, deviation and largest kernel value."""
        # The deviation falls to that of the noise far from all vectors, where nothing is known: it
        # is no interval. Near a largest kernel value of 0 nothing like it was in the training data.
        phi = self.columns(x)
        variance = self.noise**2 + np.einsum("nm,mk,nk->n", phi, self.covariance, phi)
        return self.offset + phi @ self.weights, np.sqrt(variance), phi.max(axis=1)


def fit_relevance(
    x: npt.ArrayLike, targets: npt.ArrayLike, gamma: float, *, steps: int = STEPS
) -> RelevanceVectors:
    """Fit a relevance vector regression on standardised inputs (n, d)."""
    inputs, t = np.asarray(x, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    offset = float(t.mean())
    fit = fit_sparse(rbf(inputs, inputs, gamma), t - offset, steps=steps)
    return RelevanceVectors(
        inputs[fit.active], fit.weights, fit.covariance, gamma, offset, float(fit.beta**-0.5),
        fit.converged,
    )  # fmt: skip
