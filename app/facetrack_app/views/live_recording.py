# SPDX-License-Identifier: GPL-3.0-or-later
"""The live view's recordings: begun, shown in every tab, and handed on."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QStandardPaths, QUrl
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QFileDialog, QWidget

from facetrack.errors import FacetrackError
from facetrack_app.model.recording import FACELESS, LANDMARKS, Wish, in_words, lasting
from facetrack_app.model.settings import Settings
from facetrack_app.services.recorder import Recorder
from facetrack_app.services.watch import Watch
from facetrack_app.views.record_box import RecordBox


def visible_folder() -> Path:
    """Give the folder where recordings go as long as no other one was chosen."""
    places = QStandardPaths.MoviesLocation, QStandardPaths.DocumentsLocation
    found = (QStandardPaths.writableLocation(place) for place in places)
    parent = next((Path(place) for place in found if place and Path(place).is_dir()), Path.home())
    return parent / "Facetrack"


class LiveRecording:
    """Methods named as in the table of actions, for the live view."""

    def __init__(
        self, watch: Watch, box: RecordBox, settings: Settings, folder: Path, parent: QWidget
    ) -> None:
        self._watch, self._box, self._settings = watch, box, settings
        self._standard, self._parent = folder, parent
        self.last: Recorder | None = None  # the recording that ended last
        box.show_wishes(settings, self.folder)
        box.changed.connect(self._remember)

    @property
    def folder(self) -> Path:
        """Where recordings go."""
        chosen = self._settings.recordings
        return Path(chosen) if chosen else self._standard

    @property
    def going_on(self) -> bool:
        """Whether a recording is going on."""
        return self._watch.session is not None and self._watch.session.recorder is not None

    @property
    def sign(self) -> str:
        """What every tab says while a recording is going on; else empty."""
        session = self._watch.session
        if session is None or session.recorder is None:
            return ""
        return f"\N{BLACK CIRCLE} recording {lasting(session.recorder.account.seconds)}"

    def toggle_record(self) -> None:
        """Start or end a recording."""
        session = self._watch.session
        if session is None:
            return
        if session.recorder is not None:
            self.report(session.stop_recording())
        else:
            self._remember()
            settings = self._settings
            wish = Wish(self.folder, settings.record_kind, settings.subject, settings.session,
                        session.name)  # fmt: skip
            try:
                session.record(wish)
            except FacetrackError as error:
                self._watch.said(str(error), True, "recording")
            else:
                self._watch.said("", False, "recording")
            self.show()
        self._watch.changed()

    def choose_folder(self) -> None:
        """Ask where recordings go from now on."""
        folder = QFileDialog.getExistingDirectory(
            self._parent, "Where recordings go", str(self.folder)
        )
        if folder:
            self._settings.recordings = folder
            if not self.going_on:
                self._box.show_result(f"into {folder}", done=self.last is not None)

    def show_recording(self) -> None:
        """Show the last recording's folder in the system's file manager."""
        if self.last is not None:
            folder = self.last.base.parent
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
                self._watch.said(f"no file manager answers; the folder is {folder}", True)

    def annotate_recording(self) -> None:
        """Correct the last recording."""
        if self.last is None:
            return
        kind = self.last.wish.kind
        if kind in (LANDMARKS, FACELESS):
            self._watch.said(
                f"a recording of {kind} holds no picture to correct points on; "
                "record landmarks and video for that", False
            )  # fmt: skip
        else:
            self._watch.annotate(self.last.base.with_name(f"{self.last.base.name}.mp4"))

    def show(self) -> None:
        """Say how long the recording is; end what could not be written any more."""
        session = self._watch.session
        if session is None or session.recorder is None:
            return
        recorder = session.recorder
        if recorder.failure:
            self.report(session.stop_recording())
            self._watch.changed()
        else:
            words = [f"recording {recorder.base.name}", *recorder.account.lines()[-2:]]
            self._box.show_result("\n".join(words), done=False)

    def report(self, recorder: Recorder | None) -> None:
        """Say what was written."""
        if recorder is None:
            return
        self.last = recorder
        sentence = in_words(recorder.base.name, recorder.account, recorder.files)
        if recorder.failure:
            self._box.show_result(f"ended by an error; {sentence}", done=True)
            self._watch.said(f"{recorder.failure}; the recording has ended, what was written by "
                             "then stays", True, "recording")  # fmt: skip
        else:
            self._box.show_result(sentence, done=True)
            first = sentence.partition("\n")[0]
            self._watch.said(f"{first} in {recorder.base.parent}", False, "recording")
        self._box.recorded.setToolTip("\n".join([str(recorder.base.parent),
                                                 *recorder.account.lines()]))  # fmt: skip

    def _remember(self) -> None:
        settings, box = self._settings, self._box
        settings.subject, settings.session = box.subject.text().strip(), box.session.text().strip()
        settings.record_kind = box.kinds.currentText()
