"""Tracking many videos: one bad one does not stop the rest."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from facetrack.corpus.fingerprint import fingerprint
from facetrack.corpus.recording import Progress, Recorded, record
from facetrack.corpus.task import Task
from facetrack.errors import FacetrackError, ModelError, OutputError
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model
from facetrack.parallel import Pool

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A video that was not finished."""

    task: Task
    message: str  # one line: what, where, why, remedy
    fatal: bool = False  # the others would fail, too: results cannot be written


def record_all(
    tasks: Sequence[Task],
    model: FaceModel,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Iterator[Recorded | Failure]:
    """Track videos one after another in this process; stop after a fatal failure."""
    for task in tasks:
        outcome = _attempt(task, model, resume=resume, run="", progress=progress)
        yield outcome
        if isinstance(outcome, Failure) and outcome.fatal:
            return


def record_on(
    pool: Pool, tasks: Sequence[Task], model: str | None, *, resume: bool = False
) -> Iterator[Recorded | Failure]:
    """Track videos on a cluster, one a task, with the same bytes as in one process.

    Its workers see the same files under the same names. Outcomes come as they are ready, none after
    a fatal failure; a video whose worker died continues elsewhere from its last checkpoint.
    """
    work = partial(_work, model=model, resume=resume, run=uuid.uuid4().hex)
    for task, outcome in pool.outcomes(work, tasks):
        if isinstance(outcome, Exception):
            yield Failure(task, f"{task.source}: {outcome}")
            continue
        yield outcome
        if isinstance(outcome, Failure) and outcome.fatal:
            return


def _work(task: Task, *, model: str | None, resume: bool, run: str) -> Recorded | Failure:
    """Track one video; runs on a worker."""
    try:
        loaded, checksum = _loaded(model)
        if checksum != task.model.checksum:
            cause = "differs from the model of the process that started this one"
            raise ModelError(str(model or "default"), cause, remedy="install the same version")
    except FacetrackError as error:
        return Failure(task, str(error), fatal=True)
    return _attempt(task, loaded, resume=resume, run=run, progress=None)


@lru_cache(maxsize=1)
def _loaded(model: str | None) -> tuple[FaceModel, str]:
    loaded = load_model(model)
    return loaded, fingerprint(loaded)


def _attempt(
    task: Task, model: FaceModel, *, resume: bool, run: str, progress: Progress | None
) -> Recorded | Failure:
    try:
        return record(task, model, resume=resume, run=run, progress=progress)
    except OutputError as error:
        return Failure(task, str(error), fatal=True)
    except FacetrackError as error:
        return Failure(task, _named(task, str(error)))
    except (MemoryError, RecursionError) as error:
        return Failure(task, _named(task, f"{type(error).__name__}: too large for this machine"))
    except Exception as error:
        # A fault of ours (or of a library) on one video must not cost the other thousand.
        LOGGER.debug("%s", task.source, exc_info=True)
        return Failure(task, _named(task, f"unexpected {type(error).__name__}: {error}"))


def _named(task: Task, message: str) -> str:
    """Make sure that a message names the video."""
    known = str(task.source) in message or Path(str(task.source)).name in message
    return message if known else f"{task.source}: {message}"
