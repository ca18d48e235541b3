# SPDX-License-Identifier: GPL-3.0-or-later
"""The main window: composes the views, and hands every action to whom it concerns."""

from __future__ import annotations

from dataclasses import fields
from functools import partialmethod
from pathlib import Path
from typing import Any, Final

from PyQt5 import sip
from PyQt5.QtCore import QByteArray, QCoreApplication, QEvent, Qt
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon
from PyQt5.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QMainWindow,
    QSplitter,
    QStyle,
    QTabWidget,
)

from facetrack.errors import FacetrackError
from facetrack.formats.modelfile import list_models
from facetrack.model import LANDMARK_TRACKER
from facetrack_app.model.actions import ANNOTATE, EVALUATE, LIVE, WINDOW, Action
from facetrack_app.model.places import SUFFIX
from facetrack_app.model.settings import Settings, save_settings
from facetrack_app.services.interpreter import (
    collect_everything,
    give_large_blocks_back,
    spare_what_is_loaded,
    take_short_turns,
)
from facetrack_app.services.opening import video_of
from facetrack_app.services.track_queue import TrackQueue
from facetrack_app.views import dialogs, theme
from facetrack_app.views.annotate_view import AnnotateView
from facetrack_app.views.asking import ask_rate
from facetrack_app.views.bridge import Poster
from facetrack_app.views.evaluate_view import EvaluateView
from facetrack_app.views.export_dialog import ExportDialog
from facetrack_app.views.live_view import LiveView
from facetrack_app.views.menus import ActionBar, SpacePresses
from facetrack_app.views.message_line import MessageLine
from facetrack_app.views.queue_dialog import QueueDialog
from facetrack_app.views.teaching_hint import TeachingHint
from facetrack_app.views.widgets import appear

VIEWS = (LIVE, ANNOTATE, EVALUATE)
View = LiveView | AnnotateView | EvaluateView
_FRAME: Final = 40  # px that the window's title may take


class MainWindow(QMainWindow):
    """The window with its three views."""

    def __init__(
        self, model: Any, settings: Settings, settings_path: Path, recordings: Path
    ) -> None:
        super().__init__()
        self.setWindowTitle("Facetrack")
        self.settings, self.settings_path = settings, settings_path
        self._poster = Poster(self)
        self.post = self._poster.post
        self._bar = ActionBar(self, self.perform, settings.keys)
        self.buttons = buttons = self._bar.buttons  # by the action's name
        self.live = LiveView(model, settings, self._poster, buttons, recordings)
        self.annotate = AnnotateView(model, settings, self._poster, buttons)
        self.evaluate = EvaluateView(self._poster, buttons)
        self._views: list[View] = [self.live, self.annotate, self.evaluate]
        self.tabs = self._make_tabs()
        self._line = MessageLine((*VIEWS, WINDOW), WINDOW)
        for view, name in zip(self._views, VIEWS, strict=True):
            view.said.connect(lambda *words, name=name: self._say(name, *words))
            view.changed.connect(self.refresh)
        self.live.annotate.connect(self.open)
        self.live.signed.connect(self._show_sign)
        self.setCentralWidget(self.tabs)
        self.setAcceptDrops(True)
        self._bar.recent.aboutToShow.connect(self._fill_recent)
        self._queue = TrackQueue(self.post)
        self._queue.changed.connect(self._tell_queue)
        self.queue_dialog = QueueDialog(self._queue, settings, self.open, self)
        self.export_dialog = ExportDialog(model, self.annotate.opened, self.post, self)
        self.tabs.currentChanged.connect(self._switched)
        self._sign = QLabel("")
        self._sign.setAccessibleName("recording")
        self._sign.setStyleSheet(theme.SIGN)
        self.tabs.setCornerWidget(self._sign)
        self._show_sign("")
        self.statusBar().addWidget(self._line, 1)
        self.statusBar().addPermanentWidget(self.buttons["show_notes"])
        self.hint = TeachingHint(self.tabs)
        self.hint.gone.connect(self._know)
        self.show_hint, self.quit = self.hint.appear, self.close
        SpacePresses(self)
        self._splits = {split.objectName(): split for split in self.findChildren(QSplitter)}
        self._find_place()
        self._switched()
        take_short_turns()
        give_large_blocks_back()
        spare_what_is_loaded()

    def _make_tabs(self) -> QTabWidget:
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        tabs.setFocusPolicy(Qt.NoFocus)
        for view, name in zip(self._views, VIEWS, strict=True):
            tabs.addTab(view, name.capitalize())
        return tabs

    @property
    def message(self) -> str:
        """The sentence at the foot of the window."""
        return self._line.text

    @property
    def shown(self) -> str:
        """Which view is shown."""
        return VIEWS[self.tabs.currentIndex()]

    @property
    def view(self) -> View:
        """The view that is shown."""
        return self._views[self.tabs.currentIndex()]

    def _find_place(self) -> None:
        """Lie where the window lay at the last time, or where the screen has room."""
        if not self.restoreGeometry(QByteArray.fromHex(self.settings.window.encode())):
            room = self.screen().availableGeometry()
            self.resize(min(1280, room.width()), min(720, room.height() - _FRAME))
        for name, split in self._splits.items():
            if len(self.settings.splits.get(name, [])) == split.count():
                split.setSizes(self.settings.splits[name])

    def perform(self, action: Action) -> None:
        """Do what was asked for: the method of the action's name, of the window or the view."""
        parts = (self,) if action.view == WINDOW else self.view.parts
        target = next(part for part in parts if hasattr(part, action.id))
        getattr(target, action.id)()
        self.refresh()  # check marks

    def refresh(self) -> None:
        """Enable what works now."""
        self._bar.refresh(self.shown, self.view)
        run, record = self.buttons["toggle_run"], self.buttons["toggle_record"]
        run.setText("Stop" if self.live.running else "Start")
        record.setText("End recording" if self.live.recording.going_on else "Record")
        name = self.annotate.name
        self.setWindowTitle(f"{name} - Facetrack" if name else "Facetrack")
        count = len(self.annotate.notes) if self.shown == ANNOTATE else 0
        notes = self.buttons["show_notes"]
        notes.setText(f"Notes ({count})")
        notes.setVisible(count > 0)
        session = self.live.session
        adapting = session is not None and session.adapting
        self.buttons["toggle_adapt"].setText("Adapting" if adapting else "Adapt")

    def say(self, text: str, trouble: bool, about: str = "") -> None:
        """Show a sentence at the foot of the window, whatever view is shown; see `Voice`."""
        self._say(WINDOW, text, trouble, about)

    def _say(self, place: str, text: str, trouble: bool, about: str) -> None:
        if self._line.say(place, text, trouble, about):
            self._mark_tabs()

    def _mark_tabs(self) -> None:
        """Put a sign on each tab that has trouble, unless it is shown."""
        sign = self.style().standardIcon(QStyle.SP_MessageBoxWarning)
        for number, place in enumerate(VIEWS):
            troubles = self._line.troubled(place) if place != self.shown else []
            self.tabs.setTabIcon(number, sign if troubles else QIcon())
            self.tabs.setTabToolTip(number, "\n\n".join(troubles))

    def _show_sign(self, text: str) -> None:
        """Say in every tab that a recording is going on."""
        self._sign.setText(text)
        self._sign.setVisible(bool(text))
        self._sign.adjustSize()

    def _switched(self) -> None:
        self._line.show_place(self.shown)
        self._mark_tabs()
        if self.shown != LIVE:
            self.live.correcting.cancel_freeze()
        self.live.rest(self.shown != LIVE)
        if self.shown != ANNOTATE:
            self.annotate.pause()
        self.view.setFocus()
        self.refresh()

    # The window's own actions

    def _show_view(self, name: str) -> None:
        self.tabs.setCurrentIndex(VIEWS.index(name))

    show_live = partialmethod(_show_view, LIVE)
    show_annotate = partialmethod(_show_view, ANNOTATE)
    show_evaluate = partialmethod(_show_view, EVALUATE)

    def open_video(self) -> None:
        """Ask for a video to annotate."""
        path, _ = QFileDialog.getOpenFileName(self, "Open video", *self.settings.recent[:1])
        if path:
            self.open(Path(path))

    def _open_folder(self, title: str, *, stills: bool) -> None:
        if path := QFileDialog.getExistingDirectory(self, title):
            self.open(Path(path), stills=stills)

    open_pictures = partialmethod(_open_folder, "Open pictures", stills=True)
    open_sequence = partialmethod(_open_folder, "Open picture sequence", stills=False)

    def open(self, source: str | Path, *, stills: bool = True) -> None:
        """Annotate a video, pictures (each by itself, or as frames) or the demo clip."""
        self.show_annotate()
        self._line.forget(ANNOTATE)  # it was about another video
        folder = source if isinstance(source, Path) and source.suffix == SUFFIX else None
        if folder is not None:
            try:
                source = video_of(folder)
            except FacetrackError as error:
                self.annotate.said(str(error), True, "open")
                return
        if (rate := ask_rate(self, source, folder, stills=stills)) is None:
            return
        self.annotate.open(source, folder, stills=stills, rate=rate or None)
        if isinstance(source, Path):
            self.settings.remember(source)

    open_demo = partialmethod(open, "demo")

    def _fill_recent(self) -> None:
        """List what was opened before; what is gone cannot be chosen."""
        menu = self._bar.recent
        menu.clear()
        for path in map(Path, self.settings.recent):
            there = path.exists()
            made = menu.addAction(path.name if there else f"{path.name} (not found)")
            made.setToolTip(str(path))
            made.setEnabled(there)
            made.triggered.connect(lambda _=False, path=path: self.open(path))
        menu.addSeparator()
        clear = menu.addAction("Empty this list")
        clear.setEnabled(bool(self.settings.recent))
        clear.triggered.connect(lambda: self.settings.recent.clear())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Annotate what was dropped; several videos go into the queue."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if len(paths) == 1:
            self.open(paths[0])
        elif paths:
            self.show_queue()
            self.queue_dialog.add(paths)

    def export_several(self) -> None:
        """Show what exports several sessions at once, with those that were opened before."""
        known = [Path(path) for path in self.settings.recent]
        self.export_dialog.offer([*self.annotate.opened(0), *known])
        appear(self.export_dialog)

    def show_queue(self) -> None:
        """Show the videos that are tracked one after the other."""
        appear(self.queue_dialog)

    def _tell_queue(self) -> None:
        queue = self._queue.queue
        if queue.ended:
            trouble = bool(queue.troubles)
            self.say("; ".join([queue.summary, *queue.troubles]), trouble, "queue")

    def show_settings(self) -> None:
        """Ask for settings."""
        models = [info for info in list_models() if info.kind == LANDMARK_TRACKER.name]
        names = [info.name for info in models if not info.problem]
        dialog = dialogs.SettingsDialog(self.settings, names, self)
        if dialog.exec():
            chosen = dialog.chosen()
            for item in fields(chosen):
                setattr(self.settings, item.name, getattr(chosen, item.name))
            self.dress(chosen.theme)
            self.save()

    def dress(self, look: str) -> None:
        """Dress everything: `system`, `light` or `dark`."""
        theme.apply(QApplication.instance(), look)
        self.live.charts.choose(self.live.charts.names)
        self.evaluate.style_plots()

    def show_keys(self) -> None:
        """Show all keys; a person may change them."""
        sheet = dialogs.KeysSheet(self.settings, self)
        if sheet.exec():
            self.settings.keys = sheet.changed
            self._bar.set_keys(sheet.changed)
            self.save()

    def show_models(self) -> None:
        """Show the models' cards."""
        dialogs.read("Models and their terms", dialogs.models_text(), self, markdown=True)

    def show_notes(self) -> None:
        """List what is to be known of the video that is annotated."""
        dialogs.read("Notes", dialogs.notes_html(self.annotate.name, self.annotate.notes), self)

    def show_guide(self) -> None:
        """Show what to do first."""
        dialogs.read("First steps", dialogs.first_steps(self.settings.keys), self, markdown=True)

    def welcome(self) -> None:
        """Show how to teach the tracker, unless the person knows it."""
        if not self.settings.welcomed:
            self.hint.appear()

    def _know(self) -> None:
        self.settings.welcomed = True
        self.view.setFocus()
        self.save()

    def show_about(self) -> None:
        """Show what this is and under which terms."""
        dialogs.read("About Facetrack", dialogs.about_html(), self)

    def save(self) -> None:
        """Save the settings."""
        try:
            save_settings(self.settings_path, self.settings)
        except (FacetrackError, OSError) as error:
            self.say(f"the settings are not saved: {error}", True, "settings")
        else:
            self.say("", False, "settings")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let go of cameras, files and threads; work is saved already."""
        self.live.stop()
        self.annotate.close_document()
        self._queue.close()
        self.queue_dialog.close()
        self.export_dialog.cancel()
        self.export_dialog.close()
        self.evaluate.stop()
        self._poster.close()
        self._line.stop()
        self.settings.window = bytes(self.saveGeometry().toHex()).decode()
        self.settings.splits = {name: split.sizes() for name, split in self._splits.items()}
        self.save()
        event.accept()


def destroy(window: MainWindow) -> None:
    """Take a closed window down while the application still lives; Qt crashes the other way round.

    Left to itself, Python takes down what `main` knows in any order when the program ends.
    """
    window.close()
    collect_everything()  # cycles with pictures and painters in them
    sip.delete(window)
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
