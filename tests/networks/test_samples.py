"""Samples of labelled pictures: which ones, how often, and what is to be said of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facetrack.datasets.portraits import set_aside
from facetrack.formats.pts import write_pts
from facetrack.landmarks.markup import mirror
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.model import load_model
from facetrack.networks.patches import PATCHES
from facetrack.networks.samples import (
    CHANNELS,
    MODES,
    TARGETS,
    Samples,
    channels_file,
    jitter,
    load_samples,
    shape_targets,
)

COPIES = 3
WIDTH = 300


@pytest.fixture(scope="module")
def shape_model() -> ShapeModel:
    return load_model().shape_model


@pytest.fixture(scope="module")
def aside() -> tuple[str, str]:
    """Folder and name of a picture that is set aside for good."""
    folder, _, name = min(set_aside()).partition("/")
    return folder, name


@pytest.fixture(scope="module")
def pictures(
    tmp_path_factory: pytest.TempPathFactory, shape_model: ShapeModel, aside: tuple[str, str]
) -> tuple[Path, Path, dict[str, np.ndarray]]:
    """Folders of pictures and of scores, and the labels of the pictures by name.

    Of five pictures `b` was not scored and of `c` no face was found; one is set aside.
    """
    root = tmp_path_factory.mktemp("samples")
    folder, scores = root / aside[0], root / "scores"
    folder.mkdir()
    scores.mkdir()
    rng = np.random.default_rng(0)
    labels = {}
    for name in ("a", "b", "c", aside[1], "z"):
        labels[name] = shape_model.mean * 1.2 + rng.uniform(40, 60, 2) + rng.normal(0, 1, (68, 2))
        write_pts(folder / f"{name}.pts", labels[name])
        grey = rng.integers(0, 255, (30, WIDTH // 10), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{name}.jpg"), cv2.resize(grey, (WIDTH, 300)))
    scored = [path.stem for path in sorted(folder.glob("*.jpg")) if path.stem != "b"]
    values = rng.uniform(size=(len(scored), len(CHANNELS)))
    values[scored.index("c"), 5] = np.nan
    np.savez(
        scores / f"{channels_file(folder)}.npz", names=scored, scores=values, categories=CHANNELS
    )
    labels |= {f"scores of {name}": values[scored.index(name)] for name in ("a", "z")}
    return folder, scores, labels


@pytest.fixture(scope="module")
def samples(pictures: tuple[Path, Path, dict[str, np.ndarray]], shape_model: ShapeModel) -> Samples:
    folder, scores, _ = pictures
    return load_samples([folder], scores, shape_model, copies=COPIES, seed=4)


def test_only_scored_pictures_that_are_not_set_aside_are_taken(samples: Samples) -> None:
    assert samples.pictures.tolist() == [0] * COPIES + [1] * COPIES
    assert samples.names == TARGETS
    for name, view in PATCHES.items():
        width, height = view.crop.size
        assert samples.patches[name].shape == (2 * COPIES, 2, height, width)
        assert set(np.unique(samples.patches[name][:, 1])) == {0, 1}


def test_copies_differ_in_their_patches_only(samples: Samples) -> None:
    for first in (0, COPIES):
        assert (samples.targets[first : first + COPIES] == samples.targets[first]).all()
        grey = samples.patches["mouth"][first : first + COPIES, 0]
        assert not (grey[1:] == grey[0]).all(axis=(1, 2)).any()


def test_targets_are_scores_and_the_shape_of_the_labels(
    samples: Samples,
    pictures: tuple[Path, Path, dict[str, np.ndarray]],
    shape_model: ShapeModel,
) -> None:
    _, _, labels = pictures
    for row, name in ((0, "a"), (COPIES, "z")):
        assert samples.targets[row, : len(CHANNELS)] == pytest.approx(labels[f"scores of {name}"])
        said = shape_targets(labels[name], shape_model)
        assert samples.targets[row, len(CHANNELS) :] == pytest.approx(said, abs=1e-3)


def test_the_mirrored_face_says_the_same_with_sides_exchanged(
    samples: Samples,
    pictures: tuple[Path, Path, dict[str, np.ndarray]],
    shape_model: ShapeModel,
) -> None:
    seen, turned = samples.targets[0], samples.mirrored[0]
    for name in ("eyeBlink", "mouthSmile"):
        left, right = TARGETS.index(f"{name}Left"), TARGETS.index(f"{name}Right")
        assert turned[[left, right]].tolist() == seen[[right, left]].tolist()
    assert turned[TARGETS.index("jawOpen")] == seen[TARGETS.index("jawOpen")]
    right_eye, left_eye, mouth = seen[-3:]
    assert turned[-3:] == pytest.approx([left_eye, right_eye, mouth], abs=1e-4)
    said = shape_targets(mirror(pictures[2]["a"], WIDTH), shape_model)
    assert turned[-3 - MODES : -3] == pytest.approx(said[:MODES], abs=1e-3)


def test_openings_are_measured_against_eyes() -> None:
    """Lids against the width of their eye; lips against the distance of the outer corners."""
    model = load_model().shape_model
    points = model.mean.copy()
    points[[36, 39, 42, 45]] = [[0, 0], [30, 0], [70, 0], [100, 0]]
    points[[37, 38, 41, 40]] = [[10, -3], [20, -6], [10, 3], [20, 6]]
    points[[43, 44, 47, 46]] = [[80, -1], [90, -2], [80, 1], [90, 2]]
    points[[61, 62, 63]] = [[40, 90], [50, 90], [60, 90]]
    points[[67, 66, 65]] = [[40, 100], [50, 120], [60, 130]]
    assert shape_targets(points, model)[-3:] == pytest.approx([0.3, 0.1, 80 / 3 / 100])


def test_a_face_twice_as_large_errs_twice_as_far() -> None:
    model = load_model().shape_model
    points = model.mean + np.array([5.0, -3.0])
    once, twice = (
        jitter(size * points, model, np.random.default_rng(4)) - size * points for size in (1, 2)
    )
    assert np.abs(once).max() > 0.5
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-9)


def test_files_of_channels_are_named_after_the_data_set() -> None:
    assert channels_file(Path("data/ytf/train")) == "ytf_train"
    assert channels_file(Path("data/ytf/test")) == "ytf_test"
    assert channels_file(Path("data/ytf/more")) == "more"


def test_fits_err_as_far_as_is_said_along_the_modes_and_each_point_by_itself() -> None:
    """By 0.35 deviations, of a fit that has gone astray by 1, which are 15 of 100."""
    model = load_model().shape_model
    rng = np.random.default_rng(3)
    moved = np.array([jitter(model.mean, model, rng) - model.mean for _ in range(3000)])
    along = moved.reshape(len(moved), -1) @ model.basis
    first = along[:, 4] / model.deviations[4]
    assert first.std() == pytest.approx(np.sqrt(0.85 * 0.35**2 + 0.15), rel=0.06)
    far = 0.85 * 0.0043 + 0.15 * 0.317  # beyond one deviation, by the normal distribution
    assert np.mean(np.abs(first) > 1) == pytest.approx(far, rel=0.15)
    own = 0.012 * np.linalg.norm(model.mean[45] - model.mean[36])
    assert along[:, :4].std() == pytest.approx(own, rel=0.05)  # modes do not move the whole face
    left = moved.reshape(len(moved), -1) - along @ model.basis.T
    assert (left**2).sum(axis=1).mean() == pytest.approx(own**2 * (136 - along.shape[1]), rel=0.05)
