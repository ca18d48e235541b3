from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from facetrack.errors import FormatError
from facetrack.formats.picture import read_bgr
from facetrack.landmarks.markup import to_markup
from facetrack.pain.archive import Archive, read_archive
from facetrack.pain.archive_folders import KINDS, find_folders, frame_files
from tests.pain.conftest import (
    SCORES,
    SEQUENCE,
    SUBJECT,
    UNITS,
    frame_path,
    portrait_points,
    write_frame,
)


def path_of(root: Path, kind: str, number: int) -> Path:
    return frame_path(root, kind, SUBJECT, SEQUENCE, number)


def only(archive: Archive) -> list[str]:
    """Give the problems of the only sequence's frames."""
    (sequence,) = archive.sequences
    return [frame.problem for frame in sequence.frames]


def test_labels_landmarks_and_pictures_are_read(small_archive: Path) -> None:
    archive = read_archive(small_archive)
    (sequence,) = archive.sequences
    assert (sequence.subject, sequence.name, archive.subjects) == (SUBJECT, SEQUENCE, (SUBJECT,))
    assert [frame.number for frame in sequence.frames] == [1, 2, 3, 4]
    assert [frame.pspi for frame in sequence.frames] == list(SCORES)
    assert [frame.units for frame in sequence.frames] == list(UNITS)
    assert all(frame.image.is_file() and not frame.problem for frame in sequence.frames)
    assert archive.problems == archive.disagreements == ()
    assert archive.frame_rate is None


def test_66_points_get_the_indices_of_68(small_archive: Path) -> None:
    frame = read_archive(small_archive).sequences[0].frames[0]
    assert frame.points is not None
    assert_allclose(to_markup(frame.points, 66), to_markup(portrait_points() + 1, 66), atol=1e-4)
    points = frame.points
    assert_allclose(points[60], 0.8 * points[48] + 0.1 * (points[61] + points[67]))
    assert_allclose(points[64], 0.8 * points[54] + 0.1 * (points[63] + points[65]))


def test_an_empty_facs_file_is_a_frame_without_action_units(small_archive: Path) -> None:
    assert path_of(small_archive, "facs", 1).stat().st_size == 0
    frame = read_archive(small_archive).sequences[0].frames[0]
    assert frame.units == {}
    assert frame.pspi == 0
    assert not frame.problem


def test_frames_are_sorted_by_number_whatever_the_digits(small_archive: Path) -> None:
    write_frame(small_archive, 10, {}, 0)
    for kind in KINDS:
        old = path_of(small_archive, kind, 2)
        old.rename(old.with_name(old.name.replace("002", "2")))
    frames = read_archive(small_archive).sequences[0].frames
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 10]
    assert [frame.pspi for frame in frames] == [*SCORES, 0]


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("images", "images"),
        ("images", "Images/Images"),
        ("landmarks", "AAM landmarks"),
        ("pspi", "Frame_Labels/Frame_Labels/PSPI"),
        ("facs", "Sequence_Labels/Frame_Labels/FACS"),
    ],
)
def test_nested_and_renamed_folders_are_found(small_archive: Path, kind: str, place: str) -> None:
    aside = small_archive / "aside"
    (small_archive / KINDS[kind].folder).rename(aside)
    (small_archive / place).parent.mkdir(parents=True, exist_ok=True)
    aside.rename(small_archive / place)
    (small_archive / "__MACOSX").mkdir()
    archive = read_archive(small_archive)
    assert only(archive) == [""] * 4
    assert [frame.pspi for frame in archive.sequences[0].frames] == list(SCORES)


def test_identical_copies_are_one_and_others_an_error_that_names_both(small_archive: Path) -> None:
    first = small_archive / "Frame_Labels" / "PSPI"
    copy = small_archive / "Frame_Labels" / "Frame_Labels" / "PSPI"
    shutil.copytree(first, copy)
    (copy / ".DS_Store").write_text("")
    assert only(read_archive(small_archive)) == [""] * 4
    (copy / SUBJECT / SEQUENCE / f"{SEQUENCE}001_facs.txt").write_text("3.0e+00")
    with pytest.raises(FormatError, match="differs") as caught:
        read_archive(small_archive)
    assert str(first) in str(caught.value)
    assert str(copy) in str(caught.value)


def test_a_folder_that_is_missing_is_named(small_archive: Path) -> None:
    shutil.rmtree(small_archive / "AAM_landmarks")
    with pytest.raises(FormatError, match="no AAM_landmarks with folders of subjects"):
        read_archive(small_archive)
    with pytest.raises(FormatError, match="no such folder"):
        read_archive(small_archive / "nowhere")


@pytest.mark.parametrize(
    ("kind", "content", "cause"),
    [
        ("pspi", None, "no file of frame 2"),
        ("pspi", "", "0 numbers"),
        ("pspi", "2.5", "score of 2.5"),
        ("pspi", "17", "score of 17"),
        ("pspi", "nan", "score of nan"),
        ("pspi", "1_2", "a number expected"),
        ("pspi", "inf", "score of inf"),
        ("pspi", "five", "line 1: a number expected, could not convert string to float: 'five'"),
        ("landmarks", None, "no file of frame 2"),
        ("landmarks", "1 2\n" * 68, "68 points, 66"),
        ("landmarks", "1 2\n" * 65 + "nan 2", "some points are nan"),
        ("landmarks", "1 2 3\n" * 66, "66 of x and y"),
        ("images", None, "no file of frame 2"),
        ("images", "", "empty"),
        ("images", "text", "cannot be decoded"),
    ],
)
def test_a_frame_that_lacks_something_is_kept_and_says_what(
    small_archive: Path, kind: str, content: str | None, cause: str
) -> None:
    path = path_of(small_archive, kind, 2)
    path.unlink() if content is None else path.write_text(content)
    archive = read_archive(small_archive)
    problems = only(archive)
    assert cause in problems[1]
    assert str(path.parent) in problems[1]
    assert [bool(problem) for problem in problems] == [False, True, False, False]
    assert archive.problems == (problems[1],)
    assert np.isnan(archive.sequences[0].frames[1].pspi) == (kind == "pspi")


def test_black_frames_are_kept_with_their_label(small_archive: Path) -> None:
    cv2.imwrite(str(path_of(small_archive, "images", 3)), np.zeros((240, 320, 3), np.uint8))
    archive = read_archive(small_archive)
    frame = archive.sequences[0].frames[2]
    assert "black" in frame.problem
    assert frame.pspi == SCORES[2]
    assert len(archive.problems) == 1


def test_scores_that_disagree_are_listed_and_the_file_counts(small_archive: Path) -> None:
    path = path_of(small_archive, "pspi", 2)
    path.write_text("4.0e+00\n")
    archive = read_archive(small_archive)
    assert archive.sequences[0].frames[1].pspi == 4
    assert archive.disagreements == (f"{path}: says 4, its action units make 5",)
    assert archive.problems == ()


@pytest.mark.parametrize(("row", "units"), [("43", {43: 1}), ("43 0 0 0", {43: 1}), ("4", {4: 0})])
def test_units_without_intensity(small_archive: Path, row: str, units: dict[int, float]) -> None:
    path_of(small_archive, "facs", 1).write_text(row)
    archive = read_archive(small_archive)
    assert archive.sequences[0].frames[0].units == units
    assert [("43 without intensity in 1" in line) for line in archive.problems] == [True] * (
        43 in units
    )


@pytest.mark.parametrize("text", ["four 3 0 0", "4 6 0 0", "4.5 1 0 0"])
def test_a_broken_facs_file_leaves_the_frame_assessable(small_archive: Path, text: str) -> None:
    path = path_of(small_archive, "facs", 2)
    path.write_text(text)
    archive = read_archive(small_archive)
    frame = archive.sequences[0].frames[1]
    assert frame.units is None
    assert not frame.problem
    assert len(archive.problems) == 1
    assert str(path) in archive.problems[0]


@pytest.mark.parametrize("size", [(112, 96), (960, 720)])
def test_pictures_of_another_size_than_the_landmarks_are_noticed(
    small_archive: Path, size: tuple[int, int]
) -> None:
    for number in range(1, 5):
        path = path_of(small_archive, "images", number)
        cv2.imwrite(str(path), cv2.resize(read_bgr(path), size))
    archive = read_archive(small_archive)
    assert all(f"do not fit pictures of {size[0]} x {size[1]}" in p for p in only(archive))
    assert str(path_of(small_archive, "landmarks", 1).parent) in archive.problems[0]
    assert f"{SUBJECT}: none of its 4 frames can be used" in archive.problems[-1]


def test_a_subject_without_landmarks_is_still_there(small_archive: Path) -> None:
    write_frame(small_archive, 1, {4: 1}, 1, names=("042-ll042", "ll042t1aaaff"))
    shutil.rmtree(small_archive / "AAM_landmarks" / "042-ll042")
    archive = read_archive(small_archive)
    assert archive.subjects == ("042-ll042", SUBJECT)
    assert archive.problems[-1].startswith("042-ll042: none of its 1 frames can be used")


def test_two_files_of_one_frame_are_named(small_archive: Path) -> None:
    path = path_of(small_archive, "pspi", 2)
    twin = path.with_name(path.name.replace("002", "0002"))
    twin.write_text("3")
    (path.parent / "notes.txt").write_text("")
    archive = read_archive(small_archive)
    stray, second = archive.problems
    assert "notes.txt: no frame's number" in stray
    assert path.name in second
    assert twin.name in second


def test_a_made_corpus_says_its_frame_rate(small_archive: Path) -> None:
    description = small_archive / "synthetic.json"
    description.write_text(json.dumps({"frame_rate": 15}))
    assert read_archive(small_archive).frame_rate == 15
    description.write_text("{}")
    with pytest.raises(FormatError, match="no frame rate"):
        read_archive(small_archive)


def test_points_cannot_be_changed(small_archive: Path) -> None:
    points = read_archive(small_archive).sequences[0].frames[0].points
    assert points is not None
    assert not points.flags.writeable
    assert_array_equal(points.shape, (68, 2))


def test_frames_are_numbered_by_what_follows_the_sequence_s_name(tmp_path: Path) -> None:
    folder = tmp_path / "sy001t1aaaff2"
    folder.mkdir()
    names = {
        1: "sy001t1aaaff2001.png", 12: "sy001t1aaaff2012_aam.txt", 7: "renamed007.png",
        3: "3_facs.txt",
    }  # fmt: skip
    for name in names.values():
        (folder / name).touch()
    found = frame_files(folder)
    assert {number: path.name for number, path in found.by_number.items()} == names
    assert found.problems == ()


def test_folders_are_found_down_to_the_third_level(small_archive: Path, tmp_path: Path) -> None:
    top = tmp_path / "up" / "a"
    nested = top / "b" / "c"
    nested.mkdir(parents=True)
    for kind in KINDS.values():
        folder = small_archive / kind.folder
        shutil.copytree(folder, nested / folder.name)
    assert find_folders(top)["facs"] == nested / "FACS"
    with pytest.raises(FormatError, match="within 3 levels"):
        find_folders(top.parent)


@pytest.mark.parametrize(("level", "black"), [(7, True), (8, False)])
def test_pictures_below_eight_grey_levels_are_black(
    small_archive: Path, level: int, black: bool
) -> None:
    path = path_of(small_archive, "images", 3)
    cv2.imwrite(str(path), np.full((240, 320, 3), level, np.uint8))
    assert bool(only(read_archive(small_archive))[2]) == black


@pytest.mark.parametrize(("size", "looked_at"), [(4095, True), (4096, False)])
def test_only_pictures_of_less_than_four_kilobytes_are_decoded(
    small_archive: Path, size: int, looked_at: bool
) -> None:
    path_of(small_archive, "images", 3).write_bytes(b"x" * size)
    assert bool(only(read_archive(small_archive))[2]) == looked_at


@pytest.mark.parametrize(("size", "read"), [(1 << 16, True), ((1 << 16) + 1, False)])
def test_files_of_labels_have_64_kilobytes_at_most(
    small_archive: Path, size: int, read: bool
) -> None:
    path_of(small_archive, "pspi", 1).write_text("0".ljust(size))
    assert (only(read_archive(small_archive))[0] == "") == read


@pytest.mark.parametrize(("aside", "fits"), [(16, True), (17, False)])
def test_three_quarters_of_all_landmarks_must_lie_in_the_picture(
    small_archive: Path, aside: int, fits: bool
) -> None:
    """Of 66 points 17 are more than a quarter; each is as far beyond the left border."""
    for number in range(1, 5):
        rows = to_markup(portrait_points(), 66)
        rows[:aside, 0] = -1
        text = "".join(f"{x:.3f} {y:.3f}\n" for x, y in rows)
        path_of(small_archive, "landmarks", number).write_text(text)
    assert (only(read_archive(small_archive)) == [""] * 4) == fits
