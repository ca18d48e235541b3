# SPDX-License-Identifier: GPL-3.0-or-later
"""Live: a camera, its faces, and teaching with a single drag."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from facetrack.errors import FacetrackError
from facetrack_app.model.live import LiveFrame, state_in_words
from facetrack_app.model.observable import Observable
from facetrack_app.model.settings import Settings
from facetrack_app.model.wording import counted
from facetrack_app.services.capture import cameras
from facetrack_app.services.live_session import LiveSession, LiveWish
from facetrack_app.services.watch import Watch
from facetrack_app.views.bridge import Poster
from facetrack_app.views.canvas import Canvas
from facetrack_app.views.charts import StripCharts
from facetrack_app.views.live_correcting import LiveCorrecting, drawn
from facetrack_app.views.live_marking import LiveMarking
from facetrack_app.views.live_panel import FILE, LivePanel
from facetrack_app.views.live_people import LivePeople
from facetrack_app.views.live_recording import LiveRecording
from facetrack_app.views.live_resting import LiveResting
from facetrack_app.views.room import column
from facetrack_app.views.theme import VERMILION
from facetrack_app.views.widgets import filled

HINT: Final = "Choose a camera, a file or the demo clip, then start (Space)."


class LiveView(QWidget):
    """The live view. Its methods named as in the table of actions do these."""

    def __init__(
        self,
        model: Any,
        settings: Settings,
        poster: Poster,
        buttons: dict[str, QWidget],
        recordings: Path,
    ) -> None:
        super().__init__()
        self._watch = Watch()
        self.said, self.changed = self._watch.said, self._watch.changed
        self.annotate = self._watch.annotate
        self.signed: Observable[[str]] = Observable()  # what every tab says of a recording
        self._hidden = False  # behind another view
        self.changed.connect(lambda: self.rest(self._hidden))
        self.changed.connect(lambda: self.signed(self.recording.sign))
        self._model, self._settings, self._poster = model, settings, poster
        self.n_shown = 0  # frames that were painted since the start
        self.shown_frame: LiveFrame | None = None  # the tracked frame that is shown
        self._trouble = ""  # what camera or tracker said, until all is well again
        self._captured: float | None = None  # of the frame that waits to be painted
        self.canvas = Canvas(HINT)
        self.charts = StripCharts()
        self.troubles = QLabel()
        self.panel = LivePanel(buttons)
        self.toggle_mirror = self.panel.mirror.toggle
        self.people = LivePeople(self._watch, self.restart, self)
        self.recording = LiveRecording(
            self._watch, self.panel.recording, settings, recordings, self
        )
        self.marking = LiveMarking(self._watch, settings, self)
        self.resting = LiveResting(self._watch, self.charts)
        self.correcting = LiveCorrecting(self._watch, self.canvas, self._show_frozen)
        self._lay_out()
        self._connect()
        self._clock = QTimer(self)
        self._clock.setInterval(250)
        self._clock.timeout.connect(self._show_numbers)

    def _lay_out(self) -> None:
        split = QSplitter(Qt.Vertical)
        split.setObjectName("live")
        split.addWidget(self.canvas)
        split.addWidget(self.charts)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 1)
        split.setSizes([480, 150])
        self.charts.setMinimumHeight(110)
        self.troubles.setAccessibleName("what is wrong with the signals")
        self.troubles.setTextFormat(Qt.PlainText)
        self.troubles.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        self.troubles.setStyleSheet(
            f"padding: 2px 8px; border: 0 solid transparent; "
            f"border-left: 6px solid {VERMILION.name()};"
        )
        self.troubles.hide()
        left = filled(QVBoxLayout(), (split, 1), self.troubles)
        filled(QHBoxLayout(self), (left, 1), column(self.panel), margins=(0, 0, 0, 0))

    def _connect(self) -> None:
        settings, panel = self._settings, self.panel
        panel.show_sources(cameras(), settings.source)
        panel.mirror.setChecked(settings.mirror)
        panel.smoothing.setValue(round(20 * settings.smoothing))
        panel.charts.tick(settings.charts)
        panel.source_chosen.connect(self._choose_source)
        panel.size_chosen.connect(lambda width, height: self.restart())
        panel.mirror_chosen.connect(self._choose_mirror)
        panel.smoothing_chosen.connect(self._choose_smoothing)
        panel.charts.chosen.connect(self._choose_charts)
        panel.charts.refused.connect(lambda text: self.said(text, False))
        self.canvas.mirrored = settings.mirror
        self.charts.choose(settings.charts)

    # What can be asked for

    @property
    def parts(self) -> tuple[object, ...]:
        """Who does what can be asked for here."""
        return self, self.correcting, self.recording, self.people, self.marking, self.resting

    @property
    def session(self) -> LiveSession | None:
        """The camera and its tracker; None while none runs."""
        return self._watch.session

    @property
    def running(self) -> bool:
        """Whether a camera is watched."""
        return self.session is not None

    @property
    def mirrored(self) -> bool:
        """Whether the picture is shown as in a mirror."""
        return self._settings.mirror

    @property
    def adapting(self) -> bool:
        """Whether the tracker learns from its own tracks."""
        return self.session is not None and self.session.adapting

    @property
    def has_rest(self) -> bool:
        """Whether values are measured from a face at rest."""
        return self.session is not None and self.session.rest is not None

    @property
    def has_recording(self) -> bool:
        """Whether a recording has ended."""
        return self.recording.last is not None

    @property
    def frozen(self) -> bool:
        """Whether a person corrects a frame."""
        return self.session is not None and self.session.frozen

    def toggle_run(self) -> None:
        """Start or stop the camera."""
        self.stop() if self.running else self.start()

    def choose(self, source: str) -> None:
        """Choose what is watched: a camera's number, "demo" or a path."""
        self.panel.show_sources(cameras(), source)

    def start(self) -> None:
        """Watch what was chosen."""
        source = self.panel.sources.currentData()
        size = self.panel.sizes.currentData()
        settings = self._settings
        wish = LiveWish(source, size, settings.smoothing, settings.max_faces, self.people.person,
                        tuple(settings.charts))  # fmt: skip
        settings.source = source
        try:
            self._watch.session = session = LiveSession(
                self._model, wish, self._poster.post, self._show_newest, self._hear, self._end
            )
        except FacetrackError as error:  # a profile that is broken, or of another model
            self.people.person = None
            self.said(str(error), True)
            return
        self._trouble = ""
        self.said("", False, "camera")
        session.start()
        self.charts.clear()
        self.charts.marks = session.marks
        self.canvas.hint = f"starting {session.name} ..."
        self.canvas.update()
        self.panel.show_state("searching", f"starting {session.name}")
        self._clock.start()
        self.changed()

    def stop(self) -> None:
        """Let go of the camera; a recording ends."""
        if self.session is not None:
            self.recording.report(self.session.stop())
            self._watch.session = None
        self.resting.stop()
        self.said("", False, "camera")
        self._clock.stop()
        self.shown_frame = None
        self.canvas.set_frame(None)
        self.canvas.set_faces([])
        self.canvas.hint = HINT
        self.panel.show_state("", "not running")
        self.panel.clear_numbers()
        self._show_troubles([])
        self.changed()

    def rest(self, hidden: bool) -> None:
        """Let go of the camera while another view is shown, unless it records: no unseen camera."""
        session, self._hidden = self.session, hidden
        if session is None or session.paused == hidden or (hidden and self.recording.going_on):
            return
        session.pause() if hidden else session.go_on()
        self._captured = None

    def _end(self) -> None:
        """Stop after the last frame of a file."""
        name = self.session.name if self.session is not None else ""
        recorded = self.recording.going_on
        self.stop()
        self.panel.show_state("", f"{name} has ended")
        if not recorded:
            self.said(f"{name} has ended", False)

    def toggle_adapt(self) -> None:
        """Let the tracker learn from its own tracks, or not."""
        if self.session is None:
            return
        if not self.session.can_adapt:
            self.said("this tracker learns from corrections only", True)
        else:
            self.session.set_adapt(not self.session.adapting)
        self.changed()

    # What comes in

    def _hear(self, message: str) -> None:
        if message:
            self.said(message, True, "camera")
            self.panel.show_state("lost", message)
        elif self._trouble:
            self.said("all is well again", False, "camera")
        self._trouble = message

    def _show_frozen(self, live: LiveFrame) -> None:
        """Show the frame at which everything stands still for a correction."""
        self.shown_frame, self._captured = live, None
        self.canvas.set_frame(live.frame.image)
        self.panel.show_state(
            "learning", "frozen: drag points to their place; Return teaches, Esc continues without"
        )

    def _show_newest(self) -> None:
        if self.session is None or self.session.frozen:
            return
        found = self.session.hear()
        for heard in found:
            self.charts.add(heard)
        self.resting.hear(found)
        live = self.session.take()
        if live is None:
            return
        if self._captured is not None and self.canvas.painted_at > 0:
            self.session.meter.add(self._captured, self.canvas.painted_at)
        self.shown_frame, self._captured = live, live.captured
        self.canvas.set_frame(live.frame.image)
        self.canvas.set_faces(drawn(live.faces))
        self.canvas.repaint()
        self.n_shown += 1

    def _show_numbers(self) -> None:
        self.recording.show()
        self.signed(self.recording.sign)
        session, live = self.session, self.shown_frame
        if session is None or session.frozen:
            return
        if session.tracking.preparing and not self._trouble:
            self.panel.show_state("searching", session.tracking.preparing)
            return
        if live is None:
            return
        state = state_in_words(live.faces, learning=session.adapting)
        if self.resting.sentence:
            state = "learning", self.resting.sentence
        self.panel.show_state(*(("lost", self._trouble) if self._trouble else state))
        self.panel.show_numbers(session, live)
        lines = session.tracking.health.troubles()
        if session.unheard:
            frames = counted(session.unheard, "frame")
            lines.append(f"the charts lack {frames}: the window stood still")
        self._show_troubles(lines)

    def _show_troubles(self, lines: list[str]) -> None:
        """Say what is wrong with signals and charts, as long as it is."""
        width = self.canvas.width() - 30
        metrics = self.troubles.fontMetrics()
        shown = (metrics.elidedText(line, Qt.ElideRight, width) for line in lines)
        self.troubles.setText("\n".join(shown))
        self.troubles.setToolTip("\n".join(lines))
        self.troubles.setVisible(bool(lines))

    # Choices

    def _choose_source(self, source: str) -> None:
        if source == FILE:
            source, _ = QFileDialog.getOpenFileName(self, "A video to play as camera")
            self.panel.show_sources(cameras(), source or self._settings.source)
        if source:
            self._settings.source = source
            self.restart()

    def restart(self) -> None:
        """Begin anew with what is chosen now, if it runs."""
        if self.running:
            self.stop()
            self.start()

    def _choose_mirror(self, on: bool) -> None:
        self._settings.mirror = self.canvas.mirrored = on
        self.canvas.update()

    def _choose_smoothing(self, dial: float) -> None:
        self._settings.smoothing = dial
        if self.session is not None:
            self.session.set_smoothing(dial)

    def _choose_charts(self, names: list[str]) -> None:
        self._settings.charts = names
        self.charts.choose(names)
        if self.session is not None:
            self.session.chart(names)
