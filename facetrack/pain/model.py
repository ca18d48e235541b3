"""A trained estimator of the facial expression of pain, and its file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.formats.archive import Arrays
from facetrack.formats.modelfile import Description, ModelKind, register_kind
from facetrack.pain.calibration import HIGHEST, Calibration, smooth
from facetrack.pain.frames import Frames
from facetrack.pain.fusion import Fusion
from facetrack.pain.layer import Layer
from facetrack.pain.projection import Projection
from facetrack.pain.relevance import RelevanceVectors
from facetrack.pain.sets import FeatureSet, Standard

Floats = npt.NDArray[np.float64]

DEFAULT: Final = "pain_demo"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a model says of n frames."""

    by_set: Mapping[str, Floats]  # neither smoothed nor clipped
    fused: Floats  # neither smoothed nor clipped
    score: Floats  # causally smoothed, within 0 to 16, with the calibrated interval
    low: Floats
    high: Floats
    nearest: Mapping[str, Floats]  # largest kernel value of each set; near 0: unlike training


@dataclass(frozen=True, slots=True, eq=False)
class PainModel:
    """A trained estimator."""

    name: str
    encoder: str  # the expression encoder whose features it stands on, ...
    encoder_version: str  # ... and that file's checksum
    sets: tuple[FeatureSet, ...]  # the first level
    fusion: Fusion  # the second level
    window: float  # seconds over which scores are averaged; the lag is half of it
    calibration: Calibration  # of the smoothed score
    limits: Mapping[str, float]  # `nearest SET`: the least kernel value of each set
    card: Mapping[str, Any]  # data, terms, measures; `caution` is said wherever its score is shown
    version: str = ""  # the checksum of its file

    @property
    def caution(self) -> str:
        """What is said wherever its score is shown."""
        return str(self.card.get("caution", ""))

    def score(self, frames: Frames) -> Scores:
        """Score frames; labels are not looked at."""
        by_set, nearest = {}, {}
        for one in self.sets:
            values = frames.values[one.source]
            features = one.features_of(frames.times, frames.sequences, values)
            by_set[one.name], nearest[one.name] = one.score(features)
        fused = self.fusion.apply(np.stack([by_set[one.name] for one in self.sets], axis=1))
        smoothed = smooth(frames.times, fused, self.window, sequences=frames.sequences)
        low, high = self.calibration.interval(smoothed)
        return Scores(by_set, fused, smoothed.clip(0, HIGHEST), low, high, nearest)


def write_pain_model(path: str | os.PathLike[str], model: PainModel) -> None:
    """Write a model's file, .npz: beside, then renamed."""
    arrays: Arrays = {"weights": model.fusion.weights, "mean": model.sets[0].mean}
    described: list[dict[str, Any]] = []
    for number, one in enumerate(model.sets):
        described.append({"kind": one.kind, "form": one.form, "step": one.step})
        described[-1] |= _pack(f"set{number}", arrays, one.standard, one.regression)
        if one.projection is not None:
            arrays[f"set{number}_centre"] = one.projection.mean
            arrays[f"set{number}_components"] = one.projection.components
        if one.layer is not None:
            arrays[f"set{number}_layer"] = one.layer.weights.astype(np.float32)
            arrays[f"set{number}_bias"] = one.layer.bias
    fusion = _pack("fusion", arrays, model.fusion.standard, model.fusion.regression)
    for name in ("edges", "low", "high"):
        arrays[f"calibration_{name}"] = getattr(model.calibration, name)
    description = {
        "name": model.name,
        "card": dict(model.card),
        "encoder": [model.encoder, model.encoder_version],
        "sets": described,
        "fusion": {"offset": model.fusion.offset, **fusion},
        "window": model.window,
        "limits": dict(model.limits),
    }
    PAIN_MODEL.write(path, arrays, description)


def _pack(
    key: str, arrays: Arrays, standard: Standard | None, regression: RelevanceVectors | None
) -> dict[str, Any]:
    """Put a standardised regression into arrays and a description."""
    if standard is None or regression is None:
        return {}
    arrays[f"{key}_mean"], arrays[f"{key}_scale"] = standard.mean, standard.scale
    arrays[f"{key}_vectors"] = regression.vectors.astype(np.float32)
    arrays[f"{key}_weights"] = regression.weights
    arrays[f"{key}_covariance"] = regression.covariance.astype(np.float32)
    numbers = {n: getattr(regression, n) for n in ("gamma", "offset", "noise", "converged")}
    return {"regression": numbers}


def _unpack(
    key: str, arrays: Arrays, description: Mapping[str, Any]
) -> tuple[Standard | None, RelevanceVectors | None]:
    if "regression" not in description:
        return None, None
    regression = RelevanceVectors(
        arrays[f"{key}_vectors"].astype(np.float64),
        arrays[f"{key}_weights"],
        arrays[f"{key}_covariance"].astype(np.float64),
        **description["regression"],
    )
    return Standard(arrays[f"{key}_mean"], arrays[f"{key}_scale"]), regression


def _load(arrays: Arrays, description: Description) -> PainModel:
    sets: list[FeatureSet] = []
    for number, said in enumerate(description["sets"]):
        key = f"set{number}"
        projection = layer = None
        if f"{key}_components" in arrays:
            projection = Projection(arrays[f"{key}_centre"], arrays[f"{key}_components"])
        if f"{key}_layer" in arrays:
            layer = Layer(arrays[f"{key}_layer"].astype(np.float64), arrays[f"{key}_bias"])
        what = said["kind"], said["form"], float(said["step"]), arrays["mean"]
        sets.append(FeatureSet(*what, projection, layer, *_unpack(key, arrays, said)))
    said = description["fusion"]
    encoder, version = description["encoder"]
    return PainModel(
        description["name"],
        str(encoder),
        str(version),
        tuple(sets),
        Fusion(arrays["weights"], float(said["offset"]), *_unpack("fusion", arrays, said)),
        float(description["window"]),
        Calibration(*(arrays[f"calibration_{name}"] for name in ("edges", "low", "high"))),
        description["limits"],
        description["card"],
        description["checksum"],
    )


PAIN_MODEL: Final = ModelKind("facetrack pain model", "pain-expression model", schema=1, load=_load)
register_kind(PAIN_MODEL)


def load_pain_model(name: str | os.PathLike[str] = DEFAULT) -> PainModel:
    """Load a shipped model by its name, or a file."""
    return PAIN_MODEL.read(name)
