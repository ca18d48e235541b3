"""A lip-reading model: what is seen in each frame, and which words the frames belong to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.archive import Arrays, read_archive
from facetrack.formats.modelfile import Description, ModelKind, register_kind
from facetrack.lips.clips import RATE, LipClip
from facetrack.lips.rejection import NOTHING, Reject
from facetrack.lips.views import View
from facetrack.lips.windows import Window, indices
from facetrack.networks.onnx import OnnxNetwork

CONTEXT: Final = 5  # frames that are looked at for the features of the middle one
DEFAULT: Final = "lips"
# Of the model that ships, whose file is older than this; `lips evaluate --store-reject` found it.
_CHOSEN: Final = {
    "344a59c12711ac9b8b6db5194f1bdbc98bc1b87d744cf96cf73c49ddf6199e94": Reject(5.28, 0.59)
}
_AT_ONCE: Final = 64  # frames, windows: bounds the memory

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LipReader:
    """A trained model."""

    name: str
    words: tuple[str, ...]  # of the classes; an empty one: no word is said
    view: View  # what the network is shown of a mouth crop
    mean_shape: npt.NDArray[np.float64]  # (68, 2), what faces are aligned to, whatever model tracks
    trunk: OnnxNetwork  # stacks of five frames to features
    back: OnnxNetwork  # a clip's features to logits of its frames
    card: Mapping[str, Any]  # data, terms and measures
    version: str = ""  # the checksum of its file
    reject: Reject = NOTHING  # what words must reach while frames come

    def features(self, clip: LipClip) -> Floats:
        """Describe what is seen in each frame of a clip, (T, features)."""
        return self.seen(stacked(self.view.pixels(clip.pixels)), stacked(View.points(clip.points)))

    def seen(self, stacks: Floats, points: Floats) -> Floats:
        """Describe what is seen in the middle frames of stacks, (N, features).

        Stacks of pixels are (N, 5, height, width) as `View.pixels` shows them, of points (N, 5, 40)
        as `View.points`; zeros for frames that are no part of the clip.
        """
        pieces = [
            self.trunk.run_all({"pixels": stacks[i : i + _AT_ONCE],
                                "points": points[i : i + _AT_ONCE]})[0]
            for i in range(0, len(stacks), _AT_ONCE)
        ]  # fmt: skip
        return np.concatenate(pieces)

    def frames(self, features: Floats) -> Floats:
        """Read every frame of a clip within it: logits (T, classes) from features (T, features).

        Those of a word are the mean over its frames.
        """
        found: Floats = self.back.run_all({"features": features[None]})[0][0]
        return found

    def read(self, features: Floats, windows: Sequence[Window]) -> Floats:
        """Read words of one clip in windows with `clip` 0: logits (N, classes).

        The features, (T, features), are of the whole clip: the context that words are read in.
        """
        if not windows:
            raise InputError("no words to read")
        known = np.ones((1, len(features)), dtype=np.float32)
        _, frames, mask = indices(windows, known)
        total = (self.frames(features)[frames] * mask[..., None]).sum(axis=1)
        found: Floats = total / np.maximum(mask.sum(axis=1, keepdims=True), 1)
        return found


def stacked(frames: Floats) -> Floats:
    """Put each frame, (T, ...), between its two neighbours on each side, (T, 5, ...).

    Zeros stand before and after the clip.
    """
    half = CONTEXT // 2
    wide = np.pad(frames, [(half, half)] + [(0, 0)] * (frames.ndim - 1))
    return np.stack([wide[i : i + len(frames)] for i in range(CONTEXT)], axis=1)


def write_reader(
    path: str | os.PathLike[str],
    networks: Mapping[str, bytes],
    *,
    name: str,
    words: Sequence[str],
    view: View,
    mean_shape: npt.NDArray[np.float64],
    card: Mapping[str, Any],
) -> None:
    """Write a model's file, .npz: beside, then renamed; see `LipReader`.

    The networks are `trunk` and `back`, ONNX.
    """
    arrays = {key: np.frombuffer(content, dtype=np.uint8) for key, content in networks.items()}
    description = {
        "name": name,
        "card": dict(card),
        "words": list(words),
        "view": {"size": list(view.size), "width": view.width},
        "rate": RATE,
    }
    LIP_READER.write(path, {"mean_shape": mean_shape, **arrays}, description)


def _load(arrays: Arrays, description: Description) -> LipReader:
    if description["rate"] != RATE:
        raise ValueError(f"made for {description['rate']} frames a second, not {RATE}")
    view = description["view"]
    return LipReader(
        name=description["name"],
        words=tuple(description["words"]),
        view=View((int(view["size"][0]), int(view["size"][1])), float(view["width"])),
        mean_shape=arrays["mean_shape"],
        trunk=OnnxNetwork(arrays["trunk"].tobytes()),
        back=OnnxNetwork(arrays["back"].tobytes()),
        card=description["card"],
        version=description["checksum"],
        reject=Reject(*description["reject"])
        if "reject" in description
        else _CHOSEN.get(description["checksum"], NOTHING),
    )


LIP_READER: Final = ModelKind("facetrack lip reader", "lip reader", schema=1, load=_load)
register_kind(LIP_READER)


def load_reader(name: str | os.PathLike[str] = DEFAULT) -> LipReader:
    """Load a lip-reading model: a name in the shipped models, or the path of a file."""
    return LIP_READER.read(name)


def store_reject(path: str | os.PathLike[str], reject: Reject) -> None:
    """Store in a model's file what words must reach."""
    arrays, meta = read_archive(path, kind=LIP_READER.name, schema=LIP_READER.schema)
    LIP_READER.write(path, arrays, {**meta, "reject": [reject.energy, reject.probability]})
