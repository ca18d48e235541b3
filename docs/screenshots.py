"""Render pictures of the application from the demo clip: `make screenshots`.

Only the synthetic face may appear in them. Everything goes through the real window, offscreen:
every view, light and dark, at the sizes of common screens. All pictures go into a folder
(`output/screenshots` unless another one is given); those that the README shows are kept beside
this file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from facetrack_app.qt_guard import check_qt

check_qt()

from PIL import Image  # noqa: E402
from PyQt5.QtWidgets import QApplication  # noqa: E402

from facetrack.formats.pts import write_pts  # noqa: E402
from facetrack.model import load_model  # noqa: E402
from facetrack.synthetic.clips import demo_video  # noqa: E402
from facetrack.video.sink import write_video  # noqa: E402
from facetrack_app.model.commands import MarkSpan, Rename  # noqa: E402
from facetrack_app.model.settings import Settings  # noqa: E402
from facetrack_app.services.exporting import export_document  # noqa: E402
from facetrack_app.views import theme  # noqa: E402
from facetrack_app.views.main_window import MainWindow  # noqa: E402

TITLE: Final = 40  # px of a screen that the window's title and the desktop take
# By the screen's name: width and height of the window, in the desktop's own pixels.
SCREENS: Final = {
    1: {"1280x720": (1280, 720), "1366x768": (1366, 768 - TITLE)},
    2: {"1920x1080-at-200": (960, 540 - TITLE)},
}
LOOKS: Final = ("dark", "light")
COLOURS: Final = 256  # of a picture
EXACT: Final = 128  # of them as they are: marks, and the most frequent ones
KEPT: Final = {
    "live-1280x720-dark": "live.png",
    "annotate-1280x720-dark": "annotate.png",
    "evaluate-1280x720-dark": "evaluate.png",
    "annotate-1920x1080-at-200-light": "annotate-small-screen.png",
}


class Studio:
    """A window whose pictures are taken at several sizes, light and dark.

    Parameters
    ----------
    work : Path
        Where its files lie.
    folder : Path
        Where pictures go.
    scale : int
        Pixels of the screen by the desktop's own, as in the process's environment.
    """

    def __init__(self, work: Path, folder: Path, scale: int) -> None:
        self.application = QApplication.instance() or QApplication(["facetrack"])
        self.folder, self.scale = folder, scale
        theme.apply(self.application, LOOKS[0])
        self.model = load_model()
        charts = ["pose_yaw", "mouth_opening", "eye_openness"]
        settings = Settings(source="demo", mirror=False, charts=charts)
        self.window = MainWindow(self.model, settings, work / "s.json", work / "recordings")
        self.window.show()
        self.window.resize(1280, 720)

    def until(self, reached: Callable[[], bool], seconds: float = 300) -> None:
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

    def take(self, view: str) -> None:
        """Take the pictures of what is shown."""
        for look in LOOKS:
            self.window.dress(look)
            for screen, size in SCREENS[self.scale].items():
                self.window.resize(*size)
                self.rest(1.0)
                picture = self.window.grab().toImage()
                wanted = tuple(self.scale * length for length in size)
                assert (picture.width(), picture.height()) == wanted, (screen, picture.size())
                path = self.folder / f"{view}-{screen}-{look}.png"
                picture.save(str(path))
                shrink(path)
                print(path)


def shrink(path: Path) -> None:
    """Keep few colours: those of the window as they are, the rest for the face."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    counts = sorted(picture.getcolors(picture.width * picture.height), reverse=True)
    marks = [colour.getRgb()[:3] for colour in (*theme.PEOPLE, theme.BLUE)]
    frequent = [colour for _, colour in counts if colour not in marks]
    exact = [channel for colour in (marks + frequent)[:EXACT] for channel in colour]
    face = picture.quantize(COLOURS - EXACT, Image.Quantize.MEDIANCUT).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette((exact + face)[: 3 * COLOURS])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def live(studio: Studio) -> None:
    """Watch the demo clip."""
    view = studio.window.live
    view.start()
    studio.until(lambda: view.shown_frame is not None)
    studio.rest(9)
    studio.take("live")
    view.stop()


def annotate(studio: Studio, work: Path) -> Path:
    """Correct three frames of the demo clip; returns an export of it."""
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
    studio.take("annotate")
    out = work / "taught.csv"
    export_document(annotator.document, annotator.session.reader(), "csv", out, studio.model)
    view.close_document()
    return out


def evaluate(studio: Studio, work: Path, taught: Path) -> None:
    """Measure the export, and a track without corrections, against the clip's exact truth."""
    truth, plain = work / "truth", work / "plain.csv"
    truth.mkdir()
    video = demo_video(studio.model.shape_model)
    for frame in range(0, video.n_frames, 5):
        write_pts(truth / f"{frame + 1:06d}.pts", video.truth(frame))
    write_video(video, work / "truth.mp4")
    command = [sys.executable, "-m", "facetrack", "track", "demo", "-o", str(work)]
    subprocess.run(command, check=True, capture_output=True)
    (work / "demo.csv").rename(plain)
    view = studio.window.evaluate
    studio.window.show_evaluate()
    view.form.predictions.field.setText(str(taught))
    view.form.rival.field.setText(str(plain))
    view.form.truth.field.setText(str(truth))
    view.run_evaluation()
    studio.until(lambda: view.has_report and view.canvas.has_picture)
    for chooser in (view.form.predictions, view.form.rival, view.form.truth):
        chooser.field.setCursorPosition(len(chooser.field.text()))
    studio.take("evaluate")


def take_all(folder: Path, scale: int) -> None:
    """Take the pictures of all views at the sizes of one scale."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        os.environ["XDG_DATA_HOME"] = name
        studio = Studio(work, folder, scale)
        live(studio)
        evaluate(studio, work, annotate(studio, work))
        studio.window.close()


def main(folder: Path) -> None:
    """Take all pictures; the scale of a screen is fixed when Qt starts."""
    folder.mkdir(parents=True, exist_ok=True)
    for scale in SCREENS:
        environment = {**os.environ, "QT_SCALE_FACTOR": str(scale)}
        command = [sys.executable, __file__, str(folder), str(scale)]
        subprocess.run(command, check=True, env=environment)
    for name, kept in KEPT.items():
        (Path(__file__).parent / kept).write_bytes((folder / f"{name}.png").read_bytes())


if __name__ == "__main__":
    to = Path(sys.argv[1] if len(sys.argv) > 1 else "output/screenshots")
    if len(sys.argv) > 2:
        take_all(to, int(sys.argv[2]))
    else:
        main(to)
