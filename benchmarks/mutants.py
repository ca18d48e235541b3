"""A sample of small changes of the method (`make mutants`), and how many of them tests notice.

Every room has its turn, so that a run that was stopped has asked all of them equally; one that goes
on with the same file asks for the rest.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Final

import numpy as np

import tests.conftest  # noqa: F401  kernels that are compiled already
from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.reporting.envelope import document, read_report, write_json
from facetrack.reporting.tables import Part, Quantity, Table
from tests.mutants.operators import change, count_changes
from tests.mutants.reach import Reach
from tests.mutants.runner import Outcome, judge

ROOT: Final = Path(__file__).resolve().parents[1]
ROOMS: Final = (
    "regression", "learning", "features", "landmarks", "training", "tracking", "signals",
    "networks", "networks/runtime", "pain",
)  # fmt: skip
ENOUGH: Final = 120
REASONS: Final = ROOT / "tests" / "mutants" / "survivors.toml"


def main() -> int:
    """Judge a sample, and write what became of it after every single one."""
    parser = make_parser(__doc__)
    parser.add_argument("--count", type=int, default=120, help="0: all there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="judge anew what no test noticed")
    parser.add_argument(
        "--beside", nargs="+", default=[], metavar="NAME=FILE", help="reports of other samples"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    sample = list(islice(_sample(args.seed), args.count or None))
    done = _done_before(args.json, sample)
    due = [i for i in range(len(sample)) if i not in done or (args.again and _alive(done[i]))]
    judged = partial(_judged, _reach())
    with ThreadPoolExecutor(args.workers) as pool:
        for i, one in zip(due, pool.map(judged, [sample[i] for i in due]), strict=True):
            done[i] = one
            print(f"{i + 1}/{len(sample)} {one['outcome']}: {_place(one)} {one['what']}")
            _write(args.json, done)
    found = [done[i] for i in range(len(sample))]
    samples = {
        name: _known(Path(file)) for name, _, file in (b.partition("=") for b in args.beside)
    }
    samples[f"seed {args.seed}"] = found
    show(layout(samples), args.json, n=len(found), details={"mutants": found})
    return 0


def _sample(seed: int) -> Iterator[tuple[str, int]]:
    """Yield files and numbers of changes, one of each room in turn, each at random."""
    rng = np.random.default_rng(seed)
    rooms = []
    for room in ROOMS:
        files = sorted((ROOT / "facetrack" / room).glob("*.py"))
        places = [
            (file.relative_to(ROOT).as_posix(), number)
            for file in files
            for number in range(count_changes(file.read_text(encoding="utf-8")))
        ]
        rooms.append([places[i] for i in rng.permutation(len(places))])
    for turn in range(max(map(len, rooms))):
        yield from (places[turn] for places in rooms if turn < len(places))


def _done_before(path: Path, sample: list[tuple[str, int]]) -> dict[int, dict[str, Any]]:
    """Take over what a run that was stopped has judged, as far as it is the same sample."""
    known = zip(_known(path) if path.exists() else [], sample, strict=False)
    same = takewhile(lambda pair: _is(*pair), known)
    return {i: found for i, (found, _) in enumerate(same)}


def _known(path: Path) -> list[dict[str, Any]]:
    mutants: list[dict[str, Any]] = read_report(path)["details"]["mutants"]
    return mutants


def _write(path: Path, done: dict[int, dict[str, Any]]) -> None:
    mutants = [done[i] for i in sorted(done)]
    write_json(path, document(command="", model="", n=len(done), details={"mutants": mutants}))


def _is(found: Mapping[str, Any], chosen: tuple[str, int]) -> bool:
    file, number = chosen
    made = change((ROOT / file).read_text(encoding="utf-8"), number)
    return (found["file"], found["line"], found["what"]) == (file, made.line, made.what)


def _reach() -> Reach:
    """Measure what the tests of all rooms run."""
    kept = ROOT / ".cache" / "mutants" / "reach.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    tests = sorted({t for room in ROOMS for t in (ROOT / "tests" / room).glob("test_*.py")})
    return Reach(ROOT, kept, tests, print)


def _judged(reach: Reach, chosen: tuple[str, int]) -> dict[str, Any]:
    file, number = chosen
    text = (ROOT / file).read_text(encoding="utf-8")
    made = change(text, number)
    source = text.splitlines()[made.line - 1].strip()
    tests = reach.tests_of(file, made.line, seconds=ENOUGH)
    outcome, said = judge(ROOT, file, made.text, tests) if tests else (Outcome.SURVIVED, "")
    said = said.partition(" - ")[0] if outcome is Outcome.KILLED else ""
    found = {"file": file, "line": made.line, "source": source, "what": made.what}
    return {**found, "outcome": outcome, "by": said}


def layout(samples: Mapping[str, list[dict[str, Any]]]) -> list[Part]:
    """Lay out how many of each sample were noticed; of the last by room, and which were not."""
    found = list(samples.values())[-1]
    rooms = {room: [m for m in found if Path(m["file"]).parts[1] == room] for room in ROOMS}
    return [
        "One operator, number, condition or statement is changed, and tests run until one fails: "
        f"those that run the function, for at most {ENOUGH} seconds, none that is slow. The share "
        "is that of the killed among those that are not equivalent.",
        _counts("sample", samples),
        _counts("room", {room: own for room, own in rooms.items() if own}),
        "Not noticed. A reason says why no test could; without one, a test is missing.",
        Table(
            ["place", "line", "change", "reason"],
            [[_place(m), m["source"], m["what"], _reason(m)] for m in found if _lives(m)],
        ),
    ]


def _counts(what: str, groups: Mapping[str, list[dict[str, Any]]]) -> Table:
    rows: list[list[object]] = []
    for name, own in groups.items():
        alive, lived = sum(map(_alive, own)), sum(map(_lives, own))
        killed = len(own) - lived
        share = Quantity(100 * killed / max(killed + alive, 1), 1, " %")
        rows.append([name, len(own), killed, lived - alive, alive, share])
    return Table([what, "mutants", "killed", "equivalent", "alive", "share"], rows)


def _lives(found: Mapping[str, Any]) -> bool:
    return bool(found["outcome"] == Outcome.SURVIVED)


def _alive(found: Mapping[str, Any]) -> bool:
    return _lives(found) and not _reason(found)


def _place(found: Mapping[str, Any]) -> str:
    return f"{found['file'].removeprefix('facetrack/')}:{found['line']}"


def _reason(found: Mapping[str, Any]) -> str:
    return _reasons().get((found["file"], found["source"], found["what"]), "")


@cache
def _reasons() -> dict[tuple[str, str, str], str]:
    entries = tomllib.loads(REASONS.read_text(encoding="utf-8"))["survivor"]
    return {(e["file"], e["source"], e["what"]): e["why"] for e in entries}
