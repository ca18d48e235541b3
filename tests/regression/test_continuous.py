"""The identities of continuous regression."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.regression.continuous import RegressionSums

N_LANDMARKS, K, M, IMAGES = 5, 3, 4, 6


def moments(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(M, M))
    return rng.normal(size=M), root @ root.T + 0.5 * np.eye(M)


def images(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(IMAGES, N_LANDMARKS, K)).astype(np.float32)
    gradients = rng.normal(size=(IMAGES, 2, N_LANDMARKS, K)).astype(np.float32)
    basis = np.linalg.qr(rng.normal(size=(2 * N_LANDMARKS, M)))[0]
    return features, gradients, basis


def affine_models(features, gradients, basis):
    """D = [x, J] of every image, the constant feature included."""
    for x, g in zip(features.astype(float), gradients.astype(float), strict=True):
        jacobian = np.zeros((N_LANDMARKS * K + 1, M))
        for i in range(N_LANDMARKS):
            rows = slice(i * K, (i + 1) * K)
            jacobian[rows] = np.outer(g[0, i], basis[2 * i]) + np.outer(g[1, i], basis[2 * i + 1])
        yield np.column_stack([np.append(x.ravel(), 1), jacobian])


def second_moments(mean, covariance):
    return np.block(
        [[np.ones((1, 1)), mean[None]], [mean[:, None], covariance + np.outer(mean, mean)]]
    )


def at_means(features, gradients, basis, means):
    """x + J mu of every image, the constant feature appended."""
    models = affine_models(features, gradients, basis)
    rows = [model @ np.append(1, mu) for model, mu in zip(models, means, strict=True)]
    return np.array(rows, dtype=np.float32)


def closed_form(mean, covariance, chosen=slice(None)):
    sums = RegressionSums(N_LANDMARKS * K + 1, M)
    features, gradients, basis = images()
    features, gradients = features[chosen], gradients[chosen]
    means = np.tile(mean, (len(features), 1))
    sums.add_continuous(
        at_means(features, gradients, basis, means), gradients, basis, means, covariance
    )
    return sums


def test_a_times_the_inverse_of_b_is_zero_and_identity():
    mean, covariance = moments()
    b = second_moments(mean, covariance)
    assert_allclose(b[1:] @ np.linalg.inv(b), np.eye(M + 1)[1:], atol=1e-10)


def roots():
    mean, covariance = moments()
    b = second_moments(mean, covariance)
    values, vectors = np.linalg.eigh(b)
    factor = np.linalg.cholesky(covariance)
    points = [mean] + [mean + s * np.sqrt(M + 1) * c for c in factor.T for s in (1, -1)]
    weights = np.array([1 / (M + 1)] + [1 / (2 * (M + 1))] * (2 * M))
    sigma = np.vstack([np.ones(2 * M + 1), np.array(points).T]) * np.sqrt(weights)
    return {
        "Cholesky": np.linalg.cholesky(b),
        "symmetric": vectors * np.sqrt(values) @ vectors.T,
        "sigma points": sigma,
    }


@pytest.mark.parametrize("name", ["Cholesky", "symmetric", "sigma points"])
def test_the_closed_form_equals_pseudo_samples(name):
    """Equation (2) equals equation (3) for every factor of the second moments."""
    root = roots()[name]
    sums = closed_form(*moments())
    samples = [model @ root for model in affine_models(*images())]
    gram = sum(e @ e.T for e in samples)
    cross = sum(root[1:] @ e.T for e in samples)
    assert_allclose(sums.gram, gram, rtol=2e-5, atol=1e-4)  # the sums run in float32
    assert_allclose(sums.cross, cross, rtol=2e-5, atol=1e-4)


def test_every_image_may_have_a_mean_of_its_own():
    """Spec 3.4: the sums add up image by image with moments (mu_j, Sigma)."""
    _, covariance = moments()
    features, gradients, basis = images()
    means = np.random.default_rng(8).normal(size=(IMAGES, M))
    sums = RegressionSums(N_LANDMARKS * K + 1, M)
    sums.add_continuous(
        at_means(features, gradients, basis, means), gradients, basis, means, covariance
    )
    gram = np.zeros_like(sums.gram)
    cross = np.zeros_like(sums.cross)
    for model, mean in zip(affine_models(features, gradients, basis), means, strict=True):
        b = second_moments(mean, covariance)
        gram += model @ b @ model.T
        cross += b[1:] @ model.T
    assert_allclose(sums.gram, gram, rtol=2e-5, atol=1e-4)
    assert_allclose(sums.cross, cross, rtol=2e-5, atol=1e-4)


def test_sampled_regression_converges_to_the_closed_form():
    """The average of K drawn normal equations approaches the integral like K^(-1/2)."""
    mean, covariance = moments()
    exact = closed_form(mean, covariance)
    rng = np.random.default_rng(5)
    errors = []
    for draws in (1_000, 100_000):
        sampled = RegressionSums(N_LANDMARKS * K + 1, M)
        for model in affine_models(*images()):
            deltas = rng.multivariate_normal(mean, covariance, size=draws)
            features = np.column_stack([np.ones(draws), deltas]) @ model.T
            sampled.add_sampled(features.astype(np.float32), deltas, weight=1 / draws)
        errors.append(np.abs(sampled.gram - exact.gram).max() / np.abs(exact.gram).max())
        assert sampled.weight == pytest.approx(exact.weight)
    assert errors[1] < 0.01
    assert errors[1] < 0.4 * errors[0]


def test_an_affine_image_is_regressed_exactly():
    """With features x + J delta of full column rank the update finds every delta."""
    mean, covariance = moments()
    # the ridge lies above the rounding of float32 sums
    regressor = closed_form(mean, covariance, slice(1)).solve(ridge=3e-6)
    model = next(affine_models(*images()))
    for delta in np.random.default_rng(2).normal(size=(5, M)):
        assert_allclose(regressor @ (model @ np.append(1, delta)), delta, atol=0.02)


def test_a_change_of_features_leaves_the_prediction():
    """f -> M f leaves R f unchanged without a ridge."""
    mean, covariance = moments()
    rng = np.random.default_rng(3)
    models = np.stack(list(affine_models(*images())))
    # more images than features, so that the Gram matrix is regular
    models = np.concatenate([models + rng.normal(size=models.shape) for _ in range(4)])
    b = second_moments(mean, covariance)

    def regressor(d):
        gram = sum(m @ b @ m.T for m in d)
        return sum(b[1:] @ m.T for m in d) @ np.linalg.inv(gram)

    change = rng.normal(size=(models.shape[1],) * 2)
    feature = models[0] @ np.append(1, mean)
    changed = regressor(np.einsum("ab,nbc->nac", change, models)) @ (change @ feature)
    assert_allclose(changed, regressor(models) @ feature, rtol=1e-6)


def test_the_remainder_is_half_full_half_diagonal():
    sums = RegressionSums(4, 1)
    remainders = np.random.default_rng(4).normal(size=(20, 3)).astype(np.float32)
    sums.add_remainder(remainders)
    full = remainders.T @ remainders
    assert_allclose(sums.gram[:3, :3], 0.5 * full + 0.5 * np.diag(np.diag(full)), rtol=1e-5)
    assert not sums.gram[3].any()
    assert np.linalg.eigvalsh(sums.gram[:3, :3]).min() > 0


def test_the_ridge_is_relative_to_the_mean_diagonal():
    small, large = closed_form(*moments()), closed_form(*moments())
    large.gram *= 100
    large.cross *= 100
    assert_allclose(small.solve(ridge=0.1), large.solve(ridge=0.1), rtol=1e-8)
