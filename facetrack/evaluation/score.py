"""Comparing predicted landmarks with the truth, whatever the files' formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from facetrack.datasets.tracks import load_track
from facetrack.errors import FormatError, InputError
from facetrack.evaluation.errors import (
    OUTER_EYES,
    ErrorSummary,
    complete,
    normalised_errors,
    point_errors,
    summary,
)
from facetrack.formats.openface import read_openface
from facetrack.formats.pts import read_pts
from facetrack.formats.table import TrackTable
from facetrack.landmarks.markup import MARKUPS, MIRROR, outer_eye_distance

Points = npt.NDArray[np.float64]
Key = str | int  # the name of a picture, or the number of a frame from 0

_SUSPICIOUS = 0.7  # a mistake is named when undoing it brings the error below this part of it
_LEAST_PAIRS = 10


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Landmarks of one face in many pictures."""

    origin: str  # the file or folder, for messages
    keys: tuple[Key, ...]  # names of pictures, or frame numbers from 0
    points: Points  # (n, 68, 2), centres of pixels at integers from 0; NaN where not found

    @property
    def numbered(self) -> bool:
        """Whether the keys are frame numbers."""
        return bool(self.keys) and isinstance(self.keys[0], int)


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """Predictions against the truth."""

    predictions: str
    truth: str
    markup: int  # number of points that count
    keys: tuple[Key, ...]  # the labelled pictures or frames
    by: str  # what errors are fractions of, one of `errors.NORMALISATIONS`
    errors: npt.NDArray[np.float64]  # one per key; inf where there is no prediction
    point_errors: npt.NDArray[np.float64]  # (n, 68), points that do not count included
    summary: ErrorSummary
    without_prediction: int  # failures
    without_truth: int  # ignored
    unlabelled: int  # labels with NaN, ignored
    warnings: tuple[str, ...]  # mistakes of pairing or conventions that the numbers hint at


def load_landmarks(path: Path, *, first_pixel: int = 1, face: int | None = None) -> Landmarks:
    """Read landmarks from a CSV file, a track (`.npz`) or a folder of .pts files."""
    # .pts files named by numbers are frames counted from 1, else pictures.
    if path.is_dir():
        return _from_folder(path, first_pixel)
    if path.suffix.lower() == ".npz":
        points = np.asarray(load_track(path).points, dtype=np.float64)
        return Landmarks(str(path), tuple(range(len(points))), points)
    return _from_csv(path, face)


def _from_folder(folder: Path, first_pixel: int) -> Landmarks:
    files = sorted(folder.glob("*.pts"))
    if not files:
        inside = sorted({f.parent.name for f in folder.glob("*/*.pts")})
        choose = f"; choose one of those inside: {', '.join(inside)}" if inside else ""
        raise FormatError(folder, f"no .pts file in this folder{choose}")
    points = np.stack([read_pts(f, origin=first_pixel) for f in files])
    stems = [f.stem for f in files]
    if all(s.isdecimal() for s in stems):
        return Landmarks(str(folder), tuple(int(s) - 1 for s in stems), points)
    return Landmarks(str(folder), tuple(stems), points)


def _from_csv(path: Path, face: int | None) -> Landmarks:
    rows = read_openface(path)
    rows = rows.select(rows.success)
    faces = rows.face_ids
    if face is None and len(faces) > 1:
        listed = ", ".join(map(str, faces[:8])) + (", ..." if len(faces) > 8 else "")
        raise FormatError(path, f"holds the faces {listed}", remedy="choose one face")
    if face is not None and face not in faces:
        raise FormatError(path, f"has no face {face}, only {', '.join(map(str, faces))}")
    if face is not None:
        rows = rows.select(rows.face_id == face)
    if len(np.unique(rows.frame)) < len(rows):
        raise FormatError(path, "has two rows of one face in one frame")
    return Landmarks(str(path), tuple(map(key_of(rows), rows.frame.tolist())), rows.points)


def key_of(table: TrackTable) -> Callable[[int], Key]:
    """Give what names a frame: of pictures their name without suffix, else the number."""
    pictures = table.pictures
    return lambda frame: PurePath(pictures[frame]).stem if frame in pictures else frame


def score(
    predictions: Landmarks, truth: Landmarks, *, markup: int = 68, by: str = OUTER_EYES
) -> ScoreReport:
    """Pair predictions with labels by frame number or picture's name, and measure them."""
    if markup not in MARKUPS:
        raise InputError(f"mark-ups have {', '.join(map(str, MARKUPS))} points, got {markup}")
    labelled = complete(truth.points)
    keys: list[Key] = [truth.keys[i] for i in np.flatnonzero(labelled)]
    where = {k: i for i, k in enumerate(predictions.keys)}
    if not any(k in where for k in keys):
        raise InputError(_nothing_pairs(predictions, truth))
    t = truth.points[labelled]
    p = np.full_like(t, np.nan)
    for i, k in enumerate(keys):
        if k in where:
            p[i] = predictions.points[where[k]]
    each = point_errors(p, t, by)
    errors = each[:, list(MARKUPS[markup])].mean(axis=1)
    warnings = _hints(p, t, markup)
    if predictions.numbered and truth.numbered:
        warnings += _shift_hint(predictions, keys, t, markup)
    known = set(truth.keys)
    return ScoreReport(
        predictions=predictions.origin,
        truth=truth.origin,
        markup=markup,
        keys=tuple(keys),
        by=by,
        errors=errors,
        point_errors=each,
        summary=summary(errors),
        without_prediction=sum(k not in where for k in keys),
        without_truth=sum(k not in known for k in predictions.keys),
        unlabelled=int((~labelled).sum()),
        warnings=tuple(warnings),
    )


def _nothing_pairs(predictions: Landmarks, truth: Landmarks) -> str:
    def span(landmarks: Landmarks) -> str:
        if not landmarks.keys:
            return "nothing"
        if landmarks.numbered:
            numbers = [int(k) for k in landmarks.keys]
            return f"frames {min(numbers) + 1} to {max(numbers) + 1}"
        return f"pictures such as {landmarks.keys[0]!r}"

    return (
        f"nothing pairs: {predictions.origin} has {span(predictions)}, {truth.origin} has "
        f"{span(truth)}; frames pair by number, pictures by name"
    )


def _mean(points: Points, truth: Points, markup: int) -> float:
    """Mean error of the found faces; inf with too few to say anything."""
    errors = normalised_errors(points, truth, markup)
    found = errors[np.isfinite(errors)]
    return float(found.mean()) if len(found) >= _LEAST_PAIRS else float("inf")


def _hints(points: Points, truth: Points, markup: int) -> list[str]:
    """Name mistakes of convention that explain much of the error."""
    base = _mean(points, truth, markup)
    if not np.isfinite(base) or base == 0:
        return []
    hints = []
    for shift, said in (
        (1.0, "left of and above the truth, as if it were 0-based and they 1-based"),
        (-1.0, "right of and below the truth, as if it were 1-based and they 0-based"),
    ):
        if _mean(points + shift, truth, markup) < _SUSPICIOUS * base:
            hints.append(f"the predictions lie 1 px {said}; choose the other first pixel")
    if _mean(points[:, list(MIRROR)], truth, markup) < _SUSPICIOUS * base:
        hints.append("left and right points seem exchanged")
    if base > 0.5:
        ratio = float(np.nanmedian(outer_eye_distance(points) / outer_eye_distance(truth)))
        if abs(np.log(ratio)) > np.log(1.2):
            hints.append(
                f"the predicted faces are {ratio:.2f} times as large as the true ones: "
                "another size of picture?"
            )
    return hints


def _shift_hint(
    predictions: Landmarks, keys: Sequence[Key], truth: Points, markup: int
) -> list[str]:
    """Name predictions whose frame numbers are off by one or two."""
    where = {k: i for i, k in enumerate(predictions.keys)}
    means = {}
    for shift in (0, 1, -1, 2, -2):
        p = np.full_like(truth, np.nan)
        for i, k in enumerate(keys):
            if int(k) + shift in where:
                p[i] = predictions.points[where[int(k) + shift]]
        means[shift] = _mean(p, truth, markup)
    best = min(means, key=lambda s: means[s])
    if best and means[best] < _SUSPICIOUS * means[0]:
        return [f"frame numbers seem shifted: prediction n{best:+d} fits frame n of the truth"]
    return []
