"""The protocol of 300-VW: pooled frames of the clips of a category (method.md, 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.datasets.w300vw import Clip
from facetrack.errors import InputError
from facetrack.evaluation.clips import FaceTracker, count_losses, track_clip
from facetrack.evaluation.errors import ErrorSummary, normalised_errors, summary
from facetrack.evaluation.report import SUMMARY_HEADERS, summary_cells
from facetrack.opening import open_source
from facetrack.parallel import Map
from facetrack.reporting.tables import Table

FACE: Final = "of several people in a clip, the one whose face the detector is surest of is tracked"


@dataclass(frozen=True, slots=True)
class ClipScore:
    """One clip of 300-VW.

    Attributes
    ----------
    id, category : str
    errors : ndarray, shape (n,), float64
        One per labelled, decoded frame; inf where the face was not tracked.
    losses : int
        How often the face was lost.
    decoded : int
        Frames of the video.
    excluded : tuple of int
        Frames, from 0, whose label the challenge declared unreliable.
    labels_without_frame, frames_without_label : tuple of int
        What did not pair, frames from 0; neither is evaluated.
    """

    id: str
    category: str
    errors: npt.NDArray[np.float64]
    losses: int
    decoded: int
    excluded: tuple[int, ...]
    labels_without_frame: tuple[int, ...]
    frames_without_label: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class W300vwReport:
    """Categories of 300-VW with all that was left out.

    Attributes
    ----------
    markup : int
        Number of points that count.
    categories : dict of str to ErrorSummary
        Pooled frames of each category that was evaluated.
    pooled : ErrorSummary
        Pooled frames of all of them.
    clips : tuple of ClipScore
    missing : tuple of str
        Clips of the official lists that are not there.
    """

    markup: int
    categories: dict[str, ErrorSummary]
    pooled: ErrorSummary
    clips: tuple[ClipScore, ...]
    missing: tuple[str, ...]


def evaluate_300vw(
    make_tracker: Callable[[], FaceTracker],
    clips: Sequence[Clip],
    *,
    missing: Sequence[str] = (),
    markup: int = 68,
    map_: Map = map,
) -> W300vwReport:
    """Track every clip from its first frame and pool the frames' errors.

    Parameters
    ----------
    make_tracker : callable
        Makes a fresh tracker for each clip.
    clips : sequence of Clip
        From `datasets.w300vw.load`.
    missing : sequence of str
        Clips that the copy of the data set lacks, for the report.
    markup : {68, 66, 51, 49}
        The points that count; 68 and 49 are published.
    map_ : Map
        Where clips are worked on.

    Returns
    -------
    W300vwReport

    Raises
    ------
    InputError
        If no frame can be evaluated.
    FormatError
        If a clip cannot be read.
    """
    scores = tuple(map_(partial(_score_clip, make_tracker, markup=markup), clips))
    if not sum(len(s.errors) for s in scores):
        raise InputError("no labelled frame of 300-VW was decoded")
    categories = {
        name: summary(np.concatenate([s.errors for s in scores if s.category == name]))
        for name in sorted({s.category for s in scores if len(s.errors)})
    }
    pooled = summary(np.concatenate([s.errors for s in scores]))
    return W300vwReport(markup, categories, pooled, scores, tuple(missing))


def _score_clip(make_tracker: Callable[[], FaceTracker], clip: Clip, *, markup: int) -> ClipScore:
    track = track_clip(make_tracker(), open_source(clip.video))
    decoded = len(track.points)
    pairing = clip.pair(decoded)
    frames, truth = pairing.truth.frames, pairing.truth.points
    return ClipScore(
        id=clip.id,
        category=clip.category,
        errors=normalised_errors(track.points[frames], truth, markup),
        losses=count_losses(track.points),
        decoded=decoded,
        excluded=tuple(sorted(clip.excluded)),
        labels_without_frame=pairing.labels_without_frame,
        frames_without_label=pairing.frames_without_label,
    )


def w300vw_details(report: W300vwReport) -> dict[str, Any]:
    """Collect everything that the JSON file holds beyond the pooled numbers.

    Parameters
    ----------
    report : W300vwReport

    Returns
    -------
    dict
        `points`, `face` (whose it is), `categories`, `clips` (frames numbered from 1, as the data
        set does) and `missing_clips`.
    """
    return {
        "points": report.markup,
        "face": FACE,
        "categories": {name: asdict(s) for name, s in report.categories.items()},
        "clips": [_clip_details(clip) for clip in report.clips],
        "missing_clips": list(report.missing),
    }


def _clip_details(clip: ClipScore) -> dict[str, Any]:
    return {
        "id": clip.id,
        "category": clip.category,
        **(asdict(summary(clip.errors)) if len(clip.errors) else {"n": 0}),
        "losses": clip.losses,
        "decoded": clip.decoded,
        "excluded_frames": [k + 1 for k in clip.excluded],
        "labels_without_frame": [k + 1 for k in clip.labels_without_frame],
        "frames_without_label": [k + 1 for k in clip.frames_without_label],
    }


def w300vw_table(report: W300vwReport) -> str:
    """Lay out the report for a terminal.

    Parameters
    ----------
    report : W300vwReport

    Returns
    -------
    str
        A line per category, and every exclusion.
    """
    rows = [
        [name, s.n, *summary_cells(s)]
        for name, s in [
            *((f"category {k}", v) for k, v in report.categories.items()),
            ("all frames", report.pooled),
        ]
    ]
    lines = [
        f"300-VW, {report.markup} points, {len(report.clips)} clips, frames pooled",
        FACE,
        Table(["frames of", "n", *SUMMARY_HEADERS], rows).text(),
    ]
    for clip in report.clips:
        parts = [
            f"{len(frames)} {words}"
            for frames, words in (
                (clip.excluded, "frames excluded as unreliable"),
                (clip.labels_without_frame, "labels without a frame"),
                (clip.frames_without_label, "frames without a label"),
            )
            if frames
        ]
        if parts:
            lines.append(f"clip {clip.id}: {', '.join(parts)}")
    if report.missing:
        total = len(report.missing) + len(report.clips)
        lines.append(
            f"{len(report.missing)} of {total} clips are not there: {' '.join(report.missing)}"
        )
    return "\n".join(lines)
