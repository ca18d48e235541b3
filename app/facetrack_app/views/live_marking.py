# SPDX-License-Identifier: GPL-3.0-or-later
"""Marking events while live, by the keys 1 to 9."""

from __future__ import annotations

from functools import partial

from PyQt5.QtWidgets import QInputDialog, QWidget

from facetrack_app.model.marking import LASTING, N_KEYS, name_of
from facetrack_app.model.settings import Settings
from facetrack_app.services.watch import Watch


class LiveMarking:
    """Methods named as in the table of actions, for the live view."""

    def __init__(self, watch: Watch, settings: Settings, parent: QWidget) -> None:
        self._watch, self._settings, self._parent = watch, settings, parent
        for number in range(1, N_KEYS + 1):
            setattr(self, f"live_event_{number}", partial(self.mark, number))

    def mark(self, number: int) -> None:
        """Mark what a key stands for, at this moment."""
        session = self._watch.session
        if session is None:
            return
        name = name_of(self._settings.event_keys, number)
        plain = name.removesuffix(LASTING).strip()
        if not session.mark(name):
            self._watch.said("nothing is marked before the first picture", False, "marking")
            return
        goes_on = plain in session.marks.running
        words = f"{plain} lasts until key {number} is pressed again" if goes_on else plain
        kept = "" if session.recorder is not None else "; not kept: nothing is being recorded"
        self._watch.said(f"marked: {words}{kept}", False, "marking")

    def name_event_keys(self) -> None:
        """Ask what the keys stand for."""
        text, sure = QInputDialog.getMultiLineText(
            self._parent, "Names of event keys",
            f"A name for each key from 1 to {N_KEYS}, one a line. A name that ends with {LASTING} "
            "has a start and an end: press its key once for each.",
            "\n".join(self._settings.event_keys),
        )  # fmt: skip
        if sure:
            names = [" ".join(line.split())[:80] for line in text.splitlines()]
            self._settings.event_keys = names[:N_KEYS]
