# SPDX-License-Identifier: GPL-3.0-or-later
"""The column beside the live picture: what is watched, what is going on, what can be done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from PyQt5.QtCore import QPointF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QPainter, QPaintEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from facetrack.video.devices import CameraInfo
from facetrack_app.model.live import LiveFrame
from facetrack_app.model.wording import counted
from facetrack_app.services.live_session import LiveSession
from facetrack_app.views.drawing import MARKS, draw_mark
from facetrack_app.views.record_box import RecordBox
from facetrack_app.views.signal_list import SignalList
from facetrack_app.views.theme import GREEN, MARK, ORANGE, SKY, VERMILION, readable
from facetrack_app.views.widgets import choice, filled, label

SIZES: Final = ((640, 480), (1280, 720), (1920, 1080), (320, 240))
FILE: Final = "a video file..."
_UNKNOWN: Final = "\N{EN DASH}"
_UNMEASURED: Final = "jitter and lag: not yet measured"
_STATE_COLOURS: Final = {
    "tracking": GREEN, "learning": SKY, "unsure": ORANGE, "lost": VERMILION, "searching": ORANGE,
}  # fmt: skip


class Legend(QWidget):
    """What the shapes and colours of points mean."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._marks = [MARKS[name] for name in names]
        self.setAccessibleName("legend: " + ", ".join(mark.name for mark in self._marks))

    def sizeHint(self) -> QSize:
        """One line for each mark."""
        return QSize(180, len(self._marks) * (self.fontMetrics().height() + 3))

    def minimumSizeHint(self) -> QSize:
        """No line may be cut off."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint marks and names."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        step = self.fontMetrics().height() + 3
        for number, mark in enumerate(self._marks):
            box = self.rect().adjusted(22, number * step, 0, 0)
            box.setHeight(step)
            centre = box.center()
            centre.setX(9)
            draw_mark(painter, mark, QPointF(centre), 4.0)
            painter.setPen(self.palette().windowText().color())
            painter.drawText(box, Qt.AlignVCenter | Qt.AlignLeft, mark.name)


class LivePanel(QWidget):
    """Controls of the live view; they say what was chosen, and show what they are told."""

    source_chosen = pyqtSignal(str)
    size_chosen = pyqtSignal(int, int)
    mirror_chosen = pyqtSignal(bool)
    smoothing_chosen = pyqtSignal(float)

    def __init__(self, buttons: dict[str, QWidget]) -> None:
        super().__init__()
        self.state = label("state of the tracker", "not running")
        self.state.setMinimumHeight(40)
        self.numbers = QLabel("")
        self.numbers.setTextFormat(Qt.RichText)
        self.numbers.setAccessibleName("pose, rate and latency")
        self.recording = RecordBox(buttons)
        filled(
            QVBoxLayout(self), self.state, self._source_box(buttons), self._tracker_box(buttons),
            self.recording, self.numbers, None, Legend(("sure", "fair", "doubtful", "unsaid")),
            margins=(8, 4, 4, 4), spacing=6,
        )  # fmt: skip

    def _source_box(self, buttons: dict[str, QWidget]) -> QGroupBox:
        box = QGroupBox("Camera")
        self.sources = choice("camera or file")
        self.sources.activated.connect(lambda: self.source_chosen.emit(self.sources.currentData()))
        self.sizes = choice("resolution", ((f"{size[0]} x {size[1]}", size) for size in SIZES))
        self.sizes.activated.connect(lambda: self.size_chosen.emit(*self.sizes.currentData()))
        self.mirror = QCheckBox("Mirror")
        self.mirror.setToolTip("Show the picture as in a mirror (M); recordings are not mirrored.")
        self.mirror.setFocusPolicy(Qt.TabFocus)
        self.mirror.toggled.connect(self.mirror_chosen)
        form = QFormLayout(box)
        form.setContentsMargins(8, 4, 8, 6)
        form.addRow(self.sources)
        form.addRow(filled(QHBoxLayout(), (self.sizes, 1), self.mirror))
        form.addRow(buttons["toggle_run"])
        return box

    def _tracker_box(self, buttons: dict[str, QWidget]) -> QGroupBox:
        box = QGroupBox("Tracker")
        form = QFormLayout(box)
        form.setContentsMargins(8, 4, 8, 6)
        self.smoothing = QSlider(Qt.Horizontal)
        self.smoothing.setRange(0, 20)
        self.smoothing.setAccessibleName("smoothing")
        self.smoothing.valueChanged.connect(lambda v: self.smoothing_chosen.emit(v / 20))
        form.addRow("Smoothing", self.smoothing)
        self.steadiness = label(text=_UNMEASURED)
        form.addRow(self.steadiness)
        form.addRow(filled(QHBoxLayout(), buttons["toggle_adapt"], buttons["forget_person"]))
        self.charts = SignalList()
        form.addRow(self.charts)
        return box

    def show_sources(self, cameras: Sequence[CameraInfo], chosen: str) -> None:
        """List the cameras by name, a file and the demo clip."""
        self.sources.clear()
        for camera in cameras:
            self.sources.addItem(camera.name or camera.path, str(camera.index))
        self.sources.addItem("demo clip", "demo")
        if chosen and self.sources.findData(chosen) < 0:
            self.sources.addItem(chosen.rsplit("/", 1)[-1], chosen)
        self.sources.addItem(FILE, FILE)
        self.sources.setCurrentIndex(max(self.sources.findData(chosen), 0))

    def show_state(self, kind: str, sentence: str) -> None:
        """Say what the tracker does, in words and colour."""
        colour = _STATE_COLOURS.get(kind)
        ground = self.palette().window().color()
        rim = readable(colour, ground, MARK).name() if colour is not None else "transparent"
        self.state.setText(sentence)
        self.state.setStyleSheet(
            f"QLabel {{ padding: 4px 8px; font-weight: 600; border: 0 solid transparent; "
            f"border-left: 6px solid {rim}; }}"
        )

    def clear_numbers(self) -> None:
        """Show none: nothing runs."""
        self.numbers.setText("")
        self.steadiness.setText(_UNMEASURED)

    def show_numbers(self, session: LiveSession, live: LiveFrame) -> None:
        """Show pose, rate, latency, dropped frames, jitter and lag, and how the signals get on."""
        raw, smooth, lag = session.tracking.steadiness
        if not math.isnan(smooth):
            after = f", lag {lag:.0f} ms" if not math.isnan(lag) else ""
            self.steadiness.setText(
                f"jitter {smooth:.2f} % of the eye distance (raw {raw:.2f} %){after}"
            )
        rate, latency = session.meter.rate, session.meter.latency()
        rows = [
            ("pitch, yaw, roll", _angles(live)),
            ("rate", f"{rate:.1f} frames/s" if rate else _UNKNOWN),
            ("to display", f"{latency:.0f} ms" if not math.isnan(latency) else _UNKNOWN),
            ("frames dropped", f"{session.dropped}, {session.untracked} untracked"),
        ]
        if session.stood_still:
            rows.append(("during corrections", counted(session.stood_still, "frame")))
        cells = "".join(
            f"<tr><td>{name}&nbsp;&nbsp;</td><td><b>{v}</b></td></tr>" for name, v in rows
        )
        self.numbers.setText(f"<table>{cells}</table>")
        self.numbers.setToolTip(_signals_in_words(session))


def _angles(live: LiveFrame) -> str:
    """Write the pose of the first face in whole degrees."""
    pose = next((face.pose for face in live.faces if face.pose is not None), None)
    if pose is None:
        return _UNKNOWN
    whole = (round(math.degrees(angle)) for angle in pose.rotation)
    return ", ".join(f"{angle:+d}°" if angle else "0°" for angle in whole)


def _signals_in_words(session: LiveSession) -> str:
    costs = session.tracking.health.costs
    rows = [f"{name}: {ms:.2f} ms a face" for name, ms in costs.items()]
    frames = counted(session.untracked, "frame")
    unseen = f"{frames} came while another one was tracked: no signal saw them"
    return "\n".join(["What the signals cost:", *rows, unseen])
