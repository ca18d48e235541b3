"""Contrast as WCAG 2.1 asks for at level AA: 4.5 for text, 3 for lines and marks."""

from __future__ import annotations

from itertools import product

import pytest
from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from facetrack.signals import signals
from facetrack_app.views import theme
from facetrack_app.views.canvas import GROUND, HINT_COLOUR
from facetrack_app.views.charts import StripCharts
from facetrack_app.views.drawing import LABEL_GROUND, MARKS
from facetrack_app.views.live_panel import Legend, LivePanel
from facetrack_app.views.main_window import MainWindow
from facetrack_app.views.signal_list import MOST
from facetrack_app.views.theme import MARK, TEXT, contrast, readable
from tests.app.aching import Aching

TEXTS = (
    (QPalette.WindowText, QPalette.Window),
    (QPalette.Text, QPalette.Base),
    (QPalette.Text, QPalette.AlternateBase),
    (QPalette.ButtonText, QPalette.Button),
    (QPalette.ToolTipText, QPalette.ToolTipBase),
    (QPalette.HighlightedText, QPalette.Highlight),
    (QPalette.Link, QPalette.Base),
)
THEMES = ("light", "dark")


@pytest.fixture(params=THEMES)
def look(request: pytest.FixtureRequest, qapp: QApplication) -> str:
    """Dress the application."""
    theme.apply(qapp, request.param)
    return str(request.param)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(QColor("#000000"), QColor("#ffffff")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("look_", "pair"), list(product(THEMES, TEXTS)))
def test_texts_stand_out(look_: str, pair: tuple[QPalette.ColorRole, QPalette.ColorRole]) -> None:
    palette = theme.palette(look_)
    text, ground = pair
    assert contrast(palette.color(text), palette.color(ground)) >= TEXT
    faded = palette.color(QPalette.Disabled, QPalette.WindowText)
    assert contrast(faded, palette.color(QPalette.Window)) >= MARK


def test_all_colours_are_made_to_stand_out_and_keep_their_hue(look: str) -> None:
    palette = theme.palette(look)
    grounds = [palette.color(role) for role in (QPalette.Window, QPalette.Base)]
    for colour, ground, least in product((*theme.PEOPLE, theme.BLUE), grounds, (MARK, TEXT)):
        made = readable(colour, ground, least)
        assert contrast(made, ground) >= least
        assert abs(made.hslHue() - colour.hslHue()) <= 3
        if contrast(colour, ground) >= least:
            assert made.rgb() == colour.rgb()


def test_texts_on_the_picture_stand_out() -> None:
    assert contrast(HINT_COLOUR, GROUND) >= TEXT
    for colour in theme.PEOPLE:
        assert contrast(colour, LABEL_GROUND) >= TEXT


def strongest(widget: QWidget, ground: QColor, x0: int, y0: int, x1: int, y1: int) -> float:
    """Give the largest contrast of a pixel of a part of a widget, as it is painted."""
    image = widget.grab().toImage()
    return max(
        contrast(image.pixelColor(x, y), ground) for x in range(x0, x1) for y in range(y0, y1)
    )


def test_marks_of_the_legend_stand_out(look: str, qtbot: QtBot) -> None:
    legend = Legend(list(MARKS))
    qtbot.addWidget(legend)
    legend.resize(legend.sizeHint())
    step = legend.height() // len(MARKS)
    ground = legend.palette().window().color()
    for number in range(len(MARKS)):
        assert strongest(legend, ground, 0, number * step, 18, (number + 1) * step) >= MARK


def test_lines_of_charts_stand_out(look: str, qtbot: QtBot) -> None:
    charts = StripCharts()
    qtbot.addWidget(charts)
    charts.choose(["pose_yaw", "mouth_opening", "eye_openness", "pose_pitch"][:MOST])
    ground = charts.palette().base().color()
    assert len(charts.shown) == MOST
    for name, chart in charts.shown.items():
        assert contrast(chart.colour, ground) >= MARK
        assert signals()[name].label in chart.title  # with the unit


def test_bands_and_hatches_leave_lines_and_texts_readable(
    look: str, qtbot: QtBot, ache: Aching
) -> None:
    charts = StripCharts()
    qtbot.addWidget(charts)
    charts.choose(["ache", "eye_openness"])
    ground, text = (charts.palette().color(role) for role in (QPalette.Base, QPalette.WindowText))
    chart = charts.shown["ache"]
    assert chart.band is not None
    for behind in (ground, chart.band.brush().color()):
        assert contrast(chart.colour, behind) >= MARK
        assert contrast(text, behind) >= TEXT
    lines = chart.unknown.brush().color()
    assert contrast(lines, ground) >= MARK
    assert contrast(text, lines) >= TEXT  # names of events lie upon it


def test_states_and_trouble_stand_out(look: str, window: MainWindow) -> None:
    QApplication.instance().setPalette(theme.palette(look))
    ground = window.palette().window().color()
    window.say("the disk is full", True)
    label = next(
        label for label in window.findChildren(QLabel, "") if label.text() == window.message
    )
    shown = QColor(label.styleSheet().split(":")[1].split(";")[0].strip())
    assert contrast(shown, ground) >= TEXT
    panel: LivePanel = window.live.panel
    for kind in ("tracking", "learning", "unsure", "lost", "searching"):
        panel.show_state(kind, kind)
        rim = QColor(panel.state.styleSheet().rsplit(" ", 2)[1].strip(";"))
        assert contrast(rim, ground) >= MARK
