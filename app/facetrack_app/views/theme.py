# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours: light and dark palettes, and those that mean something (Okabe and Ito's)."""

from __future__ import annotations

from functools import cache
from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QBrush, QColor, QPalette
from PyQt5.QtWidgets import QApplication

# Okabe and Ito's eight colours: the colour-blind tell them apart, and shapes say the same again.
GREEN, SKY, ORANGE = QColor(0, 158, 115), QColor(86, 180, 233), QColor(230, 159, 0)
YELLOW, PINK, VERMILION = QColor(240, 228, 66), QColor(204, 121, 167), QColor(213, 94, 0)
BLUE = QColor(0, 114, 178)
# A recording that goes on: white on red, in either theme.
SIGN: Final = "background: #b3261e; color: #ffffff; font-weight: 700; padding: 3px 8px;"
PEOPLE: Final = (GREEN, SKY, ORANGE, YELLOW, PINK, VERMILION)

TEXT, MARK = 4.5, 3.0  # least contrasts of text, and of lines and marks (WCAG 2.1, AA)

_SOFT: Final = 0.28  # of a colour in its ground
_MIDDLE: Final = 0.18  # luminance from which black stands out more than white
_DESKTOP: Final = "desktop is dark"  # a property of the application
FONT_SIZE: Final = 9.5  # pt: all of the panels fits into 720 lines

_ROLES: Final = {
    "dark": {
        QPalette.Window: "#25282c", QPalette.Base: "#1c1e21", QPalette.AlternateBase: "#2a2d31",
        QPalette.Button: "#33373c", QPalette.Text: "#e8e8e8", QPalette.WindowText: "#e8e8e8",
        QPalette.ButtonText: "#e8e8e8", QPalette.ToolTipBase: "#33373c",
        QPalette.ToolTipText: "#e8e8e8", QPalette.Highlight: "#0072b2",
        QPalette.HighlightedText: "#ffffff", QPalette.Link: "#56b4e9", QPalette.Mid: "#4a4f55",
    },
    "light": {
        QPalette.Window: "#f2f3f4", QPalette.Base: "#ffffff", QPalette.AlternateBase: "#f6f7f8",
        QPalette.Button: "#e7e9eb", QPalette.Text: "#1c1e21", QPalette.WindowText: "#1c1e21",
        QPalette.ButtonText: "#1c1e21", QPalette.ToolTipBase: "#ffffff",
        QPalette.ToolTipText: "#1c1e21", QPalette.Highlight: "#0072b2",
        QPalette.HighlightedText: "#ffffff", QPalette.Link: "#0072b2", QPalette.Mid: "#b8bcc0",
    },
}  # fmt: skip


def palette(theme: str) -> QPalette:
    """Make a palette."""
    made = QPalette()
    for role, colour in _ROLES[theme].items():
        made.setColor(role, QColor(colour))
        if role in (QPalette.Text, QPalette.WindowText, QPalette.ButtonText):
            faded = QColor("#8d939a" if theme == "dark" else "#7b8187")
            made.setColor(QPalette.Disabled, role, faded)
    return made


def apply(application: QApplication, theme: str) -> None:
    """Dress the whole application."""
    # Fusion's own palette is always light, and ours replaces the desktop's: asked once, and kept.
    dark = application.property(_DESKTOP)
    if dark is None:
        dark = application.palette().color(QPalette.Window).lightness() < 128
        application.setProperty(_DESKTOP, dark)
    application.setStyle("Fusion")
    font = application.font()
    font.setPointSizeF(min(font.pointSizeF(), FONT_SIZE))
    application.setFont(font)
    if theme == "system":
        theme = "dark" if dark else "light"
    application.setPalette(palette(theme))


def person_colour(person: int) -> QColor:
    """Give the colour that a person keeps."""
    return PEOPLE[person % len(PEOPLE)]


def contrast(one: QColor, other: QColor) -> float:
    """Compute the contrast of two colours, 1 to 21, as WCAG defines it."""
    dark, light = sorted((_luminance(one.rgb()), _luminance(other.rgb())))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: QColor, ground: QColor, least: float) -> QColor:
    """Make a colour lighter or darker until it stands out from its ground."""
    return QColor(_readable(colour.rgb(), ground.rgb(), least))


def soft(colour: QColor, ground: QColor) -> QColor:
    """Mix a colour into its ground: what lies behind a line of that colour."""
    pairs = zip(colour.getRgb()[:3], ground.getRgb()[:3], strict=True)
    return QColor(*(round(_SOFT * c + (1 - _SOFT) * g) for c, g in pairs))


def hatch(ground: QColor) -> QBrush:
    """Make what fills stretches of which nothing can be said: seen, yet no rival of texts."""
    return QBrush(readable(ground, ground, MARK), Qt.BDiagPattern)


@cache
def _readable(colour: int, ground: int, least: float) -> int:
    made, behind = QColor(colour), QColor(ground)
    step = 1 if _luminance(ground) < _MIDDLE else -1
    hue, saturation, lightness, _ = made.getHsl()
    while contrast(made, behind) < least and 0 <= lightness + step <= 255:
        lightness += step
        made.setHsl(hue, saturation, lightness)
    return int(made.rgb())


@cache
def _luminance(colour: int) -> float:
    parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
