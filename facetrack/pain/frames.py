"""Looks at many frames with their labels: what a model is fitted on and tested with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.archive import read_archive, write_archive
from facetrack.pain.history import runs

Floats = npt.NDArray[np.float64]

KIND: Final = "facetrack pain looks"
_NAMED: Final = ("subjects", "sequences", "times", "labels", "units")


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames that could be looked at, sequence after sequence."""

    subjects: npt.NDArray[np.str_]  # (n,), splits go by it
    sequences: npt.NDArray[np.intp]  # (n,), number of the sequence; grows
    times: Floats  # (n,), seconds from the beginning of the sequence
    labels: Floats  # (n,), PSPI, 0 to 16
    units: Floats  # (n, 6), action units 4, 6, 7, 9, 10 and 43; NaN where unknown
    values: Mapping[str, npt.NDArray[np.floating]]  # by source, as `Look.values`, (n, d)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: npt.NDArray[np.intp]) -> Frames:
        """Choose frames by their numbers, which grow."""
        values = {source: values[chosen] for source, values in self.values.items()}
        return replace(self, values=values, **{n: getattr(self, n)[chosen] for n in _NAMED})

    def films(self) -> list[slice]:
        """Return the stretches of one sequence each."""
        return runs(np.zeros(len(self)), self.sequences)

    def runs(self) -> list[slice]:
        """Return the stretches without gap or border."""
        return runs(self.times, self.sequences)


def join(parts: Sequence[Frames]) -> Frames:
    """Put frames of the same sources together; sequences are numbered anew."""
    numbers, count = [], 0
    for part in parts:
        known, inverse = np.unique(part.sequences, return_inverse=True)
        numbers.append(inverse + count)
        count += len(known)
    named = {n: np.concatenate([getattr(part, n) for part in parts]) for n in _NAMED}
    named["sequences"] = np.concatenate(numbers)
    values = {s: np.concatenate([part.values[s] for part in parts]) for s in parts[0].values}
    return Frames(**named, values=values)


def write_frames(path: str | os.PathLike[str], frames: Frames) -> None:
    """Write looks, so that no picture is looked at twice: beside, then renamed."""
    values = {f"values:{source}": array for source, array in frames.values.items()}
    named = {n: getattr(frames, n) for n in _NAMED}
    write_archive(path, {**named, **values}, {}, kind=KIND, schema=1)


def read_frames(path: str | os.PathLike[str]) -> tuple[Frames, str]:
    """Read looks that `write_frames` wrote, and their checksum."""
    arrays, said = read_archive(path, kind=KIND, schema=1)
    values = {name[7:]: array for name, array in arrays.items() if name.startswith("values:")}
    subjects, sequences, times, labels, units = (arrays[name] for name in _NAMED)
    return Frames(subjects, sequences, times, labels, units, values), str(said["checksum"])
