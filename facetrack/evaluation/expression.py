"""The expression encoder beside the program that taught it, on people who taught neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.evaluation.jitter import still_stretches
from facetrack.fitting.face_model import FaceModel
from facetrack.networks.expression import ExpressionEncoder, load_encoder
from facetrack.networks.patches import Patch, take
from facetrack.networks.samples import MODES, OPENINGS, load_samples
from facetrack.opening import open_source
from facetrack.reporting.tables import Part, Quantity, Table
from facetrack.tracking.tracker import Tracker

MOVES: Final = 0.06  # standard deviation of a channel in a clip that says something of it
TEN: Final = (
    "eyeBlinkLeft", "jawOpen", "mouthSmileLeft", "browInnerUp", "browDownLeft", "eyeLookOutLeft",
    "eyeLookDownLeft", "mouthPucker", "mouthUpperUpLeft", "eyeSquintLeft",
)  # fmt: skip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClipChannels:
    """Channels of one clip by two programs, (frames, channels); NaN where nothing is said."""

    clip: str
    ours: Floats
    theirs: Floats
    points: Floats  # (frames, 68, 2) of our tracker, in pixels; NaN where lost


@dataclass(frozen=True, slots=True, eq=False)
class ClipPatches:
    """The patches of one clip's face, and what the other program says of it."""

    clip: str
    patches: tuple[dict[str, Patch] | None, ...]  # None where the face was lost
    theirs: Floats
    points: Floats


def take_clip(item: tuple[Path, Floats], *, mean_shape: Floats, model: FaceModel) -> ClipPatches:
    """Track a clip of one person and take the patches of every frame, cut by the mean shape."""
    path, theirs = item
    patches: list[dict[str, Patch] | None] = [None] * len(theirs)
    points = np.full((len(theirs), 68, 2), np.nan)
    tracker = Tracker(model, max_faces=1)
    with open_source(path) as source:
        for frame in source:
            faces = [face for face in tracker.update(frame) if face.tracked]
            if faces and frame.index < len(theirs):
                points[frame.index] = seen = faces[0].points
                patches[frame.index] = take(partial(_cut, frame.grey, seen, mean_shape), seen)
    return ClipPatches(path.stem, tuple(patches), theirs, points)


def encode_clip(taken: ClipPatches, encoder: ExpressionEncoder) -> ClipChannels:
    """Encode every frame of a clip."""
    ours = np.full_like(taken.theirs, np.nan)
    for index, patches in enumerate(taken.patches):
        if patches is not None:
            ours[index] = encoder.encode(patches).targets[: ours.shape[1]]
    return ClipChannels(taken.clip, ours, taken.theirs, taken.points)


def track_and_encode(item: tuple[Path, Floats], *, encoder: str, model: FaceModel) -> ClipChannels:
    """Do both; `encoder` is the name or file of one, so that a worker process can load it."""
    loaded = load_encoder(encoder)
    return encode_clip(take_clip(item, mean_shape=loaded.mean_shape, model=model), loaded)


def correlations(
    clips: Iterable[ClipChannels], channels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Correlate each channel with the other program's in time."""
    found: dict[str, dict[str, float]] = {name: {} for name in channels}
    for clip in clips:
        known = np.isfinite(clip.ours).all(axis=1) & np.isfinite(clip.theirs).all(axis=1)
        for i, name in enumerate(channels):
            ours, theirs = clip.ours[known, i], clip.theirs[known, i]
            if known.sum() > 2 and theirs.std() > MOVES:
                found[name][clip.clip] = float(np.corrcoef(ours, theirs)[0, 1])
    return found


def steadiness(clips: Iterable[ClipChannels]) -> dict[str, float]:
    """Compare jitter on still stretches, and lost frames."""
    second: tuple[list[Floats], list[Floats]] = [], []
    lost, frames = np.zeros(2), 0
    for clip in clips:
        both = np.stack([clip.ours, clip.theirs])
        lost += np.isnan(both[:, :, 0]).sum(axis=1)
        frames += len(clip.ours)
        for start, stop in still_stretches([clip.points]):
            jerks = np.abs(np.diff(both[:, start:stop], n=2, axis=1))
            known = np.isfinite(jerks).all(axis=(0, 2))
            for kept, jerk in zip(second, jerks, strict=True):
                kept.append(jerk[known])
    ours, theirs = (np.concatenate(jerks) if jerks else np.empty((0, 1)) for jerks in second)
    return {
        "jitter": _mean(ours),
        "jitter_theirs": _mean(theirs),
        "still": float(len(ours)),
        "lost": lost[0] / max(frames, 1),
        "lost_theirs": lost[1] / max(frames, 1),
    }


def score_pictures(
    folder: Path, scores: Path, *, encoder: ExpressionEncoder, model: FaceModel, seed: int = 1
) -> dict[str, Any]:
    """Score an encoder on labelled pictures, from landmarks that are jittered as fits err."""
    # `correlations` are by channel over the pictures, `r2` of shape parameters and openings.
    samples = load_samples([folder], scores, model.shape_model, copies=1, seed=seed)
    said = np.array([encoder.encode(patches).targets for patches in _each(samples.patches)])
    true, names = samples.targets, samples.names
    r2 = 1 - ((said - true) ** 2).mean(axis=0) / true.var(axis=0)
    first = len(names) - MODES - len(OPENINGS)
    return {
        "n": len(true),
        "correlations": {
            name: float(np.corrcoef(said[:, i], true[:, i])[0, 1])
            for i, name in enumerate(names[:first])
        },
        "r2": {
            "shape": float(r2[first : first + MODES].mean()),
            **{name: float(r2[names.index(name)]) for name in OPENINGS},
        },
    }


def expression_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the measures for a person."""
    parts: list[Part] = []
    by_channel, pictures = details.get("clips", {}), details.get("pictures", {})
    medians = {name: median(found) for name, found in by_channel.items() if found}
    if medians:
        ten = [medians[name] for name in TEN if name in medians]
        parts.append(
            f"Correlation in time, median over the clips where the channel moves; mean of the "
            f"{len(ten)} channels marked *: {np.mean(ten):.3f}."
        )
    names = sorted({*by_channel, *(n for p in pictures.values() for n in p["correlations"])})
    rows = [
        [
            name + (" *" if name in TEN else ""),
            Quantity(medians.get(name, float("nan")), 2),
            _spread(by_channel.get(name, {})),
            *(Quantity(p["correlations"].get(name, float("nan")), 2) for p in pictures.values()),
        ]
        for name in names
    ]
    parts.append(Table(["channel", "clips, median", "lowest - highest (clips)", *pictures], rows))
    if pictures:
        targets = next(iter(pictures.values()))["r2"]
        rows = [
            [name, *(Quantity(p["r2"][name], 2) for p in pictures.values())] for name in targets
        ]
        parts.append(Table(["R2 of", *pictures], rows))
    if steady := details.get("steadiness"):
        parts.append(
            f"Jitter on still stretches ({steady['still']:.0f} frames), mean absolute second "
            f"difference: {steady['jitter']:.4f}, the other program {steady['jitter_theirs']:.4f}; "
            f"frames without a value: {100 * steady['lost']:.1f} %, the other program "
            f"{100 * steady['lost_theirs']:.1f} %."
        )
    return parts


def median(by_clip: Mapping[str, float]) -> float:
    """Return the median over the clips; NaN without one."""
    return float(np.median(list(by_clip.values()))) if by_clip else float("nan")


def _spread(by_clip: Mapping[str, float]) -> str:
    values = list(by_clip.values())
    return f"{min(values):.2f} - {max(values):.2f} ({len(values)})" if values else "-"


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


def _cut(grey: Any, points: Any, mean: Any, crop: Any) -> Any:
    return crop.cut(grey, points, mean)


def _each(patches: Mapping[str, npt.NDArray[np.uint8]]) -> Iterable[dict[str, Patch]]:
    for i in range(len(next(iter(patches.values())))):
        yield {name: Patch(p[i, 0], p[i, 1].astype(np.bool_), 1.0) for name, p in patches.items()}
