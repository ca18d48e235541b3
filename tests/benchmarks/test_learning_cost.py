"""What learning costs: the bookkeeping and the exactness; no test asserts a time."""

from __future__ import annotations

import pytest

from benchmarks.learning import cost, whole_update
from benchmarks.learning.cost_report import learning_cost_details, learning_cost_table
from facetrack.errors import InputError
from facetrack.reporting.tables import as_text
from facetrack.synthetic.video import SyntheticVideo
from facetrack.video.frame import Frame


@pytest.fixture(scope="module")
def frames(shipped_model) -> list[Frame]:
    video = SyntheticVideo(shipped_model.shape_model, n_frames=64, size=(320, 240))
    return list(video)


def test_updates_are_the_batch(shipped_model, frames) -> None:
    exact = cost.updates_against_batch(shipped_model, frames[:12])
    assert exact.updates == 12
    assert 0 < exact.regressor < 1e-8
    assert 0 < exact.inverse < 1e-8
    assert 1 < exact.condition < 1e10


def test_without_a_face_there_is_nothing_to_compare(shipped_model, frames) -> None:
    with pytest.raises(InputError, match="no face to learn from"):
        cost.updates_against_batch(shipped_model, frames[:0])


def test_three_ways_take_turns(monkeypatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(cost, "learn_sampled", lambda *a: seen.append("ordered"))
    monkeypatch.setattr(cost, "learn_sampled_literally", lambda *a: seen.append("literal"))
    times = cost.time_updates(30, rounds=2)
    assert seen == ["literal", "ordered"] * 3
    assert times.features == 30
    assert min(times.continuous, times.literal_ratio, times.ordered_ratio) > 0


def test_all_of_it(shipped_model, frames, monkeypatch) -> None:
    monkeypatch.setattr(cost, "SIZES", (30,))
    monkeypatch.setattr(cost, "UPDATES", 3)
    monkeypatch.setattr(cost, "_COURSES", 1)
    monkeypatch.setattr(cost, "EXAMPLES", (1, 20))
    monkeypatch.setattr(whole_update, "_TURNS", 1)
    measured = cost.learning_cost(shipped_model, frames)
    assert list(measured.examples_ms) == [1, 20]
    assert (measured.whole.levels, measured.whole.features) == (3, 1021)
    assert min(measured.whole.continuous, measured.whole.literal, measured.whole.retrained) > 0
    assert [(s.name, s.frames) for s in measured.steps] == [
        ("taught", 4),
        ("untaught", 4),
        ("adapting", 4),
    ]
    assert 1e6 < measured.profile_bytes < 5e6
    details = learning_cost_details(measured)
    assert details["updates"][0]["features"] == 30
    text = as_text(learning_cost_table(details))
    assert "from left to right" in text
    assert "1. (sums known)" in text


def test_too_few_frames_are_named(shipped_model, frames, monkeypatch) -> None:
    monkeypatch.setattr(cost, "_COURSES", 1)
    with pytest.raises(InputError, match="100 corrections need more than 5 frames"):
        cost.learning_cost(shipped_model, frames[:5])
