# SPDX-License-Identifier: GPL-3.0-or-later
"""The line between picture and timeline: steps, the place in the video, work in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from facetrack.signals import SIGNALS
from facetrack_app.services.annotator import Annotator

_LONGEST: Final = 220  # px of a text in the progress bar


class Transport(QWidget):
    """Buttons for moving, and what is shown beside them."""

    signal_chosen = pyqtSignal()

    def __init__(self, buttons: Mapping[str, QPushButton], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = QLabel("")
        self.place.setAccessibleName("place in the video")
        self.progress = QProgressBar()
        self.progress.setMaximumHeight(18)
        self.progress.setAccessibleName("work in the background")
        self.progress.hide()
        self._tracking = buttons["toggle_tracking"]
        self._tracking.hide()
        self.signal = QComboBox()
        self.signal.setAccessibleName("signal in the timeline")
        self.signal.addItem("no signal")
        for name in SIGNALS:
            self.signal.addItem(name.replace("_", " "), name)
        self.signal.activated.connect(lambda: self.signal_chosen.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        for name in ("step_back", "play", "step_on", "previous_doubtful", "next_doubtful"):
            row.addWidget(buttons[name])
        for name in ("step_back", "step_on"):
            buttons[name].setFixedWidth(44)
        row.addWidget(self.place)
        row.addStretch(1)
        row.addWidget(self.progress)
        row.addWidget(self._tracking)
        row.addWidget(self.signal)

    @property
    def signal_name(self) -> str | None:
        """The signal that is drawn in the timeline."""
        name: str | None = self.signal.currentData()
        return name

    def next_signal(self) -> None:
        """Choose the next signal of the list."""
        self.signal.setCurrentIndex((self.signal.currentIndex() + 1) % self.signal.count())
        self.signal_chosen.emit()

    def show_annotator(self, annotator: Annotator) -> None:
        """Show the place in the video, and whether all of it is tracked."""
        session, frame = annotator.session, annotator.frame
        seconds = session.seconds(frame.timestamp if frame is not None else 0.0)
        self.place.setText(
            f"  frame {annotator.shown + 1} of {session.n_frames}   {seconds:+.2f} s"
        )
        self._tracking.setVisible(session.tracked < session.n_frames)
        self._tracking.setText("Stop" if annotator.tracking.running else "Go on")

    def show_progress(self, text: str, share: float) -> None:
        """Show work in the background; an empty text: there is none."""
        metrics = self.progress.fontMetrics()
        short = metrics.elidedText(text, Qt.ElideMiddle, _LONGEST)
        self.progress.setMinimumWidth(metrics.horizontalAdvance(short) + 12)
        self.progress.setVisible(bool(text))
        self.progress.setFormat(short)
        self.progress.setToolTip(text)
        self.progress.setValue(round(100 * share))

    def clear(self) -> None:
        """Show nothing: no video is open."""
        self.place.setText("")
        self.progress.hide()
        self._tracking.hide()
