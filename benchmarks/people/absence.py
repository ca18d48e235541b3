"""Whether a person who was away is known again, and never taken for another: synthetic absences.

    python -m benchmarks absence lfpw_test helen_test --seed 5000 --json absence.json

In each case one person is seen for 4 s, away for 10 s, and seen again elsewhere for 4 s; for 8 s of
the absence another person is there, in every second case at the very same place. Who they are is
drawn from labelled pictures, and the truth is known in every frame. The first person is corrected
once before the absence: what that taught must be theirs after it, and never the other's. With
`--live` faces are searched as before a camera, in bounded steps. Milliseconds are CPU time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.people.owners import Owned, find_owners, owner_of_ids, strayed
from benchmarks.showing import show
from facetrack.datasets.pts_folder import load_folder
from facetrack.detection.face_detector import FaceDetector
from facetrack.evaluation.people import choose_portraits
from facetrack.fitting.face_model import FaceModel
from facetrack.model import load_model
from facetrack.reporting.tables import Table
from facetrack.synthetic.clips import absence_video
from facetrack.synthetic.portrait import Portrait
from facetrack.synthetic.video import SyntheticVideo
from facetrack.tracking.tracker import Tracker

FIRST_SEED: Final = 1000  # 5000 and on are kept for the figures that are reported
RETURNING, OTHER = 0, 1  # places of the people in a video
CORRECTED: Final = 12  # the frame, before the absence, in which the first person is corrected


@dataclass(frozen=True, slots=True)
class Absence:
    """What became of a person who was away while another person was there.

    Attributes
    ----------
    seed : int
        Of the clip and of who is in it.
    kept : bool
        The returning person has the id that they had before.
    apart : bool
        No id is the one's mostly and the other's ever.
    wrong_person : int
        Frames in which an id lies on another face than it had at first.
    new_ids : int
        Ids beyond the two that there should be, on whatever they lie.
    unnamed : int
        Frames from the return to the first one in which the person is tracked, by whatever id;
        all that are left if that never happens.
    profile_kept : bool
        What the correction taught is known of the returning person in the last frame.
    profile_leaked : bool
        It was known of whoever was there meanwhile in some frame.
    searching : tuple of float
        Milliseconds of each update while a face is searched: of the frames without any, and of
        those until the returning person is tracked.
    """

    seed: int
    kept: bool
    apart: bool
    wrong_person: int
    new_ids: int
    unnamed: int
    profile_kept: bool
    profile_leaked: bool
    searching: tuple[float, ...]

    @property
    def right(self) -> bool:
        """Whether nothing was confused."""
        ids = self.kept and self.apart and not self.wrong_person
        return ids and self.profile_kept and not self.profile_leaked


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; 1 if anybody was confused or not known again."""
    parser = make_parser(__doc__)
    parser.add_argument("pictures", nargs="+", type=Path, help="folders of pictures with .pts")
    parser.add_argument("--model", help="a name or a file; default: the one that ships")
    parser.add_argument("--cases", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first case")
    parser.add_argument(
        "--portraits", type=int, default=40, help="people who are drawn from (default: 40)"
    )
    parser.add_argument("--live", action="store_true", help="search as before a camera")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    return run(args)


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks."""
    model = load_model(args.model)
    pictures = [picture for folder in args.pictures for picture in load_folder(folder)]
    portraits = choose_portraits(pictures, model.shape_model, args.portraits)
    seeds = range(args.seed, args.seed + args.cases)
    absences = [
        follow(model, draw_video(model, portraits, seed), seed, live=args.live)
        for seed in tqdm(seeds, desc="absences", disable=None)
    ]
    details = {"absences": [asdict(a) for a in absences]}
    tables = [absence_table(absences), search_table(absences)]
    show(tables, args.json, n=len(absences), model=model.name, details=details)
    return int(not all(absence.right for absence in absences))


def draw_video(model: FaceModel, portraits: Sequence[Portrait], seed: int) -> SyntheticVideo:
    """Draw who is away and who is there meanwhile."""
    rng = np.random.default_rng((seed, len(portraits)))
    first, second = rng.choice(len(portraits), size=2, replace=False).tolist()
    return absence_video(model.shape_model, (portraits[first], portraits[second]), seed=seed)


def follow(model: FaceModel, video: SyntheticVideo, seed: int, *, live: bool) -> Absence:
    """Track one case and judge it."""
    tracker = Tracker(model, detector=FaceDetector(live=live))
    spent: list[float] = []
    owned: list[dict[int, int]] = []
    taught: list[set[int]] = []  # for each frame, the people of whom the correction is known
    for frame in video:
        truths = [video.truth(frame.index, face=k) for k in (RETURNING, OTHER)]
        begun = time.process_time()
        faces = tracker.update(frame)
        spent.append(1000 * (time.process_time() - begun))
        owners = find_owners(faces, truths)
        if frame.index == CORRECTED:
            for number, owner in owners.items():
                if owner == RETURNING:
                    tracker.correct(number, truths[RETURNING])
        owned.append(owners)
        taught.append({owner for n, owner in owners.items() if tracker.profile(n).examples})
    return judge(seed, owned, taught, spent, video.faces[RETURNING].absent[0])


def judge(
    seed: int,
    owned: Owned,
    taught: Sequence[set[int]],
    spent: Sequence[float],
    away: tuple[int, int],
) -> Absence:
    """Compare the time before, during and after the absence, frames `away[0]` to `away[1] - 1`."""
    leaves, returns = away
    before, after = ids_of(RETURNING, owned[:leaves]), ids_of(RETURNING, owned[returns:])
    tracked = [RETURNING in owners.values() for owners in owned[returns:]]
    first, second = ids_of(RETURNING, owned), ids_of(OTHER, owned)
    unnamed = tracked.index(True) if any(tracked) else len(tracked)
    empty = [ms for ms, owners in zip(spent, owned, strict=True) if not owners]
    return Absence(
        seed=seed,
        kept=len(before) == 1 and after == before,
        apart=bool(first) and bool(second) and first.isdisjoint(second),
        wrong_person=strayed(owned),
        new_ids=max(len(set().union(*owned)) - 2, 0),
        unnamed=unnamed,
        profile_kept=RETURNING in taught[-1],
        profile_leaked=any(OTHER in people for people in taught),
        searching=(*empty, *spent[returns : returns + unnamed + 1]),
    )


def ids_of(person: int, owned: Owned) -> set[int]:
    """Give the ids that lie on a true face in most of the frames that they lie on any."""
    return {number for number, owner in owner_of_ids(owned).items() if owner == person}


def total(absences: Sequence[Absence]) -> dict[str, int]:
    """Count over all cases."""
    return {
        "kept_id": sum(a.kept for a in absences),
        "ids_apart": sum(a.apart for a in absences),
        "wrong_person": sum(a.wrong_person > 0 for a in absences),
        "profile_kept": sum(a.profile_kept for a in absences),
        "profile_leaked": sum(a.profile_leaked for a in absences),
        "new_ids": sum(a.new_ids for a in absences),
        "most_frames_unnamed": max(a.unnamed for a in absences),
    }


def absence_table(absences: Sequence[Absence]) -> Table:
    """Lay out the counts, and the cases in which something went wrong."""
    seeds = f"seeds {absences[0].seed} to {absences[-1].seed}"
    sums = total(absences)
    rows: list[list[object]] = [[f"{len(absences)} absences, {seeds}", *sums.values()]]
    rows += [
        [f"  of which seed {a.seed}", *total([a]).values()]
        for a in absences
        if not a.right or a.new_ids
    ]
    return Table(["", *(name.replace("_", " ") for name in sums)], rows)


def search_table(absences: Sequence[Absence]) -> Table:
    """Lay out how soon the returning person is tracked, and what searching costs."""
    frames = [a.unnamed for a in absences]
    costs = [ms for a in absences for ms in a.searching]
    rows = [
        ["frames until tracked", *np.percentile(frames, (50, 95, 100)).tolist()],
        ["ms of CPU, update that searches", *np.percentile(costs, (50, 95, 100)).tolist()],
    ]
    return Table(["", "median", "95 %", "most"], rows)
