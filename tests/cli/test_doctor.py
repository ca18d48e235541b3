"""`facetrack doctor`: every fault that it knows is made here and must be found with its repair."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from facetrack.cli import _checks, _packages, _system, doctor
from facetrack.cli._checks import Check, Status
from facetrack.video.devices import CameraInfo

BROKEN = Check("cv2 wheels", Status.FAIL, "two of them", "pip uninstall both")
SOUND = Check("numpy", Status.OK, "2.4.6")

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux's own folders")


@pytest.mark.parametrize(
    ("providers", "status", "words"),
    [
        (["opencv-python-headless"], Status.OK, ""),
        (["opencv-python"], Status.NOTE, "opencv-python instead of"),
        ([], Status.FAIL, "none is installed"),
        (["opencv-python", "opencv-python-headless"], Status.FAIL, "share one folder"),
    ],
)
def test_rival_wheels(providers: list[str], status: Status, words: str) -> None:
    check = _packages.check_one_provider("cv2", "opencv-python-headless", providers)
    assert check.status is status
    assert words in check.finding
    assert (status is Status.FAIL) == ("pip install opencv-python-headless" in check.fix)


def test_both_rivals_are_uninstalled_before_the_repair() -> None:
    check = _packages.check_one_provider("dlib", "dlib-bin", ["dlib-bin", "dlib"])
    assert check.fix == "pip uninstall -y dlib dlib-bin && pip install dlib-bin"


def test_a_working_package_shows_its_version() -> None:
    check = _packages.check_dependency(_packages.DEPENDENCIES[0])
    assert (check.name, check.status) == ("numpy", Status.OK)
    assert check.finding[0].isdigit()


def test_a_broken_package_is_named_with_its_last_words() -> None:
    dependency = _packages.Dependency("numpy", "raise ImportError('libfoo.so.1: not found')")
    check = _packages.check_dependency(dependency)
    assert check.status is Status.FAIL
    assert check.finding.endswith("ImportError: libfoo.so.1: not found")
    assert check.fix == "pip install --force-reinstall --no-deps numpy"


def test_a_missing_extra_breaks_nothing() -> None:
    dependency = _packages.Dependency("no-such-package", "import nothing", extra="app")
    check = _packages.check_dependency(dependency)
    assert check.status is Status.NOTE
    assert check.fix == "pip install 'facetrack[app]'"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_an_abort_of_the_child_is_reported() -> None:
    assert "signal 6" in _checks.run_child("import os; os.abort()")


def test_a_child_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checks, "PROOF_TIMEOUT", 0.5)
    assert _checks.run_child("import time; time.sleep(60)").startswith("no answer")


def test_opencv_that_leads_qt_astray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text(
        "import os; os.environ['QT_QPA_PLATFORM_PLUGIN_PATH'] = 'cv2/qt/plugins'", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = _packages.check_opencv_qt()
    assert check.status is Status.FAIL
    assert "cv2/qt/plugins" in check.finding
    assert "opencv-python-headless" in check.fix


def test_opencv_that_cannot_be_imported_is_not_blamed_for_qt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('no numpy')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert _packages.check_opencv_qt().status is Status.NOTE


def test_kernels_that_cannot_be_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A stand-in for numba, which decides by rights that the super-user always has.
    (tmp_path / "numba.py").write_text(
        "def njit(cache=False, **flags):\n"
        "    if cache:\n"
        "        raise RuntimeError('cannot cache function: no locator available')\n"
        "    return lambda function: function\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = _packages.check_kernel_cache()
    assert check.status is Status.FAIL
    assert "no locator available" in check.finding
    assert "NUMBA_CACHE_DIR" in check.fix


@linux_only
def test_qt_without_its_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    platforms = tmp_path / "PyQt5" / "Qt5" / "plugins" / "platforms"
    platforms.mkdir(parents=True)
    (tmp_path / "PyQt5" / "__init__.py").touch()
    (platforms / "libqoffscreen.so").write_bytes(b"no library")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "PyQt5", raising=False)  # another test may have loaded it
    (check,) = _system.check_qt_libraries()
    assert check.status is Status.FAIL
    assert check.finding.startswith("qoffscreen: ")
    assert "libqoffscreen.so" in check.finding
    assert check.fix.startswith("apt install libgl1 ")


@linux_only
def test_cameras_that_may_not_be_opened_are_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "video2").touch()
    good = CameraInfo(2, str(tmp_path / "video2"), "Integrated camera")
    bad = CameraInfo(10, str(tmp_path / "video10"), "Document camera")
    monkeypatch.setattr(_system, "list_cameras", lambda: [good, bad])
    found = list(_system.check_cameras())
    assert [(check.name, check.status) for check in found] == [
        ("camera 2", Status.OK),
        ("camera 10", Status.FAIL),
    ]
    assert "Integrated camera" in found[0].finding
    assert "usermod" in found[1].fix


def test_no_camera_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_system, "list_cameras", list)
    (check,) = _system.check_cameras()
    assert check.status is Status.NOTE


@pytest.mark.parametrize(("checks", "status"), [([SOUND], 0), ([SOUND, BROKEN], 1)])
@pytest.mark.parametrize("as_json", [False, True])
def test_exit_status_says_whether_something_is_broken(
    checks: list[Check],
    status: int,
    as_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(doctor, "check_all", lambda: checks)
    assert doctor.run(argparse.Namespace(json=as_json)) == status
    out = capsys.readouterr().out
    if as_json:
        report = json.loads(out)
        assert report["ok"] is (status == 0)
        assert report["checks"][0] == {
            "name": "numpy", "status": "ok", "finding": "2.4.6", "fix": "",
        }  # fmt: skip
    else:
        assert (status == 1) == ("\nto repair:\n  pip uninstall both  # cv2 wheels\n" in out)


def test_this_installation_is_checked_whole() -> None:
    checks = {check.name: check for check in doctor.check_all()}
    for dependency in _packages.DEPENDENCIES:
        allowed = {Status.OK, Status.NOTE} if dependency.extra else {Status.OK}
        assert checks[dependency.distribution].status in allowed
    assert {"Python", "cv2 wheels", "dlib wheels", "kernel cache", "default model"} <= set(checks)
