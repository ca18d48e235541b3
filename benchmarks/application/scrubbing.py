"""A person at work for long: scrubbing, stepping back, jumping, dragging, undoing, playing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import av
import numpy as np

from facetrack.landmarks.shape_model import ShapeModel
from facetrack.signals.registry import signals
from facetrack.synthetic.video import SyntheticVideo

SIZES: Final = ((640, 1138), (1080, 1920))
_RATE: Final = 30
_SECONDS: Final = 12
_LOOP: Final = 60  # frames that are rendered
_WAY: Final = 60  # frames that are scrubbed on and stepped back


class Sample(NamedTuple):
    """What the process took at a moment."""

    minutes: float
    megabytes: float
    threads: int


def write_clips(folder: Path, shape_model: ShapeModel) -> list[Path]:
    """Write clips as a phone does: upright, with frames that lean on later ones, few key frames."""
    paths = []
    for size in SIZES:
        video = SyntheticVideo(shape_model, n_frames=_LOOP, size=size, seed=1)
        pictures = [frame.image for frame in video]
        paths.append(folder / "{}x{}.mp4".format(*size))
        with av.open(str(paths[-1]), "w") as container:
            stream = container.add_stream("libx264", rate=_RATE)
            stream.width, stream.height = size
            stream.gop_size = 250
            stream.options = {"preset": "veryfast", "bf": "3", "sc_threshold": "0"}
            for number in range(_RATE * _SECONDS):
                to_and_fro = number % (2 * _LOOP - 2)
                picture = pictures[min(to_and_fro, 2 * _LOOP - 2 - to_and_fro)]
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
            container.mux(stream.encode())
    return paths


def work(bench: Any, view: Any, minutes: float, memory: Any) -> Iterator[Sample]:
    """Work on the video that is open, and tell now and then what the process takes."""
    annotator, rng = view.annotator, np.random.default_rng(0)
    annotator.want_signals(tuple(signals()))
    view.transport.choose(["eye_openness", "mouth_openness", "pose_yaw"])
    begin, count = time.perf_counter(), annotator.session.n_frames
    while (passed := (time.perf_counter() - begin) / 60) < minutes:
        yield Sample(passed, memory(), len(os.listdir("/proc/self/task")))
        first = int(rng.integers(count - _WAY))
        there = [*range(first, first + _WAY), *range(first + _WAY, first, -1)]
        for frame in [*there, *rng.integers(count, size=5).tolist()]:
            bench.perform(partial(view.moves.go, frame))
            bench.spin(0.02)
        bench.spin(20, lambda: annotator.shown == annotator.playback.frame)
        if annotator.editor is not None:
            _drag(bench, view, *rng.normal(0, 3, 2).tolist())
        bench.spin(10, lambda: not annotator.teaching.busy)
        if rng.random() < 0.5:
            bench.perform(annotator.undo)
        bench.perform(view.moves.shuttle_on)
        bench.spin(3)
        bench.perform(view.moves.pause)


def in_words(samples: list[Sample]) -> str:
    """Say what the process took at first, after two minutes and at last."""
    late = [sample for sample in samples if sample.minutes >= 2] or samples[-1:]
    first, last = late[0], late[-1]
    threads = [sample.threads for sample in late]
    return (
        f"{samples[0].megabytes:.0f} MB opened, {first.megabytes:.0f} after two minutes, "
        f"{last.megabytes:.0f} at last, {max(s.megabytes for s in samples):.0f} at most: "
        f"{last.megabytes - first.megabytes:+.0f} MB in "
        f"{last.minutes - first.minutes:.0f} minutes; "
        f"{min(threads)} to {max(threads)} threads"
    )


def _drag(bench: Any, view: Any, x: float, y: float) -> None:
    """Drag a point that is in the middle of the face, as a mouse does."""
    place = view.annotator.editor.points[57]
    bench.perform(partial(view.canvas.pressed.emit, *place.tolist(), 0))
    for share in np.linspace(0, 1, 8).tolist():
        bench.perform(partial(view.canvas.moved.emit, place[0] + share * x, place[1] + share * y))
    bench.perform(view.canvas.released.emit)
