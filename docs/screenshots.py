"""Render the README's pictures of the application from the demo clip: `make screenshots`.

Only the synthetic face may appear in them. Everything goes through the real window, offscreen.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from facetrack_app.qt_guard import check_qt

check_qt()

from PyQt5.QtWidgets import QApplication  # noqa: E402

from facetrack.formats.pts import write_pts  # noqa: E402
from facetrack.model import load_model  # noqa: E402
from facetrack.synthetic.clips import demo_video  # noqa: E402
from facetrack_app.model.commands import MarkSpan, Rename  # noqa: E402
from facetrack_app.model.settings import Settings  # noqa: E402
from facetrack_app.services.exporting import export_document  # noqa: E402
from facetrack_app.views import theme  # noqa: E402
from facetrack_app.views.main_window import MainWindow  # noqa: E402

SIZE = (1280, 720)


class Studio:
    """A window at the size of the pictures."""

    def __init__(self, work: Path, look: str) -> None:
        self.application = QApplication.instance() or QApplication(["facetrack"])
        theme.apply(self.application, look)
        self.model = load_model()
        charts = ["pose_yaw", "mouth_opening", "eye_openness"]
        settings = Settings(source="demo", mirror=False, charts=charts)
        self.window = MainWindow(self.model, settings, work / "s.json", work / "recordings")
        self.window.show()
        self.window.resize(*SIZE)

    def until(self, reached: Callable[[], bool], seconds: float = 120) -> None:
        """Let Qt work until something is so."""
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, "waited in vain"
            self.application.processEvents()
            time.sleep(0.005)

    def rest(self, seconds: float) -> None:
        """Let Qt work for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def save(self, path: Path) -> None:
        """Take the picture."""
        self.rest(0.3)
        picture = self.window.grab()
        assert (picture.width(), picture.height()) == SIZE, (picture.width(), picture.height())
        picture.save(str(path))
        print(path)


def live(studio: Studio, path: Path) -> None:
    """Watch the demo clip."""
    view = studio.window.live
    view.start()
    studio.until(lambda: view.shown_frame is not None)
    studio.rest(9)
    studio.save(path)
    view.stop()


def annotate(studio: Studio, path: Path, work: Path) -> Path:
    """Correct two frames of the demo clip; returns an export of it."""
    window, view = studio.window, studio.window.annotate
    window.open("demo")
    studio.until(lambda: view.annotator is not None and view.annotator.session.tracked == 300)
    annotator = view.annotator
    assert annotator is not None
    video = demo_video(studio.model.shape_model)
    for frame in (60, 190, 140):
        view.moves.go(frame)
        studio.until(lambda f=frame: annotator.shown == f)  # type: ignore[misc]
        assert annotator.editor is not None
        annotator.editor.place_shape(video.truth(frame))
        annotator.correct()
        studio.until(lambda: not annotator.teaching.busy)
        studio.rest(0.3)
    annotator.run(Rename(0, "Eileen"))
    annotator.run(MarkSpan("event", 200, 224, "smile"))
    view.moves.go(140)
    studio.until(lambda: annotator.shown == 140)
    assert annotator.editor is not None
    annotator.editor.selected = 54
    view.refresh()
    view.canvas.zoom_to(annotator.editor.points)
    studio.save(path)
    out = work / "demo.csv"
    session = annotator.session.reader()
    export_document(annotator.document, session, "csv", out, studio.model)
    view.close_document()
    return out


def evaluate(studio: Studio, path: Path, work: Path, predictions: Path) -> None:
    """Measure the export against the clip's exact truth."""
    truth = work / "truth"
    truth.mkdir()
    video = demo_video(studio.model.shape_model)
    for frame in range(0, video.n_frames, 5):
        write_pts(truth / f"{frame + 1:06d}.pts", video.truth(frame))
    from facetrack.video.sink import write_video

    write_video(video, work / "truth.mp4")
    view = studio.window.evaluate
    studio.window.show_evaluate()
    view.form.predictions.field.setText(str(predictions))
    view.form.truth.field.setText(str(truth))
    view.run_evaluation()
    studio.until(lambda: view.has_report and view.canvas.has_picture)
    studio.save(path)


def main(folder: Path) -> None:
    """Render all three."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        os.environ["XDG_DATA_HOME"] = name
        studio = Studio(work, "dark")
        live(studio, folder / "live.png")
        predictions = annotate(studio, folder / "annotate.png", work)
        evaluate(studio, folder / "evaluate.png", work, predictions)
        studio.window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
