"""Gaze in degrees: known maps are found again; what cannot be calibrated is refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facetrack.cli.main import main
from facetrack.errors import FormatError, InputError
from facetrack.formats.signals_csv import Series, SignalTable, read_signals
from facetrack.summary.gaze import Look, calibrate, read_looks

WEIGHTS = np.array([[30.0, 2.0], [-1.0, 25.0], [4.0, -3.0]])  # of gaze_x, gaze_y, 1
PLACES = ((0.0, 0.0), (0.5, 0.1), (-0.4, 0.2), (0.1, 0.6), (-0.2, -0.5))
RATE = 20  # frames of a second


def _table(places: object = PLACES, face: int = 3) -> SignalTable:
    """Hold each place for a second; in its last frame nothing is said."""
    gaze = np.repeat(np.array(places, dtype=np.float64), RATE, axis=0)
    gaze[RATE - 1 :: RATE] = np.nan
    why = tuple("a blink" if np.isnan(x) else "" for x in gaze[:, 0])
    n = len(gaze)
    series = {
        name: Series(gaze[:, k], np.full(n, np.nan), np.full(n, np.nan), why)
        for k, name in enumerate(("gaze_x", "gaze_y"))
    }
    return SignalTable(np.arange(n), np.arange(n) / RATE, np.full(n, face), series)


def _looks(places: tuple[tuple[float, float], ...] = PLACES) -> list[Look]:
    angles = np.column_stack([places, np.ones(len(places))]) @ WEIGHTS
    return [Look(k, k + 1, x, y) for k, (x, y) in enumerate(angles.tolist())]


def test_a_known_map_is_found_again() -> None:
    table = _table()
    found = calibrate(table, _looks())
    np.testing.assert_allclose(found.weights, WEIGHTS, atol=1e-9)
    assert found.error == pytest.approx(0, abs=1e-9)
    rows = list(found.rows(table))
    assert rows[0].values["gaze_x_degrees"].value == pytest.approx(4.0)
    assert rows[RATE].values["gaze_y_degrees"].value == pytest.approx(0.5 * 2 + 0.1 * 25 - 3)
    assert rows[RATE - 1].values["gaze_x_degrees"].reason == "a blink"


def test_the_error_is_of_looks_left_out() -> None:
    wrong = _looks()
    wrong[0] = Look(0, 1, wrong[0].x + 10, wrong[0].y)
    fitted = calibrate(_table(), wrong)
    assert fitted.error > 2
    assert "calibrated by 5 looks of the person, each missed by" in fitted.model


def test_three_looks_say_nothing_of_their_error() -> None:
    assert calibrate(_table(), _looks()[:3]).model == "calibrated by 3 looks of the person"


def test_another_face_is_not_calibrated() -> None:
    one, other = _table(), _table(face=4)
    both = SignalTable(
        np.concatenate([one.frame, other.frame]),
        np.concatenate([one.timestamp, other.timestamp]),
        np.concatenate([one.face_id, other.face_id]),
        {
            name: Series(
                np.tile(s.value, 2), np.tile(s.low, 2), np.tile(s.high, 2), s.reason + s.reason
            )
            for name, s in one.signals.items()
        },
    )
    with pytest.raises(InputError, match="the table has 2 faces; say whose looks these are"):
        calibrate(both, _looks())
    rows = list(calibrate(both, _looks(), face=3).rows(both))
    assert rows[0].values["gaze_x_degrees"].reason == ""
    assert rows[len(one)].values["gaze_x_degrees"].reason == "this face is not calibrated"


@pytest.mark.parametrize("places", [PLACES[:2], ((0.0, 0.0), (0.2, 0.2), (0.4, 0.4), (0.5, 0.5))])
def test_places_on_a_line_are_too_few(places: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(InputError, match="three places or more, not on one line"):
        calibrate(_table(places), _looks(places))


def test_a_look_without_a_face_is_named() -> None:
    with pytest.raises(InputError, match="look from 9 to 10 s: gaze was assessed in 0 frames"):
        calibrate(_table(), [*_looks(), Look(9, 10, 0, 0)])


def test_a_table_without_gaze_says_what_to_do() -> None:
    table = _table()
    with pytest.raises(InputError, match="track with --signals expression"):
        calibrate(SignalTable(table.frame, table.timestamp, table.face_id), _looks())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("start,stop,x\n", "column 'y' is missing"),
        ("start,stop,x,y\n0,1,left,0\n", "a row is wrong"),
        ("start,stop,x,y\n2,1,0,0\n", "is empty or has no angle"),
        ("start,stop,x,y\n0,1,nan,0\n", "is empty or has no angle"),
    ],
)
def test_a_wrong_table_of_looks_is_refused(tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "looks.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match=cause):
        read_looks(path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "clip.signals.csv"
    lines = ["frame,timestamp,face_id,gaze_x,gaze_x_reason,gaze_y,gaze_y_reason"]
    for k, (x, y) in enumerate(np.repeat(np.array(PLACES), RATE, axis=0).tolist()):
        lines.append(f"{k + 1},{k / RATE:.6f},0,{x},,{y},")
    table.write_text("\n".join(lines) + "\n")
    looks = tmp_path / "looks.csv"
    rows = [f"{one.start},{one.stop},{one.x},{one.y}" for one in _looks()]
    looks.write_text("\n".join(["start,stop,x,y", *rows]) + "\n")
    output = tmp_path / "gaze.csv"
    assert main(["gaze", str(table), "--looks", str(looks), "-o", str(output)]) == 0
    assert "calibrated by 5 looks" in capsys.readouterr().out
    written = read_signals(output).signals["gaze_x_degrees"]
    assert written.value[0] == pytest.approx(4.0)
    assert written.model.startswith("calibrated by 5 looks")
    before = table.read_bytes()
    assert main(["gaze", str(table), "--looks", str(looks), "-o", str(table)]) == 1
    assert "would be written over" in capsys.readouterr().err
    assert table.read_bytes() == before
