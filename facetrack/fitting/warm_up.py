"""Compiling everything that the tracker runs before the first frame comes.

`python -m facetrack.fitting.warm_up PART` compiles one part and writes the name of each kernel
that was not cached, when it is done: another program can let processes of its own do the work.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any, Final

import numba.core.event
import numpy as np

from facetrack.face import N_POINTS
from facetrack.features.crops import FRAME_SIZE
from facetrack.features.maps import DEFAULT_MAPS
from facetrack.features.resize import average
from facetrack.fitting import _kernels as confidence_kernels
from facetrack.fitting.box_fit import BoxPlacement
from facetrack.fitting.confidence import N_POINT_FEATURES, PointConfidence
from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.quality import QualityClassifier
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import N_RIGID, ShapeModel
from facetrack.regression.cascade import Cascade, Level


def warm_up(*parts: str) -> None:
    """Run every kernel of the tracker once.

    Kernels compile at their first call, which takes seconds where no compiled copy is cached. A
    program that shows live video calls this before it opens the camera. No model is needed: a
    kernel is compiled for types of arrays, and those are the same for all models.

    Parameters
    ----------
    *parts : str
        Out of `PARTS`, which take about the same time; default: all of them.
    """
    model = _smallest_model()
    for part in parts or PARTS:
        _PARTS[part](model)


def is_cached() -> bool:
    """Return whether the kernels need no compiling.

    Returns
    -------
    bool
        True where they are in memory or in the cache, and where there can be no cache at all.
    """
    last: Any = confidence_kernels.logistic
    if last.signatures or last.stats.cache_path is None:
        return True
    if not any(Path(last.stats.cache_path).glob(f"*.{last.__name__}-*.nbi")):
        return False  # never compiled: trying would compile it here
    last(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), np.empty(1))
    return not last.stats.cache_misses


def _fit(model: FaceModel) -> None:
    for image in (np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.uint8)):
        model.fit_box(image, (8.0, 8.0, 56.0, 56.0))


def _look(model: FaceModel) -> None:
    average(np.zeros((64, 64), np.uint8), (32, 32))
    shape_model = model.shape_model
    head_pose(shape_model.mean, shape_model.mean_3d, (FRAME_SIZE, FRAME_SIZE))


_PARTS: Final = {"fit": _fit, "look": _look}
PARTS: Final = tuple(_PARTS)
N_KERNELS: Final = 18  # that `warm_up` compiles


class _Names(numba.core.event.Listener):
    """Writes the name of each kernel of ours that has been compiled."""

    def on_start(self, event: numba.core.event.Event) -> None:
        """Wait."""

    def on_end(self, event: numba.core.event.Event) -> None:
        """Write the name."""
        function = event.data["dispatcher"].py_func
        if function.__module__.startswith("facetrack."):
            with contextlib.suppress(OSError):  # the reader is gone
                sys.stdout.write(f"{function.__name__}\n")
                sys.stdout.flush()


def _smallest_model() -> FaceModel:
    """Make a model of the smallest size that moves no point."""
    angle = np.linspace(0, 2 * np.pi, N_POINTS, endpoint=False)
    mean = FRAME_SIZE * (0.5 + 0.3 * np.column_stack([np.cos(angle), np.sin(angle)]))
    basis = np.eye(2 * N_POINTS, N_RIGID)
    head = np.column_stack([mean - mean.mean(axis=0), 20 * np.cos(3 * angle)])  # not flat
    shape_model = ShapeModel(mean, basis, np.ones(N_RIGID), head)
    levels = tuple(_level(index, spec.shrink) for index, spec in enumerate(DEFAULT_MAPS))
    cascade = Cascade(DEFAULT_MAPS, basis.astype(np.float32), levels)
    n_evidence = 2 * N_POINTS + N_RIGID
    nothing = np.zeros(n_evidence, dtype=np.float32)
    quality = QualityClassifier(levels[0], nothing, nothing, nothing, 0.0)
    placement = BoxPlacement((mean / FRAME_SIZE - 0.5)[None])
    confidence = PointConfidence(np.zeros((N_POINTS, N_POINT_FEATURES)), np.zeros(N_POINTS))
    return FaceModel(
        "warm-up", shape_model, placement, cascade, cascade, cascade, quality, {}, confidence
    )


def _level(map_index: int, shrink: int) -> Level:
    return Level(
        map_index,
        shrink,
        spacing=4.0,
        basis=np.zeros((N_POINTS, 128, 1), dtype=np.float32),
        offset=np.zeros((N_POINTS, 1), dtype=np.float32),
        regressor=np.zeros((N_RIGID, N_POINTS + 1), dtype=np.float32),
    )


if __name__ == "__main__":
    numba.core.event.register("numba:compile", _Names())  # type: ignore[no-untyped-call]
    warm_up(*sys.argv[1:])
