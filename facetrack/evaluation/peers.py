"""Other landmark finders, run on the same images in the same process for comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError, MissingDependencyError
from facetrack.evaluation.choice import Box, choose_face
from facetrack.networks.onnx import OnnxNetwork

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

SEEN = "has seen these images in training"
_HOG_SHORT_SIDE = 300


class Peer(Protocol):
    """A rival: finds one face in a picture with its own detector."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    @property
    def note(self) -> str:
        """What a reader must know to judge its numbers; may be empty."""
        ...

    @property
    def model_bytes(self) -> int:
        """Size of its files of trained numbers; a detector compiled into a library has none."""
        ...

    def predict(self, image: Image) -> Points | None:
        """Find 68 points (x, y) in pixels in a BGR image (H, W, 3); None without a face."""
        ...


class HogDetector:
    """dlib's frontal face detector, compiled into dlib."""

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def boxes(self, image: Image) -> list[Box]:
        """Find faces in a BGR picture, as pixels of it with edges included."""
        # Large pictures are shrunk to a shorter side of 300 px for the search only; where nothing
        # is found, the picture is searched once more enlarged two times.
        scale = min(1.0, _HOG_SHORT_SIDE / min(image.shape[:2]))
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        if scale < 1:
            rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = self._detector(rgb, 0) or self._detector(rgb, 1)
        return [
            (r.left() / scale, r.top() / scale, r.right() / scale, r.bottom() / scale)
            for r in found
        ]


class ErtPeer:
    """dlib's ensemble of regression trees (a trained `.dat`) with dlib's own detector."""

    def __init__(self, path: Path, *, name: str, note: str) -> None:
        self.name, self.note = name, note
        try:
            self.predictor = dlib.shape_predictor(str(path))
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise FormatError(path, f"not a shape predictor of dlib ({reason})") from None
        self.model_bytes = path.stat().st_size
        self.detector = HogDetector()

    def predict(self, image: Image) -> Points | None:
        """Find the largest, most central face; see `Peer`."""
        boxes = self.detector.boxes(image)
        if not boxes:
            return None
        height, width = image.shape[:2]
        return fit_ert(self.predictor, image, boxes[choose_face(boxes, (width, height))])


def fit_ert(predictor: Any, image: Image, box: Box) -> Points:
    """Fit a shape predictor of dlib inside its detector's box: multiples of half a pixel."""
    # dlib rounds its result to whole pixels. So that the rival does not pay for that, it works on a
    # picture enlarged two times: pixel u of the original has its centre at 2 u + 0.5.
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    large = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    rectangle = dlib.rectangle(*(round(2 * v + 0.5) for v in box))
    shape = predictor(large, rectangle)
    points = np.array([(p.x, p.y) for p in shape.parts()], dtype=np.float64)
    return (points - 0.5) / 2


def public_ert() -> ErtPeer:
    """Load dlib's public 68-point model through the package `face_recognition_models`."""
    from importlib.util import find_spec

    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise MissingDependencyError(
            "dlib's public model needs the package face_recognition_models: "
            "pip install face_recognition_models"
        )
    # the package's own lookup needs pkg_resources, which new versions of setuptools have dropped
    path = Path(spec.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"
    return ErtPeer(path, name="dlib ERT (public)", note=SEEN)


@dataclass(frozen=True, slots=True)
class RfbDetector:
    """The Ultra-light face detector RFB-320 as an ONNX file."""

    network: OnnxNetwork

    def boxes(self, image: Image) -> tuple[Points, npt.NDArray[np.float64]]:
        """Find faces in a BGR picture: boxes (n, 4) in pixels, and scores from 0 to 1."""
        height, width = image.shape[:2]
        rgb = cv2.cvtColor(cv2.resize(image, (320, 240)), cv2.COLOR_BGR2RGB)
        data = ((rgb.astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None]
        scores, corners = self.network.run(data)
        score = scores[0, :, 1].astype(np.float64)
        chosen = score > 0.7
        boxes = corners[0, chosen].astype(np.float64) * (width, height, width, height)
        score = score[chosen]
        sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        kept = np.asarray(cv2.dnn.NMSBoxes(sizes.tolist(), score.tolist(), 0.7, 0.3), dtype=int)
        return boxes[kept.ravel()], score[kept.ravel()]


class PfldPeer:
    """PFLD with 68 points inside boxes of RFB-320: `pfld_68.onnx` and `rfb_320.onnx`."""

    name = "PFLD"
    note = "RFB-320 box; trained on 300-W and external data"

    def __init__(self, folder: Path) -> None:
        self.detector = RfbDetector(OnnxNetwork(folder / "rfb_320.onnx"))
        self._network = OnnxNetwork(folder / "pfld_68.onnx")
        files = ("pfld_68.onnx", "rfb_320.onnx")
        self.model_bytes = sum((folder / file).stat().st_size for file in files)

    def predict(self, image: Image) -> Points | None:
        """Find the largest, most central face; see `Peer`."""
        boxes, _ = self.detector.boxes(image)
        if not len(boxes):
            return None
        height, width = image.shape[:2]
        return self.fit(image, boxes[choose_face(boxes, (width, height))])

    def fit(self, image: Image, box: Points | Box) -> Points:
        """Find the points (68, 2) of a BGR picture inside a box as RFB-320 gives it."""
        x0, y0, x1, y1 = (float(v) for v in box)
        side = max(x1 - x0, y1 - y0)
        left, top = 0.5 * (x0 + x1 - side), 0.5 * (y0 + y1 - side)
        step = side / 112
        # crop pixel (u, v) shows the image at left + (u + 0.5) step - 0.5
        back = np.array([[step, 0, left + 0.5 * step - 0.5], [0, step, top + 0.5 * step - 0.5]])
        crop = cv2.warpAffine(
            image, back, (112, 112), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        data = crop[..., ::-1].astype(np.float32).transpose(2, 0, 1)[None] / 255
        output = self._network.run(data)[0]
        fractions = np.asarray(output, dtype=np.float64).reshape(68, 2)
        return fractions * side + (left, top) - 0.5
