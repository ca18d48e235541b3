# SPDX-License-Identifier: GPL-3.0-or-later
"""The live view's recordings."""

from __future__ import annotations

from pathlib import Path

from facetrack.errors import FacetrackError
from facetrack_app.services.watch import Watch
from facetrack_app.views.live_panel import LivePanel


class LiveRecording:
    """Methods named as in the table of actions, for the live view.

    Parameters
    ----------
    watch : Watch
    panel : LivePanel
    folder : Path
        Where recordings go.
    """

    def __init__(self, watch: Watch, panel: LivePanel, folder: Path) -> None:
        self._watch, self._panel, self._folder = watch, panel, folder

    @property
    def going_on(self) -> bool:
        """Whether a recording is going on."""
        return self._watch.session is not None and self._watch.session.recorder is not None

    def toggle_record(self) -> None:
        """Start or end a recording."""
        session = self._watch.session
        if session is None:
            return
        if session.recorder is not None:
            self.report(session.stop_recording())
        else:
            try:
                session.record(self._folder, self._panel.kinds.currentText())
            except FacetrackError as error:
                self._watch.said(str(error), True)
        self._watch.changed()

    def show(self) -> None:
        """Say how many frames are recorded; end what could not be written any more."""
        session = self._watch.session
        if session is None or session.recorder is None:
            return
        recorder = session.recorder
        words = f"{recorder.frames} frames recorded"
        if recorder.left_out:
            words += f"; the video lacks {recorder.left_out}: the disk is slow"
        self._panel.recorded.setText(words)
        if recorder.failed:
            session.stop_recording()
            self._panel.recorded.setText(f"ended by an error; {words}")
            self._watch.changed()

    def report(self, files: list[Path]) -> None:
        """Say which files were written."""
        if files:
            name = files[0].name.partition(".")[0]
            ends = ", ".join(f.name.removeprefix(f"{name}.") for f in files)
            self._panel.recorded.setText(f"{name} in {files[0].parent}")
            self._panel.recorded.setToolTip(ends)
            self._watch.said(f"recorded: {files[0].parent / name}", False)
