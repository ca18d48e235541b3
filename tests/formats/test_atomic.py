from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from facetrack.errors import InputError, OutputError
from facetrack.formats.atomic import atomic_path, write_text


def test_the_file_is_there_whole_and_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "first\n")
    write_text(tmp_path / "a.csv", "naïve\n")
    assert (tmp_path / "a.csv").read_bytes() == "naïve\n".encode()
    assert os.listdir(tmp_path) == ["a.csv"]


def test_writers_that_look_at_the_suffix_are_served(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.npz") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".npz"
        np.savez(temporary, x=1)
    assert os.listdir(tmp_path) == ["a.npz"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"a\.txt: cannot be written .* free some space"),
        atomic_path(tmp_path / "a.txt"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="create the folder first"):
        write_text(tmp_path / "no" / "a.txt", "")


def test_a_folder_of_that_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutputError, match=r"a\.txt: cannot be written"):
        write_text(tmp_path / "a.txt", "")
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="choose a folder that you may write to"):
        write_text(tmp_path / "a.txt", "")


def test_other_errors_in_the_block_keep_their_own_words(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), atomic_path(tmp_path / "a.txt"):
        (tmp_path / "elsewhere").read_text()
    with pytest.raises(InputError, match="mine"), atomic_path(tmp_path / "a.txt"):
        raise InputError("mine")
