"""Run MediaPipe's face mesh on pictures and videos, for `facetrack evaluate --predictions`.

MediaPipe 0.10.14 (later versions dropped this interface) asks for numpy < 2, so it cannot share an
environment with Facetrack; this script imports nothing of it:

    python3 -m venv mediapipe && mediapipe/bin/pip install "mediapipe==0.10.14" "numpy<2" dlib-bin
    mediapipe/bin/python -m benchmarks mediapipe_predictions OUT lfpw_test lfpw_train clip.mp4

For a folder of pictures it writes OUT/FOLDER/NAME.pts, for a video OUT/VIDEO/000001.pts and so on,
in the order and convention (1-based) of the 68 points. For videos it prints the time of a step and,
with `--ert FILE`, its ratio to the fit of dlib's trees on the same frames, and writes both times to
OUT/VIDEO.timing.json. Then:

    facetrack evaluate landmarks lfpw_test --start detect --predictions MediaPipe=OUT/lfpw_test \
        --convention MediaPipe OUT/lfpw_train lfpw_train
    facetrack evaluate video videos --predictions MediaPipe=OUT
    python -m benchmarks speed --video clip.mp4 --ert FILE --mediapipe OUT/clip.timing.json
"""

from __future__ import annotations

import json
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.command import make_parser

# Mesh vertices that stand for the 68 points, in their order.
VERTICES = [
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,  # jaw
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lip
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lip
]  # fmt: skip
PICTURES = {".jpg", ".jpeg", ".png", ".bmp"}
MOST_FACES = 5
FINE = {"refine_landmarks": True}  # the mesh with attention to lips and eyes: its best

Points = npt.NDArray[np.float64]


def main() -> None:
    """Run the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("inputs", type=Path, nargs="+", help="folders of pictures, videos")
    parser.add_argument("--ert", type=Path, help="a .dat file of dlib's trees, to time beside")
    args = parser.parse_args()
    mediapipe = import_module("mediapipe")  # not there when this file is only checked

    cv2.setNumThreads(1)
    mesh_class = mediapipe.solutions.face_mesh.FaceMesh
    for path in args.inputs:
        if path.is_dir():
            with mesh_class(static_image_mode=True, max_num_faces=MOST_FACES, **FINE) as mesh:
                pictures(mesh, path, args.out / path.name)
        else:
            with mesh_class(static_image_mode=False, max_num_faces=1, **FINE) as mesh:
                video(mesh, path, args.out / path.stem, args.ert)


def pictures(mesh: Any, folder: Path, out: Path) -> None:
    """Predict the large central face of every picture of a folder."""
    out.mkdir(parents=True, exist_ok=True)
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    found = 0
    for path in files:
        faces = predict(mesh, cv2.imread(str(path)))
        if faces:
            write_pts(out / f"{path.stem}.pts", faces[0])
            found += 1
    print(f"{folder.name}: {found} of {len(files)} found")


def video(mesh: Any, path: Path, out: Path, ert: Path | None) -> None:
    """Predict every frame of a video and time the steps."""
    out.mkdir(parents=True, exist_ok=True)
    fit = ert_step(ert) if ert else None
    capture = cv2.VideoCapture(str(path))
    steps, fits, number = [], [], 0
    while True:
        good, image = capture.read()
        if not good:
            break
        number += 1
        begin = time.perf_counter()
        faces = predict(mesh, image)
        steps.append(1000 * (time.perf_counter() - begin))
        if faces:
            write_pts(out / f"{number:06}.pts", faces[0])
            if fit is not None:
                grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
                begin = time.perf_counter()
                fit(grey, faces[0])
                fits.append(1000 * (time.perf_counter() - begin))
    step_ms = float(np.median(steps[20:]))
    text = f"{path.name}: {len(steps)} frames, step p50 {step_ms:.2f} ms"
    if fits:
        fit_ms = float(np.median(fits[20:]))
        text += f", dlib's fit {fit_ms:.2f} ms, ratio {step_ms / fit_ms:.2f}"
        timing = {"name": "MediaPipe, step", "step_ms": step_ms, "fit_ms": fit_ms}
        out.with_name(f"{out.name}.timing.json").write_text(json.dumps(timing), encoding="utf-8")
    print(text)


def ert_step(path: Path) -> Any:
    """Give a function that fits dlib's trees in the box of known points."""
    import dlib

    predictor = dlib.shape_predictor(str(path))

    def fit(grey: npt.NDArray[np.uint8], points: Points) -> None:
        low, high = points.min(axis=0), points.max(axis=0)
        predictor(grey, dlib.rectangle(*(round(float(v)) for v in (*low, *high))))

    return fit


def predict(mesh: Any, image: Any) -> list[Points]:
    """Find faces; the large central one first. Points in pixels, pixel centres at integers."""
    result = mesh.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    height, width = image.shape[:2]
    faces = []
    for landmarks in result.multi_face_landmarks or ():
        vertices = [landmarks.landmark[k] for k in VERTICES]
        faces.append(np.array([(v.x * width - 0.5, v.y * height - 0.5) for v in vertices]))
    middle = np.array([width - 1, height - 1]) / 2

    def prominence(points: Points) -> float:
        centre = (points.min(axis=0) + points.max(axis=0)) / 2
        return float(np.ptp(points[:, 0]) - np.linalg.norm(centre - middle))

    return sorted(faces, key=prominence, reverse=True)


def write_pts(path: Path, points: Points) -> None:
    """Write a .pts file; its first pixel is (1, 1)."""
    lines = "\n".join(f"{x + 1:.4f} {y + 1:.4f}" for x, y in points)
    path.write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n", encoding="utf-8")
