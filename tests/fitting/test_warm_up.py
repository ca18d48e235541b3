"""Warming up compiles everything that tracking runs, for the types that it runs with."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from facetrack.fitting.warm_up import PARTS, _smallest_model, is_cached, warm_up

COUNT_KERNELS = """
from dataclasses import replace
from itertools import islice
import numpy as np
from facetrack import Tracker, load_model, warm_up
from facetrack.features import _kernels as features
from facetrack.landmarks import _kernels as landmarks
from facetrack.fitting import _kernels as tracking
from facetrack.fitting.confidence import N_POINT_FEATURES, PointConfidence
from facetrack.opening import open_source

kernels = {
    f"{module.__name__}.{name}": function
    for module in (features, landmarks, tracking)
    for name, function in vars(module).items()
    if hasattr(function, "signatures") and not name.startswith("_")
}
warm_up()
before = {name: list(f.signatures) for name, f in kernels.items()}
# only training reads whole descriptors
unused = {"facetrack.features._kernels.describe"}
assert {name for name, found in before.items() if len(found) != 1} == unused, before

confidence = PointConfidence(np.zeros((68, N_POINT_FEATURES)), np.zeros(68))
model = replace(load_model(), confidence=confidence)
tracker, tracked = Tracker(model, max_faces=2, smoothing=0.5), 0
with open_source("demo", shape_model=model.shape_model) as video:
    for frame in islice(video, 60):
        faces = tracker.update(frame)
        tracked += any(face.tracked for face in faces)
        if frame.index % 10 == 0:  # pictures and points of other kinds
            for image in (frame.image[:, ::-1], frame.image[10:, 5:], frame.grey[::2, ::2]):
                model.fit(image, model.shape_model.mean)
                model.fit_box(image, (10, 10, 90, 90))
            for face in faces:
                if face.tracked:
                    model.judge(frame.grey, face.points)  # read-only
                    model.judge(frame.grey, np.asfortranarray(face.points, dtype=np.float32))
            model.fit(frame.grey, np.asfortranarray(model.shape_model.mean, dtype=np.float32))
assert tracked > 30, tracked
assert {name: list(f.signatures) for name, f in kernels.items()} == before
print(len(kernels))
"""


def test_no_kernel_compiles_again_in_a_whole_clip() -> None:
    # In a process of its own: other tests compile kernels, too.
    child = subprocess.run(
        [sys.executable, "-c", COUNT_KERNELS], capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) > 8


def test_the_smallest_model_puts_a_circle_into_a_box_and_moves_no_point() -> None:
    """As wide as three fifths of the box, and with a quality of a half: it has seen nothing."""
    fit = _smallest_model().fit_box(np.zeros((64, 64), np.uint8), (8.0, 10.0, 56.0, 58.0))
    assert_allclose(np.linalg.norm(fit.points - [32, 34], axis=1), 0.3 * 48, rtol=1e-6)
    steps = np.linalg.norm(np.diff(fit.points, axis=0), axis=1)
    assert_allclose(steps, 2 * 0.3 * 48 * np.sin(np.pi / 68), rtol=1e-6)
    assert fit.points[0] == pytest.approx((32 + 0.3 * 48, 34))
    assert fit.quality == 0.5


@pytest.mark.parametrize("parts", [(), *((part,) for part in PARTS)])
def test_what_was_warmed_up_is_cached(parts: tuple[str, ...]) -> None:
    warm_up(*parts)
    assert is_cached()
