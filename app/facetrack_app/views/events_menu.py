# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu of the kinds of events that are looked for, and the recogniser of further actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QMenu, QWidget

from facetrack.errors import FacetrackError
from facetrack.reading import Kind, Spec
from facetrack.signals.registry import estimators
from facetrack_app.model.observable import Voice
from facetrack_app.model.settings import Settings
from facetrack_app.model.wording import named_with
from facetrack_app.services.recognising import use_recogniser


class EventsMenu(QMenu):
    """One line for each estimator of events; what is looked for already is ticked and stays so."""

    wanted = pyqtSignal(str)  # an event of the estimator

    def __init__(
        self, settings: Settings, found: Callable[[], frozenset[str]], said: Voice, parent: QWidget
    ) -> None:
        super().__init__("Events", parent)
        self._settings, self._found, self._said = settings, found, said
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        """List the estimators that there are now."""
        self.clear()
        for estimator in estimators().values():
            events = [spec for spec in estimator.specs if spec.kind == Kind.EVENT]
            if events:
                self._add(events)
        self.addSeparator()
        action = self.addAction("Recogniser of actions...", self._ask_recogniser)
        tip = "A file that `facetrack actions learn` or `facetrack actions teach` wrote"
        action.setToolTip("\n".join(filter(None, (tip, self._settings.recogniser))))

    def _add(self, events: Sequence[Spec]) -> None:
        words = ", ".join(named_with(spec.name.replace("_", " "), spec.model) for spec in events)
        action = self.addAction(words)
        action.setToolTip("\n".join(spec.meaning for spec in events))
        action.setCheckable(True)
        action.setChecked(events[0].name in self._found())
        action.setEnabled(not action.isChecked())
        action.triggered.connect(lambda: self.wanted.emit(events[0].name))

    def _ask_recogniser(self) -> None:
        """Ask for the file of a recogniser, and look for what it knows."""
        start = str(Path(self._settings.recogniser).parent)
        name, _ = QFileDialog.getOpenFileName(
            self.parentWidget(), "Recogniser of actions", start, "Recognisers (*.npz)"
        )
        if not name:
            return
        try:
            bank = use_recogniser(name)
        except FacetrackError as error:
            self._said(str(error), True)
            return
        self._settings.recogniser = name
        self.wanted.emit(bank.specs[0].name)
        self._said(f"looking for {', '.join(spec.name for spec in bank.specs)}", False)
