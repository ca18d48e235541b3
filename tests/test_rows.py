"""The rows of the demo clip are what they were before the rooms were moved.

`benchmarks/rows.py` compares every byte of any videos between two versions on one machine; here
every thirtieth row is kept, and other machines may round the last digit differently.
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
DIGITS = {"p": 1e-3, "x": 0.02, "y": 0.02, "r": 0.02, "c": 2e-3, "t": 1e-6}  # by initial; px, ...


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
