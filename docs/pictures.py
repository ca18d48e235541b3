"""Make the pictures of README and documentation: `python docs/pictures.py`.

`demo.webp` is the start of the demo clip, which is made of a public-domain portrait, tracked and
drawn as by `facetrack track --overlay`. `architecture.svg` shows how data flow.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from facetrack.model import load_model
from facetrack.synthetic.clips import demo_video
from facetrack.tracking.tracker import Tracker
from facetrack.video.overlay import draw

HERE: Final = Path(__file__).parent
FRAMES: Final = 96
EVERY: Final = 4  # one of so many frames is kept
PART: Final = (200, 80, 480, 360)  # px of the frame: left, top, right, bottom

SIZE: Final = (1.9, 0.8)  # of a box
# By what a box says: its centre and the room whose work it is; empty where it is no room's.
BOXES: Final = {
    "files, cameras,\npictures": (1.2, 4.4, ""),
    "frames with\ntrue timestamps": (3.8, 4.4, "video"),
    "face detector,\nstart cascade": (6.4, 4.4, "tracking"),
    "tracking cascade,\nquality, identity": (6.4, 2.8, "tracking"),
    "Face: points,\npose, reason": (9.0, 2.8, "face"),
    "readings\nand events": (11.6, 2.8, "signals"),
    "tables, ELAN,\nCOCO, overlay": (11.6, 4.4, "formats"),
    "numbers\nper minute": (11.6, 1.2, "summary"),
    "a corrected\nframe": (9.0, 1.2, ""),
    "the person's own\nlevel, iCCR": (6.4, 1.2, "learning"),
    "model file": (3.8, 2.8, "model"),
    "labelled pictures,\nmotion of clips": (1.2, 2.8, "training"),
}
ARROWS: Final = (
    (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (5, 7), (4, 8), (8, 9), (9, 3), (10, 3),
    (11, 10), (1, 3), (4, 6),
)  # fmt: skip


def draw_demo(path: Path) -> None:
    """Track the start of the demo clip and write its pictures as an animation."""
    model = load_model()
    tracker = Tracker(model, max_faces=1)
    pictures = []
    for frame in islice(demo_video(model.shape_model), FRAMES):
        faces = tracker.update(frame.image, frame.timestamp)
        if frame.index % EVERY == 0:
            pictures.append(Image.fromarray(draw(frame.image, faces)[..., ::-1]).crop(PART))
    step = round(1000 * frame.timestamp * EVERY / (FRAMES - 1))
    first, *others = pictures
    first.save(
        path, save_all=True, append_images=others, duration=step, loop=0, quality=20, method=6
    )


def draw_architecture(path: Path) -> None:
    """Draw how data flow from frames to tables, and back from a correction to the tracker."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "facetrack"})
    figure = Figure(figsize=(10, 4.1))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 12.8), ylim=(0.5, 5.1))
    axes.set_axis_off()
    width, height = SIZE
    boxes, places = [], list(BOXES.values())
    for text, (x, y, room) in BOXES.items():
        box = FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0.05",
            facecolor="#dbe9f6" if room else "#f3f3f3", edgecolor="#30506f",
        )  # fmt: skip
        boxes.append(axes.add_patch(box))
        axes.text(x, y + 0.12 * bool(room), text, ha="center", va="center", size=9)
        axes.text(x, y - 0.36, room, ha="center", size=8, style="italic", color="#555")
    for start, end in ARROWS:
        arrow = FancyArrowPatch(
            places[start][:2], places[end][:2], arrowstyle="-|>",
            mutation_scale=12, color="#30506f", patchA=boxes[start], patchB=boxes[end],
        )  # fmt: skip
        axes.add_patch(arrow)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Write both beside this file."""
    draw_demo(HERE / "demo.webp")
    draw_architecture(HERE / "architecture.svg")


if __name__ == "__main__":
    main()
