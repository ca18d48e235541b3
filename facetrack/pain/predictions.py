"""Scores of an archive's frames as tables."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.formats.atomic import write_text
from facetrack.pain.archive import Archive
from facetrack.pain.gather import Gathered
from facetrack.pain.model import PainModel

_HEADER: Final = ("frame", "pspi", "pain", "pain_low", "pain_high", "pain_reason", "pain_model")


def write_predictions(
    folder: Path, archive: Archive, gathered: Gathered, model: PainModel
) -> list[Path]:
    """Score all frames, and write SUBJECT/SEQUENCE.csv of each: beside, then renamed."""
    scores = model.score(gathered.frames)
    numbers, sequences = gathered.numbers, gathered.frames.sequences
    said = f"{model.name}; {model.caution}" if model.caution else model.name
    why = dict(line.split(": ", 1) for line in gathered.problems if ": " in line)
    written = []
    for sequence in archive.sequences:
        name = f"{sequence.subject}/{sequence.name}"
        known = {}
        if name in gathered.names:
            rows = np.flatnonzero(sequences == gathered.names.index(name))
            known = {int(numbers[row]): row for row in rows}
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(_HEADER)
        for frame in sequence.frames:
            row = known.get(frame.number)
            values = ["", "", ""]
            reason = frame.problem or why.get(str(frame.image), "cannot be assessed")
            if row is not None:
                found = (scores.score[row], scores.low[row], scores.high[row])
                values, reason = [f"{value:.4f}" for value in found], ""
            label = "" if np.isnan(frame.pspi) else f"{frame.pspi:g}"
            table.writerow([frame.number, label, *values, reason, said])
        path = folder / sequence.subject / f"{sequence.name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text.getvalue())
        written.append(path)
    return written
