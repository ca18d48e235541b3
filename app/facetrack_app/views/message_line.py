# SPDX-License-Identifier: GPL-3.0-or-later
"""The line at the foot of the window: what was said of the view that is shown."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from facetrack_app.model.messages import Messages
from facetrack_app.views.theme import TEXT, VERMILION, readable
from facetrack_app.views.widgets import filled, later

_FADES: Final = 8000  # ms


class MessageLine(QWidget):
    """Shows messages: news for a while, trouble until it is over or taken away."""

    def __init__(self, places: tuple[str, ...], common: str) -> None:
        super().__init__()
        self._messages = {place: Messages() for place in places}
        self._common, self._shown = common, common
        self.text = ""  # the whole sentence that is shown
        self._label = QLabel()
        self._label.setAccessibleName("messages")
        self._label.setTextFormat(Qt.PlainText)
        self._label.setTextInteractionFlags(Qt.TextSelectableByMouse)
        # A long sentence must not make the window wide.
        self._label.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
        self._away = QPushButton("OK")
        self._away.setFlat(True)
        self._away.setFocusPolicy(Qt.TabFocus)
        self._away.setMaximumHeight(self._label.fontMetrics().height() + 4)
        self._away.setToolTip("Take this message away.")
        self._away.setAccessibleName("take the message away")
        self._away.clicked.connect(self.dismiss)
        filled(QHBoxLayout(self), (self._label, 1), self._away, margins=(6, 0, 0, 0))
        self._fading = later(self, self._fade)
        self._refresh()

    def troubled(self, place: str) -> list[str]:
        """Give the trouble that stands in a part of the window."""
        return list(self._messages[place].troubles.values())

    def say(self, place: str, text: str, trouble: bool, about: str) -> bool:
        """Take a sentence; returns whether something changed."""
        changed = self._messages[place].say(text, trouble, about)
        if changed and place in (self._shown, self._common):
            self._fading.stop()
            self._refresh()
        return changed

    def show_place(self, place: str) -> None:
        """Show what was said of another part of the window."""
        self._shown = place
        self._fading.stop()
        self._refresh()

    def forget(self, place: str) -> None:
        """Drop all that was said of a part of the window."""
        self._messages[place] = Messages()
        self._refresh()

    def dismiss(self) -> None:
        """Take away what is shown."""
        self._current().dismiss()
        self._refresh()

    def stop(self) -> None:
        """Let nothing fade any more."""
        self._fading.stop()

    def _current(self) -> Messages:
        common, own = self._messages[self._common], self._messages[self._shown]
        return common if common.news or (common.troubles and not own.news) else own

    def _fade(self) -> None:
        self._current().news = ""
        self._refresh()

    def _refresh(self) -> None:
        text, trouble = self._current().shown
        self.text = " ".join(text.split())
        stand = [*self.troubled(self._common), *self.troubled(self._shown)]
        others = [one for one in dict.fromkeys(stand) if one != text]
        self._label.setToolTip("\n\n".join([text, *others] if trouble else [text]))
        if trouble and others:
            self.text += f" (and {len(others)} more)"
        self._away.setVisible(trouble)
        self._dress(trouble)
        self._elide()
        if text and not trouble and not self._fading.isActive():
            self._fading.start(_FADES)

    def _dress(self, trouble: bool) -> None:
        colour = readable(VERMILION, self.palette().window().color(), TEXT)
        sheet = f"color: {colour.name()}; font-weight: 600;" if trouble else ""
        if self._label.styleSheet() != sheet:
            self._label.setStyleSheet(sheet)

    def _elide(self) -> None:
        width = max(self._label.width() - 4, 40)
        self._label.setText(self._label.fontMetrics().elidedText(self.text, Qt.ElideRight, width))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much of the sentence as there is room for."""
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        """Dress anew in another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.PaletteChange:
            self._refresh()
