"""Looking at all frames of an archive once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import FacetrackError, FormatError, InputError
from facetrack.formats.atomic import write_text
from facetrack.formats.picture import read_grey
from facetrack.networks.expression import load_encoder
from facetrack.pain.archive import Archive, ArchiveFrame, ArchiveSequence
from facetrack.pain.frames import Frames, join, read_frames, write_frames
from facetrack.pain.looks import Look, Looker
from facetrack.pain.pspi import PAIN_UNITS
from facetrack.parallel import Map

RATE: Final = 25.0  # frames per second of an archive that does not say it


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What could be looked at, and what not."""

    frames: Frames  # that can be assessed, sequence after sequence
    numbers: npt.NDArray[np.intp]  # (n,), within their sequence's files
    names: tuple[str, ...]  # of the sequences, as SUBJECT/SEQUENCE, by their number
    dropped: int  # frames that cannot be assessed; they have a label and no score
    problems: tuple[str, ...]  # why, one line each; not those of the archive itself


def gather(
    archive: Archive, encoder: str, *, rate: float | None = None, map_: Map = map
) -> Gathered:
    """Look at all frames of an archive; the rate is its own, or 25 frames per second."""
    step = 1 / (rate or archive.frame_rate or RATE)
    task = partial(_look_at, encoder=encoder)
    parts, numbers, names, problems, dropped = [], [], [], [], 0
    results = map_(task, archive.sequences)
    for sequence, (looks, wrong) in zip(archive.sequences, results, strict=True):
        problems += wrong
        dropped += len(sequence.frames) - len(looks)
        if not looks:
            continue
        labels = {frame.number: frame.pspi for frame in sequence.frames}
        units = {frame.number: _units(frame) for frame in sequence.frames}
        seen = np.array([number for number, _ in looks])
        values = {s: np.stack([look.values[s] for _, look in looks]) for s in looks[0][1].values}
        values["hog"] = values["hog"].astype(np.float16)  # a tenth of it is noise
        parts.append(
            Frames(
                np.full(len(looks), sequence.subject),
                np.zeros(len(looks), dtype=np.intp),
                (seen - sequence.frames[0].number) * step,
                np.array([labels[number] for number in seen.tolist()]),
                np.array([units[number] for number in seen.tolist()]),
                values,
            )
        )
        numbers.append(seen)
        names.append(f"{sequence.subject}/{sequence.name}")
    if not parts:
        raise InputError(f"{archive.root}: none of its frames can be assessed")
    found = Gathered(join(parts), np.concatenate(numbers), tuple(names), dropped, tuple(problems))
    return found


def stored_looks(path: Path, archive: Archive, encoder: str, **options: Any) -> Gathered:
    """Look at an archive, or read what was seen if nothing changed since; see `gather`."""
    inputs = _digest(archive, encoder, options.get("rate"))
    said = path.with_suffix(".json")
    try:
        known = json.loads(said.read_text("utf-8"))
        if known["inputs"] == inputs:
            frames, _ = read_frames(path)
            numbers = np.array(known["numbers"], dtype=np.intp)
            names, problems = tuple(known["names"]), tuple(known["problems"])
            return Gathered(frames, numbers, names, int(known["dropped"]), problems)
    except (OSError, ValueError, LookupError, FormatError):
        pass  # never looked at, or by an older version
    found = gather(archive, encoder, **options)
    write_frames(path, found.frames)
    others = {name: getattr(found, name) for name in ("names", "dropped", "problems")}
    write_text(said, json.dumps({"inputs": inputs, "numbers": found.numbers.tolist(), **others}))
    return found


def _look_at(
    sequence: ArchiveSequence, *, encoder: str
) -> tuple[list[tuple[int, Look]], list[str]]:
    """Look at one sequence; returns looks by number, and lines about frames without."""
    looker = _looker(encoder)
    looks, wrong = [], []
    for frame in sequence.frames:
        if frame.problem or frame.points is None:
            continue
        try:
            look = looker.look(read_grey(frame.image), frame.points)
        except FacetrackError as error:
            wrong.append(f"{frame.image}: {error}")
            continue
        if look.problem:
            wrong.append(f"{frame.image}: {look.problem}")
        else:
            looks.append((frame.number, look))
    return looks, wrong


def _units(frame: ArchiveFrame) -> list[float]:
    if frame.units is None:
        return [np.nan] * len(PAIN_UNITS)
    return [frame.units.get(unit, 0.0) for unit in PAIN_UNITS]


@cache
def _looker(encoder: str) -> Looker:
    return Looker(load_encoder(encoder))


def _digest(archive: Archive, encoder: str, rate: float | None) -> str:
    """Return what changes with any picture, landmark or label."""
    found = hashlib.sha256(f"{load_encoder(encoder).version} {rate} {archive.frame_rate}".encode())
    for sequence in archive.sequences:
        for frame in sequence.frames:
            state = frame.image.stat() if frame.image.is_file() else None
            stamp = (state.st_size, state.st_mtime_ns) if state else None
            found.update(f"{frame.image} {stamp} {frame.pspi} {frame.problem}".encode())
            if frame.points is not None:
                found.update(frame.points.tobytes())
    return found.hexdigest()
