"""The checksum of a model: its own, wherever it comes from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facetrack.corpus.fingerprint import fingerprint
from facetrack.identity.appearance import shipped_whitening
from facetrack.model import load_model, save_model


def test_saving_and_loading_keeps_it(model, tmp_path):
    save_model(model, tmp_path / "again.npz")
    assert fingerprint(load_model(tmp_path / "again.npz")) == fingerprint(model)


def test_using_a_model_keeps_it(model):
    before = fingerprint(model)
    model.fit(np.zeros((100, 100), np.uint8), model.shape_model.mean)
    assert fingerprint(model) == before


def test_any_other_number_changes_it(model):
    changed = model.tracking.levels[1].regressor.copy()
    changed[3, 7] = np.nextafter(changed[3, 7], np.float32(9))
    level = replace(model.tracking.levels[1], regressor=changed)
    cascade = replace(model.tracking, levels=(model.tracking.levels[0], level))
    others = [replace(model, tracking=cascade), replace(model, name="other")]
    assert len({fingerprint(m) for m in (model, *others)}) == 3


def test_what_tells_people_apart_counts(model, monkeypatch):
    before, shipped = fingerprint(model), shipped_whitening()
    other = replace(shipped, mean=shipped.mean + np.float32(1))
    monkeypatch.setattr("facetrack.corpus.fingerprint.shipped_whitening", lambda: other)
    assert fingerprint(model) != before


def test_values_with_the_same_text_differ():
    values = [(1, 2), (12,), ("1", "2"), ((1,), 2), {1: 2}, np.array([1, 2])]
    assert len({fingerprint(value) for value in values}) == len(values)
