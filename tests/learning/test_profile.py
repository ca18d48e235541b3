"""Profiles: what is remembered of a person, on disk."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import FormatError
from facetrack.formats.archive import read_archive, write_archive
from facetrack.learning.learner import Learner
from facetrack.learning.profile import KIND, SCHEMA, Profile, load_profile


@pytest.fixture(scope="module")
def profile(shipped_model, example) -> Profile:
    examples = (example(8), example(40))
    learned = Learner(shipped_model.tracking, shipped_model.priors).learn(examples)
    looks = (np.arange(5, dtype=np.float32),)
    return Profile(examples, learned, looks, shipped_model.tracking)


@pytest.fixture
def path(profile, tmp_path):
    profile.save(tmp_path / "anna.npz")
    return tmp_path / "anna.npz"


def test_round_trip(profile, path, shipped_model) -> None:
    back = load_profile(path, shipped_model.tracking)
    for a, b in zip(profile.examples, back.examples, strict=True):
        for name in ("patches", "starts", "labels", "mask"):
            assert_array_equal(getattr(a, name), getattr(b, name))
        assert b.key == -1  # of another video
    assert back.learned is not None
    assert profile.learned is not None
    assert back.learned.own is not None
    assert profile.learned.own is not None
    assert_array_equal(back.learned.own.weights, profile.learned.own.weights)
    pairs = zip(profile.learned.cascade.levels, back.learned.cascade.levels, strict=True)
    for ours, theirs in pairs:
        assert_array_equal(ours.regressor, theirs.regressor)
    assert_array_equal(back.gallery[0], profile.gallery[0])


def test_what_was_learned_is_what_its_examples_teach(path, shipped_model) -> None:
    back = load_profile(path, shipped_model.tracking)
    anew = Learner(shipped_model.tracking, shipped_model.priors).learn(back.examples)
    assert anew is not None
    assert back.learned is not None
    assert anew.own is not None
    assert back.learned.own is not None
    assert_array_equal(anew.own.weights, back.learned.own.weights)


def test_somebody_who_was_taught_nothing_can_be_saved(tmp_path, shipped_model) -> None:
    Profile((), None, (), shipped_model.tracking).save(tmp_path / "nobody.npz")
    back = load_profile(tmp_path / "nobody.npz", shipped_model.tracking)
    assert back.learned is None
    assert back.examples == ()


def test_twenty_corrections_take_less_than_five_megabytes(profile, tmp_path) -> None:
    many = Profile(profile.examples * 10, profile.learned, profile.gallery, profile.generic)
    many.save(tmp_path / "many.npz")
    assert (tmp_path / "many.npz").stat().st_size < 5_000_000


def test_a_cut_file_is_named(path, shipped_model) -> None:
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(FormatError, match=r"anna\.npz: not a profile file, or cut short"):
        load_profile(path, shipped_model.tracking)


def rewritten(path, **changes):
    """Write the archive again with other entries in its description."""
    with np.load(path) as archive:
        arrays = dict(archive)
    meta = json.loads(bytes(arrays["meta"]).decode()) | changes
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    with path.open("wb") as stream:
        np.savez(stream, **arrays)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 99}, "schema 99, this version reads up to 2; update Facetrack"),
        ({"kind": "facetrack model"}, "not a Facetrack profile"),
        ({"checksum": "0"}, "the checksum does not match"),
        ({"model": "0"}, "taught to another model; load that model"),
        ({"levels": [77]}, "an entry is missing or wrong"),
    ],
)
def test_wrong_entries_are_named(path, shipped_model, changes, message) -> None:
    with pytest.raises(FormatError, match=message):
        load_profile(rewritten(path, **changes), shipped_model.tracking)


def test_a_profile_from_before_patches_were_read_goes_on(
    path, profile, tmp_path, shipped_model
) -> None:
    arrays, meta = read_archive(path, kind=KIND, schema=SCHEMA)
    arrays = {n: x for n, x in arrays.items() if n not in ("own/near", "own/patch_weights")}
    description = {"model": meta["model"], "levels": meta["levels"]}
    write_archive(tmp_path / "old.npz", arrays, description, kind=KIND, schema=1)
    back = load_profile(tmp_path / "old.npz", shipped_model.tracking)
    assert back.learned is not None
    assert back.learned.own is not None
    assert not back.learned.own.patch_weights.any()
    assert_array_equal(back.learned.own.weights, profile.learned.own.weights)
