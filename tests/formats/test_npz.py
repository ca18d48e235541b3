from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import FormatError
from facetrack.formats import npz
from facetrack.formats.npz import read_npz


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    np.savez(tmp_path / "a.npz", x=np.arange(1000.0), y=np.array(2))
    return tmp_path / "a.npz"


def test_wanted_arrays_are_read(archive: Path) -> None:
    arrays = read_npz(archive, required=["x"], optional=["z", "y"])
    assert sorted(arrays) == ["x", "y"]
    assert_array_equal(arrays["x"], np.arange(1000))


def test_every_cut_is_named(archive: Path) -> None:
    content = archive.read_bytes()
    for length in [*range(0, len(content), 97), len(content) - 1]:
        archive.write_bytes(content[:length])
        with pytest.raises(FormatError, match=r"a\.npz"):
            read_npz(archive, required=["x", "y"])


def test_a_flipped_byte_is_named(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[2000] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(FormatError, match="CRC"):
        read_npz(archive, required=["x"])


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(FormatError, match="objects or no arrays inside"):
        read_npz(tmp_path / "a.npz", required=["x"])


def test_other_files_are_named_without_a_word_of_pickle(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("hello")
    with pytest.raises(FormatError) as caught:
        read_npz(path, required=["x"])
    assert "pickle" not in str(caught.value)
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(FormatError, match="a single array"):
        read_npz(path, required=["x"])
    with pytest.raises(FormatError, match="no such file"):
        read_npz(tmp_path / "missing.npz", required=["x"])
    with pytest.raises(FormatError, match=r"no readable \.npz"):
        read_npz(tmp_path, required=["x"])


def test_a_missing_array_is_named(archive: Path) -> None:
    with pytest.raises(FormatError, match="array 'z' is missing"):
        read_npz(archive, required=["x", "z"])


def test_an_archive_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "MAX_BYTES", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(1 << 20))
    with pytest.raises(FormatError, match="unpacks to"):
        read_npz(tmp_path / "a.npz", required=["x"])


def test_a_header_that_lies_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }"
        prefix = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
        archive.writestr("x.npy", prefix + header)
    with pytest.raises(FormatError, match=r"no readable \.npz"):
        read_npz(path, required=["x"])
