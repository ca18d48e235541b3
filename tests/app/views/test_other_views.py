"""Dialogs, keys, and the guards before Qt starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import types
from pathlib import Path

import cv2
import pytest
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction
from pytestqt.qtbot import QtBot

from facetrack.errors import FacetrackError, MissingDependencyError, OutputError
from facetrack.qt_libraries import missing_library
from facetrack_app import desktop, qt_guard
from facetrack_app.cli.app import main
from facetrack_app.model.settings import Settings
from facetrack_app.start import _load, install_hook
from facetrack_app.views import dialogs
from facetrack_app.views.main_window import MainWindow


def test_keys_can_be_changed_but_not_to_two_things(qtbot: QtBot) -> None:
    sheet = dialogs.KeysSheet(Settings())
    qtbot.addWidget(sheet)
    assert sheet.accept_button.isEnabled()
    rows = {sheet.table.item(row, 0).text(): row for row in range(sheet.table.rowCount())}
    edit = sheet.table.cellWidget(rows["Play or pause"], 3)
    edit.setKeySequence(QKeySequence("N"))
    edit.editingFinished.emit()
    assert not sheet.accept_button.isEnabled()
    assert "Next doubtful stretch" in sheet.trouble.text()
    edit.setKeySequence(QKeySequence("F8"))
    edit.editingFinished.emit()
    assert sheet.accept_button.isEnabled()
    assert sheet.changed == {"play": "F8"}


def test_settings_are_asked_for(qtbot: QtBot) -> None:
    dialog = dialogs.SettingsDialog(Settings(), ["default"])
    qtbot.addWidget(dialog)
    dialog.theme.setCurrentText("light")
    dialog.max_faces.setValue(3)
    assert (dialog.chosen().theme, dialog.chosen().max_faces) == ("light", 3)


def test_about_says_the_licences_and_models_their_terms() -> None:
    assert "GPL-3.0-or-later" in dialogs.about_html()
    assert "Apache-2.0" in dialogs.about_html()
    assert "300-W" in dialogs.models_text()


def test_a_settings_file_that_cannot_be_written_is_said(window: MainWindow, tmp_path: Path) -> None:
    window.settings_path = tmp_path / "settings.json" / "inside"
    (tmp_path / "settings.json").write_text("")
    window.save()
    assert "settings are not saved" in window.message


@pytest.mark.parametrize("where", ["slot", "thread"])
def test_a_mistake_of_ours_is_shown_and_the_window_stays(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    for module, name in ((sys, "excepthook"), (threading, "excepthook")):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back at the end
    install_hook(window)
    error = ZeroDivisionError("a mistake")
    if where == "slot":
        sys.excepthook(ZeroDivisionError, error, None)
    else:
        threading.excepthook(
            threading.ExceptHookArgs((ZeroDivisionError, error, None, threading.current_thread()))
        )
    qtbot.waitUntil(lambda: window.message == "ZeroDivisionError: a mistake")
    assert window.isVisible()


def test_opencvs_variables_are_taken_back_and_the_users_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = types.ModuleType("cv2")
    fake.__file__ = str(tmp_path / "cv2" / "__init__.py")
    environment = {"QT_QPA_FONTDIR": "/usr/share/fonts"}

    def import_it(name: str) -> types.ModuleType:
        environment["QT_QPA_PLATFORM_PLUGIN_PATH"] = str(tmp_path / "cv2" / "qt" / "plugins")
        environment["QT_QPA_FONTDIR"] = str(tmp_path / "cv2" / "qt" / "fonts")
        return fake

    monkeypatch.setattr("importlib.import_module", import_it)
    qt_guard.guard_against_opencv(environment)
    assert environment == {"QT_QPA_FONTDIR": "/usr/share/fonts"}


def test_without_a_display_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "linux":
        pytest.skip("only Linux tells by variables whether there is a display")
    assert main([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no display" in line
    assert "facetrack demo" in line


def test_a_missing_library_is_named_with_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    trouble = "libxcb-icccm.so.4: cannot open shared object file"
    monkeypatch.setattr(qt_guard, "missing_library", lambda plugin: trouble)
    with pytest.raises(MissingDependencyError, match=r"libxcb-icccm.*apt install libgl1"):
        qt_guard.check_qt()


def test_the_desktop_file_starts_this_installation(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has .desktop files")
    icon, entry = desktop.install(tmp_path)
    assert icon.read_text(encoding="utf-8").startswith("<svg")
    lines = dict(line.split("=", 1) for line in entry.read_text().splitlines()[1:])
    assert lines["Exec"].endswith('facetrack-app" %f')
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        desktop.install(tmp_path / "file")


@pytest.mark.parametrize("scale", ["1", "2"])
def test_the_window_opens_on_a_real_display(tmp_path: Path, scale: str) -> None:
    """Under Xvfb with Qt's xcb plug-in, cv2 imported before: what offscreen tests cannot see.

    With a scale of 2, as on a screen of many small pixels, gestures must still find their points.
    """
    if shutil.which("xvfb-run") is None or shutil.which("xauth") is None:
        pytest.skip("xvfb is not installed (apt install xvfb xauth)")
    if missing_library("qxcb"):
        pytest.skip(f"Qt lacks {missing_library('qxcb')}")
    screen = "-screen 0 2800x1800x24"
    script = Path(__file__).with_name("xcb_session.py")
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "XDG_DATA_HOME": str(tmp_path)}
    environment["QT_SCALE_FACTOR"] = scale
    child = subprocess.run(
        ["xvfb-run", "-a", "-s", screen, sys.executable, "-X", "faulthandler", script, tmp_path],
        env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    assert child.stdout.split() == ["xcb", "tracked", "corrected"]
    picture = cv2.imread(str(tmp_path / "window.png"))
    assert picture is not None
    assert picture.shape[:2] == (720 * int(scale), 1280 * int(scale))


def test_keys_are_single_and_can_be_taken_away(window: MainWindow) -> None:
    sheet = dialogs.KeysSheet(Settings())
    rows = {sheet.table.item(row, 0).text(): row for row in range(sheet.table.rowCount())}
    edit = sheet.table.cellWidget(rows["Mark an event"], 3)
    edit.setKeySequence(QKeySequence("N, M"))
    edit.editingFinished.emit()
    assert not sheet.accept_button.isEnabled()  # N is taken; what comes after it does not count
    sheet.table.setCurrentCell(rows["Next doubtful stretch"], 0)
    sheet._clear()
    assert sheet.accept_button.isEnabled()
    assert sheet.changed == {"mark_event": "N", "next_doubtful": ""}
    window._bar.set_keys(sheet.changed)
    assert window.findChild(QAction, "next_doubtful").shortcuts() == []
    assert window.findChild(QAction, "mark_event").shortcut() == QKeySequence("N")
    sheet.close()


def test_a_model_that_is_gone_keeps_nobody_out() -> None:
    model, trouble = _load(None, "gone.npz")
    assert model.name == "default"
    (line,) = trouble
    assert "gone.npz" in line
    assert "the standard model is used" in line
    with pytest.raises(FacetrackError, match=r"gone\.npz"):
        _load("gone.npz", "default")
