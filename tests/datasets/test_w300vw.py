from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from facetrack.datasets.w300vw import CATEGORIES, load, missing_clips, unreliable
from facetrack.errors import FormatError, InputError
from facetrack.formats.pts import write_pts


def add_clip(root: Path, name: str, numbers: list[int]) -> None:
    (root / name / "annot").mkdir(parents=True)
    (root / name / "vid.avi").write_bytes(b"")
    for number in numbers:
        write_pts(root / name / "annot" / f"{number:06d}.pts", np.full((68, 2), float(number)))


def exclude(root: Path, name: str, numbers: object) -> Path:
    (root / "extra").mkdir(exist_ok=True)
    path = root / "extra" / f"{name}.mat"
    scipy.io.savemat(path, {"error": numbers})
    return path


def test_the_lists_have_the_published_sizes_and_share_no_clip() -> None:
    assert {name: len(ids) for name, ids in CATEGORIES.items()} == {
        "1": 31, "2": 19, "3": 14, "train": 50
    }  # fmt: skip
    everything = [i for ids in CATEGORIES.values() for i in ids]
    assert len(set(everything)) == 114
    assert all(len(i) == 3 and i.isdigit() for i in everything)


def test_clips_come_by_category(tmp_path: Path) -> None:
    for name in ("001", "114", "203", "410", "999"):
        add_clip(tmp_path, name, [1])
    assert [(clip.id, clip.category) for clip in load(tmp_path)] == [
        ("114", "1"), ("203", "2"), ("410", "3")
    ]  # fmt: skip
    assert [clip.id for clip in load(tmp_path, category="train")] == ["001"]
    assert [clip.id for clip in load(tmp_path, category=2)] == ["203"]
    assert missing_clips(tmp_path, category=3) == CATEGORIES["3"][1:]
    assert len(missing_clips(tmp_path)) == 64 - 3


def test_unreliable_frames_are_left_out(tmp_path: Path) -> None:
    add_clip(tmp_path, "114", [1, 2, 3, 4, 5])
    exclude(tmp_path, "114", np.array([[2], [5]]))
    (clip,) = load(tmp_path)
    assert clip.excluded == {1, 4}
    truth = clip.read_truth()
    assert_array_equal(truth.frames, [0, 2, 3])
    assert_array_equal(truth.points[:, 0, 0], [1, 3, 4])


def test_the_challenges_unreliable_frames_are_known(tmp_path: Path, shared: Path) -> None:
    listed = json.loads((shared / "data" / "w300vw" / "broken_frames.json").read_text())
    for ids in CATEGORIES.values():
        for clip_id in ids:
            assert unreliable(clip_id) == {n - 1 for n in listed.get(clip_id, ())}


def test_a_list_of_ones_own_stands_for_what_is_known(tmp_path: Path) -> None:
    for name in ("531", "540"):
        add_clip(tmp_path, name, [1])
    exclude(tmp_path, "531", [7])
    excluded = {clip.id: clip.excluded for clip in load(tmp_path)}
    assert excluded["531"] == {6}
    assert len(excluded["540"]) == 6


def test_folders_of_pictures_are_clips_too(tmp_path: Path) -> None:
    add_clip(tmp_path, "114", [3, 4, 9])
    (tmp_path / "114" / "vid.avi").unlink()
    images = tmp_path / "114" / "imgs"
    images.mkdir()
    for name in ("000004.jpg", "000009.JPG", "000010.jpg", "notes.txt"):
        (images / name).write_bytes(b"")
    (clip,) = load(tmp_path)
    assert (clip.video, clip.pictures) == (images, (3, 8, 9))
    pairing = clip.pair(3)
    assert_array_equal(pairing.truth.frames, [3, 8])
    assert_array_equal(pairing.truth.points[:, 0, 0], [4, 9])
    assert_array_equal(pairing.positions, [0, 1])
    assert pairing.labels_without_frame == (2,)
    assert pairing.frames_without_label == (9,)


@pytest.mark.parametrize("names", [["a.jpg"], ["000000.jpg"], ["1.jpg", "000001.jpg"], []])
def test_pictures_without_numbers_are_named(tmp_path: Path, names: list[str]) -> None:
    add_clip(tmp_path, "114", [1])
    (tmp_path / "114" / "vid.avi").unlink()
    (tmp_path / "114" / "imgs").mkdir()
    for name in names:
        (tmp_path / "114" / "imgs" / name).write_bytes(b"")
    with pytest.raises(FormatError, match=r"imgs: the frames must be pictures like 000001\.jpg"):
        load(tmp_path)


def test_labels_and_frames_are_paired_by_number(tmp_path: Path) -> None:
    add_clip(tmp_path, "114", [1, 3, 4, 6, 7])
    exclude(tmp_path, "114", [4])
    pairing = load(tmp_path)[0].pair(6)
    assert_array_equal(pairing.truth.frames, [0, 2, 5])
    assert_array_equal(pairing.truth.points[:, 0, 0], [1, 3, 6])
    assert pairing.labels_without_frame == (6,)
    assert pairing.frames_without_label == (1, 4)


def test_no_decoded_frame_leaves_all_labels_unpaired(tmp_path: Path) -> None:
    add_clip(tmp_path, "114", [1, 2])
    pairing = load(tmp_path)[0].pair(0)
    assert pairing.truth.points.shape == (0, 68, 2)
    assert pairing.labels_without_frame == (0, 1)


@pytest.mark.parametrize("category", ["4", "test", "", 0])
def test_an_unknown_category_is_named(tmp_path: Path, category: str) -> None:
    with pytest.raises(InputError, match="category must be 1, 2, 3, train or all"):
        load(tmp_path, category=category)  # type: ignore[arg-type]


def test_a_folder_without_clips_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="none of the 14 clips of category 3"):
        load(tmp_path, category=3)
    with pytest.raises(FormatError, match="none of the 64 clips"):
        load(tmp_path / "missing")


def test_incomplete_clips_are_named(tmp_path: Path) -> None:
    add_clip(tmp_path, "114", [])
    with pytest.raises(FormatError, match=r"annot: holds no files"):
        load(tmp_path)
    add_clip(tmp_path, "203", [0, 1])
    with pytest.raises(FormatError, match="numbered from 1"):
        load(tmp_path, category=2)
    (tmp_path / "203" / "vid.avi").unlink()
    with pytest.raises(FormatError, match=r"vid\.avi: no such file"):
        load(tmp_path, category=2)


@pytest.mark.parametrize("numbers", [[0, 1], [1.5], [np.nan], "text", [1e12]])
def test_impossible_unreliable_frames_are_named(tmp_path: Path, numbers: object) -> None:
    add_clip(tmp_path, "114", [1])
    exclude(tmp_path, "114", numbers)
    with pytest.raises(FormatError, match=r"114\.mat"):
        load(tmp_path)


def test_an_empty_list_of_unreliable_frames_is_possible(tmp_path: Path) -> None:
    add_clip(tmp_path, "114", [1])
    exclude(tmp_path, "114", np.zeros((0, 0)))
    assert load(tmp_path)[0].excluded == frozenset()


@pytest.mark.fuzz
def test_damaged_lists_are_named_or_read(tmp_path: Path) -> None:
    add_clip(tmp_path, "114", [1])
    path = exclude(tmp_path, "114", [3, 4])
    content = path.read_bytes()

    @given(place=st.integers(0, len(content) - 1), value=st.integers(0, 255), cut=st.booleans())
    def check(place: int, value: int, cut: bool) -> None:
        damaged = bytearray(content[:place] if cut else content)
        if not cut:
            damaged[place] = value
        path.write_bytes(damaged)
        excluded, message = frozenset[int](), "114.mat"
        try:
            excluded = load(tmp_path)[0].excluded
        except FormatError as error:
            message = str(error)
        assert "114.mat" in message
        assert all(frame >= 0 for frame in excluded)

    check()
