import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.errors import InputError
from facetrack.landmarks.markup import mirror, outer_eye_distance
from facetrack.landmarks.procrustes import Similarity
from facetrack.landmarks.shape_model import N_RIGID, train_shape_model


def test_the_basis_is_orthonormal(shape_model):
    identity = np.eye(shape_model.n_parameters)
    assert_allclose(shape_model.basis.T @ shape_model.basis, identity, atol=1e-12)


def test_the_mean_is_symmetric_and_where_it_was_asked_for(shape_model):
    centred = shape_model.mean - shape_model.mean.mean(axis=0)
    assert_allclose(mirror(centred, 1.0), centred, atol=1e-9)
    assert_allclose(shape_model.mean.mean(axis=0), [79.5, 79.5])
    assert outer_eye_distance(shape_model.mean) == pytest.approx(55)


def test_parameters_and_shapes_are_inverse_in_the_span(shape_model):
    p = np.random.default_rng(0).normal(size=(7, shape_model.n_parameters))
    assert_allclose(shape_model.parameters(shape_model.shape(p)), p, atol=1e-10)


def test_rigid_parameters_are_similarities_to_first_order(shape_model):
    centre = shape_model.mean.mean(axis=0)
    step = 1e-4 * np.linalg.norm(shape_model.mean - centre)
    for column, transform in enumerate(
        (
            Similarity(1 + 1e-4, 0, 0, 0),
            Similarity(1, 1e-4, 0, 0),
        )
    ):
        p = np.zeros(shape_model.n_parameters)
        p[column] = step
        expected = transform.apply(shape_model.mean - centre) + centre
        assert_allclose(shape_model.shape(p), expected, atol=1e-9)


def test_projection_keeps_what_the_model_can_say(shape_model):
    p = np.zeros(shape_model.n_parameters)
    p[N_RIGID:] = 0.8 * shape_model.deviations[N_RIGID:]
    inside = shape_model.shape(p)
    in_image = Similarity(1.4, 0.3, 200, -40).apply(inside)
    assert_allclose(shape_model.project(in_image), in_image, atol=0.05)


def test_projection_clamps_impossible_shapes(shape_model):
    p = np.zeros(shape_model.n_parameters)
    p[N_RIGID] = 30 * shape_model.deviations[N_RIGID]
    impossible = shape_model.shape(p)
    kept = shape_model.parameters(
        shape_model.to_reference(shape_model.project(impossible)).apply(
            shape_model.project(impossible)
        )
    )
    assert abs(kept[N_RIGID]) < 3.5 * shape_model.deviations[N_RIGID]


def test_the_head_is_upright_symmetric_and_in_millimetres(shape_model):
    head = shape_model.mean_3d
    assert np.linalg.norm(head[36] - head[45]) == pytest.approx(90)
    assert_allclose(head[36], [-45, 0, 0], atol=1e-6)
    flipped = mirror(head[:, :2], 1.0)
    assert_allclose(flipped, head[:, :2], atol=1e-9)
    assert head[30, 2] < 0  # the nose points to the camera
    assert head[8, 1] > head[57, 1] > head[33, 1] > 0  # chin below mouth below nose


def test_a_head_seen_from_many_sides_is_recovered(trained, shipped_model):
    assert_allclose(trained.mean_3d, shipped_model.shape_model.mean_3d, atol=2)  # millimetres


@pytest.mark.parametrize(
    ("shapes", "modes", "message"),
    [
        (np.zeros((5, 66, 2)), 2, r"\(5, 66, 2\)"),
        (np.full((5, 68, 2), np.nan), 2, "finite"),
        (np.zeros((5, 68, 2)), 5, "more than 5 shapes, got 5"),
    ],
)
def test_wrong_training_shapes_are_named(shapes, modes, message):
    with pytest.raises(InputError, match=message):
        train_shape_model(shapes, n_modes=modes, eye_distance=55, centre=(80, 80))


@pytest.mark.parametrize("keep", [0.0, 0.25, 1.0])
def test_a_relaxed_shape_keeps_a_share_of_its_form_at_its_own_place(shape_model, keep):
    rng = np.random.default_rng(0)
    place = Similarity(1.4, 0.3, 200, -40)
    form = rng.normal(0, 1, (68, 2))
    form -= (
        shape_model.basis[:, :N_RIGID] @ shape_model.basis[:, :N_RIGID].T @ form.ravel()
    ).reshape(68, 2)
    points = place.apply(shape_model.mean + form)
    assert_allclose(
        shape_model.relax(points, keep=keep), place.apply(shape_model.mean + keep * form), atol=0.2
    )
    assert_allclose(shape_model.relax(points, keep=1.0), points, atol=1e-9)


@pytest.mark.parametrize("sign", [-1, 1])
def test_shapes_are_clamped_to_three_deviations_in_each_mode(shape_model, sign):
    for limit, kept in ((3.0, 3.0), (1.5, 1.5)):
        p = np.zeros(shape_model.n_parameters)
        p[-1] = sign * 9 * shape_model.deviations[-1]
        found = shape_model.project(shape_model.shape(p), limit=limit)
        q = shape_model.parameters(shape_model.to_reference(shape_model.shape(p)).apply(found))
        assert q[-1] == pytest.approx(sign * kept * shape_model.deviations[-1], rel=0.02)
    inside = np.zeros(shape_model.n_parameters)
    inside[-1] = sign * 2.9 * shape_model.deviations[-1]
    kept = shape_model.project(shape_model.shape(inside))
    assert_allclose(kept, shape_model.shape(inside), atol=0.05)
