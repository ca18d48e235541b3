"""Which videos are meant, and where their results go."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

import pytest

from facetrack.corpus.inputs import Input, Namer, find_inputs
from facetrack.corpus.ledger import Checkpoint
from facetrack.corpus.task import identity


@pytest.fixture
def tree(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return tmp_path

    return make


def places(specs, skip="elsewhere"):
    found = find_inputs(map(str, specs), skip=Path(skip))
    return [str(item.place) for item in found.inputs], [str(error) for error in found.errors]


def test_a_folder_is_searched_and_its_tree_kept(tree):
    top = tree(
        "b.mp4", "a.MOV", "001/vid.avi", "002/vid.avi", "notes.txt", ".hidden.mp4", ".x/c.mp4"
    )
    assert places([top]) == (["a", "b", "001/vid", "002/vid"], [])


def test_a_folder_of_pictures_is_one_sequence(tree):
    top = tree("walk/1.png", "walk/2.png", "film/vid.mp4", "film/thumbnail.jpg")
    inputs = find_inputs([str(top)], skip=Path("elsewhere")).inputs
    assert [(i.source, str(i.place)) for i in inputs] == [
        (top / "film/vid.mp4", "film/vid"),
        (top / "walk", "walk"),
    ]
    assert places([top / "walk"]) == (["walk"], [])


def test_a_pattern_keeps_the_tree_below_its_fixed_part(tree):
    top = tree("001/vid.avi", "002/vid.avi", "002/notes.txt")
    assert places([top / "*" / "*"]) == (["001/vid", "002/vid"], [])


def test_a_name_with_brackets_is_a_name_first(tree):
    top = tree("clip [1].mp4")
    assert places([top / "clip [1].mp4"]) == (["clip [1]"], [])


def test_results_are_not_inputs(tree):
    top = tree("clip.mp4", "out/clip.overlay.mp4", "out/clip.mp4", "x.overlay.part-7.mp4")
    assert places([top], skip=top / "out") == (["clip"], [])
    assert places([top / "out"], skip=top / "out") == (["clip"], [])


def test_the_same_video_is_taken_once(tree):
    top = tree("clip.mp4")
    assert places([top / "clip.mp4", top, top / "../" / top.name / "clip.mp4"]) == (["clip"], [])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.mp4", "no such file"),
        ("empty", "neither videos nor pictures"),
        ("*.avi", "no file matches"),
    ],
)
def test_what_means_nothing_is_named_and_the_rest_goes_on(tree, name, message):
    top = tree("clip.mp4")
    (top / "empty").mkdir()
    found, errors = places([top / name, top / "clip.mp4"])
    assert found == ["clip"]
    assert len(errors) == 1
    assert name in errors[0]
    assert message in errors[0]


@pytest.mark.parametrize(
    "suffix", [".h264", ".264", ".hevc", ".gif", ".dv", ".MOD", ".mjpeg", ".y4m", ".f4v", ".3g2",
               ".m2t", ".jfif", ".LRV", ".heic"]
)  # fmt: skip
def test_whatever_is_opened_when_named_is_found_in_a_folder(tree, suffix):
    top = tree(f"pi/clip{suffix}", "pi/notes.txt")
    assert places([top]) == (["pi/clip"], [])
    assert places([top / "pi" / f"*{suffix}"]) == (["clip"], [])


def test_links_are_followed_once_and_not_in_circles(tree):
    top = tree("real/clip.mp4", "study/a.mp4")
    (top / "study" / "sub01").symlink_to(top / "real")
    (top / "study" / "back").symlink_to(top / "study")
    (top / "real" / "up").symlink_to(top)
    assert places([top / "study"]) == (["a", "sub01/clip"], [])
    assert sorted(places([top])[0]) == ["real/clip", "study/a"]


def test_what_is_left_out_is_said(tree):
    top = tree("film/vid.mp4", "film/thumbnail.jpg", "film/notes.txt", "walk/1.png", ".hidden")
    found = find_inputs([str(top)], skip=Path("elsewhere"))
    assert found.skipped == [top / "film" / "notes.txt", top / "film" / "thumbnail.jpg"]
    found = find_inputs([str(top / "film" / "*")], skip=Path("elsewhere"))
    assert found.skipped == [top / "film" / "notes.txt"]  # a picture that a pattern names is meant


@pytest.mark.parametrize(
    ("spec", "message"),
    [("https://x.org/a.mp4", "a URL is not opened; download"), ("rtsp://cam/1", "a URL"),
     ("-", "standard input is not read")],
)  # fmt: skip
def test_what_is_no_file_is_refused_as_what_it_is(spec, message):
    found, (error,) = places([spec])
    assert not found
    assert message in error


def test_a_sequence_of_numbered_pictures_is_the_folder_that_it_fills(tree):
    top = tree("walk/img_0001.png", "walk/img_0002.PNG", "walk/notes.txt", "mixed/a_1.png")
    assert places([top / "walk" / "img_%04d.png"]) == (["walk"], [])
    (found,) = find_inputs([str(top / "walk" / "img_%04d.png")], skip=Path("elsewhere")).inputs
    assert found.source == top / "walk"
    tree("mixed/cover.jpg")
    for name, message in (
        ("mixed/a_%d.png", "1 other pictures .* such as cover.jpg"),
        ("mixed/b_%d.png", "no picture matches"),
        ("no/x%02d.png", "no picture"),
    ):
        none, (error,) = places([top / name])
        assert not none
        assert re.search(message, error)


def test_long_names_leave_room_for_what_is_written_behind(tmp_path):
    long = "gesicht-ä" * 25
    first, second = names(tmp_path, Path(f"{long}.mp4"), Path(f"{long}x.mp4"))
    assert first != second
    for outputs in (first, second):
        for path in outputs.all_paths():
            path.with_name(path.name + ".tmp-1234567.csv").write_bytes(b"")
    assert names(tmp_path / "again", Path(f"{long}.mp4"))[0].base.name == first.base.name


def test_cameras_and_the_demo_are_no_files():
    found = find_inputs(["0", "/dev/video2", "demo"], skip=Path("elsewhere"))
    assert [(i.source, str(i.place)) for i in found.inputs] == [
        ("0", "camera-0"),
        ("/dev/video2", "camera-video2"),
        ("demo", "demo"),
    ]
    assert not found.errors


def claim(outputs, source):
    order = {"input": {"path": identity(source)}, "model": {}, "settings": {}}
    outputs.base.parent.mkdir(parents=True, exist_ok=True)
    Checkpoint(order, run="").write(outputs.path("checkpoint"))


def names(folder, *sources):
    namer = Namer(folder)
    stems = [PurePath(PurePath(s).stem) if isinstance(s, Path) else PurePath(s) for s in sources]
    return [namer.outputs(Input(s, p)) for s, p in zip(sources, stems, strict=True)]


def test_the_same_stem_never_gives_the_same_name(tmp_path):
    sources = [Path("a/clip.mp4"), Path("b/clip.mp4"), Path("b/clip.avi"), Path("b/CLIP.mkv")]
    outputs = names(tmp_path, *sources)
    paths = [str(path).casefold() for o in outputs for path in o.all_paths()]
    assert len(set(paths)) == len(paths)
    assert [o.base.name for o in outputs[:3]] == ["clip", "b_clip", "clip-2"]


def test_a_name_that_is_another_ones_file_is_taken(tmp_path):
    # "clip.columns" would write clip.columns.csv, which is the dictionary of "clip"
    first, second = names(tmp_path, Path("clip.mp4"), Path("clip.columns.mp4"))
    assert not set(first.all_paths()) & set(second.all_paths())


def test_a_place_stays_with_its_input_in_whatever_order_they_come(tmp_path):
    a, b = tmp_path / "a" / "clip.mp4", tmp_path / "b" / "clip.mp4"
    out = tmp_path / "out"
    first = names(out, a, b)
    for outputs, source in zip(first, (a, b), strict=True):
        claim(outputs, source)
    assert names(out, b, a) == first[::-1]


def test_files_of_somebody_else_are_never_overwritten(tmp_path):
    (tmp_path / "clip.csv").write_text("frame, face_id\n")
    (outputs,) = names(tmp_path, Path("clip.mp4"))
    assert outputs.path("csv") != tmp_path / "clip.csv"


def test_every_recording_of_a_camera_is_kept(tmp_path):
    (first,) = names(tmp_path, "0")
    claim(first, "0")
    (second,) = names(tmp_path, "0")
    assert first != second
