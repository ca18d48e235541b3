# SPDX-License-Identifier: GPL-3.0-or-later
"""Widgets and layouts as several views make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QLabel,
    QLayout,
    QPushButton,
    QTableWidget,
    QWidget,
)


def filled(
    layout: QBoxLayout, *parts: Any, margins: Sequence[int] = (), spacing: int | None = None
) -> QBoxLayout:
    """Put widgets and layouts into a layout: (one, 1) takes the room that is left, as None does."""
    for part in parts:
        one, stretch = part if isinstance(part, tuple) else (part, 0)
        if one is None:
            layout.addStretch(1)
        else:
            add = layout.addLayout if isinstance(one, QLayout) else layout.addWidget
            add(one, stretch)
    if margins:
        layout.setContentsMargins(*margins)
    if spacing is not None:
        layout.setSpacing(spacing)
    return layout


def label(name: str = "", text: str = "") -> QLabel:
    """Make a label of as many lines as its text needs, with a name for screen readers."""
    made = QLabel(text)
    made.setWordWrap(True)
    made.setAccessibleName(name)
    return made


def choice(name: str, items: Iterable[tuple[str, object]] = (), tip: str = "") -> QComboBox:
    """Make a box of texts, each with its value."""
    made = QComboBox()
    made.setAccessibleName(name)
    made.setToolTip(tip)
    for text, value in items:
        made.addItem(text, value)
    return made


def push(text: str, tip: str, do: Callable[[], object]) -> QPushButton:
    """Make a button, which Return does not press from elsewhere."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAutoDefault(False)
    made.clicked.connect(lambda: do())
    return made


def table(name: str, headers: Sequence[str]) -> QTableWidget:
    """Make a table to read, whose rows are chosen whole."""
    made = QTableWidget(0, len(headers))
    made.setHorizontalHeaderLabels(headers)
    made.setAccessibleName(name)
    made.verticalHeader().hide()
    made.setEditTriggers(QTableWidget.NoEditTriggers)
    made.setSelectionBehavior(QTableWidget.SelectRows)
    return made


def later(parent: QWidget, do: Callable[[], object]) -> QTimer:
    """Make a timer that does something once each time it is started."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(do)
    return timer


def appear(window: QWidget) -> None:
    """Show a window above the others."""
    window.show()
    window.raise_()
