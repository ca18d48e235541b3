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

__all__ = [
    "CONTEXT",
    "LIP_READER",
    "LipReader",
    "load_reader",
    "stacked",
    "store_reject",
    "write_reader",
]

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
    """A trained model.

    Attributes
    ----------
    name : str
    words : tuple of str
        Of the classes; an empty one means that no word is said.
    view : View
        What the network is shown of a mouth crop.
    mean_shape : ndarray, shape (68, 2), float64
        What faces are aligned to, whatever model tracks them.
    trunk, back : OnnxNetwork
        Stacks of five frames to features; a clip's features to logits of its frames.
    card : mapping
        Data, terms and measures.
    version : str
        The checksum of its file.
    reject : Reject
        What words must reach while frames come.
    """

    name: str
    words: tuple[str, ...]
    view: View
    mean_shape: npt.NDArray[np.float64]
    trunk: OnnxNetwork
    back: OnnxNetwork
    card: Mapping[str, Any]
    version: str = ""
    reject: Reject = NOTHING

    def features(self, clip: LipClip) -> Floats:
        """Describe what is seen in each frame of a clip.

        Parameters
        ----------
        clip : LipClip

        Returns
        -------
        ndarray, shape (T, features), float32
        """
        return self.seen(stacked(self.view.pixels(clip.pixels)), stacked(View.points(clip.points)))

    def seen(self, stacks: Floats, points: Floats) -> Floats:
        """Describe what is seen in the middle frames of stacks.

        Parameters
        ----------
        stacks : ndarray, shape (N, 5, height, width), float32
            As `View.pixels` shows them; zeros for frames that are no part of the clip.
        points : ndarray, shape (N, 5, 40), float32
            As `View.points` shows them; zeros likewise.

        Returns
        -------
        ndarray, shape (N, features), float32
        """
        pieces = [
            self.trunk.run_all({"pixels": stacks[i : i + _AT_ONCE],
                                "points": points[i : i + _AT_ONCE]})[0]
            for i in range(0, len(stacks), _AT_ONCE)
        ]  # fmt: skip
        return np.concatenate(pieces)

    def frames(self, features: Floats) -> Floats:
        """Read every frame of a clip within it.

        Parameters
        ----------
        features : ndarray, shape (T, features), float32

        Returns
        -------
        ndarray, shape (T, classes), float32
            Logits of the frames; those of a word are the mean over its frames.
        """
        found: Floats = self.back.run_all({"features": features[None]})[0][0]
        return found

    def read(self, features: Floats, windows: Sequence[Window]) -> Floats:
        """Read words of one clip whose places are given.

        Parameters
        ----------
        features : ndarray, shape (T, features), float32
            Of the clip: the context that words are read in.
        windows : sequence of Window
            With `clip` 0; the frames of the words.

        Returns
        -------
        ndarray, shape (N, classes), float32
            Logits.

        Raises
        ------
        InputError
            If there are no windows.
        """
        if not windows:
            raise InputError("no words to read")
        known = np.ones((1, len(features)), dtype=np.float32)
        _, frames, mask = indices(windows, known)
        total = (self.frames(features)[frames] * mask[..., None]).sum(axis=1)
        found: Floats = total / np.maximum(mask.sum(axis=1, keepdims=True), 1)
        return found


def stacked(frames: Floats) -> Floats:
    """Put each frame between its two neighbours on each side; zeros before and after the clip.

    Parameters
    ----------
    frames : ndarray, shape (T, ...), float32

    Returns
    -------
    ndarray, shape (T, 5, ...), float32
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
    """Write a model's file: beside, then renamed.

    Parameters
    ----------
    path : path-like
        Ends in .npz.
    networks : mapping of str to bytes
        `trunk` and `back`, ONNX.
    name, words, view, mean_shape, card
        See `LipReader`.

    Raises
    ------
    OutputError
        If the file cannot be written.
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
    """Load a lip-reading model.

    Parameters
    ----------
    name : str or path-like
        A name in the shipped models, or the path of a file.

    Returns
    -------
    LipReader

    Raises
    ------
    ModelError
        If there is no such model, or the file is cut short, changed, of a newer schema, of
        another kind, or no model at all.
    """
    return LIP_READER.read(name)


def store_reject(path: str | os.PathLike[str], reject: Reject) -> None:
    """Store in a model's file what words must reach.

    Parameters
    ----------
    path : path-like
    reject : Reject

    Raises
    ------
    FormatError
        If it is no lip reader, or damaged.
    OutputError
        If the file cannot be written.
    """
    arrays, meta = read_archive(path, kind=LIP_READER.name, schema=LIP_READER.schema)
    LIP_READER.write(path, arrays, {**meta, "reject": [reject.energy, reject.probability]})
