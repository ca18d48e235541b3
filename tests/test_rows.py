"""The rows of the demo clip are what they were before the rooms were moved.

`python -m benchmarks rows` compares every byte of any videos between two versions on one machine;
here every thirtieth row is kept. Machines round differently, and a fit carries that from frame to
frame: the same text gave points up to 0.11 px apart on processors of two makers, in the blurred
frame 151 (0.1 % of the eye distance), 0.04 px in the others.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.recording import record
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.model import load_model

GOLDEN = Path(__file__).parent / "golden" / "demo_rows.csv"
EVERY = 30
DIGITS = {"p": 3e-3, "x": 0.15, "y": 0.15, "r": 0.15, "c": 0.015, "t": 1e-6}  # by initial; px, ...


def test_rows_of_the_demo_clip_stay(tmp_path: Path) -> None:
    model = load_model()
    outputs = Outputs(tmp_path / "demo")
    settings = Settings(signals="none")
    record(Task("demo", outputs, settings, ModelId(model.name, fingerprint(model))), model)
    with GOLDEN.open(newline="") as kept, outputs.path("csv").open(newline="") as made:
        before, after = list(csv.DictReader(kept)), list(csv.DictReader(made))[::EVERY]
    assert [list(row) for row in after] == [list(row) for row in before]
    for old, new in zip(before, after, strict=True):
        for name, cell in old.items():
            if cell == new[name]:
                continue
            tolerance = 1.0 if name.startswith("pose_T") else DIGITS.get(name[0], 0.0)
            np.testing.assert_allclose(float(new[name]), float(cell), atol=tolerance, err_msg=name)
