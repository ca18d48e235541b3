from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from facetrack.errors import InputError
from facetrack.face import Source
from facetrack.formats.table import TrackTable, make_table, table_from_faces


def test_every_frame_and_face_has_a_row(table: TrackTable) -> None:
    assert_array_equal(table.frame, [0, 1, 1, 2, 2, 3, 4])
    assert_array_equal(table.face_id, [0, 0, 1, 0, 1, -1, 1])
    assert_array_equal(table.success, [1, 1, 1, 0, 1, 0, 1])
    assert table.reason[3] == 'hidden by a hand, "maybe"'
    assert np.isnan(table.points[[3, 5]]).all()
    assert np.isnan(table.pose[[3, 5]]).all()
    assert table.face_ids == (0, 1)


def test_columns_cannot_be_changed(table: TrackTable) -> None:
    with pytest.raises(ValueError, match="read-only"):
        table.points[0, 0, 0] = 1


def test_no_frames_make_an_empty_table() -> None:
    empty = table_from_faces([])
    assert len(empty) == 0
    assert empty.points.shape == (0, 68, 2)


@pytest.mark.parametrize("name", ["frame", "points", "pose", "source", "reason"])
def test_a_column_of_another_length_is_refused(table: TrackTable, name: str) -> None:
    with pytest.raises(InputError, match="must have shape"):
        dataclasses.replace(table, **{name: getattr(table, name)[:-1]})


@pytest.mark.parametrize("rows", [[2, 0], [], [False, True] + [False] * 5])
def test_selected_rows_keep_their_values(table: TrackTable, rows: list[int]) -> None:
    part = table.select(rows)
    index = np.arange(len(table))[np.array(rows, dtype=bool if len(rows) == 7 else int)]
    assert_array_equal(part.points, table.points[index])
    assert part.reason == tuple(table.reason[i] for i in index)


def test_a_plain_source_knows_what_is_seen() -> None:
    points = np.zeros((3, 68, 2))
    points[1] = np.nan
    points[2, 5] = np.nan
    made = make_table([0, 1, 2], points)
    assert_array_equal(made.success, [True, False, True])
    assert_array_equal(made.confidence, [1, 0, 1])
    assert (made.source[1] == Source.ABSENT).all()
    assert made.source[2, 5] == Source.ABSENT
    assert made.source[2, 6] == Source.TRACKED


def test_stated_success_overrules_the_points() -> None:
    made = make_table([0], np.zeros((1, 68, 2)), success=[False])
    assert np.isnan(made.points).all()
    assert (made.source == Source.ABSENT).all()
