"""`facetrack track`: tracks the faces of videos, pictures or a camera and writes tables."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from facetrack.cli._cluster import add_cluster_arguments
from facetrack.cli._common import A_MODEL, add_options, complain, model_of
from facetrack.errors import FacetrackError, InputError

if TYPE_CHECKING:  # the libraries behind these load when a run needs them
    from facetrack.corpus.batch import Failure
    from facetrack.corpus.recording import Recorded
    from facetrack.corpus.task import Task
    from facetrack.corpus.teaching import Teaching
    from facetrack.fitting.face_model import FaceModel

HELP = (
    "Track the faces of videos, pictures or a camera: one CSV row per decoded frame and face, with "
    "true timestamps, a data dictionary and a ledger that accounts for every frame. Several videos "
    "or a folder also give summary.csv, a row for every video and face."
)
EXAMPLES = """\
facetrack track clip.mp4 -o results --overlay
facetrack track videos/ 'more/*.avi' -o results --max-faces 2 --format csv,elan
facetrack track videos/ -o results --workers 4 --resume
facetrack track 0 -o results
facetrack track photos/ -o results --stills --max-faces 4 --format pts,coco
facetrack track clip.mp4 -o results --signals all
facetrack track clip.mp4 -o results --signals blinks,mouth_opening
facetrack track clip.mp4 -o results --corrections corrected --save-profile anna.npz
facetrack track other.mp4 -o results --profile anna.npz
"""
INTERRUPTED = 130  # what shells give for a program ended by Ctrl-C
_NAMED = 5  # files that are left out are named, the first ones


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="a video; a folder, searched for videos (a folder of pictures is one sequence, see "
        "--stills); a pattern such as 'videos/*.mp4'; a camera's number, until Ctrl-C",
    )
    add_options(parser, "--output", metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--max-faces", type=int, default=1, metavar="N", help="track up to N faces (default: 1)"
    )
    parser.add_argument(
        "--smooth",
        type=float,
        default=0.0,
        metavar="S",
        help="smooth the points: 0 (off, default) to 1 (much); raw points are kept beside",
    )
    parser.add_argument("--overlay", action="store_true", help="write a video with the landmarks")
    parser.add_argument(
        "--format",
        default="csv",
        metavar="LIST",
        help="out of csv, pts, coco, elan, vtt, with commas; csv is always written (default: csv)",
    )
    _add_signal_arguments(parser)
    _add_picture_arguments(parser)
    add_options(parser, "--model", help=A_MODEL)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="skip videos that are finished and continue the one that was interrupted",
    )
    _add_search_arguments(parser)
    _add_teaching_arguments(parser)
    add_cluster_arguments(parser, "videos")


def _add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    pictures = parser.add_mutually_exclusive_group()
    pictures.add_argument(
        "--sequence",
        dest="stills",
        action="store_false",
        default=False,  # without it that of "store_false" would make stills of every folder
        help="the pictures of a folder are the frames of a video, see --rate (default)",
    )
    pictures.add_argument(
        "--stills",
        action="store_true",
        help="each picture of a folder stands by itself, as a single picture does: no face is "
        "followed from one to the next",
    )
    parser.add_argument(
        "--rate",
        type=float,
        metavar="R",
        help="frames a second of what states no times: the pictures of a folder (default: 25), a "
        "raw stream such as .h264 (default: what its header says, else 25)",
    )


def _add_search_arguments(parser: argparse.ArgumentParser) -> None:
    searching = parser.add_argument_group("searching")
    searching.add_argument(
        "--smallest-face",
        type=float,
        default=40.0,
        metavar="PX",
        help="width of the smallest face that is looked for (default: 40); larger is faster",
    )


def _add_teaching_arguments(parser: argparse.ArgumentParser) -> None:
    teaching = parser.add_argument_group("teaching")
    teaching.add_argument(
        "--adapt",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="learn also from the tracker's own tracks, where heavier fits agree: follows hard "
        "faces better and may move the points of easy ones (default: no)",
    )
    teaching.add_argument(  # the second names are those of earlier versions
        "--profile",
        "--person",
        type=Path,
        metavar="FILE",
        help="a profile: the first face that looks like this person is fitted with what is known",
    )
    teaching.add_argument(
        "--corrections",
        type=Path,
        metavar="FOLDER",
        help="what a person says of some frames of a single video, 000123.pts for frame 123: the "
        "tracker learns from each when it comes to its frame",
    )
    teaching.add_argument(
        "--save-profile",
        "--save-person",
        type=Path,
        metavar="FILE",
        help="write the profile of the person who was corrected, or of the first one, to a new "
        "file; it holds pictures of the face",
    )


def _add_signal_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--signals",
        default="default",
        metavar="LIST",
        help="values and events written beside the tracks: default (geometry, blinks, head, "
        "quality), all, none, or names of estimators or of their values, with commas",
    )
    parser.add_argument(
        "--rest",
        type=span,
        metavar="A-B",
        help="seconds in which the faces are at rest, such as 0-10: expressions are measured from "
        "there; the video is read until B a first time",
    )
    parser.add_argument(
        "--words",
        metavar="FILE",
        help="read words from lips: of a file that `facetrack lips enroll` wrote, or of a reader "
        "(`lips`: a demonstration, one talker's 51 words)",
    )
    parser.add_argument(
        "--actions",
        metavar="FILE.npz",
        help="name the actions of a recogniser that `facetrack actions learn` or `teach` wrote",
    )


def span(text: str) -> tuple[float, float]:
    """Read a span of seconds, A-B; argparse names this function in its complaint."""
    start, _, stop = text.partition("-")
    return float(start), float(stop)


def run(args: argparse.Namespace) -> int:
    """Track all inputs; print one line for each."""
    from facetrack.corpus.batch import Failure
    from facetrack.detection.face_detector import without_networks

    model, tasks, errors = _plan(args)
    lost = without_networks()
    if lost:
        complain(f"note: {lost}")
    failures = [str(error) for error in errors]
    for message in failures:
        complain(message)
    done, failed = 0, list[Failure]()
    try:
        with contextlib.closing(_outcomes(args, model, tasks)) as outcomes:
            for outcome in outcomes:
                done += 1
                if isinstance(outcome, Failure):
                    failed.append(outcome)
                    failures.append(outcome.message)
                    complain(outcome.message)
                else:
                    _report(outcome)
    except KeyboardInterrupt:
        remedy = "what was written is readable, and the same command with --resume continues"
        complain(f"interrupted; {remedy}")
        return INTERRUPTED
    if len(tasks) > 1 or any(map(os.path.isdir, args.inputs)):
        _sum_up(args.output, failed)
    if not failures:
        return 0
    total = len(tasks) + len(errors)
    if total > 1:
        left = f", {len(tasks) - done} not tried" if done < len(tasks) else ""
        complain(f"{len(failures)} of {total} inputs failed{left}: see above")
    return 1


def _plan(args: argparse.Namespace) -> tuple[FaceModel, list[Task], list[FacetrackError]]:
    """Load the model, find the videos and give each its place."""
    from facetrack.corpus.fingerprint import fingerprint
    from facetrack.corpus.inputs import Namer, find_inputs
    from facetrack.corpus.task import ModelId, Settings, Task

    formats = tuple(name.strip() for name in args.format.split(","))
    settings = Settings(
        args.max_faces,
        args.smooth,
        args.overlay,
        formats,
        args.signals,
        args.stills,
        args.smallest_face,
        args.rest,
        args.rate,
        args.words,
        args.actions,
    )
    model = model_of(args)
    model_id = ModelId(model.name, fingerprint(model))
    folder = args.output.absolute()
    found = find_inputs(args.inputs, skip=folder)
    inputs, errors = found.inputs, found.errors
    if found.skipped:
        complain(_left_out(found.skipped))
    namer = Namer(folder)
    teaching = _teaching(args, model, alone=len(inputs) + len(errors) == 1)
    tasks = [
        Task(item.source, namer.outputs(item), settings, model_id, teaching) for item in inputs
    ]
    elsewhere = args.workers is not None or args.scheduler is not None
    if any(task.live for task in tasks) and (len(tasks) > 1 or elsewhere):
        raise InputError("a camera is tracked alone and in this process; leave the rest out")
    if any(task.live for task in tasks) and teaching.corrections is not None:
        raise InputError("--corrections are of frames of a recorded video, not of a camera's")
    return model, tasks, errors


def _left_out(files: list[Path]) -> str:
    """Name the files of folders that are no inputs, the first ones at least."""
    first = ", ".join(map(str, files[:_NAMED])) + (", ..." if len(files) > _NAMED else "")
    what = "file is" if len(files) == 1 else "files are"
    kinds = "neither videos nor pictures, or pictures beside videos"
    return f"note: {len(files)} {what} left out ({kinds}): {first}"


def _teaching(args: argparse.Namespace, model: FaceModel, *, alone: bool) -> Teaching:
    """Check what is to be taught before the first video is opened."""
    from facetrack.annotation.corrections import read_corrections
    from facetrack.corpus.teaching import NOTHING, Teaching
    from facetrack.identity.person_state import teachable
    from facetrack.learning.profile import load_profile

    profile, corrections, target = (
        path and path.absolute() for path in (args.profile, args.corrections, args.save_profile)
    )
    teaching = Teaching(profile, corrections, target, args.adapt)
    if teaching == NOTHING:
        return teaching
    generic = teachable(model).tracking
    if not alone and (corrections or target):
        raise InputError("--corrections and --save-profile belong to a single input")
    if target is not None and (target.suffix != ".npz" or not target.parent.is_dir()):
        raise InputError(f"{target}: --save-profile takes NAME.npz in a folder that exists")
    if target is not None and target == profile:
        raise InputError(f"{target}: save the person to a new file, so that a run can be repeated")
    if profile is not None:
        load_profile(profile, generic)
    if corrections is not None:
        read_corrections(corrections)
    return teaching


def _outcomes(
    args: argparse.Namespace, model: FaceModel, tasks: list[Task]
) -> Generator[Recorded | Failure, None, None]:
    """Track here or on a cluster, with a progress bar over videos and one over frames."""
    from tqdm.contrib.logging import logging_redirect_tqdm

    from facetrack.cli._progress import FrameBar, prepare
    from facetrack.corpus.batch import record_all, record_on
    from facetrack.parallel import open_pool

    warnings = logging.StreamHandler()
    warnings.setFormatter(logging.Formatter("facetrack: %(message)s"))
    logger = logging.getLogger("facetrack")
    with contextlib.ExitStack() as stack:
        logger.addHandler(warnings)
        stack.callback(logger.removeHandler, warnings)
        stack.enter_context(logging_redirect_tqdm([logger]))
        if args.workers is None and args.scheduler is None:
            prepare()
            bar = stack.enter_context(FrameBar())
            outcomes = record_all(tasks, model, resume=args.resume, progress=bar)
        else:
            pool = stack.enter_context(open_pool(workers=args.workers, scheduler=args.scheduler))
            is_file = args.model is not None and Path(args.model).is_file()
            name = str(Path(args.model).absolute()) if is_file else args.model
            outcomes = record_on(pool, tasks, name, resume=args.resume)
        alone = len(tasks) < 2
        yield from tqdm(
            outcomes, desc="videos", total=len(tasks), disable=alone or None, leave=False
        )


def _report(recorded: Recorded) -> None:
    """Say what became of a video, and what it taught nothing."""
    _say(_line(recorded))
    for why in recorded.left_out:
        complain(f"{recorded.task.source}: {why}")
    profile = recorded.task.teaching.save_profile
    if profile is not None and recorded.saved_profile:
        _say(
            f"{profile}: what was learned of the person. It holds pictures of the face: treat it "
            "as personal data; deleting the file forgets the person"
        )


def _sum_up(folder: Path, failed: list[Failure]) -> None:
    """Write the table of all videos, unless nothing can be written."""
    from facetrack.corpus.summary import write_summary

    if not any(failure.fatal for failure in failed) and folder.is_dir():
        _say(f"{write_summary(folder, failed)}: a row for every video and face")


def _line(recorded: Recorded) -> str:
    path = recorded.task.outputs.path("csv")
    return f"{recorded.task.source}: {recorded.account}; {path}"


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stdout)
