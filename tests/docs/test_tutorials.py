"""Every tutorial does what it says, from its first block to its last, on clips made by code."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facetrack.cli.main import main
from facetrack.face import Source
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.pts import write_pts
from facetrack.signals.registry import unregister
from facetrack.synthetic.motion import STILL, Amplitudes, Placement
from facetrack.synthetic.portrait import astronaut, stranger
from facetrack.synthetic.video import SyntheticFace, SyntheticVideo
from facetrack.video.sink import write_video
from tests.docs.pages import DOCS, TUTORIALS, blocks, lines_of, name_of

# The cluster's own threads and sockets end after the test that started them.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

SIZE = (320, 240)
LEANS = (0.3, 1.6, 2.9, 4.2, 5.5, 6.8)  # seconds; the tutorial's five examples and one more
SMALL = Amplitudes(yaw=0.05, pitch=0.05, roll=0.02, travel=0.02, zoom=0.02)
Prepare = Callable[[Path, FaceModel, Path], None]
Names = dict[str, Any]


def _leaning(time: float) -> Placement:
    """Come nearer by a quarter within a second, and go back."""
    since = min((time - lean for lean in LEANS if time >= lean), default=1.0)
    return Placement(160, 105, 50 * (1 + 0.25 * np.sin(np.pi * min(since, 1.0)) ** 2))


def _clip(path: Path, model: FaceModel, face: SyntheticFace | None = None, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"n_frames": 60, "size": SIZE, "seed": 1, **options}
    faces = [face or SyntheticFace(astronaut())]
    write_video(SyntheticVideo(model.shape_model, faces=faces, **options), path)


def _videos(folder: Path, model: FaceModel, clip: Path) -> None:
    (folder / "videos").mkdir()
    shutil.copy(clip, folder / "videos" / "anna.mp4")
    _clip(folder / "videos" / "ben.mp4", model, SyntheticFace(stranger()), seed=2)


def _two_videos(folder: Path, model: FaceModel, clip: Path) -> None:
    shutil.copy(clip, folder / "first.mp4")
    _clip(folder / "second.mp4", model, n_frames=30, seed=3)


def _takes(folder: Path, model: FaceModel, clip: Path) -> None:
    for seed, word in enumerate(("yes", "no")):
        for take in (1, 2):
            name = folder / "takes" / word / f"{take}.mp4"
            _clip(name, model, SyntheticFace(astronaut(), amplitudes=SMALL), seed=seed)
    shutil.copy(folder / "takes" / "yes" / "1.mp4", folder / "clip.mp4")


def _lean(folder: Path, model: FaceModel, clip: Path) -> None:
    face = SyntheticFace(astronaut(), trajectory=_leaning, amplitudes=STILL)
    _clip(folder / "clip.mp4", model, face, n_frames=30 * 8)


def _w300vw(folder: Path, model: FaceModel, clip: Path) -> None:
    source = SyntheticVideo(model.shape_model, n_frames=20, size=SIZE, seed=4)
    annotations = folder / "300VW" / "114" / "annot"
    annotations.mkdir(parents=True)
    write_video(source, folder / "vid.mp4")
    shutil.move(folder / "vid.mp4", annotations.parent / "vid.avi")
    for frame in range(20):
        write_pts(annotations / f"{frame + 1:06}.pts", source.truth(frame))


def _one(folder: Path, model: FaceModel, clip: Path) -> None:
    shutil.copy(clip, folder / "clip.mp4")


PREPARED: dict[str, Prepare] = {
    "cluster": _videos, "correct": _one, "enrol_words": _takes, "estimator": _one,
    "evaluate_300vw": _w300vw, "new_action": _lean, "numbers_per_minute": _videos,
    "remember_a_person": _two_videos, "track_a_folder": _videos, "train": _one,
}  # fmt: skip

# What must have come out, by what the page itself names.
CAME_OUT: dict[str, Callable[[Names], Any]] = {
    "cluster": lambda n: list(n["summary"]["video"]) == ["anna.mp4", "ben.mp4"],
    "correct": lambda n: (
        list(n["taught"].source[9:12, 48]) == [Source.TRACKED, Source.CORRECTED, Source.LEARNED]
        and n["moved"].mean(axis=0)[0] < -1
    ),
    "enrol_words": lambda n: "yes" in set(n["events"]["text"]),
    "estimator": lambda n: n["lift"](n["smiling"])[0] - n["lift"](n["faces"][0])[0] > 0.09,
    "evaluate_300vw": lambda n: n["report"]["n"] == 20,
    "new_action": lambda n: np.allclose(sorted(n["found"]), LEANS, atol=0.25),
    "numbers_per_minute": lambda n: {"rest", "film"} <= set(n["table"].columns),
    "remember_a_person": lambda n: n["faces"][0].source[48] == Source.LEARNED,
    "track_a_folder": lambda n: len(n["tracked"]) == 60 and len(n["widest"]) == 3,
    "train": lambda n: n["model"].card["terms"] == "my own pictures",
}


@pytest.fixture(scope="module")
def clip(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "anna.mp4"
    _clip(path, shipped_model)
    return path


@pytest.fixture
def workplace(
    request: pytest.FixtureRequest, shipped_model: FaceModel, clip: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:  # fmt: skip
    """Give the folder that a tutorial starts in."""
    monkeypatch.chdir(tmp_path)
    name = request.getfixturevalue("page").stem
    PREPARED[name](tmp_path, shipped_model, clip)
    if name == "train":
        made: Path = request.getfixturevalue("synthetic_faces")
        (tmp_path / "my_pictures").symlink_to(made / "pictures")
        (tmp_path / "my_pairs").symlink_to(made / "clips")
        request.getfixturevalue("small_cascades")
    yield tmp_path
    unregister("corners")


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_runs(page: Path, workplace: Path) -> None:
    names: Names = {}
    for block in blocks(page):
        kind, _, file = block.language.partition(" ")
        if kind == "text" and file:
            (workplace / file).write_text(block.text, encoding="utf-8")
        elif kind == "python" and not block.why:
            exec(compile(block.text, name_of(page), "exec"), names)
        elif kind == "sh" and not block.why:
            for line in lines_of(block.text):
                if not line.startswith("pip "):
                    program, *arguments = shlex.split(line)
                    assert program == "facetrack"
                    assert main(arguments) == 0, line
    assert CAME_OUT[page.stem](names)


def test_every_tutorial_is_known() -> None:
    assert {page.stem for page in TUTORIALS} == set(PREPARED) == set(CAME_OUT)
    assert TUTORIALS[0].parent == DOCS / "tutorials"
