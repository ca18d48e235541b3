"""What the application must reach: live rate and latency, soak, the GUI thread's longest blocks.

    python -m benchmarks application live --seconds 120
    python -m benchmarks application soak --minutes 10
    python -m benchmarks application scrub --minutes 20 [VIDEO ...]
    python -m benchmarks application annotate [VIDEO]    # tracking and scrubbing at once
    python -m benchmarks application long                # 200,000 annotated frames
    python -m benchmarks application launch [--cold] [--json launch.json]

Blocks are the longest of each second: of these the longest, the 99th percentile and the median, by
the clock and by the thread's own CPU time. Run with QT_QPA_PLATFORM=offscreen, or under Xvfb to pay
for a real display.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import make_parser

BEGIN = time.perf_counter()
# Seconds. Meters and charts fill their rings in the first 34. Python's and numpy's pools of small
# blocks reach their height later: memory grew by 2.6 MB in the first two minutes, by 0.06 in the
# third and fourth, and by no page in the eight after these.
WARM_UP = 180
BEAT = 5  # ms between two looks at the window's thread; a block is told up to this much too long
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


class Bench:
    """A window, and a timer that beats in its thread: what keeps it waiting is a block.

    Qt's own signals around waiting leave out what timers do. `found` has the rows of what was
    measured, `blocks` those of the thread's blocks.
    """

    def __init__(self, folder: Path) -> None:
        from facetrack_app.qt_guard import check_qt
        from facetrack_app.services.interpreter import collect_nothing_yet

        collect_nothing_yet()
        check_qt()
        from PyQt5.QtCore import Qt, QTimer
        from PyQt5.QtWidgets import QApplication

        from facetrack.model import load_model
        from facetrack_app.model.settings import Settings
        from facetrack_app.views import theme
        from facetrack_app.views.main_window import MainWindow

        self.application = QApplication(["facetrack"])
        theme.apply(self.application, "dark")
        self.model = load_model()
        self.window = MainWindow(
            self.model, Settings(source="demo"), folder / "settings.json", folder / "recordings"
        )
        self.window.show()
        self.found: list[tuple[str, str]] = []
        self.blocks: list[tuple[object, ...]] = []
        self.seconds = 0
        self._longest: dict[int, tuple[float, float]] = {}  # by second: by the clock, by its CPU
        self._last = self._last_cpu = 0.0
        self._beats = QTimer()
        self._beats.setTimerType(Qt.PreciseTimer)
        self._beats.setInterval(BEAT)
        self._beats.timeout.connect(self._beat)

    def listen(self) -> None:
        """Begin to take note of blocks."""
        self._longest.clear()
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self._beats.start()

    def _beat(self) -> None:
        last, cpu = self._last, self._last_cpu
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        longest, busiest = self._longest.get(int(last), (0.0, 0.0))
        block = max(longest, self._last - last), max(busiest, self._last_cpu - cpu)
        self._longest[int(last)] = block

    def spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let Qt work, for a time or until something is so."""
        from PyQt5.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        watch = QTimer()
        end = time.perf_counter() + seconds
        watch.timeout.connect(lambda: loop.quit() if until() or time.perf_counter() > end else None)
        watch.start(20)
        loop.exec()

    def perform(self, act: Callable[[], object]) -> float:
        """Do something as a gesture does: in the event loop, until it is painted; milliseconds."""
        from PyQt5.QtCore import QTimer

        took: list[float] = []

        def gesture() -> None:
            begin = time.perf_counter()
            act()
            self.window.annotate.canvas.repaint()
            self.window.annotate.timeline.repaint()
            took.append(1000 * (time.perf_counter() - begin))

        QTimer.singleShot(0, gesture)
        self.spin(60, lambda: bool(took))
        return took[0]

    def keep_blocks(self, what: str) -> None:
        """Note how long the GUI thread was busy without a break, and listen anew."""
        from facetrack.reporting.tables import Quantity

        self._beats.stop()
        blocks = 1000 * np.array(list(self._longest.values()))
        self.seconds += len(blocks)
        told = [
            Quantity(float(of(values)), 0)
            for values in blocks.T
            for of in (np.max, partial(np.percentile, q=99), np.median)
        ]
        self.blocks.append((what, len(blocks), *told, Quantity(os.getloadavg()[0], 1)))
        self.listen()


def memory() -> float:
    """Resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def camera_seconds() -> dict[str, float]:
    """CPU seconds of every thread by name: the synthetic camera's own cost is told apart."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for thread in threading.enumerate():
        if thread.native_id is not None:
            text = Path(f"/proc/self/task/{thread.native_id}/stat").read_text()
            fields = text.rsplit(")", 1)[1].split()
            found[thread.name] = (int(fields[11]) + int(fields[12])) / ticks
    return found


def live(bench: Bench, args: argparse.Namespace) -> None:
    """Watch the synthetic camera at 640 x 480, 30 frames/s."""
    view = bench.window.live
    view.start()
    bench.spin(60, lambda: view.shown_frame is not None)
    bench.spin(3)
    session = view.session
    assert session is not None
    bench.listen()
    dropped, cpu, threads = session.dropped, time.process_time(), camera_seconds()
    begin, first = time.perf_counter(), view.n_shown
    latencies = list(_latencies(bench, view, args.seconds))
    wall = time.perf_counter() - begin
    used = (time.process_time() - cpu) / wall
    after = camera_seconds()
    camera = (after.get("capture", 0) - threads.get("capture", 0)) / wall
    p95 = np.percentile(latencies, 95)
    bench.found += [
        ("shown", f"{(view.n_shown - first) / wall:.2f} frames/s in {wall:.0f} s"),
        ("dropped", f"{session.dropped - dropped} frames"),
        (
            "capture to display, 95 % of any 3 s: median; 95 %",
            f"{np.median(latencies):.0f}; {p95:.0f} ms",
        ),
        ("one core", f"{100 * used:.0f} %, {100 * camera:.0f} of them the synthetic camera's"),
    ]
    bench.keep_blocks("live")
    view.stop()


def _latencies(bench: Bench, view: Any, seconds: float) -> Iterator[float]:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        bench.spin(1)
        yield view.session.meter.latency(95)


def soak(bench: Bench, args: argparse.Namespace) -> None:
    """Watch for long: memory's slope by least squares, and drift of the time per frame."""
    view = bench.window.live
    view.start()
    bench.spin(60, lambda: view.shown_frame is not None)
    bench.spin(WARM_UP)
    minutes, sizes, steps = [], [], []
    begin = time.perf_counter()
    while time.perf_counter() - begin < 60 * args.minutes:
        shown, cpu = view.n_shown, time.process_time()
        bench.spin(2)
        minutes.append((time.perf_counter() - begin) / 60)
        sizes.append(memory())
        steps.append(1000 * (time.process_time() - cpu) / max(view.n_shown - shown, 1))
    slope, error, floor = memory_slope(np.array(minutes), np.array(sizes))
    tenth = max(len(steps) // 10, 1)
    early, late = np.median(steps[:tenth]), np.median(steps[-tenth:])
    bench.found += [
        (f"memory after {WARM_UP} s", f"{sizes[0]:.2f} MB"),
        (f"{args.minutes:g} minutes later", f"{sizes[-1]:.2f} MB"),
        ("slope", f"{slope:+.3f} ± {error:.3f} MB/h"),
        ("less could not be told from none", f"{floor:.3f} MB/h"),
        ("CPU per frame, first tenth; last", f"{early:.2f}; {late:.2f} ms"),
    ]
    view.stop()


def memory_slope(minutes: np.ndarray, megabytes: np.ndarray) -> tuple[float, float, float]:
    """Fit a line by least squares: MB/h, its standard error, and the least that can be told.

    Memory grows by steps that last, so neighbouring samples are no independent witnesses: the
    error is taken from the means of whole minutes. What can be told is two standard errors, and
    no less than one page in the time.
    """
    whole = minutes.astype(int)
    hours = np.array([minutes[whole == m].mean() for m in np.unique(whole)]) / 60
    means = np.array([megabytes[whole == m].mean() for m in np.unique(whole)])
    off = hours - hours.mean()
    spread = float((off**2).sum())
    slope = float((off * means).sum()) / max(spread, 1e-12)
    left = means - means.mean() - slope * off
    error = np.sqrt(float((left**2).sum()) / max(len(means) - 2, 1) / max(spread, 1e-12))
    page = resource.getpagesize() / 1e6 / float(minutes[-1] / 60)
    return slope, float(error), float(max(2 * error, page))


def scrub(bench: Bench, args: argparse.Namespace) -> None:
    """Scrub, drag, undo and play for long in one video after the other, all signals on."""
    from benchmarks.application.scrubbing import in_words, work, write_clips

    bench.window.show_annotate()
    view = bench.window.annotate
    bench.found.append(("memory at the start", f"{memory():.0f} MB"))
    with tempfile.TemporaryDirectory() as folder:
        for video in args.video or write_clips(Path(folder), bench.model.shape_model):
            view.open(video, folder=Path(folder) / video.stem)
            bench.spin(60, lambda: view.annotator is not None and view.annotator.editor is not None)
            bench.listen()
            samples = list(work(bench, view, args.minutes, memory))
            bench.found.append((video.stem, in_words(samples)))
            bench.keep_blocks(video.stem)
            view.close_document()


def annotate(bench: Bench, args: argparse.Namespace) -> None:
    """Scrub through a video while it is tracked."""
    from benchmarks.application.scrubbing import write_clips

    bench.window.show_annotate()
    with tempfile.TemporaryDirectory() as folder:
        view = bench.window.annotate
        video = (args.video or write_clips(Path(folder), bench.model.shape_model))[0]
        view.open(video, folder=Path(folder))
        bench.spin(60, lambda: view.annotator is not None and view.annotator.editor is not None)
        assert view.annotator is not None
        bench.listen()
        count = view.annotator.session.n_frames
        shown = set()
        for i in range(150):
            frame = int((np.sin(i / 12) + 1) / 2 * (count - 1))
            bench.perform(partial(view.moves.go, frame))
            bench.spin(0.1)
            shown.add(view.annotator.shown)
        done = f"{view.annotator.session.tracked} of {count}"
        bench.found += [("pictures shown", str(len(shown))), ("frames tracked meanwhile", done)]
        bench.keep_blocks("scrubbing")
        view.close_document()


def long(bench: Bench, args: argparse.Namespace) -> None:
    """Open a video of 200,000 annotated frames; scrub, play, edit, jump."""
    from benchmarks.application.long_gestures import edit, play, scrub
    from benchmarks.application.long_session import ANN, BOB, loop_of, write_session, write_video

    count = 200_000
    with tempfile.TemporaryDirectory() as name:
        video, folder, loop = Path(name) / "long.mp4", Path(name), loop_of(bench.model.shape_model)
        write_video(video, loop, count)
        write_session(folder, loop, count)
        bench.window.show_annotate()
        view = bench.window.annotate
        bench.spin(0.5)
        bench.listen()
        begin = time.perf_counter()
        view.open(video, folder=folder)
        bench.spin(60, lambda: view.annotator is not None and view.annotator.editor is not None)
        assert view.annotator is not None
        took = time.perf_counter() - begin
        bench.found.append((f"opening {count} frames", f"{took:.2f} s"))
        bench.keep_blocks("opening")
        view.transport.choose(["eye_openness", "pose_yaw"])
        for what, act in (("scrubbing", scrub), ("playing", play)):
            act(bench, view)
            bench.keep_blocks(what)
        for person, rounds in ((BOB, 6), (ANN, 12)):
            corrected = int(view.annotator.session.summary(person).corrected.sum())
            title, times = f"{corrected:,} corrections", dict[str, list[float]]()
            edit(bench, view, person, rounds, times)
            bench.found += [
                (f"{title}: {gesture}, median; longest", f"{np.median(ms):.0f}; {max(ms):.0f} ms")
                for gesture, ms in times.items()
            ]
            bench.keep_blocks(f"edits, {title}")
        view.close_document()


def launch(bench: Bench, args: argparse.Namespace) -> None:
    """Start with the demo clip as camera: from Python's first line to the first tracked frame."""
    if sys.dont_write_bytecode:
        bench.found.append(("modules compiled", "at each start: PYTHONDONTWRITEBYTECODE is set"))
    bench.found.append(("window", f"{time.perf_counter() - BEGIN:.2f} s"))
    bench.window.live.start()
    view = bench.window.live
    bench.listen()
    bench.spin(300, lambda: view.shown_frame is not None)
    bench.found.append(("picture", f"{time.perf_counter() - BEGIN:.2f} s"))
    bench.spin(300, lambda: view.shown_frame is not None and bool(view.shown_frame.faces))
    bench.found.append(("first tracked frame", f"{time.perf_counter() - BEGIN:.2f} s"))
    bench.keep_blocks("launch")
    view.stop()


def report(bench: Bench, args: argparse.Namespace) -> None:
    """Print what was found, and write it where a page is asked for."""
    from benchmarks.showing import show  # not before the launch is timed
    from facetrack.reporting.tables import Table

    heads = ["blocks of the GUI thread", "seconds", "longest ms", "99 %", "median",
             "longest of CPU", "99 %", "median", "load"]  # fmt: skip
    parts = [Table(["measure", "found"], bench.found)]
    parts += [Table(heads, bench.blocks)] if bench.blocks else []
    show(parts, args.json, n=bench.seconds or round(60 * args.minutes), model=bench.model.name)


def main() -> None:
    """Run one of the measurements."""
    parser = make_parser(__doc__)
    parser.add_argument("what", choices=["live", "soak", "scrub", "annotate", "long", "launch"])
    parser.add_argument("video", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--cold", action="store_true", help="with no kernel compiled before")
    parser.add_argument("--json", type=Path, help="for `facetrack results`")
    args = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        if args.cold:  # before numba is imported
            os.environ["NUMBA_CACHE_DIR"] = str(Path(folder) / "kernels")
        bench = Bench(Path(folder))
        globals()[args.what](bench, args)
        bench.window.close()
        report(bench, args)
