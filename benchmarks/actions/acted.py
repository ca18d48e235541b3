"""Nods, shakes, smiles, brows and mouths of synthetic people: rules beside banks of filters.

    facetrack actions film FILMS --portraits DIR ...
    python -m benchmarks acted FILMS --work WORK --json acted.json

The films are of people who were set aside, each with one action or none. An event is right where it
overlaps the action of its name; every other one is false. The rules are those that ship, given what
is seen of the face in each frame; the banks are trained on the other people's films, one a seed, an
advantage that no real video gives them.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import numpy as np
import torch

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.actions.films import Acted, read_films
from facetrack.actions.looks import LOOK, RATE, Looks
from facetrack.actions.rules import RULES, Raised
from facetrack.actions.train.learning import learn
from facetrack.evaluation.actions import actions_of
from facetrack.reading import Event
from facetrack.reporting.tables import Quantity, Table
from facetrack.signals.head import HEAD
from facetrack.signals.observation import Observation

HEADS: Final = ("nod", "shake")
NAMES: Final = (*HEADS, *RULES)
_POSE: Final = [LOOK.index(name) for name in ("pitch", "yaw", "roll")]

Spans = dict[str, list[tuple[float, float]]]


def by_rules(looks: Looks) -> Spans:
    """Find what the rules see: first and last moment by action, seconds."""
    head, raised = HEAD.start(), Raised({name: rule.level for name, rule in RULES.items()})
    places = {n: [LOOK.index(c) for c in rule.channels] for n, rule in RULES.items()}
    found: list[Any] = []
    for index, (time, values) in enumerate(zip(looks.times.tolist(), looks.values, strict=True)):
        lost = not np.isfinite(values).all()
        pose = None if lost else SimpleNamespace(rotation=values[_POSE].tolist())
        face = SimpleNamespace(tracked=not lost, pose=pose, lost="")
        seen = SimpleNamespace(index=index, timestamp=time, face=face)
        if not lost:
            found += head.update(cast(Observation, seen))
        found += raised.update(time, {n: float(values[i].mean()) for n, i in places.items()})
    found += [*head.finish(), *raised.finish()]
    spans: Spans = {name: [] for name in NAMES}
    for event in found:
        if isinstance(event, Event) and event.name in spans:
            spans[event.name].append((event.start, event.stop))
    return spans


def counted(films: Sequence[Acted], find: Callable[[Looks], Spans]) -> dict[str, list[int]]:
    """Count by action: films that show it, those where it is found, and false events."""
    counts = {name: [0, 0, 0] for name in NAMES}
    for film in films:
        found = find(Looks(np.arange(len(film.values)) / RATE, film.values))
        for name, count in counts.items():
            shown = film.name == name
            hits = [
                span for span in found.get(name, [])
                if shown and span[0] <= film.stop / RATE and span[1] >= film.start / RATE
            ]  # fmt: skip
            count[0] += shown
            count[1] += bool(hits)
            count[2] += len(found.get(name, [])) - bool(hits)
    return counts


def table(counts: Mapping[str, Mapping[str, Sequence[int]]]) -> Table:
    """Lay the ways out by action."""
    rows = []
    for name in NAMES:
        for way, by_name in counts.items():
            shown, hits, false = by_name[name]
            f1 = 2 * hits / max(shown + hits + false, 1)
            rows.append([name, way, shown, hits, false, Quantity(f1)])
    return Table(["action", "by", "films", "found", "false", "F1"], rows)


def banks(args: Namespace) -> dict[str, Callable[[Looks], Spans]]:
    """Train a recogniser a seed, or load what was trained."""
    trained = {
        f"bank, seed {seed}": learn(args.films, args.work / f"bank.{seed}", name="bank", seed=seed)
        for seed in range(args.seeds)
    }
    return {name: partial(actions_of, recogniser=bank) for name, bank in trained.items()}


def main() -> int:
    """Train what is missing, and count."""
    parser = make_parser(__doc__)
    parser.add_argument("films", type=Path, help="what `facetrack actions film` wrote")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    films = read_films(args.films, "test")
    ways = {"rules": by_rules, **banks(args)}
    counts = {way: counted(films, find) for way, find in ways.items()}
    show([table(counts)], args.json, n=len(films), details={"counts": counts})
    return 0
