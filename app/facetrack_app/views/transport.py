# SPDX-License-Identifier: GPL-3.0-or-later
"""The line between picture and timeline: steps, the place in the video, work in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from facetrack.reading import Kind, Spec
from facetrack.signals.registry import signals
from facetrack_app.model.playback import PACES
from facetrack_app.model.wording import named_with
from facetrack_app.services.annotator import Annotator
from facetrack_app.views.widgets import choice, filled

_LONGEST: Final = 170  # px of a text in the progress bar
MOST: Final = 3  # signals in the timeline


class Transport(QWidget):
    """Buttons for moving, and what is shown beside them."""

    signals_chosen = pyqtSignal()
    pace_chosen = pyqtSignal(float)

    def __init__(
        self, buttons: Mapping[str, QPushButton], chosen: list[str], events: QMenu
    ) -> None:
        super().__init__()
        self._chosen, self._events = chosen, events
        self.place = QLabel("")
        self.place.setAccessibleName("place in the video")
        self.place.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
        tip = "Speed of playing (< slower, > faster); J and L multiply it"
        self.pace = choice("speed of playing", ((f"{pace:g}x", pace) for pace in PACES), tip)
        self.pace.setFocusPolicy(Qt.TabFocus)
        self.pace.setCurrentIndex(PACES.index(1.0))
        self.pace.activated.connect(lambda: self.pace_chosen.emit(self.pace.currentData()))
        self.pace.setFixedWidth(62)
        self.pace.setEnabled(False)
        self.progress = QProgressBar()
        self.progress.setMaximumHeight(18)
        self.progress.setAccessibleName("work in the background")
        self.progress.hide()
        self._tracking = buttons["toggle_tracking"]
        self._tracking.hide()
        self.signals = QPushButton("Signals")
        self.signals.setAccessibleName("signals in the timeline")
        self.signals.setToolTip(f"Curves in the timeline, {MOST} at most (S: another one)")
        self.signals.setFocusPolicy(Qt.TabFocus)
        self.menu = QMenu(self.signals)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.signals.setMenu(self.menu)
        names = ("step_back", "play", "step_on", "previous_doubtful", "next_doubtful")
        for name, width in (("step_back", 36), ("play", 52), ("step_on", 36)):
            buttons[name].setFixedWidth(width)
        filled(
            QHBoxLayout(self), *(buttons[name] for name in names), self.pace, (self.place, 1),
            self.progress, self._tracking, self.signals, margins=(6, 0, 6, 0), spacing=5,
        )  # fmt: skip

    @property
    def chosen(self) -> tuple[str, ...]:
        """The signals that are drawn in the timeline, of those that there are."""
        known = _values()
        return tuple(name for name in self._chosen if name in known)[:MOST]

    def _fill_menu(self) -> None:
        """List the signals that there are now: packages add theirs while the window is open."""
        self.menu.clear()
        self.menu.addMenu(self._events)
        self.menu.addSeparator()
        chosen = self.chosen
        for name, spec in _values().items():
            action = self.menu.addAction(named_with(spec.label, spec.model))
            action.setToolTip(spec.meaning)
            action.setCheckable(True)
            action.setChecked(name in chosen)
            action.setEnabled(name in chosen or len(chosen) < MOST)
            action.triggered.connect(lambda on, name=name: self._toggle(name, on))

    def _toggle(self, name: str, on: bool) -> None:
        self.choose([n for n in self.chosen if n != name] + ([name] if on else []))

    def choose(self, names: list[str]) -> None:
        """Draw these signals."""
        self._chosen[:] = names
        self.signals_chosen.emit()

    def next_signal(self) -> None:
        """Draw the next signal of the list alone; after the last one, none."""
        names = [*_values(), None]
        place = names.index(self.chosen[-1]) + 1 if self.chosen else 0
        following = names[place]
        self.choose([following] if following is not None else [])

    def show_annotator(self, annotator: Annotator) -> None:
        """Show the place in the video, and whether all of it is tracked."""
        session, frame = annotator.session, annotator.frame
        seconds = session.seconds(frame.timestamp if frame is not None else 0.0)
        playback = annotator.playback
        playing = f"   {playback.rate:g}x" if playback.speed not in (0, 1) else ""
        place = f"{annotator.shown + 1} / {session.n_frames}"
        time = "" if session.stills else f"   {seconds:+.2f} s"
        pictures = annotator.document.pictures
        name = f"   {pictures[annotator.shown]}" if pictures else ""
        short = self.place.fontMetrics().elidedText(name, Qt.ElideMiddle, _LONGEST)
        self.place.setText(f" {place}{short}{time}{playing}")
        what = "picture" if pictures else "frame"
        self.place.setToolTip(f"{what} {place}{name}{time}{playing}")
        self.pace.setEnabled(True)
        self.pace.setCurrentIndex(PACES.index(playback.pace))
        self._tracking.setVisible(session.tracked < session.n_frames)
        self._tracking.setText("Stop" if annotator.tracking.running else "Continue")

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
        self.pace.setEnabled(False)
        self.progress.hide()
        self._tracking.hide()


def _values() -> dict[str, Spec]:
    return {name: spec for name, spec in signals().items() if spec.kind != Kind.EVENT}
