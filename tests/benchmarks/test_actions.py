"""Made events, where a filter looks, and arms compared over seeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.actions import actions, made_events, new_class


@pytest.mark.parametrize("moving", [True, False])
def test_an_event_lies_in_its_box_and_is_all_that_differs(moving: bool) -> None:
    """Clips of one seed with and without the event differ in the box alone."""
    with_it, without = (
        made_events.make(40, np.random.default_rng(3), moving=moving, size=1.75, strength=s)
        for s in (1.0, 0.0)
    )
    assert np.array_equal(with_it.labels, without.labels)
    change = np.abs(with_it.clips - without.clips)[:, 0].sum(axis=1)
    for image, (left, top, right, bottom) in zip(change, with_it.boxes, strict=True):
        grid = np.arange(made_events.SIDE)
        across, down = (grid >= left) & (grid <= right), (grid >= top) & (grid <= bottom)
        assert image[np.ix_(down, across)].sum() > 0.75 * image.sum() > 0
    assert (np.bincount(with_it.labels, minlength=8) > 0).all()


def test_small_events_fill_a_twentieth_of_the_frame() -> None:
    shares = {name: made_events.share(s.size) for name, s in actions.SETTINGS.items()}
    assert shares.pop("global") == 1
    assert max(shares.values()) <= 0.05


def test_cells_are_inside_where_their_centres_are_within_half_a_cell() -> None:
    inside = actions._cells_inside(np.array([[9.0, 1.0, 14.0, 2.0]]), 4, 32)  # cells of 8 px
    assert inside[0].tolist() == [[False, True, False, False], *[[False] * 4] * 3]


def test_arms_are_compared_with_pooling_by_seed_and_clip(tmp_path: Path) -> None:
    right = {"mean": [1, 0, 0, 0], "wide": [1, 1, 0, 0], "full": [1, 1, 1, 0]}
    for arm, hits in right.items():
        for seed in range(2):
            one = {"setting": "2-D", "arm": arm, "seed": seed, "right": hits, "inside": None,
                   "chance": None, "parameters": 1, "multiply_adds": 1}  # fmt: skip
            (tmp_path / f"{arm}.{seed}.json").write_text(json.dumps(one), "utf-8")
    mean, wide, full = actions.compare(tmp_path)["2-D"]
    assert (mean["correct"], full["correct"], full["seeds"]) == (25, 75, 2)
    above = {base: found["mean"] for base, found in full["above"].items()}
    assert above == pytest.approx({"mean": 50, "wide": 25})
    assert (set(mean["above"]), set(wide["above"])) == ({"wide"}, {"mean"})


def test_a_class_from_few_films_stands_beside_all(tmp_path: Path) -> None:
    report: Callable[..., Any] = new_class.report
    rows = [
        {"class": "nod", "seed": seed, "films": 8, "all": 0.8, "few": few, "same": True, "ms": ms}
        for seed, (few, ms) in enumerate(((0.7, 0.2), (1.0, 0.3)))
    ]
    line, table = report(rows)
    assert "0.25 ms a clip" in line
    (row,) = table.rows
    assert row[:3] == ["nod", 2, 8]
    assert row[-2:] == ["+0.050 (-0.100 to +0.200)", "yes"]
    _, table = report([*rows, rows[0] | {"same": False}])
    assert table.rows[0][-1] == "no"
