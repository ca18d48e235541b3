"""The live charts: what is handed to their lines, their words, and the list of signals."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QFontMetricsF
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from facetrack.face import Face
from facetrack.formats.table import NO_FACE
from facetrack.reading import Event, Finding, Reading, Readings, Spec
from facetrack.signals import FaceEstimator, register
from facetrack.signals.registry import unregister
from facetrack_app.model.live import Heard
from facetrack_app.views.charts import Scale, StripCharts
from facetrack_app.views.main_window import MainWindow
from facetrack_app.views.signal_list import SignalList
from tests.app.aching import AWAY, MODEL, TURNED, Aching, said

PATIENCE = 60_000  # ms
RATE = 25.0
HEAT = Spec("heat", "how warm", "deg", (0.0, 40.0))


@pytest.fixture
def charts(qtbot: QtBot) -> StripCharts:
    made = StripCharts()
    qtbot.addWidget(made)
    made.resize(900, 200)
    made.choose(["eye_openness", "mouth_opening"])
    made.show()
    return made


def eyes(frame: int, value: float) -> Finding:
    return Finding(0, "blinks", Readings(frame, {"eye_openness": Reading(value)}))


def play(charts: StripCharts, frames: range, face_id: int = 0, late: float = 0.0) -> None:
    for frame in frames:
        known = () if face_id == NO_FACE else (eyes(frame, frame / 1000),)
        charts.add(Heard(frame, frame / RATE + late, face_id, known))


def drawn(charts: StripCharts, name: str) -> tuple[np.ndarray, np.ndarray]:
    charts._draw()
    return charts.shown[name].drawn


def test_every_frame_is_drawn_and_gaps_are_nan(charts: StripCharts) -> None:
    play(charts, range(20))
    play(charts, range(20, 25), NO_FACE)
    play(charts, range(25, 30))
    play(charts, range(30, 40), late=2.0)  # as after a freeze
    times, values = drawn(charts, "eye_openness")
    assert times[-1] == 0
    assert times[0] == pytest.approx(-(39 / RATE + 2))
    known = np.flatnonzero(~np.isnan(values))
    assert (1000 * values[known]).round().tolist() == [*range(20), *range(25, 40)]
    assert [len(part) for part in np.split(known, 1 + np.flatnonzero(np.diff(known) > 1))] == [
        20, 5, 10,
    ]  # fmt: skip
    curve = charts.shown["eye_openness"]._line.curve
    assert curve.opts["connect"] == "finite"  # Qt draws no line to a NaN
    assert curve.opts["segmentedLineMode"] == "off"
    assert charts.shown["mouth_opening"].drawn[1] is None


def test_readings_that_come_late_are_drawn_where_they_belong(charts: StripCharts) -> None:
    for frame in range(10):
        charts.add(Heard(frame, frame / RATE, 0))
    charts.add(Heard(10, 10 / RATE, 0, tuple(eyes(f, f / 1000) for f in range(11))))
    times, values = drawn(charts, "eye_openness")
    np.testing.assert_allclose(values * 1000 / RATE, times + 10 / RATE, atol=1e-9)


def test_values_are_said_now_and_under_the_mouse(charts: StripCharts) -> None:
    play(charts, range(100))
    charts._draw()
    chart = charts.shown["eye_openness"]
    assert chart.title == "eye openness: <b>0.099</b>"
    assert charts.shown["mouth_opening"].title == "mouth opening: <b>\N{EN DASH}</b>"
    QApplication.processEvents()
    box = chart._plot.vb
    charts._graphics.scene().sigMouseMoved.emit(box.mapViewToScene(QPointF(-2.0, 0.5)))
    charts._draw()
    assert chart.title == "eye openness: <b>0.099</b> | -2.0 s: <b>0.049</b>"
    assert "|" not in charts.shown["mouth_opening"].title
    charts._point_at(QPointF(-1, -1))
    charts._draw()
    assert "|" not in chart.title


def test_events_are_shaded_in_their_estimators_charts_once_they_are_certain(
    charts: StripCharts,
) -> None:
    play(charts, range(60))
    charts._draw()
    assert charts.shown["eye_openness"].named == []
    blinks = (Event("blink", 1.0, 1.1, 1.2), Event("eyes_closed", 1.3, 1.6, 2.0))
    charts.add(Heard(60, 60 / RATE, 0, tuple(Finding(0, "blinks", e) for e in blinks)))
    charts._draw()
    chart = charts.shown["eye_openness"]
    assert chart.named == ["blink", "eyes closed"]
    assert chart._spans[0]._region.getRegion() == pytest.approx((-1.4, -1.2))
    assert charts.shown["mouth_opening"].named == []
    labels = [span._label for span in chart._spans]
    QApplication.processEvents()
    boxes = [label.mapRectToScene(label.boundingRect()) for label in labels if label.isVisible()]
    assert len(boxes) == 2
    assert not boxes[0].adjusted(2, 4, -2, -4).intersects(boxes[1])  # nothing is unreadable
    play(charts, range(400, 402))  # long after
    charts._draw()
    assert chart.named == []
    assert not any(span._region.isVisible() for span in chart._spans)


def test_the_scale_grows_with_what_leaves_it(charts: StripCharts) -> None:
    play(charts, range(5))
    charts.add(Heard(5, 5 / RATE, 0, (eyes(5, 2.5),)))
    charts._draw()
    low, high = charts.shown["eye_openness"]._plot.viewRange()[1]
    assert low < 0.001
    assert high > 2.5
    charts.choose(["pose_yaw", "head_speed", "of_another_version"])
    assert charts.names == ["pose_yaw", "head_speed"]
    assert charts.shown["pose_yaw"]._plot.viewRange()[1] == pytest.approx([-52, 52])
    assert charts.shown["head_speed"]._plot.viewRange()[1][1] > 200
    assert charts.shown["head_speed"].title.startswith("head speed (deg/s): ")


@pytest.mark.parametrize("size", [12, 30, 33, 60, 150, 400])
@pytest.mark.parametrize("span", [0.003, 1.0, 7.0, 100.0])
def test_numbers_beside_a_chart_do_not_touch(qtbot: QtBot, size: int, span: float) -> None:
    scale = Scale("left")
    steps = [step for step, _ in scale.tickSpacing(-span / 2, span / 2, size)]
    assert steps
    assert min(steps) * size / span >= QFontMetricsF(scale.font()).height() - 1e-9
    if size == 400:
        assert max(steps) < span / 2  # as many as there is room for


def test_another_choice_keeps_what_was_heard_and_a_new_start_does_not(
    charts: StripCharts,
) -> None:
    play(charts, range(30))
    charts.choose(["mouth_opening"])
    charts.choose(["eye_openness"])
    assert len(drawn(charts, "eye_openness")[1]) == 30
    charts.clear()
    assert charts.names == ["eye_openness"]
    charts._draw()
    assert charts.shown["eye_openness"].drawn[0] is None


def ache_for(charts: StripCharts, frames: range) -> None:
    for frame in frames:
        known = Finding(0, "aching", Readings(frame, said(frame)))
        charts.add(Heard(frame, frame / RATE, 0, (known,)))
    charts._draw()


def test_an_interval_is_a_band_and_what_cannot_be_assessed_is_hatched(
    charts: StripCharts, ache: Aching
) -> None:
    charts.choose(["ache", "eye_openness"])
    ache_for(charts, range(18))
    chart = charts.shown["ache"]
    assert chart.band is not None
    reach = chart.band.path().boundingRect()
    assert (reach.left(), reach.right()) == pytest.approx((-17 / RATE, 0))
    assert (reach.top(), reach.bottom()) == pytest.approx((2.0, 7.0))
    assert not chart.band.path().contains(QPointF((AWAY.start + 1.5 - 17) / RATE, 4.5))
    assert chart.band.path().contains(QPointF((AWAY.start - 1.5 - 17) / RATE, 4.5))
    away = chart.unknown.path().boundingRect()
    wanted = ((AWAY.start - 17) / RATE, (AWAY.stop - 17) / RATE)
    assert (away.left(), away.right()) == pytest.approx(wanted)
    assert charts.shown["eye_openness"].band is None
    assert charts.shown["eye_openness"].unknown.path().isEmpty()
    items = len(chart._plot.items)
    ache_for(charts, range(18, 200))
    assert len(chart._plot.items) == items  # nothing grows with the frames


def test_value_interval_reason_and_model_are_said(charts: StripCharts, ache: Aching) -> None:
    charts.choose(["ache"])
    ache_for(charts, range(18))
    chart = charts.shown["ache"]
    assert chart.title == f"ache: <b>5.00 (4.00 to 7.00)</b><br><i>{MODEL}</i>"
    QApplication.processEvents()
    place = chart._plot.vb.mapViewToScene(QPointF((11 - 17) / RATE, 5))
    charts._graphics.scene().sigMouseMoved.emit(place)
    charts._draw()
    assert chart.title.startswith(
        f"ache: <b>5.00 (4.00 to 7.00)</b> | -0.2 s: <b>\N{EN DASH}</b> {TURNED}"
    )
    charts.choose(["ache", "ache_brows", "eye_openness", "pose_yaw"])
    charts.resize(800, 200)
    ache_for(charts, range(18))
    QApplication.processEvents()
    chart = charts.shown["ache"]
    assert MODEL not in chart.title  # it is cut off, and there is the tooltip
    assert chart.title.endswith("\N{HORIZONTAL ELLIPSIS}</i>")
    assert MODEL in chart._plot.toolTip()
    assert charts._graphics.ci.geometry().width() <= charts._graphics.width()


def test_the_list_of_signals_names_the_model(qtbot: QtBot, ache: Aching) -> None:
    listed = SignalList()
    qtbot.addWidget(listed)
    row = listed.findData("ache")
    assert listed.itemText(row) == f"ache ({MODEL})"
    assert listed.itemData(row, Qt.ToolTipRole).endswith(MODEL)


def test_influences_are_bars_with_a_sign(charts: StripCharts, ache: Aching) -> None:
    assert charts.influences == []
    charts.choose(["eye_openness", "ache"])
    ache_for(charts, range(5))
    (influences,) = charts.influences
    reach = influences.bars.path().boundingRect()
    assert (reach.left(), reach.right()) == (-0.5, 1.5)
    ticks = influences._plot.getAxis("left")._tickLevels[0]
    assert [name for _, name in ticks] == ["brows", "eyes", "nose", "mouth"]
    ache_for(charts, range(5, AWAY.stop))
    assert influences.bars.path().isEmpty()  # what is not known is no 0


@pytest.fixture
def fragile() -> Iterator[FaceEstimator]:
    """Register an estimator that works ten times."""
    left = list(range(10))

    def compute(face: Face) -> Sequence[float]:
        return (float(left.pop()),)

    made = register(FaceEstimator("warmth", (HEAT,), compute))
    assert isinstance(made, FaceEstimator)
    yield made
    unregister("warmth")


def test_an_estimator_that_came_later_is_offered(qtbot: QtBot) -> None:
    box = SignalList()
    qtbot.addWidget(box)
    box.tick(["quality"])
    assert box.findData("heat") < 0
    assert box.findData("blink") < 0  # no value
    register(FaceEstimator("warmth", (HEAT,), lambda face: (1.0,)))
    try:
        box.showPopup()
        box.hidePopup()
        assert box.findData("heat") > 0
        assert box.ticked == ["quality"]
        with qtbot.waitSignal(box.chosen) as heard:
            box.activated.emit(box.findData("heat"))
        assert heard.args == [["quality", "heat"]]
    finally:
        unregister("warmth")
    box.showPopup()
    box.hidePopup()
    assert box.ticked == ["quality"]


def test_all_tracked_frames_reach_the_charts_and_what_breaks_is_named(
    window: MainWindow, qtbot: QtBot, fragile: FaceEstimator
) -> None:
    live = window.live
    live.start()
    session = live.session
    assert session is not None
    qtbot.waitUntil(lambda: "untracked" in live.panel.numbers.text(), timeout=PATIENCE)
    before = live.n_shown
    deadline = time.monotonic() + 30
    while session.tracking.results.dropped < 10 and time.monotonic() < deadline:
        time.sleep(0.01)  # the window does nothing meanwhile
    live._show_newest()
    assert live.n_shown == before + 1
    strip = live.charts._strip
    frames = np.sort(strip._frames[strip._frames >= 0])
    lacking = frames[-1] + 1 - frames[0] - len(frames)
    assert lacking <= session.untracked  # the tracker never saw them
    assert len(frames) > 10  # though one of them was shown
    assert session.unheard == 0
    live.panel.charts.showPopup()
    live.panel.charts.hidePopup()
    live.panel.charts.activated.emit(live.panel.charts.findData("heat"))
    assert live.charts.names == ["pose_yaw", "mouth_opening", "heat"]
    qtbot.waitUntil(live.troubles.isVisible, timeout=PATIENCE)
    assert live.troubles.text().startswith("warmth is switched off: IndexError: pop from empty")
    assert "head: " in live.panel.numbers.toolTip()
    drawn(live.charts, "heat")
    known = live.charts.shown["heat"].drawn[1]
    assert (known[~np.isnan(known)]).tolist() == list(range(9, -1, -1))
    newest = live.charts._strip._newest
    qtbot.waitUntil(lambda: live.charts._strip._newest > newest + 5, timeout=PATIENCE)
    assert not np.isnan(live.charts._strip.current("pose_yaw").value)
    live._show_numbers()
    assert live.troubles.isVisible()  # as long as it is so
    live.stop()
    assert not live.troubles.isVisible()
