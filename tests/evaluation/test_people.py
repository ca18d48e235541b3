"""Synthetic people: deterministic, exact, and as hard as they say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.errors import InputError
from facetrack.evaluation.clips import track_clip
from facetrack.evaluation.difficulty import THIRDS, Difficulty, split_thirds
from facetrack.evaluation.errors import normalised_errors
from facetrack.evaluation.people import choose_portraits, synthetic_people
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.pts import write_pts
from facetrack.synthetic.mesh import HeadState
from facetrack.synthetic.motion import Placement
from facetrack.synthetic.people import MANNERS
from facetrack.synthetic.portrait import astronaut
from facetrack.synthetic.render import HeadRenderer
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.tracker import Tracker


@pytest.fixture(scope="module")
def portraits(
    tmp_path_factory: pytest.TempPathFactory, shipped_model: FaceModel
) -> list[LabelledImage]:
    """Give a dozen tight pictures of one face, two of which are not fit."""
    folder = tmp_path_factory.mktemp("portraits")
    renderer = HeadRenderer(astronaut(), shipped_model.shape_model, eye_distance=100, whole=True)
    for k in range(12):
        size = 400 if k != 5 else 200  # too small
        image = np.zeros((size, size, 3), np.uint8)
        upright = HeadState(0, -0.2, 0.01 * k, np.zeros(0), 1.0 if k == 7 else -1.0, 0)
        points = renderer.draw(image, Placement(size / 2, 0.45 * size, size / 4), upright)
        cv2.imwrite(str(folder / f"p{k:02}.png"), image)
        write_pts(folder / f"p{k:02}.pts", points)
    return load_folder(folder)


def test_portraits_are_chosen_by_fitness_and_name(
    portraits: list[LabelledImage], shipped_model: FaceModel
) -> None:
    shape_model = shipped_model.shape_model
    chosen = choose_portraits(portraits, shape_model, 10)
    again = choose_portraits(portraits[::-1], shape_model, 10)
    for one, other in zip(chosen, again, strict=True):
        assert_array_equal(one.image, other.image)
    with pytest.raises(InputError, match="11 portraits are needed, 10 of 12 pictures are fit"):
        choose_portraits(portraits, shape_model, 11)


def test_ten_people_are_the_same_again_and_say_how_hard_they_are(
    portraits: list[LabelledImage], shipped_model: FaceModel
) -> None:
    shape_model = shipped_model.shape_model
    clips, again = (synthetic_people(portraits, shape_model, n_frames=4, seed=3) for _ in range(2))
    assert [clip.name for clip in clips] == [manner.name for manner in MANNERS]
    for clip, other in zip(clips, again, strict=True):
        assert clip.exact
        assert clip.difficulty is not None
        assert len(clip.difficulty.pose) == len(clip.compared) == 4
        video = clip.open()
        assert isinstance(video, SyntheticVideo)
        assert_array_equal([video.truth(k) for k in range(4)], clip.references["truth"])
        assert_array_equal(next(iter(video)).image, next(iter(other.open())).image)
    light = {c.name: c.difficulty.light.mean() for c in clips if c.difficulty is not None}
    assert light["expressions"] == light["turns"] == 0
    assert min(light["noise_blur"], light["low_contrast"]) > 0.5


def test_the_tracker_follows_them(portraits: list[LabelledImage], shipped_model: FaceModel) -> None:
    clips = synthetic_people(portraits, shipped_model.shape_model, n_frames=12)
    for clip in clips:
        if clip.name in ("expressions", "palsy", "infant", "turns"):
            track = track_clip(Tracker(shipped_model), clip.open(), n_frames=12)
            errors = normalised_errors(track.points, clip.references["truth"], 51)
            assert np.median(errors) < 0.08, clip.name


def test_thirds_are_equal_and_hard_frames_are_the_hardest() -> None:
    rng = np.random.default_rng(0)
    clips = [Difficulty(*rng.random((3, n))) for n in (40, 20, 30)]
    labels = split_thirds(clips)
    assert [len(part) for part in labels] == [40, 20, 30]
    pooled = np.concatenate(labels)
    assert_array_equal(np.bincount(pooled), [30, 30, 30])
    motion = np.concatenate([np.maximum(d.pose, d.expression) for d in clips])
    light = np.concatenate([d.light for d in clips])
    easy, lit, hard = (pooled == k for k in range(len(THIRDS)))
    assert motion[hard].min() >= motion[~hard].max()
    assert light[lit].min() >= light[easy].max()


def test_labelled_test_pictures_become_people(shared: Path, shipped_model: FaceModel) -> None:
    folder = shared / "data" / "landmarks" / "helen_test"
    if not folder.is_dir():
        pytest.skip("helen_test is not there")
    people = choose_portraits(load_folder(folder), shipped_model.shape_model, 10)
    assert len({portrait.image.tobytes() for portrait in people}) == 10
