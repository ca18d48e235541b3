"""Expression channels and gaze as signals, with an encoder that is small enough to foresee."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facetrack.corpus.run import track
from facetrack.errors import InputError
from facetrack.face import Face
from facetrack.formats.archive import Arrays
from facetrack.model import load_model
from facetrack.networks.binary_form import BinaryForm
from facetrack.networks.expression import write_encoder
from facetrack.networks.patches import PATCHES
from facetrack.networks.runtime.network import BinaryNetwork
from facetrack.networks.runtime.real import Linear, Pool
from facetrack.reading import Reading, Readings
from facetrack.signals.expression import Expression
from facetrack.signals.observation import Observation
from facetrack.signals.registry import Choice
from facetrack.signals.rest import Rest
from facetrack.signals.resting import measure_rest
from facetrack.video.frame import Frame

LOOKS = [f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in ("Left", "Right")]
NAMES = ["jawOpen", "eyeBlinkLeft", "browInnerUp", *LOOKS, "shape_1"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says how much of the patches their masks fill: the eyes' first, and the mouth's."""
    branches = {
        name: BinaryNetwork(
            [Pool(), Linear(np.array([[0.0], [1.0]], np.float32), np.zeros(1, np.float32))]
        )
        for name in PATCHES
    }
    weight = np.zeros((2, len(NAMES)), np.float32)
    weight[1, NAMES.index("jawOpen")] = 1.0  # how much of its patch the mouth fills
    weight[0, NAMES.index("eyeBlinkLeft")] = 1.0
    bias = np.zeros(len(NAMES), np.float32)
    for name, value in (("eyeLookOutLeft", 0.5), ("eyeLookInRight", 0.3), ("eyeLookDownLeft", 0.4)):
        bias[NAMES.index(name)] = value
    path = tmp_path_factory.mktemp("encoder") / "tiny.npz"
    standard: Arrays = {
        "mean_shape": load_model().shape_model.mean,
        "centre": np.zeros(len(NAMES), np.float32),
        "deviation": np.ones(len(NAMES), np.float32),
    }
    agree = dict.fromkeys(NAMES, 0.9) | {"browInnerUp": 0.5, "shape_1": 0.0}
    card = {"correlations": agree}
    form = BinaryForm(branches, 0.1, Linear(weight, bias))
    write_encoder(path, form, name="tiny", names=NAMES, standard=standard, card=card)
    return path


@pytest.fixture(scope="module")
def tracked() -> list[tuple[Frame, list[Face]]]:
    found = []
    for frame, faces in track("demo"):
        found.append((frame, faces))
        if len(found) == 40:
            break
    return found


def read(estimator: Expression, frame: Frame, face: Face) -> dict[str, Reading]:
    (readings,) = estimator.start().update(Observation(frame.index, frame.timestamp, face, frame))
    assert isinstance(readings, Readings)
    return dict(readings.values)


def test_channels_have_their_own_names_and_gaze_is_put_together(
    encoder: Path, tracked: list[tuple[Frame, list[Face]]]
) -> None:
    estimator = Expression(str(encoder))
    names = [spec.name for spec in estimator.specs]
    assert names == ["jawOpen", "eyeBlinkLeft", *LOOKS, "gaze_x", "gaze_y"]
    frame, (face, *_) = tracked[20]
    values = read(estimator, frame, face)
    assert list(values) == names
    assert 0.03 < values["jawOpen"].value < 0.5
    assert values["gaze_x"].value == pytest.approx(0.4, abs=1e-3)  # to the person's left
    assert values["gaze_y"].value == pytest.approx(-0.2, abs=1e-3)  # down


def test_what_the_picture_cuts_off_is_not_said(
    encoder: Path, tracked: list[tuple[Frame, list[Face]]]
) -> None:
    frame, (face, *_) = tracked[20]
    low = face.points.copy()
    low[:, 1] += frame.image.shape[0] - low[62, 1]  # the mouth on the lower border
    low.flags.writeable = False
    values = read(Expression(str(encoder)), frame, replace(face, points=low))
    assert values["jawOpen"].reason == "the mouth is partly outside the picture"
    assert math.isnan(values["jawOpen"].value)
    assert not values["gaze_x"].reason


def test_without_a_picture_nothing_is_said(
    encoder: Path, tracked: list[tuple[Frame, list[Face]]]
) -> None:
    _, (face, *_) = tracked[20]
    (readings,) = Expression(str(encoder)).start().update(Observation(0, 0.0, face))
    assert isinstance(readings, Readings)
    assert {r.reason for r in readings.values.values()} == {"there is no picture of this frame"}


def test_a_broken_encoder_leaves_the_other_signals(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(b"x")
    assert Expression(str(path)).specs == ()
    assert "expressions are left out" in caplog.text


def test_values_are_measured_from_rest(
    encoder: Path, tracked: list[tuple[Frame, list[Face]]]
) -> None:
    plain = Expression(str(encoder))
    choice = Choice((plain,), frozenset(spec.name for spec in plain.specs))
    span = tracked[5][0].timestamp, tracked[20][0].timestamp
    rest = measure_rest(tracked, choice, span)
    frame, (face, *_) = tracked[30]
    raw = [read(plain, f, faces[0])["jawOpen"].value for f, faces in tracked[5:21]]
    assert rest.values[face.id]["jawOpen"] == pytest.approx(float(np.median(raw)))
    (rested,) = choice.with_rest(rest).estimators
    assert isinstance(rested, Expression)
    before, after = read(plain, frame, face), read(rested, frame, face)
    for name, reading in after.items():
        wanted = before[name].value - rest.values[face.id][name]
        assert reading.value == pytest.approx(wanted, abs=1e-9)
    assert rested.version != plain.version
    stranger = read(rested, frame, replace(face, id=face.id + 1))
    assert stranger["jawOpen"].reason.startswith("not seen well enough at rest, from 0.16")


def test_a_span_without_a_face_is_named(
    encoder: Path, tracked: list[tuple[Frame, list[Face]]]
) -> None:
    plain = Expression(str(encoder))
    choice = Choice((plain,), frozenset(spec.name for spec in plain.specs))
    with pytest.raises(InputError, match="no face was seen well enough at rest, from 90 to 99 s"):
        measure_rest(tracked, choice, (90, 99))
    with pytest.raises(InputError, match="a span of seconds such as 0-10, got 5-2"):
        measure_rest(tracked, choice, (5, 2))


def test_a_rest_is_told_apart_by_its_digest() -> None:
    first = Rest(0, 1, {0: {"jawOpen": 0.1}})
    assert first.digest == Rest(0, 1, {0: {"jawOpen": 0.1}}).digest
    assert first.digest != Rest(0, 1, {0: {"jawOpen": 0.2}}).digest
