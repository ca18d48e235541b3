"""Tracking one video into files, which can be killed at any moment and resumed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from facetrack.corpus.ahead import decode_ahead
from facetrack.corpus.drawing import Overlay
from facetrack.corpus.export import OF_TIME, export
from facetrack.corpus.ledger import Checkpoint, Ledger, read_ledger, write_json
from facetrack.corpus.lock import locked
from facetrack.corpus.missing_faces import FEW, likely_reason
from facetrack.corpus.remains import clear_leftovers, count_rows, go_on, make_folder
from facetrack.corpus.signal_files import SignalFiles
from facetrack.corpus.task import Task
from facetrack.corpus.teaching import NOTHING, Teacher
from facetrack.detection.face_detector import FaceDetector
from facetrack.errors import CameraError, InputError, OutputError
from facetrack.formats.atomic import output_error
from facetrack.formats.columns import PICTURE
from facetrack.formats.openface import OpenFaceWriter, read_openface, write_dictionary
from facetrack.opening import open_source
from facetrack.signals.registry import Choice
from facetrack.signals.resting import measure_rest
from facetrack.tracking.stills import StillTracker
from facetrack.tracking.track import Fits
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame
from facetrack.video.images import ImageFolder
from facetrack.video.source import VideoSource

CHECKPOINT_EVERY: Final = 300  # frames: what a kill can cost

Progress = Callable[[VideoSource, Frame], None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of one video."""

    task: Task
    ledger: Ledger
    seconds: float = 0.0  # wall-clock time of this run; 0 if the video was finished before
    tracking_seconds: float = 0.0
    resumed_at: int = 0  # frames that were there from an earlier run
    skipped: bool = False  # finished before
    left_out: tuple[str, ...] = ()  # corrections that taught nothing, and why; see `Teacher.finish`
    saved_profile: bool = False

    @property
    def account(self) -> str:
        """The ledger in one line, and what of it is from an earlier run."""
        how = ""
        if self.skipped:
            how = ", finished before"
        elif self.resumed_at:
            how = f", resumed at frame {self.resumed_at}"
        return f"{self.ledger.summary()}{how}"

    @property
    def tracked_per_second(self) -> float:
        """Frames per second of the tracker alone, without decoding and writing."""
        n_frames = self.ledger.decoded - self.resumed_at
        return n_frames / self.tracking_seconds if self.tracking_seconds else 0.0


def record(
    task: Task,
    model: Fits,
    *,
    resume: bool = False,
    run: str = "",
    progress: Progress | None = None,
) -> Recorded:
    """Track one video into files with the model that `task.model` names.

    With `resume`, a video that an earlier run finished is skipped and one that it began continues;
    what the same `run` began continues in any case. Raises VideoError, CameraError (rows so far
    stay, a camera's are completed), FormatError, LearningError, OutputError.
    """
    run_key = task.run_key()
    outputs = task.outputs
    if resume and not task.live:
        ledger = read_ledger(outputs.path("ledger"))
        if ledger is not None and ledger.run_key == run_key and _results_exist(task):
            return Recorded(task, ledger, skipped=True)
    make_folder(outputs)
    tracker = _tracker(task, model)
    teacher = Teacher(task.teaching, model)
    source_of = open_source(
        task.source, shape_model=model.shape_model, rate=task.settings.rate, stills=task.stills
    )
    with source_of as source, locked(outputs.path("partial")):
        clear_leftovers(outputs)
        signals = SignalFiles(outputs, _choice(task, model), stills=task.stills)
        begun = None
        if not task.live:
            begun = go_on(task, run_key, tracker, teacher, signals, resume=resume, run=run)
        begun = begun or Checkpoint(run_key, run)
        return _Recording(task, source, tracker, teacher, signals, begun, progress).run()


def _tracker(task: Task, model: Fits) -> Tracker | StillTracker:
    settings, teaching = task.settings, task.teaching
    if not task.stills:
        return Tracker(
            model,
            max_faces=settings.max_faces,
            smoothing=settings.smoothing,
            detector=_detector(settings.smallest_face, live=task.live),
            adapt=teaching.adapt,
            profile=teaching.profile,
        )
    if teaching != NOTHING:
        raise InputError(
            f"{task.source}: what is taught needs a video; of pictures each by itself nothing is "
            "followed, so leave --profile, --corrections, --save-profile and --adapt out, or take "
            "--sequence"
        )
    detector = _detector(settings.smallest_face, live=False)
    return StillTracker(model, max_faces=settings.max_faces, detector=detector)


def _choice(task: Task, model: Fits) -> Choice:
    """Choose the signals; where a span of rest is named, track until its end for what it is."""
    choice, span = task.settings.choice(), task.settings.rest
    if span is None:
        return choice
    if task.live or task.stills:
        what = "a camera" if task.live else "pictures by themselves"
        raise InputError(f"{task.source}: --rest needs a video that is read twice, not {what}")
    tracker, teacher = _tracker(task, model), Teacher(task.teaching, model)
    rate = task.settings.rate
    with open_source(task.source, shape_model=model.shape_model, rate=rate) as source:
        tracked = (
            (frame, teacher.teach(tracker, frame.index, tracker.update(frame)))
            for frame in source
            if isinstance(tracker, Tracker)
        )
        return choice.with_rest(measure_rest(tracked, choice, span))


def _results_exist(task: Task) -> bool:
    """Return whether all that a finished run wrote is still there."""
    profile = task.teaching.save_profile
    return task.outputs.path("csv").exists() and (profile is None or profile.exists())


def _without_time(task: Task) -> tuple[str, ...]:
    """Name what is not written of stills."""
    wanted = [kind for kind in (*OF_TIME, "overlay") if task.stills]
    asked = (*task.settings.formats, *(("overlay",) if task.settings.overlay else ()))
    names = [task.outputs.path(kind).name for kind in wanted if kind in asked]
    return tuple(f"{name} is not written: pictures by themselves have no time" for name in names)


@cache
def _detector(smallest: float, *, live: bool) -> FaceDetector:
    """Load the detector once for all videos of a process."""
    return FaceDetector(smallest, live=live)


@dataclass(slots=True)
class _Recording:
    """One video on its way."""

    task: Task
    source: VideoSource
    tracker: Tracker | StillTracker
    teacher: Teacher
    signals: SignalFiles
    begun: Checkpoint
    progress: Progress | None
    done: int = 0
    tracked: int = 0
    tracking_ns: int = 0
    _started: float = field(default_factory=time.perf_counter)

    def run(self) -> Recorded:
        """Track to the end; a camera to Ctrl-C or until it vanishes."""
        outputs = self.task.outputs
        self.done, self.tracked = self.begun.frames, self.begun.tracked
        with contextlib.ExitStack() as stack:
            if not self.done:
                self._take_name()
            writer = stack.enter_context(
                OpenFaceWriter(
                    outputs.path("partial"),
                    append=self.done > 0,
                    pictures=isinstance(self.source, ImageFolder),
                )
            )
            stack.enter_context(self.signals)
            drawn = self.task.settings.overlay and not self.task.stills
            overlay = stack.enter_context(self._overlay()) if drawn else None
            vanished = self._follow(writer, overlay)
            self.signals.finish()
        left_out = self.teacher.finish(self.done)
        ledger = self._finish((*left_out, *self.signals.notes(), *_without_time(self.task)))
        if vanished is not None:
            raise CameraError(f"{vanished}; recorded until then: {outputs.path('csv')}")
        return Recorded(
            self.task,
            ledger,
            seconds=time.perf_counter() - self._started,
            tracking_seconds=self.tracking_ns * 1e-9,
            resumed_at=self.begun.frames,
            left_out=left_out,
            saved_profile=self.teacher.profile is not None,
        )

    def _take_name(self) -> None:
        """Take the name; from here on an older result does not count as finished."""
        for kind in ("ledger", "signals", "events"):
            path = self.task.outputs.path(kind)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise output_error(path, error) from error
        if not self.task.live:
            self.begun.write(self.task.outputs.path("checkpoint"))

    def _overlay(self) -> Overlay:
        known = read_openface(self.task.outputs.path("partial")) if self.done else None
        path, source = self.task.outputs.path("overlay"), self.source
        return Overlay(path, source.size, known, aspect=source.pixel_aspect)

    def _follow(self, writer: OpenFaceWriter, overlay: Overlay | None) -> CameraError | None:
        """Track frame by frame; returns why a camera ended, None for a regular end."""
        try:
            with self._frames(colour=overlay is not None) as frames:
                for frame in frames:
                    if frame.index >= self.begun.frames:
                        self._track(frame, writer, overlay)
                    elif overlay is not None:
                        overlay.redraw(frame)
                    if self.progress is not None:
                        self.progress(self.source, frame)
        except CameraError as error:
            return error
        except KeyboardInterrupt:
            if not self.task.live:  # for a camera it is the regular end
                raise
        return None

    def _frames(self, *, colour: bool) -> AbstractContextManager[Iterable[Frame]]:
        if self.task.live:
            return contextlib.nullcontext(self.source)
        first = self.begun.frames
        return contextlib.closing(decode_ahead(self.source, first=first, colour=colour))

    def _track(self, frame: Frame, writer: OpenFaceWriter, overlay: Overlay | None) -> None:
        begin = time.perf_counter_ns()
        faces = self.tracker.update(frame)
        if isinstance(self.tracker, Tracker):
            faces = self.teacher.teach(self.tracker, frame.index, faces)
        self.tracking_ns += time.perf_counter_ns() - begin
        writer.write(frame.index, frame.timestamp, faces, frame.name)
        self.signals.take(frame, faces)
        if overlay is not None:
            overlay.draw(frame, faces)
        self.done = frame.index + 1
        self.tracked += any(face.tracked for face in faces)
        if self.done % CHECKPOINT_EVERY == 0 and not self.task.live:
            writer.flush()
            self.signals.flush()
            self._checkpoint().write(self.task.outputs.path("checkpoint"))

    def _checkpoint(self) -> Checkpoint:
        states = self.tracker.state(), self.teacher.state(), self.signals.state()
        return Checkpoint(self.begun.run_key, self.begun.run, self.done, self.tracked, *states)

    def _finish(self, notes: tuple[str, ...]) -> Ledger:
        """Write what follows from the rows, give the CSV file its name, and last the ledger."""
        outputs, report = self.task.outputs, self.source.report
        in_rows, rows = count_rows(outputs.path("partial"))
        # Ctrl-C may come between a camera's frame and its row; that frame is then left out.
        decoded = in_rows if self.task.live else report.decoded
        if in_rows != decoded:
            raise OutputError(
                f"{outputs.path('partial')}: holds {in_rows} frames of {decoded} decoded; "
                "something else changed it meanwhile; track the video again"
            )
        export(self.task, self.source, self.signals.events())
        labels = [PICTURE] if isinstance(self.source, ImageFolder) else []
        write_dictionary(outputs.path("dictionary"), self.signals.columns(), labels)
        ledger = Ledger(
            self.begun.run_key,
            decoded=decoded,
            in_rows=in_rows,
            rows=rows,
            tracked=self.tracked,
            repeated=report.repeated,
            undecodable=report.undecodable,
            notes=(*report.notes, *notes),
            why_few=self._why_few(decoded),
        )
        try:
            self.signals.publish()
            os.replace(outputs.path("partial"), outputs.path("csv"))
            self._write_timing()
            ledger.write(outputs.path("ledger"))
            outputs.path("checkpoint").unlink(missing_ok=True)
        except OSError as error:
            raise output_error(outputs.path("csv"), error) from error
        return ledger

    def _why_few(self, decoded: int) -> str:
        """Look for the reason where few frames have a face; the same if the run was interrupted."""
        if self.task.live or not decoded or self.tracked >= FEW * decoded:
            return ""
        settings = self.task.settings
        with open_source(self.task.source, rate=settings.rate, stills=self.task.stills) as again:
            return likely_reason(again, settings.smallest_face)

    def _write_timing(self) -> None:
        """Write what differs from run to run into a file of its own."""
        n_frames, seconds = self.done - self.begun.frames, time.perf_counter() - self._started
        content = {
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "frames": n_frames,
            "resumed_at": self.begun.frames,
            "seconds": round(seconds, 3),
            "tracking_seconds": round(self.tracking_ns * 1e-9, 3),
            "frames_per_second": round(n_frames / seconds, 2),
            "signals": self.signals.costs(),
        }
        write_json(self.task.outputs.path("timing"), content)
