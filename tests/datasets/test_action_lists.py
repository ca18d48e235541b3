"""Lists of clips as published, and plain folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from facetrack.datasets.action_lists import read_clips
from facetrack.errors import FormatError, InputError

KINETICS = "label,youtube_id,time_start,time_end,split,is_cc\n"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.fixture
def kinetics(tmp_path: Path) -> Path:
    (tmp_path / "train.csv").write_text(
        KINETICS
        + '"playing chess",-a_b,10,20,train,0\nyoga,cdE,3,13,train,1\nyoga,gone,0,10,train,1\n'
    )
    (tmp_path / "validate.csv").write_text(
        KINETICS.replace(",is_cc", "") + "yoga,xyz,100,110,val\n"
    )
    touch(tmp_path / "train" / "playing chess" / "-a_b_000010_000020.mp4")
    touch(tmp_path / "cdE_000003_000013.mp4")
    touch(tmp_path / "yoga" / "xyz_000100_000110.webm")
    return tmp_path


def test_kinetics_in_any_of_its_layouts(kinetics: Path) -> None:
    train = read_clips(kinetics, "kinetics", "train")
    assert train.classes == ("playing chess", "yoga")
    assert [(c.path.name, c.label, c.subject) for c in train.clips] == [
        ("-a_b_000010_000020.mp4", 0, "-a_b"),
        ("cdE_000003_000013.mp4", 1, "cdE"),
    ]
    assert train.missing == ("gone_000000_000010",)
    test = read_clips(kinetics, "kinetics", "test")
    assert test.classes == train.classes
    assert [clip.path.suffix for clip in test.clips] == [".webm"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("dancing,xyz,0,10,val", "line 2: the class 'dancing' is not one of train"),
        ("yoga,xyz,soon,10,val", "line 2: times must be seconds"),
        ("yoga,xyz", "line 2: a row has too few columns"),
    ],
)
def test_a_wrong_row_is_named(kinetics: Path, row: str, message: str) -> None:
    header = "label,youtube_id,time_start,time_end,split\n"
    (kinetics / "validate.csv").write_text(f"{header}{row}\n")
    with pytest.raises(FormatError, match=message):
        read_clips(kinetics, "kinetics", "test")


def test_a_list_that_lacks_labels_or_is_not_there(kinetics: Path) -> None:
    (kinetics / "validate.csv").write_text("youtube_id,time_start,time_end,split\nx,0,1,test\n")
    with pytest.raises(FormatError, match="the column 'label' is missing"):
        read_clips(kinetics, "kinetics", "test")
    (kinetics / "validate.csv").unlink()
    with pytest.raises(FormatError, match=r"val.csv or validate.csv .* is missing"):
        read_clips(kinetics, "kinetics", "test")


def test_something_something(tmp_path: Path) -> None:
    name = "something-something-v1-{}.csv"
    (tmp_path / name.format("labels")).write_text("Tearing [something]\nClosing [something]\n")
    (tmp_path / name.format("train")).write_text("7;Closing [something]\n8;Tearing [something]\n")
    (tmp_path / name.format("validation")).write_text("9;Tearing something\n")
    touch(tmp_path / "7" / "00001.jpg")
    train = read_clips(tmp_path, "something", "train")
    assert train.classes == ("Tearing [something]", "Closing [something]")
    assert [(clip.path.name, clip.label) for clip in train.clips] == [("7", 1)]
    assert train.missing == ("8",)
    with pytest.raises(
        FormatError, match=r"line 1: expected id;label .* got '9;Tearing something'"
    ):
        read_clips(tmp_path, "something", "test")


def test_a_folder_keeps_subjects_apart(tmp_path: Path) -> None:
    for subject in range(10):
        for kind in ("nod", "wink"):
            touch(tmp_path / kind / f"s{subject}_{kind}.mp4")
    touch(tmp_path / "nod" / "notes.txt")
    (tmp_path / "subjects.csv").write_text("clip,subject\ns0_nod,s9\n")
    train, test = (read_clips(tmp_path, "folder", split) for split in ("train", "test"))
    assert train.classes == test.classes == ("nod", "wink")
    assert len(train.clips) + len(test.clips) == 20
    own, tested = ({clip.subject for clip in part.clips} for part in (train, test))
    assert not own & tested
    assert tested == {"s4", "s9"}
    assert sorted(c.path.stem for c in test.clips if c.subject == "s9") == [
        "s0_nod",
        "s9_nod",
        "s9_wink",
    ]


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the train clips is there"):
        read_clips(tmp_path, "folder", "train")
    with pytest.raises(InputError, match="got 'movies'"):
        read_clips(tmp_path, "movies", "train")
