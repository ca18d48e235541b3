"""What was seen of an archive is put together with its labels and its times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facetrack.errors import InputError
from facetrack.pain.archive import read_archive
from facetrack.pain.gather import gather
from facetrack.pain.looks import Look
from facetrack.pain.pictures import pseudo_pspi, pseudo_units
from tests.pain.conftest import SEQUENCE, SUBJECT, UNITS, write_frame


def look(value: float) -> Look:
    return Look({"shape": np.full(3, value), "hog": np.full(2, value / 3)}, "")


@pytest.mark.parametrize(("rate", "step"), [(None, 1 / 25), (10.0, 0.1)])
def test_frames_have_their_times_and_labels(
    small_archive: Path, rate: float | None, step: float
) -> None:
    """Of two sequences, whose frames begin at numbers 1 and 5; of the first one is not seen."""
    for number in (5, 9):
        write_frame(small_archive, number, {4: 1}, 1, names=("902-ab002", "ab002t1aaaff"))
    archive = read_archive(small_archive)

    def seen(function: Any, sequences: Any) -> Any:
        assert [sequence.name for sequence in sequences] == [SEQUENCE, "ab002t1aaaff"]
        return [([(1, look(0.1)), (2, look(0.2)), (4, look(0.4))], ["3: blurred"]),
                ([(5, look(0.5)), (9, look(0.9))], [])]  # fmt: skip

    found = gather(archive, "none", rate=rate, map_=seen)
    frames = found.frames
    assert frames.times == pytest.approx(np.array([0, 1, 3, 0, 4]) * step)
    assert frames.labels.tolist() == [0, 5, 0, 1, 1]
    assert frames.sequences.tolist() == [0, 0, 0, 1, 1]
    assert frames.subjects.tolist() == [SUBJECT] * 3 + ["902-ab002"] * 2
    assert found.numbers.tolist() == [1, 2, 4, 5, 9]
    assert found.names == (f"{SUBJECT}/{SEQUENCE}", "902-ab002/ab002t1aaaff")
    assert (found.dropped, found.problems) == (1, ("3: blurred",))
    assert frames.values["shape"][:, 0].tolist() == [0.1, 0.2, 0.4, 0.5, 0.9]
    assert frames.values["hog"].dtype == np.float16
    order = (4, 6, 7, 9, 10, 43)
    assert frames.units[1].tolist() == [UNITS[1].get(unit, 0.0) for unit in order]


def test_sequences_without_looks_are_left_out_and_something_must_be_seen(
    small_archive: Path,
) -> None:
    archive = read_archive(small_archive)

    def dark(function: Any, sequences: Any) -> Any:
        return [([], ["all: dark"])]

    with pytest.raises(InputError, match="none of its frames can be assessed"):
        gather(archive, "none", map_=dark)


def test_pseudo_labels_are_0_up_to_the_median_and_5_at_the_highest() -> None:
    share = np.linspace(0, 1, 401)
    one, other = 0.1 + 0.8 * share, 0.4 + 0.2 * share[::-1]
    channels = np.stack([one, one, other, other, one, 3 * one], axis=1)
    channels[300] = np.nan
    units = pseudo_units(channels)
    assert np.isnan(units[300]).all()
    wanted = 5 * ((share - 0.5) / 0.495).clip(0, 1)
    for unit, values in zip(units.T, (wanted, wanted[::-1], wanted), strict=True):
        assert np.nanmax(np.abs(unit - values)) < 0.02
    scores = pseudo_pspi(channels)
    assert scores[-1] == pytest.approx(10)  # the second channel is below its median there
