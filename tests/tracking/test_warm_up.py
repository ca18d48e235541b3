"""Warming up compiles everything that tracking runs, for the types that it runs with."""

from __future__ import annotations

import subprocess
import sys

COUNT_KERNELS = """
import numpy as np
from facetrack.features import _kernels
from facetrack.tracking.tracker import Tracker
from facetrack.tracking.warm_up import _smallest_model, warm_up
from facetrack.video.frame import frame_of

kernels = {name: f for name, f in vars(_kernels).items() if hasattr(f, "signatures")}
warm_up()
before = {name: list(f.signatures) for name, f in kernels.items()}
model, points = _smallest_model(), 20 + 0.3 * _smallest_model().shape_model.mean
picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
tracker = Tracker(model)
for i in range(3):
    tracker.update(frame_of(picture, index=i, timestamp=i / 30))
    model.fit(np.ascontiguousarray(picture[:, ::-1]), points)
    model.fit(picture[:, ::-1, 0], points)
    model.fit_box(picture[10:, 5:], (10, 10, 90, 90))
assert {name: len(found) for name, found in before.items()} == dict.fromkeys(kernels, 1), before
assert {name: list(f.signatures) for name, f in kernels.items()} == before
print(len(kernels))
"""


def test_no_kernel_compiles_again() -> None:
    # In a process of its own: other tests compile kernels, too.
    child = subprocess.run(
        [sys.executable, "-c", COUNT_KERNELS], capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) > 3
