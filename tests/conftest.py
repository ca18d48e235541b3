"""Fixtures and settings of the whole test suite."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings

from tests.mutants.plugin import MODULE

if TYPE_CHECKING:
    from facetrack.fitting.face_model import FaceModel
    from facetrack.synthetic.video import SyntheticFace

ROOT = Path(__file__).resolve().parent.parent


def _use_fresh_kernel_cache() -> None:
    """Point numba at a cache that belongs to the present text of all kernels.

    Numba's own cache does not see a change in a kernel that is called from another file. The
    folder's name is a digest of every kernel, of what kernels emit and of the compiler's flags, so
    an edit starts an empty cache; the others go. Must run before numba is imported; child
    processes inherit it.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    digest = hashlib.sha256()
    sources = ROOT / "facetrack"
    shared = (sources / "jit.py", sources / "networks" / "runtime" / "vectors.py")
    for path in (*shared, *sorted(sources.rglob("_kernels.py"))):
        digest.update(path.read_bytes())
    caches = ROOT / ".cache" / "numba"
    mine = caches / digest.hexdigest()[:16]
    try:
        mine.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only tree: numba finds a place of its own
        return
    os.environ["NUMBA_CACHE_DIR"] = str(mine)
    for other in caches.iterdir():
        if other != mine:
            shutil.rmtree(other, ignore_errors=True)


_use_fresh_kernel_cache()

# The first example compiles kernels, so a deadline would fail on a cold cache only.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=100, print_blob=True)
# The same examples each time; that one fails is enough: shrinking keeps each try's memory.
settings.register_profile(
    "mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate]
)
# A round of `make fuzz`; never the same examples twice.
settings.register_profile(
    "fuzz", deadline=None, derandomize=False, max_examples=1000, print_blob=True
)
settings.load_profile(
    "mutants" if MODULE in os.environ else "ci" if os.environ.get("CI") else "dev"
)


@pytest.fixture(scope="session")
def fuzz_seeds(request: pytest.FixtureRequest) -> list[int]:
    """Give seeds of random damage: one, always the same; new ones in each round of `make fuzz`."""
    if request.config.getoption("--hypothesis-profile") == "fuzz":
        return [secrets.randbits(32) for _ in range(10)]
    return [0]


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """Give the folder of research material beside the repository, or skip."""
    folder = root.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the research material is not beside the repository (../shared)")
    return folder


@pytest.fixture(scope="session")
def shipped_model() -> FaceModel:
    """Give the model that ships."""
    from facetrack.model import load_model

    return load_model()


@pytest.fixture(scope="session")
def synthetic_faces(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder to train from: `pictures` of two people, and `clips` of two frames each.

    There are 28 pictures in `pictures`, NAME.png and NAME.pts, and 12 pairs of neighbouring frames
    of other scenes, NAME_a and NAME_b, in `clips`; all 320 x 240 px.
    """
    import cv2

    from facetrack.formats.pts import write_pts
    from facetrack.synthetic.portrait import astronaut, stranger
    from facetrack.synthetic.video import SyntheticFace, SyntheticVideo

    folder = tmp_path_factory.mktemp("synthetic")
    for kind, n_scenes, seed in (("pictures", 14, 4), ("clips", 6, 5)):
        (folder / kind).mkdir()
        for portrait in (astronaut, stranger):
            n_each = 1 if kind == "pictures" else 2
            source = SyntheticVideo(
                shipped_model.shape_model,
                n_frames=n_each * n_scenes,
                size=(320, 240),
                seed=seed,
                faces=[SyntheticFace(portrait())],
                cuts=range(0, n_each * n_scenes, n_each),
            )
            for frame in source:
                scene, second = divmod(frame.index, n_each)
                suffix = "" if n_each == 1 else "_b" if second else "_a"
                file = folder / kind / f"{portrait.__name__}{scene:02}{suffix}.png"
                cv2.imwrite(str(file), frame.image)
                write_pts(file.with_suffix(".pts"), source.truth(frame.index))
    return folder


@pytest.fixture
def small_cascades(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `facetrack train` train few dimensions: what is tested is the command, not the model."""
    from facetrack.training.cascade import CascadePlan, LevelPlan
    from facetrack.training.trainer import TrainingSettings

    plan = CascadePlan((LevelPlan(0, 8.0, 3), LevelPlan(1, 5.0, 3)))

    def settings(*, n_modes: int, **options: Any) -> TrainingSettings:
        small = min(n_modes, 6)
        return TrainingSettings(
            n_modes=small, tracking=plan, start=plan, refinement=plan, **options
        )

    monkeypatch.setattr("facetrack.cli.train.TrainingSettings", settings)


@pytest.fixture(scope="session")
def tree_300vw(shipped_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in the layout of 300-VW: synthetic clips of 12 frames, 320 x 240 px.

    Test clips 114, 124 (category 1, videos), 203 (2) and 410 (3, both pictures), training clips 001
    (a video) and 002 (pictures). In 203 a second person, whom the detector finds first, is not
    labelled.
    """
    from facetrack.synthetic.motion import Placement
    from facetrack.synthetic.portrait import astronaut, stranger
    from facetrack.synthetic.video import SyntheticFace

    root = tmp_path_factory.mktemp("300VW")
    for number, name in enumerate(("114", "124", "410", "001", "002")):
        portrait = (astronaut, stranger)[number % 2]()
        _write_300vw(root / name, shipped_model, [SyntheticFace(portrait)], number)
    both = [
        SyntheticFace(stranger(), home=Placement(230, 110, 46)),
        SyntheticFace(astronaut(), home=Placement(70, 110, 46)),
    ]
    _write_300vw(root / "203", shipped_model, both, 9)
    return root


def _write_300vw(
    folder: Path, model: FaceModel, faces: list[SyntheticFace], seed: int, n_frames: int = 12
) -> None:
    import cv2

    from facetrack.formats.pts import write_pts
    from facetrack.synthetic.video import SyntheticVideo
    from facetrack.video.sink import VideoWriter

    size = (320, 240)
    source = SyntheticVideo(model.shape_model, n_frames=n_frames, size=size, seed=seed, faces=faces)
    frames = list(source)
    (folder / "annot").mkdir(parents=True)
    for frame in frames:
        write_pts(folder / "annot" / f"{frame.index + 1:06}.pts", source.truth(frame.index))
    if folder.name in ("002", "203", "410"):
        (folder / "imgs").mkdir()
        for frame in frames:
            cv2.imwrite(str(folder / "imgs" / f"{frame.index + 1:06}.png"), frame.image)
        return
    with VideoWriter(folder / "vid.mp4", size) as writer:
        for frame in frames:
            writer.write(frame.image, frame.timestamp)
    (folder / "vid.mp4").rename(folder / "vid.avi")
