"""The package as pip sees it: metadata, lazy import, a wheel that works far from its sources."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib.metadata import Distribution
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest

import facetrack

HEAVY = ("av", "cv2", "dask", "dlib", "matplotlib", "numba", "PyQt5", "scipy", "skimage", "torch")
TRACK_DEMO = """
from itertools import islice
import facetrack

tracked = [any(face.tracked for face in faces) for _, faces in islice(facetrack.track("demo"), 20)]
print(sum(tracked), "of", len(tracked), "frames")
"""


def _run(*command: str | Path, cwd: Path) -> str:
    """Run a command outside the repository and give what it printed."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["SETUPTOOLS_SCM_PRETEND_VERSION"] = facetrack.__version__  # a copy has no tags
    child = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout + child.stderr
    return child.stdout


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, copy)
    for name in ("facetrack", "models", "app"):
        shutil.copytree(root / name, copy / name)  # with compiled kernels, which must not ship
    out = tmp_path_factory.mktemp("wheel")
    _run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
        *("--outdir", out, copy),
        cwd=out,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment; the dependencies are lent, not downloaded."""
    folder = tmp_path_factory.mktemp("environment")
    _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = next(scripts.glob("python*"))
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=folder)
    purelib = _run(
        python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder
    )
    # Editable installs of the lender stay behind: `.pth` files are not followed twice.
    Path(purelib.strip(), "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


def test_import_is_lazy(tmp_path: Path) -> None:
    code = "import facetrack, sys; print(*sorted(sys.modules), sep='\\n')"
    loaded = {line.split(".")[0] for line in _run(sys.executable, "-c", code, cwd=tmp_path).split()}
    assert loaded.isdisjoint(HEAVY)


def test_the_command_line_itself_is_light(tmp_path: Path) -> None:
    code = "import facetrack.cli.main, sys; print(*sorted(sys.modules), sep='\\n')"
    loaded = {line.split(".")[0] for line in _run(sys.executable, "-c", code, cwd=tmp_path).split()}
    assert loaded.isdisjoint({*HEAVY, "numpy"})


def test_listing_all_commands_is_light(tmp_path: Path) -> None:
    code = (
        "import sys; from facetrack.cli.main import main; main(['--help']);"
        "print('loaded', *sys.modules, sep='\\n')"
    )
    seen = _run(sys.executable, "-c", code, cwd=tmp_path)
    assert "open the desktop application" in seen
    loaded = {line.split(".")[0] for line in seen.partition("loaded")[2].split()}
    assert "facetrack_app" in loaded
    assert loaded.isdisjoint({*HEAVY, "numpy"})


def test_only_training_loads_torch(root: Path, tmp_path: Path) -> None:
    files = [path.relative_to(root) for path in (root / "facetrack").rglob("*.py")]
    names = [".".join(f.with_suffix("").parts) for f in files if "train" not in f.parent.parts]
    code = "import sys; [*map(__import__, sys.argv[1:])]; sys.exit('torch' in sys.modules)"
    _run(sys.executable, "-c", code, *names, cwd=tmp_path)


@pytest.mark.parametrize("name", facetrack.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(facetrack, name) is not None
    assert name in dir(facetrack)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trakc'"):
        facetrack.trakc  # noqa: B018


def test_version_stands_in_the_tags_alone(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dynamic"] == ["version"]
    assert not re.search("^version:", (root / "CITATION.cff").read_text("utf-8"), re.MULTILINE)


def test_every_folder_is_packaged(root: Path) -> None:
    tools = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    folders = {
        ".".join(path.parent.relative_to(root).parts)
        for path in (root / "facetrack").rglob("__init__.py")
    }
    application = {
        ".".join(path.parent.relative_to(root / "app").parts)
        for path in (root / "app").rglob("__init__.py")
    }
    assert set(tools["setuptools"]["packages"]) == folders | {"facetrack.models"} | application


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {
        "facetrack",
        "facetrack_app",
        f"facetrack-{facetrack.__version__}.dist-info",
    }
    assert "facetrack_app/facetrack.svg" in names
    assert "facetrack/py.typed" in names
    assert "facetrack/models/__init__.py" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/app/LICENSE") for name in names)
    assert not [name for name in names if name.endswith((".nbi", ".nbc", ".pyc"))]


def test_wheel_ships_a_model_with_its_card(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("facetrack/models/")}
    models = {name for name in names if name.endswith(".npz")}
    assert models
    assert {name.removesuffix(".npz") + ".md" for name in models} <= names


def test_the_bundle_holds_all_that_the_wheel_installs(
    wheel: Path, installed: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (about,) = installed.parent.rglob("facetrack-*.dist-info")
    distribution = Distribution.at(about)
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: distribution)
    hooks: Any = ModuleType("PyInstaller.utils.hooks")
    hooks.copy_metadata = lambda name, recursive: [(name, "metadata")]
    hooks.collect_data_files = lambda name, includes=(): []
    hooks.collect_submodules = lambda name, filter: []
    monkeypatch.setitem(sys.modules, hooks.__name__, hooks)
    steps = {name: Mock() for name in ("Analysis", "PYZ", "EXE", "COLLECT")}
    runpy.run_path(str(root / ".ci" / "bundle" / "facetrack.spec"), init_globals=steps)
    asked = steps["Analysis"].call_args.kwargs

    modules, data = set(asked["hiddenimports"]), asked["datas"]
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    frozen = {f"{folder}/{Path(path).name}" for path, folder in data}
    frozen |= {
        f"{name.replace('.', '/')}{end}" for name in modules for end in (".py", "/__init__.py")
    }
    assert shipped <= frozen
    assert {point.module for point in distribution.entry_points} <= modules
    assert ("facetrack", "metadata") in data  # by which the entry points are found


def test_installed_wheel_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    code = "import facetrack; print(facetrack.__file__)"
    where = _run(installed / "python", "-c", code, cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert _run(installed / "facetrack", "--version", cwd=tmp_path).split() == [
        "facetrack",
        facetrack.__version__,
    ]


def test_installed_wheel_tracks_the_demo_clip(installed: Path, tmp_path: Path) -> None:
    assert _run(installed / "python", "-c", TRACK_DEMO, cwd=tmp_path) == "20 of 20 frames\n"
