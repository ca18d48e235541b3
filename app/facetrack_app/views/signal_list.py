# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of signals to draw, as they are known at the moment when it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QComboBox

from facetrack.reading import Kind
from facetrack.signals import signals
from facetrack_app.model.wording import named_with

MOST: Final = 4  # charts that fit beside each other
_TITLE: Final = "Charts..."
_BAR: Final = 24  # px that scrolling takes


class SignalList(QComboBox):
    """A box whose entries are ticked; says which ones are."""

    chosen = pyqtSignal(list)
    refused = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("signals in the charts")
        # As wide as its place is; what is listed may be wider.
        self.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(len(_TITLE))
        self.ticked: list[str] = []  # what is drawn, in the order in which it was chosen
        self.tick([])
        self.activated.connect(self._toggle)

    def tick(self, names: Sequence[str]) -> None:
        """List what is known now, and tick the signals that are drawn."""
        known = {n: spec for n, spec in signals().items() if spec.kind != Kind.EVENT}
        self.ticked = [name for name in names if name in known]
        self.clear()
        self.addItem(_TITLE)
        for row, (name, spec) in enumerate(known.items(), start=1):
            self.addItem(named_with(name.replace("_", " "), spec.model), name)
            item = self.model().item(row)
            item.setToolTip("\n".join(filter(None, (spec.meaning, spec.model))))
            item.setCheckable(True)
            item.setCheckState(Qt.Checked if name in self.ticked else Qt.Unchecked)

    def showPopup(self) -> None:
        """Open; an estimator may have come since the last time."""
        self.tick(self.ticked)
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + _BAR)
        super().showPopup()

    def _toggle(self, row: int) -> None:
        name = self.itemData(row)
        self.setCurrentIndex(0)
        if name is None:  # the title
            return
        if name in self.ticked:
            self.ticked.remove(name)
        elif len(self.ticked) < MOST:
            self.ticked.append(name)
        else:
            self.refused.emit(f"{MOST} charts fit beside each other: untick one of them first")
        self.tick(self.ticked)
        self.chosen.emit(list(self.ticked))
