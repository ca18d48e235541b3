"""Whether people keep their ids: synthetic crossings of two faces, and real clips with cuts.

    python -m benchmarks crossings --json crossings.json
    python -m benchmarks crossings --crossings 0 --clip clip.mp4 --cuts 45,107,236

In each crossing two people pass each other, one before the other, and the truth is known in every
frame. The ids that faces have while they stand apart before the crossing are compared with those
they have apart after it. In a clip, `--cuts` names the first frame of every new shot, from 0; an
id of one shot must not come back in a later one.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.people.owners import Owned, Points, find_owners, owner_of_ids, strayed
from benchmarks.showing import show
from facetrack.errors import InputError
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model
from facetrack.opening import open_source
from facetrack.reporting.tables import Table
from facetrack.synthetic.clips import crossing_video
from facetrack.tracking.tracker import Tracker

FIRST_SEED: Final = 1000  # 0 to 99 served while the tracker was made


@dataclass(frozen=True, slots=True)
class Crossing:
    """What became of two people who crossed.

    Attributes
    ----------
    seed : int
        Of the clip.
    swaps : int
        Ids that were one person's before the crossing and the other's after it.
    new_ids : int
        Ids that came up only after the faces met, on whatever they lie.
    lost : int
        People who stand in view in the last frame and are not tracked there.
    missed : int
        People who were never tracked before the crossing.
    strayed : int
        Frames, on the way too, in which an id lies on another face than it had at first.
    on_no_face : int
        Frames in which a tracked face lies on no true face.
    """

    seed: int
    swaps: int
    new_ids: int
    lost: int
    missed: int
    strayed: int
    on_no_face: int


@dataclass(frozen=True, slots=True)
class Shot:
    """Ids in one shot of a clip; `reused` are those that an earlier shot had."""

    first: int
    last: int
    frames_with_faces: int
    ids: list[int]
    reused: list[int]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the tables; 1 if a crossing or a cut confused the ids."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", help="a name or a file; default: the one that ships")
    parser.add_argument("--crossings", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first crossing")
    parser.add_argument("--clip", type=Path, help="a video with cuts")
    parser.add_argument("--cuts", type=frame_numbers, metavar="FRAME,...", help="where it is cut")
    parser.add_argument("--max-faces", type=int, default=4, help="in the clip (default: 4)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    if (args.clip is None) != (args.cuts is None):
        parser.error("--clip and --cuts belong together")
    return run(args)


def frame_numbers(text: str) -> list[int]:
    """Read increasing frame numbers above 0, separated by commas."""
    numbers = [int(word) for word in text.split(",")]
    if numbers != sorted(set(numbers)) or numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"need increasing frame numbers above 0, got {text}")
    return numbers


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks."""
    model = load_model(args.model)
    seeds = range(args.seed, args.seed + args.crossings)
    crossings = [cross(model, seed) for seed in tqdm(seeds, desc="crossings", disable=None)]
    shots = follow_clip(model, args.clip, args.cuts, args.max_faces) if args.clip else []
    tables = [crossing_table(crossings)] if crossings else []
    if shots:
        tables.append(shot_table(args.clip.name, shots))
    details = {
        "crossings": [asdict(c) for c in crossings],
        "shots": [asdict(shot) for shot in shots],
    }
    show(tables, args.json, n=len(crossings), model=model.name, details=details)
    return int(any(c.swaps for c in crossings) or any(s.reused for s in shots))


def cross(model: FaceModel, seed: int) -> Crossing:
    """Track one crossing and compare its two ends."""
    video = crossing_video(model.shape_model, seed=seed)
    tracker = Tracker(model, max_faces=2)
    owned: list[dict[int, int]] = []
    apart = []
    for frame in video:
        truths = [video.truth(frame.index, face=k) for k in range(2)]
        owned.append(find_owners(tracker.update(frame), truths))
        apart.append(stand_apart(truths))
    in_view = [k for k in range(2) if video.visible(len(owned) - 1, face=k)]
    return compare_ends(seed, owned, apart, in_view)


def stand_apart(truths: Sequence[Points]) -> bool:
    """Return whether two faces are side by side, without overlap."""
    left, right = sorted(truths, key=lambda points: float(points[:, 0].mean()))
    return float(left[:, 0].max()) < float(right[:, 0].min())


def compare_ends(
    seed: int, owned: Owned, apart: Sequence[bool], in_view: Sequence[int]
) -> Crossing:
    """Count what changed between the time before and the time after the faces met."""
    if all(apart):
        raise InputError(f"crossing {seed}: the faces never meet; choose another --seed")
    met = apart.index(False)
    parted = len(apart) - list(reversed(apart)).index(False)
    on_faces = [{n: owner for n, owner in owners.items() if owner >= 0} for owners in owned]
    before, after = owner_of_ids(on_faces[:met]), owner_of_ids(on_faces[parted:])
    return Crossing(
        seed=seed,
        swaps=sum(after.get(number, owner) != owner for number, owner in before.items()),
        new_ids=len(set().union(*owned) - set().union(*owned[:met])),
        lost=sum(person not in owned[-1].values() for person in in_view),
        missed=sum(person not in before.values() for person in range(2)),
        strayed=strayed(owned),
        on_no_face=sum(owner < 0 for owners in owned for owner in owners.values()),
    )


def follow_clip(model: FaceModel, path: Path, cuts: Sequence[int], max_faces: int) -> list[Shot]:
    """Track a clip and gather the ids of every shot."""
    tracker, ids = Tracker(model, max_faces=max_faces), []
    with open_source(path) as source:
        for frame in tqdm(source, desc=path.name, total=source.n_frames, disable=None):
            ids.append({face.id for face in tracker.update(frame) if face.tracked})
    if cuts[-1] >= len(ids):
        raise InputError(f"{path}: no frame {cuts[-1]} in {len(ids)} frames; correct --cuts")
    shots: list[Shot] = []
    earlier: set[int] = set()
    for first, end in zip([0, *cuts], [*cuts, len(ids)], strict=True):
        shot = ids[first:end]
        seen = set().union(*shot)
        shots.append(
            Shot(first, end - 1, sum(map(bool, shot)), sorted(seen), sorted(seen & earlier))
        )
        earlier |= seen
    return shots


def total(crossings: Sequence[Crossing]) -> dict[str, int]:
    """Add up all crossings."""
    sums: Counter[str] = Counter()
    for crossing in crossings:
        sums.update(asdict(crossing))
    return {name: count for name, count in sums.items() if name != "seed"}


def crossing_table(crossings: Sequence[Crossing]) -> Table:
    """Lay out the sums, and the crossings in which something went wrong."""
    sums = total(crossings)
    seeds = f"seeds {crossings[0].seed} to {crossings[-1].seed}"
    rows: list[list[object]] = [[f"{len(crossings)} crossings, {seeds}", *sums.values()]]
    for crossing in crossings:
        counts: dict[str, Any] = asdict(crossing)
        seed = counts.pop("seed")
        if any(counts.values()):
            rows.append([f"  of which seed {seed}", *counts.values()])
    return Table(["", *(name.replace("_", " ") for name in sums)], rows)


def shot_table(name: str, shots: Sequence[Shot]) -> Table:
    """Lay out the ids of a clip's shots."""
    rows = [
        [
            f"frames {shot.first} to {shot.last}",
            shot.frames_with_faces,
            " ".join(map(str, shot.ids)) or "none",
            " ".join(map(str, shot.reused)) or "none",
        ]
        for shot in shots
    ]
    return Table([name, "with faces", "ids", "ids of an earlier shot"], rows)
