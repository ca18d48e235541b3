"""A sample of small changes of the method (`make mutants`), and how many of them tests notice.

Every room has its turn, so that a run that was stopped has asked all of them equally; one that goes
on with the same file asks for the rest.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Final

import numpy as np
from showing import show

from facetrack.reporting.envelope import document, read_report, write_json
from facetrack.reporting.tables import Part, Quantity, Table

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))  # where the tests lie

from tests.mutants.operators import change, count_changes  # noqa: E402
from tests.mutants.runner import Outcome, judge  # noqa: E402

ROOMS: Final = (
    "regression", "learning", "features", "landmarks", "training", "tracking", "signals",
    "networks", "networks/runtime", "pain",
)  # fmt: skip
REASONS: Final = ROOT / "tests" / "mutants" / "survivors.toml"


def main() -> int:
    """Judge a sample, and write what became of it after every single one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=120, help="0: all there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    sample = list(islice(_sample(args.seed), args.count or None))
    done = _done_before(args.json, sample)
    with ThreadPoolExecutor(args.workers) as pool:
        for found in pool.map(_judged, sample[len(done) :]):
            done.append(found)
            print(f"{len(done)}/{len(sample)} {found['outcome']}: {_place(found)} {found['what']}")
            so_far = document(command="", model="", n=len(done), details={"mutants": done})
            write_json(args.json, so_far)
    show(layout(done), args.json, n=len(done), details={"mutants": done})
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


def _done_before(path: Path, sample: list[tuple[str, int]]) -> list[dict[str, Any]]:
    """Take over what a run that was stopped has judged, as far as it is the same sample."""
    known = read_report(path)["details"]["mutants"] if path.exists() else []
    same = takewhile(lambda pair: _is(*pair), zip(known, sample, strict=False))
    return [found for found, _ in same]


def _is(found: Mapping[str, Any], chosen: tuple[str, int]) -> bool:
    file, number = chosen
    made = change((ROOT / file).read_text(encoding="utf-8"), number)
    return (found["file"], found["line"], found["what"]) == (file, made.line, made.what)


def _judged(chosen: tuple[str, int]) -> dict[str, Any]:
    file, number = chosen
    text = (ROOT / file).read_text(encoding="utf-8")
    made = change(text, number)
    source = text.splitlines()[made.line - 1].strip()
    outcome, said = judge(ROOT, file, made.text, ("-m", "not slow", *_tests_of(file)))
    said = said.partition(" - ")[0] if outcome is Outcome.KILLED else ""
    found = {"file": file, "line": made.line, "source": source, "what": made.what}
    return {**found, "outcome": outcome, "by": said}


def _tests_of(file: str) -> list[str]:
    """List tests of a file's room, its own first, and those of the other rooms that name it."""
    path = Path(file)
    module = file.removesuffix(".py").replace("/", ".")
    own = f"test_{path.stem}.py"
    home = ROOT / "tests" / path.parts[1]
    rooms = {ROOT / "tests" / room.partition("/")[0] for room in ROOMS}
    ranked = []
    for test in sorted(t for room in rooms for t in room.glob("test_*.py")):
        names_it = module in test.read_text(encoding="utf-8")
        if test.parent == home or names_it:
            rank = (test.name != own, test.parent != home, not names_it, test.name)
            ranked.append((rank, test.relative_to(ROOT).as_posix()))
    return [name for _, name in sorted(ranked)]


def layout(found: list[dict[str, Any]]) -> list[Part]:
    """Lay out how many were noticed in each room, and those that were not."""
    rows, reasons = [], _reasons()
    for room in (*ROOMS, ""):
        own = [m for m in found if m["file"].rpartition("/")[0] == f"facetrack/{room}" or not room]
        lived = sum(m["outcome"] == Outcome.SURVIVED for m in own)
        share = 100 * (1 - lived / len(own)) if own else float("nan")
        rows.append([room or "all", len(own), len(own) - lived, lived, Quantity(share, 0, " %")])
    survivors = [
        [_place(m), m["source"], m["what"], reasons.get((m["file"], m["source"], m["what"]), "")]
        for m in found
        if m["outcome"] == Outcome.SURVIVED
    ]
    return [
        "One operator, number, condition or statement of a file is changed; the tests of its room, "
        "and those of other rooms that name the file, run until one fails. Slow ones do not run.",
        Table(["room", "changed", "noticed", "survived", "share noticed"], rows),
        "Survivors. A reason says why no test should notice; without one, a test is missing.",
        Table(["place", "line", "change", "reason"], survivors),
    ]


def _place(found: Mapping[str, Any]) -> str:
    return f"{found['file'].removeprefix('facetrack/')}:{found['line']}"


def _reasons() -> dict[tuple[str, str, str], str]:
    entries = tomllib.loads(REASONS.read_text(encoding="utf-8"))["survivor"]
    return {(e["file"], e["source"], e["what"]): e["why"] for e in entries}


if __name__ == "__main__":
    sys.exit(main())
