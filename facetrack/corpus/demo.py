"""The demo: the synthetic clip tracked into files and compared with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from facetrack.corpus.chart import draw_chart
from facetrack.corpus.drawing import face_of_row
from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.recording import Progress, Recorded, record
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.evaluation.errors import ErrorSummary, normalised_errors, summary
from facetrack.face import Face, State
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.openface import read_openface
from facetrack.landmarks.pose import head_pose
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.synthetic.clips import demo_video
from facetrack.synthetic.video import SyntheticVideo

NAME: Final = "demo"


@dataclass(frozen=True, slots=True)
class Demo:
    """What came of the demo."""

    recorded: Recorded
    plot: Path  # error, pose and openings over time
    errors: ErrorSummary  # over all frames, against the exact truth


def run_demo(folder: Path, model: FaceModel, *, progress: Progress | None = None) -> Demo:
    """Track the demo clip into a folder; raises OutputError."""
    model_id = ModelId(model.name, fingerprint(model))
    task = Task(NAME, Outputs(folder / NAME), Settings(overlay=True), model_id)
    recorded = record(task, model, progress=progress)
    video = demo_video(model.shape_model)
    truth = np.stack([video.truth(i) for i in range(video.n_frames)])
    faces, points = _tracked(task.outputs.path("csv"), len(truth))
    errors = normalised_errors(points, truth)
    result = summary(errors)
    plot = folder / f"{NAME}.plot.png"
    draw_chart(
        plot,
        np.arange(len(truth)) / video.fps,
        errors,
        faces,
        [_true_face(video, i, model.shape_model) for i in range(len(truth))],
        title=f"demo clip, model {model.name}: mean error {result.mean:.2f} %, "
        f"median {result.median:.2f} %",
    )
    return Demo(recorded, plot, result)


def _tracked(csv: Path, n_frames: int) -> tuple[list[Face | None], np.ndarray]:
    """Read the tracked face of every frame; NaN where there is none."""
    table = read_openface(csv)
    faces: list[Face | None] = [None] * n_frames
    points = np.full((n_frames, 68, 2), np.nan)
    for row in np.flatnonzero(table.success).tolist():
        frame = int(table.frame[row])
        faces[frame], points[frame] = face_of_row(table, row), table.points[row]
    return faces, points


def _true_face(video: SyntheticVideo, index: int, shape_model: ShapeModel) -> Face:
    points = video.truth(index)
    return Face(
        id=0,
        state=State.TRACKED,
        reason="",
        points=points,
        raw_points=points,
        quality=1.0,
        pose=head_pose(points, shape_model.mean_3d, video.size),
    )
