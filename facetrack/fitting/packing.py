"""A trained model as named arrays and a description in plain types, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from facetrack.features.maps import MapSpec
from facetrack.fitting.box_fit import BoxPlacement, FivePlacement
from facetrack.fitting.confidence import PointConfidence
from facetrack.fitting.face_model import FaceModel
from facetrack.fitting.quality import QualityClassifier
from facetrack.formats.archive import Arrays
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.learning.prior import LevelPrior
from facetrack.regression.cascade import Cascade, Level

CASCADES = ("start", "refinement", "tracking")
_CONFIDENCE = ("weights", "bias", "taught")


def pack(model: FaceModel) -> tuple[Arrays, dict[str, Any]]:
    """Take a model apart."""
    shape = model.shape_model
    arrays: Arrays = {
        "shape/mean": shape.mean,
        "shape/basis": shape.basis,
        "shape/deviations": shape.deviations,
        "shape/mean_3d": shape.mean_3d,
        **_pack_placement(model.placement),
        "quality/mean": model.quality.mean,
        "quality/scale": model.quality.scale,
        "quality/weights": model.quality.weights,
        **_pack_level(model.quality.level, "quality/level"),
    }
    for name in CASCADES:
        cascade: Cascade = getattr(model, name)
        arrays[f"{name}/basis"] = cascade.basis
        for number, level in enumerate(cascade.levels):
            arrays |= _pack_level(level, f"{name}/{number}")
    if model.confidence is not None:
        for name in _CONFIDENCE:
            arrays[f"confidence/{name}"] = getattr(model.confidence, name)
    for prior in model.priors:
        arrays |= _pack_prior(prior)
    description = {
        "name": model.name,
        "quality_bias": model.quality.bias,
        "cascades": {name: _describe_cascade(getattr(model, name)) for name in CASCADES},
        "quality_level": _describe_level(model.quality.level),
        "prior_steps": {str(prior.number): prior.step for prior in model.priors},
        "card": model.card,
    }
    return arrays, description


def unpack(arrays: Arrays, description: Mapping[str, Any]) -> FaceModel:
    """Put a model together again."""
    return FaceModel(
        name=str(description["name"]),
        shape_model=ShapeModel(
            arrays["shape/mean"],
            arrays["shape/basis"],
            arrays["shape/deviations"],
            arrays["shape/mean_3d"],
        ),
        placement=_unpack_placement(arrays),
        start=_unpack_cascade(arrays, "start", description),
        refinement=_unpack_cascade(arrays, "refinement", description),
        tracking=_unpack_cascade(arrays, "tracking", description),
        quality=QualityClassifier(
            _unpack_level(arrays, "quality/level", description["quality_level"]),
            arrays["quality/mean"],
            arrays["quality/scale"],
            arrays["quality/weights"],
            float(description["quality_bias"]),
        ),
        card=dict(description["card"]),
        confidence=_unpack_confidence(arrays),
        priors=_unpack_priors(arrays, description["prior_steps"]),
    )


def _pack_placement(placement: BoxPlacement) -> Arrays:
    arrays = {"placement/shapes": placement.shapes}
    if placement.five is not None:
        arrays["placement/five/mean"] = placement.five.mean
        arrays["placement/five/weights"] = placement.five.weights
    return arrays


def _unpack_placement(arrays: Arrays) -> BoxPlacement:
    five = None
    if "placement/five/mean" in arrays:
        five = FivePlacement(arrays["placement/five/mean"], arrays["placement/five/weights"])
    return BoxPlacement(arrays["placement/shapes"], five)


def _unpack_confidence(arrays: Arrays) -> PointConfidence | None:
    if "confidence/weights" not in arrays:
        return None
    return PointConfidence(**{name: arrays[f"confidence/{name}"] for name in _CONFIDENCE})


def _pack_prior(prior: LevelPrior) -> Arrays:
    prefix = f"prior/{prior.number}"
    return {
        f"{prefix}/scales": prior.scales,
        f"{prefix}/correlations": prior.correlations,
        f"{prefix}/spread": prior.spread,
    }


def _unpack_priors(arrays: Arrays, steps: Mapping[str, float]) -> tuple[LevelPrior, ...]:
    return tuple(
        LevelPrior(
            int(number),
            arrays[f"prior/{number}/scales"],
            arrays[f"prior/{number}/correlations"],
            arrays[f"prior/{number}/spread"],
            float(step),
        )
        for number, step in steps.items()
    )


def _describe_cascade(cascade: Cascade) -> dict[str, Any]:
    return {
        "maps": [[spec.shrink, spec.radius] for spec in cascade.maps],
        "levels": [_describe_level(level) for level in cascade.levels],
    }


def _describe_level(level: Level) -> dict[str, Any]:
    return {"map_index": level.map_index, "shrink": level.shrink, "spacing": level.spacing}


def _pack_level(level: Level, prefix: str) -> Arrays:
    return {
        f"{prefix}/basis": _halved(level.basis),
        f"{prefix}/offset": level.offset,
        f"{prefix}/regressor": _halved(level.regressor),
    }


def _halved(array: npt.NDArray[np.float32]) -> npt.NDArray[np.floating[Any]]:
    """Store in half precision what training has rounded to it (see `BasisStatistics.solve`)."""
    half = array.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), array) else array


def _unpack_cascade(arrays: Arrays, name: str, description: Mapping[str, Any]) -> Cascade:
    meta = description["cascades"][name]
    return Cascade(
        tuple(MapSpec(int(shrink), int(radius)) for shrink, radius in meta["maps"]),
        arrays[f"{name}/basis"],
        tuple(
            _unpack_level(arrays, f"{name}/{number}", level)
            for number, level in enumerate(meta["levels"])
        ),
    )


def _unpack_level(arrays: Arrays, prefix: str, meta: Mapping[str, Any]) -> Level:
    return Level(
        int(meta["map_index"]),
        int(meta["shrink"]),
        float(meta["spacing"]),
        arrays[f"{prefix}/basis"].astype(np.float32),
        arrays[f"{prefix}/offset"],
        arrays[f"{prefix}/regressor"].astype(np.float32),
    )
