# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on small screens: what does not fit can be scrolled to."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, QObject, QSize, Qt
from PyQt5.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

_COLUMN: Final = 294  # px, the scroll bar included
_LEAST: Final = 80  # px of a shelf


class Scrolled(QScrollArea):
    """Lets something that is too high be scrolled; it is never too wide."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.NoFocus)
        self.setWidget(content)
        bar = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(content.minimumSizeHint().width() + bar)


def column(panel: QWidget) -> Scrolled:
    """Put a panel into a column beside the picture."""
    area = Scrolled(panel)
    area.setFixedWidth(_COLUMN)
    return area


class Shelf(Scrolled):
    """Shows something below the picture whole where there is room for it."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(content)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Maximum)
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Return the content's height."""
        return QSize(self.minimumWidth(), self.widget().minimumHeight())

    def minimumSizeHint(self) -> QSize:
        """Return a part of it."""
        return QSize(self.minimumWidth(), min(_LEAST, self.widget().minimumHeight()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask for other room when the content's height changes."""
        if event.type() in (QEvent.Resize, QEvent.LayoutRequest):
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))
