"""Folders of corrections: round trips, foreign folders, and what is broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facetrack.annotation.corrections import (
    Correction,
    read_corrections,
    write_corrections,
)
from facetrack.errors import FormatError, InputError, OutputError
from facetrack.face import Source
from facetrack.formats.pts import write_pts
from facetrack.formats.pts_sidecar import NAME as SIDECAR

POINTS = arrays(np.float64, (68, 2), elements=st.floats(-1e4, 1e4).map(lambda v: round(v, 4)))
SOURCE = arrays(np.uint8, 68, elements=st.sampled_from([int(s) for s in Source]))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.integers(0, 10**6), st.builds(Correction, POINTS, SOURCE), min_size=1, max_size=3
    )
)
def test_corrections_come_back(tmp_path: Path, given_: dict[int, Correction]) -> None:
    write_corrections(tmp_path / "c", given_)
    again = read_corrections(tmp_path / "c")
    assert sorted(again) == sorted(given_)
    for frame, correction in given_.items():
        np.testing.assert_allclose(again[frame].points, correction.points, atol=1e-3)
        np.testing.assert_array_equal(again[frame].source, correction.source)


def test_absent_points_are_nan_and_vouched_ones_known(tmp_path: Path) -> None:
    points = np.arange(136.0).reshape(68, 2)
    points[7] = np.nan
    source = np.full(68, Source.CORRECTED, dtype=np.uint8)
    source[7], source[8] = Source.ABSENT, Source.OCCLUDED
    write_corrections(tmp_path / "c", {122: Correction(points, source)})
    assert (tmp_path / "c" / "000123.pts").is_file()
    again = read_corrections(tmp_path / "c")[122]
    assert np.isnan(again.points[7]).all()
    assert np.flatnonzero(~again.vouched).tolist() == [7, 8]


def test_a_foreign_folder_counts_as_corrected(tmp_path: Path) -> None:
    write_pts(tmp_path / "000001.pts", np.ones((68, 2)))
    assert read_corrections(tmp_path)[0].vouched.all()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.pts", "", "is not named by the frame's number"),
        ("000000.pts", "", "is not named by the frame's number"),
        (SIDECAR, "frame,a\n", "its columns are not"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    write_pts(tmp_path / "000001.pts", np.ones((68, 2)))
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=message):
        read_corrections(tmp_path)


def test_other_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(OutputError, match="holds other files"):
        write_corrections(tmp_path, {0: Correction(np.ones((68, 2)), np.full(68, 3, np.uint8))})
    assert (tmp_path / "thesis.txt").read_text() == "three years"


def test_an_empty_folder_and_wrong_shapes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"holds no \.pts files"):
        read_corrections(tmp_path)
    with pytest.raises(InputError, match="shape"):
        Correction(np.ones((3, 2)), np.zeros(68, np.uint8))
