"""A fitted model: its file, its frame-by-frame form, the signal."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import ModelError
from facetrack.pain.fitting import FittedSet, Options, fit_model, fit_set
from facetrack.pain.frames import Frames
from facetrack.pain.influence import Influence
from facetrack.pain.layer import Layer
from facetrack.pain.looks import Look
from facetrack.pain.model import PainModel, load_pain_model, write_pain_model
from facetrack.pain.scorer import Scorer
from facetrack.pain.signal import looker_of
from facetrack.signals.expression import encoder_of
from tests.pain.simulated import DEEP, HOG, MEAN, STEP, simulate

OPTIONS = Options(
    sets=(("geometry", "usual"), ("appearance", "usual"), ("deep", "usual"), ("deep", "static")),
    rows=150,
    groups=3,
    steps=100,
)
SAID = "made up"


@pytest.fixture(scope="module")
def people() -> Frames:
    return simulate(6)


@pytest.fixture(scope="module")
def model(people: Frames) -> PainModel:
    fitted: list[FittedSet] = [
        fit_set(kind, form, people, MEAN, STEP, OPTIONS, 0) for kind, form in OPTIONS.sets
    ]
    card = {"caution": SAID}
    found, _ = fit_model(
        people, fitted, OPTIONS, name="made", encoder=("expression", "1"), card=card, seed=0
    )
    return found


def looks_of(frames: Frames) -> list[Look]:
    return [
        Look({source: values[i] for source, values in frames.values.items()}, "")
        for i in range(len(frames))
    ]


def test_a_file_gives_the_same_scores(model: PainModel, people: Frames, tmp_path: Path) -> None:
    write_pain_model(tmp_path / "made.npz", model)
    read = load_pain_model(tmp_path / "made.npz")
    assert read.caution == SAID
    assert read.limits == pytest.approx(dict(model.limits))
    first, second = model.score(people), read.score(people)
    assert_allclose(first.score, second.score, atol=1e-4)  # vectors are kept in 32 bits
    assert_allclose(first.low, second.low, atol=1e-4)


def test_a_damaged_file_is_refused(model: PainModel, tmp_path: Path) -> None:
    path = tmp_path / "made.npz"
    write_pain_model(path, model)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"made\.npz"):
        load_pain_model(path)


@pytest.mark.parametrize("gap", [0.0, 0.2, 2.0])
def test_frame_by_frame_is_as_all_at_once(model: PainModel, gap: float) -> None:
    """Also where frames are dropped, and after a gap."""
    whole = simulate(1, sequences=1, frames=80, seed=7)
    kept = np.flatnonzero(np.random.default_rng(0).random(80) > 0.1)
    part = whole.take(kept)
    part = replace(part, times=part.times + gap * (np.arange(len(part)) > 40))
    wanted = model.score(part)
    scorer, found = Scorer(model), []
    for i, look in enumerate(looks_of(part)):
        found.append(scorer.push(float(part.times[i]), look))
        if i == 30:  # another one goes on, from what JSON knows
            scorer, old = Scorer(model), scorer
            scorer.restore(json.loads(json.dumps(old.state(), allow_nan=False)))
    assert_allclose([m.score for m in found], wanted.score, atol=1e-5)  # products of 32 bits
    assert_allclose([m.low for m in found], wanted.low, atol=1e-5)
    assert_allclose([m.high for m in found], wanted.high, atol=1e-5)
    for name, nearest in wanted.nearest.items():
        assert_allclose([m.nearest[name] for m in found], nearest, atol=1e-5)


def test_a_layer_s_features_are_the_same_frame_by_frame_and_from_the_file(
    people: Frames, tmp_path: Path
) -> None:
    """A layer of chance stands in for one that torch has trained."""

    def tune(windows: np.ndarray, labels: np.ndarray, units: np.ndarray, seed: int) -> Layer:
        size = windows[0].size
        return Layer(np.random.default_rng(0).normal(0, size**-0.5, (size, 8)), np.zeros(8))

    options = replace(OPTIONS, sets=(("tuned", "usual"),))
    fitted = [fit_set("tuned", "usual", people, MEAN, STEP, options, 0, tune)]
    made, _ = fit_model(
        people, fitted, options, name="made", encoder=("expression", "1"), card={}, seed=0
    )
    write_pain_model(tmp_path / "made.npz", made)
    part = people.take(np.flatnonzero(people.sequences == 0))
    wanted = made.score(part).score
    assert np.ptp(wanted) > 0.5
    scorer = Scorer(load_pain_model(tmp_path / "made.npz"), {"all": {}})
    found = [scorer.push(float(t), x) for t, x in zip(part.times, looks_of(part), strict=True)]
    assert_allclose([m.score for m in found], wanted, atol=1e-4)
    assert_allclose([m.influences["all"] for m in found], 0.0, atol=1e-9)  # it is not taken apart


def test_a_scorer_remembers_no_more_than_it_looks_back(model: PainModel) -> None:
    scorer = Scorer(model)
    (look,) = looks_of(simulate(1, sequences=1, frames=60).take(np.arange(1)))
    sizes = []
    for i in range(400):
        scorer.push(i * STEP, look)
        sizes.append(len(json.dumps(scorer.state())))
    assert max(sizes[200:]) < 1.1 * max(sizes[20:60])


def test_what_is_usual_is_known_after_a_second(model: PainModel) -> None:
    scorer = Scorer(model)
    for i, look in enumerate(looks_of(simulate(1, sequences=1, frames=60))):
        scorer.push(i * STEP, look)
        assert scorer.known(i * STEP) == (i * STEP >= 1.0 - 1e-9)


def test_a_region_without_values_drives_nothing(model: PainModel, people: Frames) -> None:
    sizes = {"geometry": 316, "appearance": HOG, "deep": DEEP}
    nothing = {kind: np.zeros(size, dtype=bool) for kind, size in sizes.items()}
    everything = {kind: np.ones(size, dtype=bool) for kind, size in sizes.items()}
    scorer = Scorer(model, {"nothing": nothing, "everything": everything})
    rows = np.flatnonzero(people.sequences == 0)
    found = [scorer.push(i * STEP, look) for i, look in enumerate(looks_of(people.take(rows)))]
    assert_allclose([m.influences["nothing"] for m in found], 0.0, atol=1e-9)
    peak = int(np.argmax(people.labels[rows]))
    assert found[peak].influences["everything"] > 0.5


def test_a_region_is_taken_out_of_geometry_alone_where_it_is(model: PainModel) -> None:
    one = next(s for s in model.sets if s.kind == "geometry")
    chosen = np.zeros(316, dtype=bool)
    chosen[:10] = True
    features = np.arange(196.0)[None] + 1
    found = Influence(one, {"here": {"geometry": chosen}}).without(0.0, features, np.zeros(98))[0]
    assert_array_equal(np.flatnonzero(found == 0), [*range(10), *range(98, 108)])


def test_intervals_hold_their_score(model: PainModel, people: Frames) -> None:
    found = model.score(people)
    assert (found.low <= found.score).all()
    assert (found.score <= found.high).all()
    assert found.low.min() >= 0
    assert found.high.max() <= 16


def test_a_model_looks_with_the_encoder_it_was_trained_with_or_not_at_all(
    model: PainModel,
) -> None:
    with pytest.raises(ModelError, match="another version of the encoder 'expression'"):
        looker_of(replace(model, encoder_version="another"))


def test_a_model_without_deep_features_needs_none(model: PainModel) -> None:
    shape = tuple(one for one in model.sets if one.kind == "geometry")
    plain = replace(model, sets=shape, encoder_version=encoder_of("expression").version)
    _, regions = looker_of(plain)
    assert set(regions) == {"brows", "eyes", "nose", "mouth"}


def test_the_shipped_model_says_what_it_is() -> None:
    shipped = load_pain_model()
    assert "not trained on pain" in shipped.caution
    assert os.path.getsize(Path("models") / "pain_demo.npz") < 10e6
