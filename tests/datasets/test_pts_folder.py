from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.datasets.pts_folder import load_folder
from facetrack.errors import FormatError, VideoError
from facetrack.formats.pts import write_pts

POINTS = np.arange(136.0).reshape(68, 2)
IMAGE = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)


def add(folder: Path, name: str, suffix: str = ".png", *, label: str = ".pts") -> None:
    content = cv2.imencode(".png" if suffix.lower() == ".png" else suffix.lower(), IMAGE)[1]
    (folder / f"{name}{suffix}").write_bytes(content.tobytes())
    write_pts(folder / f"{name}{label}", POINTS)


def test_pairs_are_found_by_their_stem_and_sorted(tmp_path: Path) -> None:
    add(tmp_path, "b", ".JPG")
    add(tmp_path, "a", ".jpeg")
    add(tmp_path, "indoor 12_mirror", ".bmp", label=".PTS")
    add(tmp_path, "c.1", ".PNG")
    (tmp_path / "notes.txt").write_text("no label")
    (tmp_path / "alone.jpg").write_text("no label either")
    (tmp_path / "a.pts.tmp-1.pts").write_text("left by a writer that was killed")
    images = load_folder(tmp_path)
    assert [image.name for image in images] == ["a", "b", "c.1", "indoor 12_mirror"]
    assert [image.path.suffix for image in images] == [".jpeg", ".JPG", ".PNG", ".bmp"]
    assert_array_equal(images[0].points, POINTS)
    assert not images[0].points.flags.writeable
    assert_array_equal(images[2].read_bgr(), IMAGE)
    assert images[2].read_grey().shape == (10, 10)


def test_the_first_of_the_usual_suffixes_wins(tmp_path: Path) -> None:
    add(tmp_path, "a", ".png")
    add(tmp_path, "a", ".jpg")
    assert [image.path.name for image in load_folder(tmp_path)] == ["a.jpg"]


def test_0_based_labels_are_read_on_request(tmp_path: Path) -> None:
    add(tmp_path, "a")
    assert_array_equal(load_folder(tmp_path, origin=0)[0].points, POINTS + 1)


def test_bad_pairs_are_left_out_with_one_warning(tmp_path: Path) -> None:
    add(tmp_path, "good")
    (tmp_path / "cut.pts").write_text("n_points: 68\n{\n1 2\n")
    (tmp_path / "cut.png").write_bytes(b"")
    write_pts(tmp_path / "lonely.pts", POINTS)
    unknown = POINTS.copy()
    unknown[3] = np.nan
    add(tmp_path, "unknown")
    write_pts(tmp_path / "unknown.pts", unknown)
    with pytest.warns(UserWarning, match=r"3 of 4 .*cut\.pts: no closing '}'") as caught:
        images = load_folder(tmp_path)
    assert [image.name for image in images] == ["good"]
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [("a.pts", "{", "no closing"), ("b.pts", "", "no picture of the same name")],
)
def test_bad_pairs_raise_on_request(tmp_path: Path, name: str, text: str, message: str) -> None:
    add(tmp_path, "a")
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match=message):
        load_folder(tmp_path, skip_bad=False)


def test_nothing_left_is_an_error_that_names_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.pts").write_text("")
    with pytest.raises(FormatError, match=r"none of its 1 \.pts files .*a\.pts: no picture"):
        load_folder(tmp_path)


def test_folders_without_labels_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no \.pts files"):
        load_folder(tmp_path)
    with pytest.raises(FormatError, match="cannot be listed"):
        load_folder(tmp_path / "missing")


def test_a_broken_picture_is_named_when_it_is_read(tmp_path: Path) -> None:
    add(tmp_path, "a")
    (tmp_path / "a.png").write_bytes(b"hello")
    (image,) = load_folder(tmp_path)
    with pytest.raises(VideoError, match=r"a\.png"):
        image.read_grey()


@pytest.mark.parametrize(("name", "count"), [("lfpw_test", 168), ("helen_test", 248)])
def test_real_folders_are_whole(shared: Path, name: str, count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = load_folder(shared / "data" / "landmarks" / name)
    assert len(images) == count
    height, width = images[0].read_grey().shape
    assert ((images[0].points > 0) & (images[0].points < [width, height])).all()
