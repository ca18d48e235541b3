"""What a tracker that adapts gains and risks: the same clips with and without (method.md, 8.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.learning.teaching import MARKUP
from facetrack.evaluation.clips import Clip
from facetrack.evaluation.errors import complete, normalised_errors
from facetrack.evaluation.footage import Footage, Points, TracksGrey, followed, read_footage
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.landmarks.shape_model import ShapeModel
from facetrack.parallel import Map
from facetrack.reporting.envelope import number
from facetrack.reporting.tables import Part, Table


@dataclass(frozen=True, slots=True)
class Measures:
    """How good one track of a clip is.

    Attributes
    ----------
    error : float
        Mean over the judged frames: points 17 to 67, fraction of the outer-eye distance.
    centred : float
        The same with the track's constant offset to the reference removed.
    drift : float
        Mean error in the last quarter of these frames over that in the first.
    jitter : float
        Median over all frames of the mean second difference, fraction of the outer-eye distance.
    lost : int
        Frames in which no face was found.
    """

    error: float
    centred: float
    drift: float
    jitter: float
    lost: int


@dataclass(frozen=True, slots=True)
class Adapted:
    """One clip, tracked without and with learning from its own tracks.

    Attributes
    ----------
    clip : str
    before, after : Measures
        Without and with; judged are frames that both found and whose reference is trusted.
    """

    clip: str
    before: Measures
    after: Measures


def study_adapting(
    make_tracker: Callable[[bool], TracksGrey],
    shape_model: ShapeModel,
    clips: Sequence[Clip],
    *,
    reference: str | None = None,
    every: int = 1,
    most: int | None = None,
    map_: Map = map,
) -> list[Adapted]:
    """Track clips without and with adapting.

    Parameters
    ----------
    make_tracker : callable
        Makes a fresh tracker; its argument says whether it adapts.
    shape_model : ShapeModel
        Its reference frame is the one in which constant offsets are removed.
    clips : sequence of Clip
    reference, every, most, map_
        As for `teaching.give_examples`.

    Returns
    -------
    list of Adapted
        Clips with too few frames to judge are left out.

    Raises
    ------
    InputError
        If a clip lacks the reference.
    VideoError
        If a clip cannot be decoded.
    """
    work = partial(_study, make_tracker, shape_model, reference, every, most)
    return [adapted for adapted in map_(work, clips) if adapted is not None]


def _study(
    make_tracker: Callable[[bool], TracksGrey],
    shape_model: ShapeModel,
    reference: str | None,
    every: int,
    most: int | None,
    clip: Clip,
) -> Adapted | None:
    plain_tracker = make_tracker(False)
    footage = read_footage(plain_tracker, clip, reference=reference, every=every, most=most)
    tracker = make_tracker(True)
    frames = zip(footage.greys, footage.timestamps, strict=True)
    adapted = np.stack([followed(tracker, grey, float(time)) for grey, time in frames])
    judged = np.flatnonzero(footage.trusted & complete(footage.plain) & complete(adapted))
    if len(judged) < 8:  # quarters of at least two frames
        return None
    before, after = (_measures(footage, t, judged, shape_model) for t in (footage.plain, adapted))
    return Adapted(clip.name, before, after)


def _measures(
    footage: Footage, track: Points, judged: npt.NDArray[np.int64], shape_model: ShapeModel
) -> Measures:
    truth, mine = footage.reference[judged], track[judged]
    errors = normalised_errors(mine, truth, MARKUP)
    centred = normalised_errors(_centred(mine, truth, shape_model), truth, MARKUP)
    quarter = len(errors) // 4
    drift = float(errors[-quarter:].mean() / errors[:quarter].mean())
    bends = np.linalg.norm(track[2:] - 2 * track[1:-1] + track[:-2], axis=2).mean(axis=1)
    jitter = float(np.nanmedian(bends / outer_eye_distance(track[1:-1])))
    lost = int((~complete(track)).sum())
    return Measures(float(errors.mean()), float(centred.mean()), drift, jitter, lost)


def _centred(track: Points, truth: Points, shape_model: ShapeModel) -> Points:
    frames = [shape_model.to_reference(points) for points in track]
    pairs = list(zip(frames, track, truth, strict=True))
    offset = np.mean([frame.apply(t) - frame.apply(p) for frame, p, t in pairs], axis=0)
    return np.stack([frame.inverse().apply(frame.apply(p) + offset) for frame, p, _ in pairs])


def adapting_table(details: Mapping[str, Any]) -> list[Part]:
    """Lay out the clips for a person.

    Parameters
    ----------
    details : mapping
        From `adapting_details`, or from the JSON file, where NaN is None.

    Returns
    -------
    list of str or Table
        Per clip, and over all of them the mean error and the median of each ratio.
    """
    clips = [
        Adapted(x["clip"], _read_measures(x["before"]), _read_measures(x["after"]))
        for x in details["clips"]
    ]
    rows: list[list[object]] = []
    for x in clips:
        errors = [100 * x.before.error, 100 * x.after.error]
        lost = f"{x.before.lost} / {x.after.lost}"
        rows.append([x.clip, *errors, *(f"{r:.3f}" for r in _ratios(x)), lost])
    ratios = np.array([_ratios(x) for x in clips])
    before = 100 * float(np.mean([x.before.error for x in clips]))
    after = 100 * float(np.mean([x.after.error for x in clips]))
    for name, values in (("mean", ratios.mean(axis=0)), ("median", np.median(ratios, axis=0))):
        rows.append([name, before, after, *(f"{r:.3f}" for r in values), ""])
    headers = ["clip", "without %", "adapting %", "error", "offset removed", "drift", "jitter"]
    better = (ratios[:, :2] < 1).sum(axis=0)
    return [
        Table([*headers, "lost frames"], rows),
        f"ratios are with / without; better in {better[0]} of {len(clips)} clips, with the offset "
        f"removed in {better[1]}",
    ]


def _read_measures(details: Mapping[str, Any]) -> Measures:
    return Measures(**{name: number(value) for name, value in details.items()})


def _ratios(x: Adapted) -> list[float]:
    """Error, error without offset, drift and jitter with adapting over those without."""
    names = ("error", "centred", "drift", "jitter")
    return [getattr(x.after, name) / getattr(x.before, name) for name in names]


def adapting_details(clips: Sequence[Adapted]) -> dict[str, Any]:
    """Collect the numbers for the JSON file.

    Parameters
    ----------
    clips : sequence of Adapted

    Returns
    -------
    dict
        `clips`: all of them.
    """
    return {"clips": [asdict(x) for x in clips]}
