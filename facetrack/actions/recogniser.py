"""The recogniser of facial actions: a filter bank over the looks of a face in time, in numpy.

Martinez et al., ICCV 2019 (see `train.bank`), over one second of `looks`. Convolutions in time make
maps of the clip; each filter looks for its cue in all frames; what names an action are the peaks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.errors import InputError
from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import Description, ModelKind, register_kind

WINDOW: Final = 24  # frames of a clip
DEFAULT: Final = "actions"
MEMORY: Final = 750  # frames by whose median looks are measured: 30 s,
EVERY: Final = 3  # of which only every third counts

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the recogniser says of one clip."""

    probabilities: Floats  # (classes,), each for itself: a clip may show several actions, or none
    logits: dict[str, Floats]  # each (classes,), of the branches `average`, `direct` and `cross`
    responses: Floats  # (classes, filters, WINDOW): where in time each filter finds its cue


@dataclass(frozen=True, slots=True, eq=False)
class Recogniser:
    """A trained recogniser.

    Its arrays are `average_weight` (classes, width), `average_bias`, `filters_weight` (classes *
    filters, width), `filters_bias`, `readout_weight` (classes, classes * filters), `readout_bias`;
    filters of one class are adjacent.
    """

    name: str
    classes: tuple[str, ...]
    inputs: tuple[str, ...]  # values of a look, in their order; see `looks.LOOK`
    scale: Floats  # (inputs,), what relative looks are divided by
    # Convolutions in time, (outputs, inputs, k), and biases, each followed by max(0, x).
    layers: tuple[tuple[Floats, Floats], ...]
    arrays: Mapping[str, Floats]
    thresholds: Mapping[str, float]  # probability from which on an action counts, by class
    levels: Mapping[str, float]  # response from which on a frame belongs to an action that counts
    card: Mapping[str, Any]
    version: str = ""  # the checksum of its file

    def see(self, clip: npt.ArrayLike) -> Seen:
        """Look at one clip of `relative` looks, (WINDOW, inputs), 25 frames per second.

        An `InputError` says that it is of another shape, or holds NaN.
        """
        maps, a = self._maps(clip)[-1], self.arrays
        # in the parts that were trained together: new classes must not round old sums otherwise
        each = len(a["filters_weight"]) // len(self.classes)
        ends = [each * count for count in (*self.card.get("grown", []), len(self.classes))]
        filters = [a["filters_weight"][i:j] for i, j in zip((0, *ends), ends, strict=False)]
        responses = np.hstack([maps @ part.T for part in filters]) + a["filters_bias"]
        peaks = responses.max(axis=0)
        logits = {
            "average": _rows(a["average_weight"], maps.mean(axis=0)) + a["average_bias"],
            "direct": self._direct(peaks, ends),
            "cross": peaks.reshape(len(self.classes), -1).mean(axis=1),
        }
        chances = [0.5 + 0.5 * np.tanh(z / 2) for z in logits.values()]
        by_filter = np.asarray(responses.T.reshape(len(self.classes), -1, WINDOW), np.float32)
        return Seen(np.asarray(np.mean(chances, axis=0), np.float32), logits, by_filter)

    def cues(self, clip: npt.ArrayLike, name: str) -> Floats:
        """Return what each value of a clip adds to the strongest response of a class, (inputs,).

        Gradient times value, summed over the frames; less than 0 where it speaks against the class.
        """
        maps, a = self._maps(clip), self.arrays
        each, i = len(a["filters_weight"]) // len(self.classes), self.classes.index(name)
        own = slice(i * each, (i + 1) * each)
        responses = maps[-1] @ a["filters_weight"][own].T + a["filters_bias"][own]
        frame, best = np.unravel_index(responses.argmax(), responses.shape)
        slope = np.zeros_like(maps[-1])
        slope[frame] = a["filters_weight"][own][best]
        for (weight, _), after in zip(self.layers[::-1], maps[:0:-1], strict=True):
            slope = _convolved(slope * (after > 0), weight.transpose(1, 0, 2)[..., ::-1])
        return np.asarray((slope * maps[0]).sum(axis=0))

    def _maps(self, clip: npt.ArrayLike) -> list[Floats]:
        """Return a clip as it is read, and the maps of each layer, (WINDOW, width)."""
        x = np.asarray(clip, dtype=np.float32)
        if x.shape != (WINDOW, len(self.inputs)) or not np.isfinite(x).all():
            raise InputError(f"a clip is {WINDOW} frames of {len(self.inputs)} finite values")
        maps = [x / self.scale]
        for weight, bias in self.layers:
            maps.append(np.maximum(_convolved(maps[-1], weight) + bias, 0.0))
        return maps

    def _direct(self, peaks: Floats, ends: Sequence[int]) -> Floats:
        """Read each class from the filters that were there when it was trained."""
        weight, bias = self.arrays["readout_weight"], self.arrays["readout_bias"]
        each = len(peaks) // len(self.classes)
        known = [next(end for end in ends if i * each < end) for i in range(len(self.classes))]
        rows = [np.dot(row[:end], peaks[:end]) for row, end in zip(weight, known, strict=True)]
        return np.array(rows, dtype=np.float32) + bias

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write its file: beside, then renamed."""
        arrays: Arrays = {"scale": self.scale, **self.arrays}
        for i, (weight, bias) in enumerate(self.layers):
            arrays |= {f"layer{i}_weight": weight, f"layer{i}_bias": bias}
        description = {
            "name": self.name,
            "card": dict(self.card),
            "classes": list(self.classes),
            "inputs": list(self.inputs),
            "layers": len(self.layers),
            "thresholds": dict(self.thresholds),
            "levels": dict(self.levels),
        }
        ACTION_RECOGNISER.write(path, arrays, description)


def relative(looks: npt.NDArray[np.float64], stop: int) -> npt.NDArray[np.float64]:
    """Take the clip that ends before a frame, measured from the person's usual look until then.

    Of looks (n, values) at 25 frames per second, NaN where the face is lost, differences from the
    median of up to 30 s, (WINDOW, values); `stop` is from `WINDOW` to n.
    """
    first = -(-max(0, stop - MEMORY) // EVERY) * EVERY
    usual = np.nanmedian(looks[first:stop:EVERY], axis=0)
    return np.asarray(looks[stop - WINDOW : stop] - usual)


def load_recogniser(name: str | os.PathLike[str] = DEFAULT) -> Recogniser:
    """Load a recogniser: a name in the shipped models, or the path of a file."""
    return ACTION_RECOGNISER.read(name)


def _convolved(x: Floats, weight: Floats) -> Floats:
    """Convolve (T, inputs) in time with (outputs, inputs, k), zeros beyond both ends."""
    k = weight.shape[2]
    padded = np.pad(x, ((k // 2, k // 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, k, axis=0)
    return np.asarray(windows.reshape(len(x), -1) @ weight.reshape(len(weight), -1).T)


def _rows(weight: Floats, x: Floats) -> Floats:
    """Multiply row by row, so that each sum is the same whatever other rows there are."""
    return np.array([np.dot(row, x) for row in weight], dtype=np.float32)


def _load(arrays: Arrays, description: Description) -> Recogniser:
    layers = tuple(
        (arrays.pop(f"layer{i}_weight"), arrays.pop(f"layer{i}_bias"))
        for i in range(description["layers"])
    )
    names: Sequence[str] = description["classes"]
    return Recogniser(
        name=description["name"],
        classes=tuple(names),
        inputs=tuple(description["inputs"]),
        scale=arrays.pop("scale"),
        layers=layers,
        arrays=arrays,
        thresholds={name: float(description["thresholds"][name]) for name in names},
        levels={name: float(description["levels"][name]) for name in names},
        card=description["card"],
        version=description["checksum"],
    )


ACTION_RECOGNISER: Final = ModelKind(
    "facetrack action recogniser", "recogniser of facial actions", schema=1, load=_load
)
register_kind(ACTION_RECOGNISER)
