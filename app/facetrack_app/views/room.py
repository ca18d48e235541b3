# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on small screens: what does not fit can be scrolled to."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, QObject, QSize, Qt
from PyQt5.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

_COLUMN: Final = 294  # px, the scroll bar included
_LEAST: Final = 80  # px of a shelf


def column(panel: QWidget) -> QScrollArea:
    """Put a panel into a column beside the picture."""
    area = QScrollArea()
    area.setFrameShape(QFrame.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.NoFocus)
    area.setFixedWidth(_COLUMN)
    area.setWidget(panel)
    return area


class Shelf(QScrollArea):
    """Shows something below the picture whole where there is room for it.

    Parameters
    ----------
    content : QWidget
        Of a fixed height, which may change.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.NoFocus)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Maximum)
        self.setWidget(content)
        self._content = content
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        """Return the content's height."""
        return QSize(self._content.minimumWidth(), self._content.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        """Return a part of it."""
        return QSize(self._content.minimumWidth(), min(_LEAST, self._content.minimumHeight()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask for other room when the content's height changes."""
        if event.type() in (QEvent.Resize, QEvent.LayoutRequest):
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))
