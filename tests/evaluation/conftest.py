"""Models, trackers and faces that say exactly what a test wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from facetrack.datasets.pts_folder import LabelledImage, load_folder
from facetrack.evaluation.errors import normalised_errors
from facetrack.evaluation.peers import Peer
from facetrack.face import Face, Fit, State, read_only_points
from facetrack.formats.pts import write_pts
from facetrack.landmarks.shape_model import ShapeModel, train_shape_model
from facetrack.synthetic.portrait import astronaut
from facetrack.video.frame import Frame

Points = npt.NDArray[np.float64]


def random_faces(n: int, *, seed: int = 0, deviation: float = 2.0) -> Points:
    """Make faces of about 60 px between the outer eye corners, of many shapes."""
    base = astronaut().points - astronaut().points.mean(axis=0)
    base *= 60 / np.linalg.norm(base[45] - base[36])
    rng = np.random.default_rng(seed)
    modes = rng.standard_normal((6, 68, 2))
    weights = rng.standard_normal((n, 6))
    return np.asarray(100 + base + deviation / 6 * np.einsum("nk,kpc->npc", weights, modes))


def error_on_portrait(peer: Peer) -> float:
    """Return by how much a peer misses the portrait's points, in outer-eye distances."""
    found = peer.predict(astronaut().image)
    assert found is not None
    return float(normalised_errors(found[None], astronaut().points[None])[0])


@pytest.fixture(scope="session")
def shape_model() -> ShapeModel:
    return train_shape_model(random_faces(60), n_modes=4, eye_distance=50, centre=(80, 80))


@pytest.fixture
def images(tmp_path: Path) -> list[LabelledImage]:
    """Give six labelled grey pictures of 200 x 200 px."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    for k, points in enumerate(random_faces(6, seed=1)):
        cv2.imwrite(str(folder / f"face_{k}.png"), np.full((200, 200), 40 * k, np.uint8))
        write_pts(folder / f"face_{k}.pts", points)
    return load_folder(folder)


class StayingModel:
    """Leaves every start where it is; in a box it puts a fixed shape, worse further right."""

    name = "staying"

    def __init__(self, shape_model: ShapeModel) -> None:
        self.shape_model = shape_model

    def fit(self, image: npt.NDArray[np.uint8], start: Points) -> Fit:
        return Fit(read_only_points(start), 1.0)

    def fit_box(
        self,
        image: npt.NDArray[np.uint8],
        box: tuple[float, float, float, float],
        *,
        view: int = 0,
        five: npt.ArrayLike | None = None,
    ) -> Fit:
        shape = random_faces(1)[0] - 100
        centre = np.array([box[0] + box[2], box[1] + box[3]]) / 2
        return Fit(read_only_points(shape + centre), quality=1 - centre[0] / 300)


@pytest.fixture
def staying_model(shape_model: ShapeModel) -> StayingModel:
    return StayingModel(shape_model)


class ScriptedTracker:
    """Says what a script says of each frame; NaN there is a lost face."""

    def __init__(self, points: Points, smoothed: Points | None = None) -> None:
        self.raw, self.smoothed = points, points if smoothed is None else smoothed

    def update(self, image: Frame, timestamp: float | None = None) -> list[Face]:
        raw = read_only_points(self.raw[image.index])
        points = read_only_points(self.smoothed[image.index])
        if not np.isfinite(raw).all():
            return [Face(0, State.LOST, "covered", raw, raw, 0.0, None)]
        return [Face(0, State.TRACKED, "", points, raw, 1.0, None)]


@pytest.fixture(scope="session")
def make_faces() -> Callable[..., Points]:
    return random_faces


@pytest.fixture(scope="session")
def scripted_tracker() -> type[ScriptedTracker]:
    return ScriptedTracker


@pytest.fixture
def grey_video(tmp_path: Path) -> Callable[[str, int], Path]:
    """Give a function that writes a grey video of 64 x 48 px."""

    def write(name: str, n_frames: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for k in range(n_frames):
                picture = np.full((48, 64, 3), 8 * k % 256, np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                for packet in stream.encode(frame):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
        return path

    return write
