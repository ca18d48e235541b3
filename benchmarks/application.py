"""What the application must reach: live rate and latency, soak, the GUI thread's longest blocks.

    python benchmarks/application.py live --seconds 120
    python benchmarks/application.py soak --minutes 10
    python benchmarks/application.py annotate VIDEO      # 1280x720: tracking and scrubbing at once
    python benchmarks/application.py long                # 200,000 annotated frames
    python benchmarks/application.py launch

Each prints one table; run with QT_QPA_PLATFORM=offscreen, or under Xvfb to pay for a real display.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

BEGIN = time.perf_counter()
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


class Bench:
    """A window, and an ear on Qt's event loop."""

    def __init__(self, folder: Path) -> None:
        from facetrack_app.qt_guard import check_qt

        check_qt()
        from PyQt5.QtCore import QAbstractEventDispatcher
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
        self.blocks: list[float] = []
        self.listening = True
        self._awake = time.perf_counter()
        dispatcher = QAbstractEventDispatcher.instance()
        dispatcher.awake.connect(self._wake)
        dispatcher.aboutToBlock.connect(self._sleep)

    def _wake(self) -> None:
        self._awake = time.perf_counter()

    def _sleep(self) -> None:
        if self.listening:
            self.blocks.append(time.perf_counter() - self._awake)

    def spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let Qt work, for a time or until something is so."""
        from PyQt5.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        watch = QTimer()
        end = time.perf_counter() + seconds
        watch.timeout.connect(lambda: loop.quit() if until() or time.perf_counter() > end else None)
        watch.start(20)
        loop.exec()

    def report_blocks(self) -> None:
        """Print how long the GUI thread was busy without a break."""
        blocks = 1000 * np.array(self.blocks)
        if len(blocks):
            print(f"GUI thread     longest block {blocks.max():.1f} ms, p99 "
                  f"{np.percentile(blocks, 99):.1f} ms of {len(blocks)}")  # fmt: skip


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
    bench.blocks.clear()
    dropped, cpu, threads = session.dropped, time.process_time(), camera_seconds()
    begin, first = time.perf_counter(), view.n_shown
    latencies = list(_latencies(bench, view, args.seconds))
    wall = time.perf_counter() - begin
    used = (time.process_time() - cpu) / wall
    after = camera_seconds()
    camera = (after.get("capture", 0) - threads.get("capture", 0)) / wall
    print(f"shown          {(view.n_shown - first) / wall:.2f} frames/s in {wall:.0f} s")
    print(f"latency        median {np.median(latencies):.1f} ms, p95 "
          f"{np.percentile(latencies, 95):.1f} ms (worst 3-s window's percentiles)")  # fmt: skip
    print(f"dropped        {session.dropped - dropped} frames")
    print(f"CPU            {100 * used:.0f} % of one core, {100 * camera:.0f} % of it the "
          "synthetic camera's")  # fmt: skip
    bench.report_blocks()
    view.stop()


def _latencies(bench: Bench, view: Any, seconds: float) -> Iterator[float]:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        bench.spin(1)
        yield view.session.meter.latency(95)


def soak(bench: Bench, args: argparse.Namespace) -> None:
    """Watch for long: memory's slope by least squares, and drift of the time per frame."""
    bench.listening = False  # a list that grows would look like a leak
    view = bench.window.live
    view.start()
    bench.spin(60, lambda: view.shown_frame is not None)
    bench.spin(60)  # warm-up: pools, caches, the charts' rings
    times, sizes, steps = [], [], []
    begin = time.perf_counter()
    while time.perf_counter() - begin < 60 * args.minutes:
        shown, cpu = view.n_shown, time.process_time()
        bench.spin(2)
        times.append((time.perf_counter() - begin) / 3600)
        sizes.append(memory())
        steps.append(1000 * (time.process_time() - cpu) / max(view.n_shown - shown, 1))
    for name, first in (("all", 0), ("second half", len(times) // 2)):
        slope, error = _slope(np.array(times[first:]), np.array(sizes[first:]))
        print(f"memory         {sizes[-1]:.0f} MB, {name}: slope {slope:+.2f} +- {error:.2f} MB/h")
    tenth = max(len(steps) // 10, 1)
    early, late = np.median(steps[:tenth]), np.median(steps[-tenth:])
    print(f"CPU per frame  {early:.2f} ms at first, {late:.2f} ms at last: "
          f"{100 * (late / early - 1):+.1f} %")  # fmt: skip
    view.stop()


def _slope(hours: np.ndarray, megabytes: np.ndarray) -> tuple[float, float]:
    """Fit a line by least squares: MB/h, and its standard error from the noise around it."""
    design = np.column_stack([hours, np.ones_like(hours)])
    (slope, _), residuals, *_ = np.linalg.lstsq(design, megabytes, rcond=None)
    noise = np.sqrt(float(residuals.sum()) / max(len(hours) - 2, 1))
    return float(slope), float(noise / np.sqrt(((hours - hours.mean()) ** 2).sum()))


def annotate(bench: Bench, args: argparse.Namespace) -> None:
    """Scrub through a video while it is tracked."""
    bench.window.show_annotate()
    with tempfile.TemporaryDirectory() as folder:
        view = bench.window.annotate
        view.open(args.video, folder=Path(folder))
        bench.spin(60, lambda: view.annotator is not None and view.annotator.editor is not None)
        assert view.annotator is not None
        bench.blocks.clear()
        count = view.annotator.session.n_frames
        shown = set()
        for i in range(150):
            view.moves.go(int((np.sin(i / 12) + 1) / 2 * (count - 1)))
            bench.spin(0.1)
            shown.add(view.annotator.shown)
        print(f"scrubbing      {len(shown)} pictures shown, {view.annotator.session.tracked} of "
              f"{count} frames tracked meanwhile")  # fmt: skip
        bench.report_blocks()
        view.close_document()


def long(bench: Bench, args: argparse.Namespace) -> None:
    """Open a session of 200,000 frames, edit, jump."""
    from facetrack_app.model.commands import MarkSpan
    from facetrack_app.model.rows import Kind
    from facetrack_app.model.session import Session

    count = 200_000
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder), count)
        blank = bytes(544), bytes(68), bytes(68)
        rows = (
            ((0, f), (int(Kind.PLAIN), 0.9, 0.1 if f % 997 == 0 else 0.9, "", *blank))
            for f in range(count)
        )
        with session.store.transaction():
            session.store.put("person", [((0,), ("Ann",))])
            session.store.put("claim", [((0, 0), (0,))])
            session.store.put("track", rows)
            session.store.put("ledger", [((0,), (bytes(8 * count),))])
        session.close()
        begin = time.perf_counter()
        session = Session(Path(folder), count)
        session.summary(0)
        print(f"opening        {time.perf_counter() - begin:.2f} s for {count} frames")
        _time_edits(bench, session, MarkSpan)
        session.close()


def _time_edits(bench: Bench, session: Any, command: Any) -> None:
    from facetrack.annotation.corrections import Correction
    from facetrack_app.model.commands import Correct
    from facetrack_app.model.history import History
    from facetrack_app.model.summary import next_stretch

    timeline, history = bench.window.annotate.timeline, History(session)
    timeline.show_session(session)
    edits, jumps = [], []
    source = np.full(68, 3, np.uint8)
    for i in range(100):
        begin = time.perf_counter()
        history.run(Correct.of(0, 1000 + 7 * i, Correction(np.full((68, 2), float(i)), source)))
        timeline.refresh(0, 1000 + 7 * i)
        timeline.repaint()
        edits.append(1000 * (time.perf_counter() - begin))
        begin = time.perf_counter()
        frame = next_stretch(session.summary(0).doubtful & ~session.excluded(), 1000 * i)
        timeline.move_to(frame or 0)
        timeline.repaint()
        jumps.append(1000 * (time.perf_counter() - begin))
    timeline.show_session(None)
    print(f"edit           median {np.median(edits):.1f} ms, max {max(edits):.1f} ms "
          "(durable, timeline painted)")  # fmt: skip
    print(f"next doubtful  median {np.median(jumps):.1f} ms, max {max(jumps):.1f} ms")


def launch(bench: Bench, args: argparse.Namespace) -> None:
    """Start with the demo clip as camera: from Python's first line to the first tracked frame."""
    bench.window.live.start()
    view = bench.window.live
    bench.spin(60, lambda: view.shown_frame is not None and bool(view.shown_frame.faces))
    print(f"launch         {time.perf_counter() - BEGIN:.2f} s to the first tracked frame")
    view.stop()


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["live", "soak", "annotate", "long", "launch"])
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--minutes", type=float, default=10)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder
        bench = Bench(Path(folder))
        globals()[args.what](bench, args)
        bench.window.close()


if __name__ == "__main__":
    main()
