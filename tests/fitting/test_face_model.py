"""The shipped model on a real face, and what every model holds to."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from numpy.testing import assert_allclose

from facetrack.detection.face_detector import FaceDetector
from facetrack.errors import InputError
from facetrack.fitting.box_fit import BoxPlacement
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.synthetic.portrait import astronaut
from facetrack.training.starts import StartNoise

BOX = (20.0, 30.0, 120.0, 130.0)


@pytest.fixture(scope="module")
def model(shipped_model: FaceModel) -> FaceModel:
    return shipped_model


@pytest.fixture(scope="module")
def starts(model: FaceModel) -> list[np.ndarray]:
    """Give twenty starts around the astronaut's face, as the protocol of tracking draws them."""
    rng = np.random.default_rng(0)
    points = astronaut().points
    return [StartNoise().move(points, model.shape_model, rng, projected=True) for _ in range(20)]


def _picture(image: object) -> npt.NDArray[np.uint8]:
    """OpenCV's type hints say less than is known of its results."""
    return np.asarray(image, dtype=np.uint8)


def _error(points: np.ndarray) -> float:
    """Mean distance from the portrait's landmarks in outer-eye distances."""
    truth = astronaut().points
    return float(np.linalg.norm(points - truth, axis=1).mean() / outer_eye_distance(truth))


def test_a_box_places_its_view_around_its_middle() -> None:
    shapes = np.random.default_rng(0).normal(0, 0.3, (5, 68, 2))
    placement = BoxPlacement(shapes)
    placed = placement.start(BOX, 3)
    assert_allclose(placed, 100 * shapes[3] + (70, 80))
    moved = placement.start((40, 130, 240, 330), 3)
    assert_allclose(moved, 2 * (placed - (20, 30)) + (40, 130))


@pytest.mark.parametrize(
    "box",
    [(20, 30, 20, 130), (20, 130, 120, 30), (20, 30, np.nan, 130), (-np.inf, 30, 120, 130)],
)
def test_an_empty_box_is_named(box) -> None:
    with pytest.raises(InputError, match="x0 < x1"):
        BoxPlacement(np.zeros((5, 68, 2))).start(box, 0)


@pytest.mark.parametrize("view", [-1, 5])
def test_a_view_that_there_is_not_is_named(view: int) -> None:
    with pytest.raises(InputError, match=f"0 to 4, got {view}"):
        BoxPlacement(np.zeros((5, 68, 2))).start(BOX, view)


def test_fits_from_nearby_end_on_the_face(model: FaceModel, starts) -> None:
    image = astronaut().image
    fits = [model.fit(image, start) for start in starts]
    errors = np.array([_error(fit.points) for fit in fits])
    # measured: 1.7 % on average, 2.2 % at most, from starts of 12 %; the rest is margin
    assert errors.mean() < 0.025
    assert errors.max() < 0.035
    assert min(fit.quality for fit in fits) > 0.9


def test_a_fit_from_the_detectors_box_ends_on_the_face(model: FaceModel) -> None:
    image = astronaut().image
    (found, *_) = FaceDetector().detect(image)
    fit = model.fit_box(image, found.box, view=found.view)
    assert _error(fit.points) < 0.035  # measured: 2.3 %
    assert fit.quality > 0.9


def test_a_fit_beside_the_face_is_not_believed(model: FaceModel, starts) -> None:
    image = astronaut().image
    for shift in ((200, 200), (-150, 250)):
        assert model.fit(image, starts[0] + shift).quality < 0.2


def test_points_are_read_only_and_quality_is_a_number(model: FaceModel, starts) -> None:
    before = starts[0].copy()
    fit = model.fit(astronaut().image, starts[0])
    assert fit.points.shape == (68, 2)
    assert not fit.points.flags.writeable
    assert type(fit.quality) is float
    assert (starts[0] == before).all()
    assert model.fit(astronaut().image, starts[0].tolist()).points.tobytes() == fit.points.tobytes()


@pytest.mark.parametrize("size", [1.0, 0.5])  # the frame's size, and one that is averaged
def test_a_moved_picture_moves_the_points(model: FaceModel, starts, size: float) -> None:
    image = _picture(cv2.resize(astronaut().image, None, fx=2 * size, fy=2 * size))
    start = 2 * size * starts[0]
    fit = model.fit(image, start)
    x, y = 31, 17
    moved = model.fit(image[y:, x:], start - (x, y))
    assert_allclose(moved.points, fit.points - (x, y), atol=0.01)
    assert moved.quality == pytest.approx(fit.quality, abs=1e-3)


def test_a_frame_over_the_border_reads_the_nearest_pixels(model: FaceModel, starts) -> None:
    image = astronaut().image
    cut = image[: int(astronaut().points[:, 1].max()) - 12]  # the chin is cut off
    wide = _picture(cv2.copyMakeBorder(cut, 0, 200, 0, 0, cv2.BORDER_REPLICATE))
    expected = model.fit(wide, starts[0]).points
    assert_allclose(model.fit(cut, starts[0]).points, expected, atol=0.01)


def test_light_hardly_matters(model: FaceModel, starts) -> None:
    image = astronaut().image
    dim = np.rint(0.5 * image + 20).astype(np.uint8)
    eyes = float(outer_eye_distance(astronaut().points))
    for start in starts[:5]:
        moved = model.fit(dim, start).points - model.fit(image, start).points
        assert np.linalg.norm(moved, axis=1).mean() < 0.01 * eyes  # measured: 0.1 %


def test_colour_and_grey_give_the_same(model: FaceModel, starts) -> None:
    image = astronaut().image
    grey = _picture(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    for view in (grey, np.repeat(grey[..., None], 3, axis=2), image):
        fit = model.fit(view, starts[0])
        assert_allclose(fit.points, model.fit(grey, starts[0]).points, atol=1e-9)


def test_layout_in_memory_does_not_matter(model: FaceModel, starts) -> None:
    image = astronaut().image
    expected = model.fit(image, starts[0]).points.tobytes()
    padded = np.zeros((image.shape[0], image.shape[1] + 5, 3), np.uint8)
    padded[:, 5:] = image
    for same in (np.asfortranarray(image), padded[:, 5:], image[..., ::-1].copy()[..., ::-1]):
        assert model.fit(same, starts[0]).points.tobytes() == expected


@pytest.mark.parametrize("shape", [(0, 0), (0, 10, 3), (1, 1), (1, 1, 3)])
def test_a_picture_without_a_face_is_not_believed(model: FaceModel, starts, shape) -> None:
    fit = model.fit(np.zeros(shape, np.uint8), starts[0])
    assert np.isfinite(fit.points).all()
    assert fit.quality < 0.2


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 64), np.uint16),
        np.zeros((64, 64), np.float64),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 1), np.uint8),
        np.zeros(64, np.uint8),
    ],
)
def test_a_wrong_picture_is_named(model: FaceModel, starts, image) -> None:
    message = r"uint8 of shape \(H, W\) or \(H, W, 3\), got " + str(image.dtype)
    with pytest.raises(InputError, match=message):
        model.fit(image, starts[0])
    with pytest.raises(InputError, match=message):
        model.fit_box(image, BOX)


def _with(value: float) -> np.ndarray:
    points = astronaut().points.copy()
    points[30, 1] = value
    return points


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (_with(np.nan), "finite"),
        (_with(np.inf), "finite"),
        (np.zeros((66, 2)), r"\(66, 2\)"),
        (np.zeros((68, 3)), r"\(68, 3\)"),
        (np.zeros((68, 2)), "coincide"),
    ],
)
def test_a_wrong_start_is_named(model: FaceModel, start, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model.fit(astronaut().image, start)


@pytest.mark.parametrize("box", [(20, 30, 20, 30), (np.nan, 30, 120, 130)])
def test_a_wrong_box_is_named(model: FaceModel, box) -> None:
    with pytest.raises(InputError, match="x0 < x1"):
        model.fit_box(astronaut().image, box)


def test_threads_share_a_model(model: FaceModel, starts) -> None:
    image = astronaut().image
    tasks = 4 * starts

    def fit(start: np.ndarray) -> bytes:
        found = model.fit(image, start)
        return found.points.tobytes() + np.float64(found.quality).tobytes()

    alone = [fit(start) for start in tasks]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fit, tasks)) == alone


@pytest.mark.parametrize("travel", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_a_model_travels_to_other_processes(model: FaceModel, starts, travel) -> None:
    image = astronaut().image
    model.fit(image, starts[0])  # fills the buffers, which stay behind
    arrived = travel(model)
    for start in starts[:3]:
        fit, expected = arrived.fit(image, start), model.fit(image, start)
        assert fit.points.tobytes() == expected.points.tobytes()
        assert fit.quality == expected.quality
    assert arrived.name == model.name
    assert arrived.card == model.card
    box = FaceDetector().detect(image)[0].box
    assert (
        arrived.fit_box(image, box).points.tobytes() == model.fit_box(image, box).points.tobytes()
    )
