"""What an earlier run of the same video left: clearing it away, or going on from it."""

from __future__ import annotations

import glob
import logging
import os
from pathlib import Path
from typing import Any

from facetrack.corpus.ledger import Checkpoint, read_checkpoint
from facetrack.corpus.signal_files import SignalFiles
from facetrack.corpus.task import Outputs, Task
from facetrack.corpus.teaching import Teacher
from facetrack.errors import FormatError, InputError
from facetrack.formats.atomic import output_error
from facetrack.formats.openface import truncate_to_frame
from facetrack.tracking.stills import StillTracker
from facetrack.tracking.tracker import Tracker
from facetrack.version import installed_version

LOGGER = logging.getLogger(__name__)


def make_folder(outputs: Outputs) -> None:
    """Make the folder of the results; raises OutputError if that fails."""
    folder = outputs.base.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error


def clear_leftovers(outputs: Outputs) -> None:
    """Take away what a killed run left half written, which is useless."""
    folder, name = outputs.base.parent, outputs.base.name
    pattern = os.path.join(glob.escape(str(folder)), glob.escape(name))
    try:
        for kind in (".*.tmp-*", ".overlay.part-*.mp4"):
            for leftover in glob.glob(pattern + kind):
                Path(leftover).unlink(missing_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error


def go_on(
    task: Task,
    run_key: dict[str, Any],
    tracker: Tracker | StillTracker,
    teacher: Teacher,
    signals: SignalFiles,
    *,
    resume: bool,
    run: str,
) -> Checkpoint | None:
    """Bring new tracker, teacher and files to where an earlier run stood.

    Without `resume` only what the same `run` began counts. Return None if nothing there gives the
    same bytes: another input, model, setting or version, or damaged files.
    """
    checkpoint = read_checkpoint(task.outputs.path("checkpoint"))
    if (
        checkpoint is None
        or checkpoint.tracker is None
        or checkpoint.teacher is None
        or checkpoint.signals is None
        or checkpoint.run_key != run_key
        or checkpoint.version != installed_version()
        or not (resume or (run and checkpoint.run == run))
    ):
        return None
    fresh = teacher.state()
    try:
        truncate_to_frame(task.outputs.path("partial"), checkpoint.frames)
        signals.restore(checkpoint.signals)
        teacher.restore(checkpoint.teacher)
        tracker.restore(checkpoint.tracker)
    except (FormatError, InputError) as error:  # files were changed, or are of other code
        LOGGER.warning("%s: what an interrupted run left does not fit, so the video is tracked "
                       "anew: %s", task.outputs.base.name, error)  # fmt: skip
        teacher.restore(fresh)
        signals.reset()
        return None
    return checkpoint


def count_rows(path: Path) -> tuple[int, int]:
    """Count what a CSV file of ours holds."""
    frames = rows = 0
    last = b""
    try:
        with path.open("rb") as stream:
            next(stream, None)  # the header
            for line in stream:
                frame = line.partition(b",")[0]
                frames += frame != last
                rows += 1
                last = frame
    except OSError as error:
        raise output_error(path, error) from error
    return frames, rows
