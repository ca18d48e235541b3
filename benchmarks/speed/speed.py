"""How fast this tracker is, as ratios against rivals in the same run, and what learning costs.

    python -m benchmarks speed --peers
    python -m benchmarks speed --video clip.mp4 --ert ert.dat --json speed.json --plot speed.png
    python -m benchmarks speed --learning --json learning_cost.json
    python -m benchmarks speed --long

One face, one thread, each step in turn with its rivals on the same frames; whole files against pure
decoding; the model's size and loading time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import dlib
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.learning.cost import LearningCost, learning_cost
from benchmarks.showing import show
from benchmarks.speed.long_run import Drift, drift
from benchmarks.speed.report import (
    BenchmarkReport,
    benchmark_details,
    benchmark_table,
    read_elsewhere,
)
from benchmarks.speed.timing import (
    FileRate,
    StepTime,
    file_rate,
    model_cost,
    single_thread,
    time_steps,
)
from facetrack.cli._peers import add_peer_arguments, peer_makers
from facetrack.corpus.recording import record
from facetrack.corpus.signal_files import SignalFiles
from facetrack.corpus.task import ModelId, Outputs, Settings, Task
from facetrack.errors import InputError
from facetrack.evaluation.peers import ErtPeer, PfldPeer
from facetrack.face import Face
from facetrack.fitting.face_model import FaceModel
from facetrack.formats.modelfile import find_model
from facetrack.formats.openface import OpenFaceWriter
from facetrack.identity.person_state import teachable
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reporting.plots import plot_bars
from facetrack.signals import Pipeline, choose
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.tracker import Tracker
from facetrack.video.frame import Frame
from facetrack.video.sink import VideoWriter

LONG = 3600  # seconds of video
LONG_FPS = 30
SHORTEST_LONG = 120  # seconds: a first and a last minute


def _arguments() -> argparse.Namespace:
    parser = make_parser(__doc__)
    parser.add_argument("--video", type=Path, metavar="FILE", help="default: the synthetic demo")
    parser.add_argument("--frames", type=int, default=300, help="frames to time (default: 300)")
    parser.add_argument("--model", metavar="NAME", help="a model's name or file")
    add_peer_arguments(parser)
    parser.add_argument(
        "--mediapipe",
        type=Path,
        metavar="FILE",
        help="what `python -m benchmarks mediapipe_predictions --ert` measured on the same video",
    )
    parser.add_argument(
        "--long",
        type=int,
        nargs="?",
        const=LONG,
        metavar="SECONDS",
        help="also record synthetic video of SECONDS, 30 frames each, with all signals (default: "
        "one hour), and compare the last minute with the first",
    )
    parser.add_argument(
        "--learning",
        action="store_true",
        help="also measure what learning costs: updates against the batch and against iSDM, whole "
        "examples, tracking a taught person, a profile's size and loading",
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="a bar per step")
    return parser.parse_args()


def main() -> int:
    """Measure speed, and what else is asked for; show all."""
    args = _arguments()
    if args.long is not None and args.long < SHORTEST_LONG:
        raise InputError(f"--long takes at least {SHORTEST_LONG} seconds, got {args.long}")
    model = load_model(args.model)
    elsewhere = read_elsewhere(args.mediapipe) if args.mediapipe else None
    with _video(args.video, model) as path:
        with open_source(path) as source:
            size = source.size
        with single_thread() as threads:
            steps, skipped = _steps(args, model, path)
            learning = _learning(args, model, path) if args.learning else None
        rates, reasons = _rates(model, path)
    report = BenchmarkReport(
        steps=steps,
        rates=rates,
        model=model_cost(find_model(args.model)),
        drift=_drift(model, args.long) if args.long is not None else None,
        elsewhere=elsewhere,
        size=size,
        threads=threads,
        skipped=(*skipped, *reasons),
        learning=learning,
    )
    details = benchmark_details(report)
    if args.plot:
        bars = {s.name: s.p50 for s in report.steps}
        plot_bars(args.plot, bars, title="one face, one thread", unit="milliseconds a frame, p50")
    show(benchmark_table(details), args.json, n=steps[0].frames, model=model.name, details=details)
    return 0


@contextmanager
def _video(given: Path | None, model: FaceModel) -> Iterator[Path]:
    """Give the file to measure on; the demo clip is written to a temporary one."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.mp4"
        demo = open_source("demo", shape_model=model.shape_model)
        with demo, VideoWriter(path, demo.size) as writer:
            for frame in demo:
                writer.write(frame.image, frame.timestamp)
        yield path


def _steps(
    args: argparse.Namespace, model: FaceModel, path: Path
) -> tuple[tuple[StepTime, ...], list[str]]:
    """Time our whole update and the rivals' fits on the same frames."""
    with open_source(path) as source:
        frames = list(islice(source, args.frames))
    place = _LastPlace(Tracker(model, max_faces=1))
    steps: dict[str, Callable[[Any], object]] = {f"{model.name}, whole update": place.update}
    makers, skipped = peer_makers(args)
    peers = [make() for make in makers]
    for peer in sorted(peers, key=lambda p: not isinstance(p, ErtPeer)):
        if isinstance(peer, ErtPeer):
            steps[f"{peer.name}, fit"] = partial(_fit_ert, peer.predictor, place)
        elif isinstance(peer, PfldPeer):
            steps[f"{peer.name}, fit"] = partial(_fit_pfld, peer, place)
    signals = Pipeline(choose("all"))
    steps["all signals of it"] = lambda frame: signals.update(frame, place.faces)
    return time_steps(frames, steps), skipped


class _LastPlace:
    """Our tracker, and where it saw the face: the rivals' boxes, at no cost to them."""

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker
        self.faces: list[Face] = []
        self.box = (0.0, 0.0, 100.0, 100.0)

    def update(self, frame: Any) -> None:
        """Track one frame."""
        faces = self.faces = self._tracker.update(frame)
        if faces and faces[0].tracked:
            low, high = faces[0].points.min(axis=0), faces[0].points.max(axis=0)
            self.box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _fit_ert(predictor: Any, place: _LastPlace, frame: Any) -> None:
    predictor(frame.grey, dlib.rectangle(*(round(v) for v in place.box)))


def _fit_pfld(peer: Any, place: _LastPlace, frame: Any) -> None:
    peer.fit(frame.image, place.box)


def _learning(args: argparse.Namespace, model: FaceModel, path: Path) -> LearningCost:
    """Measure what learning costs on the same frames."""
    with open_source(path) as source:
        return learning_cost(teachable(model), list(islice(source, args.frames)))


def _rates(model: FaceModel, path: Path) -> tuple[tuple[FileRate, ...], list[str]]:
    """Measure the file end to end with one core and with two."""
    rates, reasons = [], []
    for cores in (1, 2):
        try:
            rates.append(file_rate(path, partial(_track_file, model), cores=cores))
        except InputError as error:
            reasons.append(f"a file with {cores} cores: {error}")
    return tuple(rates), reasons


def _track_file(model: FaceModel, path: Path) -> None:
    """Track a file as `facetrack track` does, into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        # The checksum only matters to a run that goes on from an earlier one.
        record(
            Task(path, Outputs(Path(folder) / "clip"), Settings(), ModelId(model.name, "")), model
        )


def _drift(model: FaceModel, seconds: int) -> Drift:
    """Record a long video with all signals into files that are thrown away."""
    n_frames = LONG_FPS * seconds
    video = SyntheticVideo(model.shape_model, n_frames=n_frames, fps=LONG_FPS)
    frames = tqdm(video, total=n_frames, desc="long run", disable=None, leave=False)
    tracker = Tracker(model, max_faces=1)
    with tempfile.TemporaryDirectory() as folder:
        outputs = Outputs(Path(folder) / "long")
        with (
            OpenFaceWriter(outputs.path("partial")) as rows,
            SignalFiles(outputs, choose("all")) as signals,
        ):

            def step(frame: Frame) -> None:
                faces = tracker.update(frame)
                rows.write(frame.index, frame.timestamp, faces)
                signals.take(frame, faces)

            return drift(step, frames)
