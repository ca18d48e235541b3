"""Folds over subjects: what they say of people left out, and of a split that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.pain.fitting import Options, fit_set, groups_of, sample
from facetrack.pain.frames import Frames, write_frames
from facetrack.pain.measures import pcc, rmse
from facetrack.pain.projection import fit_supervised
from facetrack.pain.protocol import FoldScores, frame_folds, run_folds, subject_folds
from facetrack.pain.report import difference, measure, pool
from tests.pain.simulated import MEAN, STEP, shuffled, simulate

OPTIONS = Options(sets=(("deep", "usual"), ("deep", "static")), rows=150, groups=3, steps=80)


def left_out(frames: Frames, work: Path) -> list[FoldScores]:
    path = work / "frames.npz"
    write_frames(path, frames)
    folds = subject_folds(frames, count=3)
    run = run_folds(folds, path, work, step=STEP, mean=MEAN, options=OPTIONS, forms=False)
    return list(run)


def test_people_left_out_are_scored_better_than_by_a_constant(tmp_path: Path) -> None:
    frames = simulate(6)
    done = left_out(frames, tmp_path)
    found = measure(frames, pool(done, len(frames)), done)
    arms = found["arms"]
    assert arms["score"]["rmse"] < 0.8 * arms["always mean"]["rmse"]
    assert arms["score"]["pcc"] > 0.6
    assert arms["score"]["pcc_low"] < arms["score"]["pcc"] < arms["score"]["pcc_high"]
    assert 0.7 < found["coverage"]["all"] <= 1
    assert found["frames"] == len(frames)


def test_labels_of_other_sequences_cannot_be_learned(tmp_path: Path) -> None:
    frames = shuffled(simulate(9, sequences=4))
    found = pool(left_out(frames, tmp_path), len(frames))
    for arm in ("deep (static)", "deep (usual)", "score"):
        assert not abs(pcc(frames.labels, found[arm])) >= 0.15  # a constant has none


def test_frames_split_at_random_test_every_frame_once() -> None:
    frames = simulate(3, sequences=1)
    folds = frame_folds(frames, 3)
    assert sorted(np.concatenate([f.test for f in folds]).tolist()) == list(range(len(frames)))
    for fold in folds:
        assert not set(fold.train.tolist()) & set(fold.test.tolist())


def test_a_finished_fold_is_not_done_again_and_a_damaged_one_is(tmp_path: Path) -> None:
    frames = simulate(4, sequences=2)
    first = left_out(frames, tmp_path)
    files = sorted(tmp_path.glob("*-of-3.npz"))
    stamps = {path: path.stat().st_mtime_ns for path in files}
    files[0].write_bytes(files[0].read_bytes()[:100])
    second = left_out(frames, tmp_path)
    assert [path.stat().st_mtime_ns == stamps[path] for path in files] == [False, True, True]
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.scores["score"], b.scores["score"])


def test_nobody_is_trained_on_and_left_out() -> None:
    frames = simulate(5, sequences=1)
    for fold in [*subject_folds(frames), *subject_folds(frames, count=2, trained_on=2)]:
        assert not set(frames.subjects[fold.train]) & set(frames.subjects[fold.test])
    every = np.concatenate([fold.test for fold in subject_folds(frames)])
    assert sorted(every.tolist()) == list(range(len(frames)))
    few = subject_folds(frames, trained_on=2)
    assert all(len(set(frames.subjects[fold.train])) == 2 for fold in few)
    with pytest.raises(InputError, match="folds need as many subjects"):
        subject_folds(frames, count=9)


def test_a_fold_that_cannot_be_fitted_is_named(tmp_path: Path) -> None:
    frames = simulate(3, sequences=1)
    path = tmp_path / "frames.npz"
    write_frames(path, frames)
    folds = subject_folds(frames, trained_on=1)  # groups of subjects need two
    run = run_folds(folds, path, tmp_path, step=STEP, mean=MEAN, options=OPTIONS, forms=False)
    done = list(run)
    assert all("two subjects or more" in fold.problem for fold in done)
    with pytest.raises(InputError, match=f"no fold could be fitted; {folds[0].name}"):
        measure(frames, pool(done, len(frames)), done)


def test_sampling_thins_repeated_labels_and_balances_levels() -> None:
    frames = simulate(6)
    every = np.arange(len(frames))
    rng = np.random.default_rng(0)
    natural, level = (
        sample(frames, every, Options(rows=200, balance=balance), rng) for balance in (0.0, 1.0)
    )
    for rows in (natural, level):
        assert len(np.unique(rows)) == len(rows) == 200
    assert (frames.labels[level] > 0).mean() > 1.5 * (frames.labels[natural] > 0).mean()


def test_groups_hold_whole_subjects() -> None:
    frames = simulate(7, sequences=1)
    groups = groups_of(frames.subjects, 3, 0)
    for subject in np.unique(frames.subjects):
        assert len(set(groups[frames.subjects == subject].tolist())) == 1
    assert sorted(np.unique(groups).tolist()) == [0, 1, 2]


def test_directions_that_go_with_the_label_are_not_those_that_say_who() -> None:
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(6), 50)
    labels = np.tile(np.concatenate([np.zeros(25), np.linspace(0, 5, 25)]), 6)
    values = rng.normal(0, 0.1, (300, 20))
    values[:, 0] += 10 * rng.normal(size=6)[who]  # identity, by far the largest
    values[:, 1] += labels
    first = fit_supervised(values, labels, who).components[:, 0]
    assert abs(first[1]) > 0.99
    assert abs(first[0]) < 0.05


def test_pictures_train_static_sets_alone() -> None:
    frames = simulate(4, sequences=2)
    alone = replace(frames, sequences=np.arange(len(frames)), times=frames.times * 0)
    with pytest.raises(InputError, match="need sequences"):
        fit_set("deep", "usual", alone, MEAN, STEP, OPTIONS, 0)
    fitted = fit_set("deep", "static", alone, MEAN, STEP, OPTIONS, 0)
    assert np.isfinite(fitted.left_out).all()
    assert rmse(frames.labels, fitted.left_out) < frames.labels.std()


def test_the_difference_of_an_arm_with_itself_is_nothing() -> None:
    frames = simulate(4, sequences=1)
    found = difference(frames, frames.labels, frames.labels + 1)
    assert found["pcc"] == pytest.approx(0.0)
    assert found["low"] <= 0 <= found["high"]
