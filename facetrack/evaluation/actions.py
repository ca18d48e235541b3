"""Facial actions beside another program: events of the rules, and of a recogniser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from facetrack.actions.looks import LOOK, RATE, Looks, look, resampled
from facetrack.actions.recogniser import Recogniser
from facetrack.actions.rules import ACTIONS, Raised
from facetrack.actions.timeline import Timeline
from facetrack.datasets.events import channel_events
from facetrack.fitting.face_model import FaceModel
from facetrack.opening import open_source
from facetrack.reading import Event
from facetrack.reporting.tables import Part, Quantity, Table
from facetrack.signals.expression import encoder_of
from facetrack.signals.observation import Observation
from facetrack.tracking.tracker import Tracker

# What the other program's channels are, that say the same.
PEERS: Final = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "brow_raise": ("browInnerUp",),
    "mouth_open": ("jawOpen",),
}
LEVEL: Final = 0.3  # above the clip's median
_GAP, _SHORTEST = 3, 4  # frames
_SCALED: Final = (1.0, 0.8, 1.25)  # how large the other program's channels are put to the rules
_RESAMPLES: Final = 2000

Span = tuple[float, float]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A clip of one person."""

    looks: Looks  # what the recogniser sees
    events: tuple[Event, ...]  # what the rules found


@dataclass(frozen=True, slots=True)
class _Counts:
    labelled: int
    found: int
    hits: int
    minutes: float


def follow(path: Path, model: FaceModel) -> Followed:
    """Track a clip of one person, look at each frame and apply the rules."""
    tracker, run = Tracker(model, max_faces=1), ACTIONS.start()
    encoder = encoder_of(ACTIONS.expression.encoder)
    results: list[object] = []
    times, values = [], []
    with open_source(path) as source:
        for frame in source:
            found = None
            for face in tracker.update(frame):
                seen = Observation(frame.index, frame.timestamp, face, frame)
                found, _ = look(seen, encoder)
                results += run.update(seen)
            times.append(frame.timestamp)
            values.append(np.full(len(LOOK), np.nan) if found is None else found)
    results += run.finish()
    looks = Looks(np.array(times), np.array(values).reshape(len(times), len(LOOK)))
    return Followed(looks, tuple(r for r in results if isinstance(r, Event)))


def channel_spans(values: Floats, times: Floats) -> list[Span]:
    """Return when a channel lies 0.3 above its median, for four frames or more, seconds."""
    # Gaps of up to three frames are joined.
    raised = {"": values - np.nanmedian(values)}
    events = channel_events(
        raised, "", level=LEVEL, gap=_GAP, shortest=_SHORTEST, longest=len(values)
    )[""]
    return [(float(times[e.start]), float(times[e.stop])) for e in events]


def actions_of(looks: Looks, recogniser: Recogniser) -> dict[str, list[Span]]:
    """Return when a recogniser sees each of its classes: first and last moment, seconds."""
    even, timeline = resampled(looks), Timeline(recogniser)
    found = [action for values in even.values for action in timeline.add(values)]
    spans: dict[str, list[Span]] = {name: [] for name in recogniser.classes}
    for action in (*found, *timeline.finish()):
        spans[action.name].append((even.times[action.start], even.times[action.stop]))
    return spans


def compare(
    clips: Mapping[str, Followed],
    theirs: Mapping[str, Mapping[str, Floats]],
    recogniser: Recogniser | None,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Compare the rules, and a recogniser, with what the other program says, by action and way.

    The rules are applied to the other program's own channels, too: what is lost then is lost by how
    they differ from how the labels are made; and to the same channels a fifth smaller and a quarter
    larger, which shows how much hangs on their size. `theirs` has by action and clip the mean of
    the other program's `PEERS`, (frames,); `f1` has its interval `low`, `high` over clips.
    """
    ways = {"rules": {clip: _spans(seen.events) for clip, seen in clips.items()}}
    if recogniser is not None:
        ways["filter bank"] = {c: actions_of(seen.looks, recogniser) for c, seen in clips.items()}
    for scale in _SCALED:
        said = {c: {a: scale * theirs[a][c] for a in PEERS} for c in clips}
        name = "rules, its own channels" + (f" x {scale:g}" if scale != 1 else "")
        ways[name] = {c: _raised(seen.looks.times, said[c]) for c, seen in clips.items()}
    rows = []
    for action in PEERS:
        for way, found in ways.items():
            counts = [
                _count(theirs[action][clip], seen.looks.times, found[clip].get(action, []))
                for clip, seen in clips.items()
            ]
            by_clip = {
                clip: [c.labelled, c.found, c.hits] for clip, c in zip(clips, counts, strict=True)
            }
            row = {"action": action, "way": way, **_pooled(counts, rng), "clips": by_clip}
            rows.append(row)
    return rows


def _raised(times: Floats, channels: Mapping[str, Floats]) -> dict[str, list[Span]]:
    """Return the spans that the rules find in the other program's channels."""
    raised = Raised(dict.fromkeys(channels, LEVEL))
    found: list[Event] = []
    for time, *values in zip(times.tolist(), *channels.values(), strict=False):
        found += raised.update(time, dict(zip(channels, map(float, values), strict=True)))
    return _spans([*found, *raised.finish()])


def _spans(events: Sequence[Event]) -> dict[str, list[Span]]:
    spans: dict[str, list[Span]] = {}
    for event in events:
        spans.setdefault(event.name, []).append((event.start, event.stop))
    return spans


def _count(channel: Floats, times: Floats, found: Sequence[Span]) -> _Counts:
    labelled = channel_spans(channel, times)
    minutes = float(times[-1] - times[0] + 1 / RATE) / 60
    return _Counts(len(labelled), len(found), _hits(labelled, found), minutes)


def action_table(rows: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Lay the comparison out."""
    cells = [
        [row["action"], row["way"], row["labelled"], row["found"], row["hits"], Quantity(row["f1"]),
         f"{row['low']:.2f} to {row['high']:.2f}", Quantity(row["false_per_minute"], 2)]
        for row in rows
    ]  # fmt: skip
    headers = ("action", "by", "labelled", "found", "hits", "F1", "95 %, over clips",
               "false a minute")  # fmt: skip
    ours = [row for row in rows if row["way"] == "rules"]
    by_clip = [
        [clip, *("{} / {} / {}".format(*row["clips"][clip]) for row in ours)]
        for clip in ours[0]["clips"]
    ]
    said = "By clip: labelled, found by the rules, hits."
    of_clips = Table(["clip", *(row["action"] for row in ours)], by_clip)
    return [Table(headers, cells), "", said, "", of_clips]


def _hits(labelled: Sequence[Span], found: Sequence[Span]) -> int:
    """Count labelled events that overlap a found one, each found one once."""
    left = sorted(found)
    hits = 0
    for start, stop in sorted(labelled):
        match = next((span for span in left if span[0] <= stop and span[1] >= start), None)
        if match is not None:
            left.remove(match)
            hits += 1
    return hits


def _pooled(counts: Sequence[_Counts], rng: np.random.Generator) -> dict[str, float]:
    table = np.array([[c.labelled, c.found, c.hits] for c in counts])
    drawn = table[rng.integers(0, len(table), (_RESAMPLES, len(table)))].sum(axis=1)
    f1 = 2 * drawn[:, 2] / np.maximum(drawn[:, 0] + drawn[:, 1], 1)
    labelled, found, hits = table.sum(axis=0).tolist()
    low, high = np.quantile(f1, [0.025, 0.975]).tolist()
    return {
        "labelled": labelled,
        "found": found,
        "hits": hits,
        "f1": 2 * hits / max(labelled + found, 1),
        "low": low,
        "high": high,
        "false_per_minute": (found - hits) / sum(c.minutes for c in counts),
    }
