"""A class of facial actions learned from five examples, beside training with all its films.

    facetrack actions film FILMS --portraits DIR ... --rounds 24
    python -m benchmarks new_class FILMS --work WORK -o classes --json new_class.json

For each class and seed a recogniser is trained without its films, and taught the class from five of
them and ten clips of every other one; beside it stands the one that was trained with all. Both are
measured on films of people who were set aside. Every class and seed is one small JSON as soon as it
is done: what is there is not done again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.actions.classes import CLASSES
from facetrack.actions.films import Acted, read_films
from facetrack.actions.recogniser import Recogniser
from facetrack.actions.train.faces import Clips, recogniser_of, together, train, windows
from facetrack.actions.train.few import rehearsal, teach
from facetrack.actions.train.learning import scores
from facetrack.networks.train.fitting import Schedule
from facetrack.reporting.envelope import write_json
from facetrack.reporting.tables import Part, Quantity, Table

EXAMPLES: Final = 5
TAUGHT: Final = ("smile", "brow_raise", "mouth_open", "nod")


def trained(
    films: Sequence[Acted], classes: Sequence[str], seed: int, epochs: int, checkpoint: Path
) -> Recogniser:
    """Train a recogniser of some of the classes."""
    own = together([windows(one) for one in films])
    both = together([own, own.flipped()])
    kept = [CLASSES.index(name) for name in classes]
    schedule = Schedule(epochs, batch=64, rate=2e-3, seed=seed)
    clips = Clips(both.values, both.labels[:, kept])
    network, scale = train(clips, schedule, checkpoint=checkpoint)
    network.eval()
    return recogniser_of(
        network, scale, name="recogniser", classes=classes, card={},
        thresholds=dict.fromkeys(classes, 0.5), levels=dict.fromkeys(classes, 0.0),
    )  # fmt: skip


def measure(
    name: str, seed: int, films: dict[str, list[Acted]], work: Path, epochs: int
) -> dict[str, Any]:
    """Teach one class, and measure it beside training with all."""
    tested = together([windows(one) for one in films["test"]])
    order = [c for c in CLASSES if c != name] + [name]
    ordered = Clips(tested.values, tested.labels[:, [CLASSES.index(c) for c in order]])
    whole = trained(films["train"], CLASSES, seed, epochs, work / f"all.{seed}.npz")
    rest = [one for one in films["train"] if one.name != name]
    known = trained(rest, order[:-1], seed, epochs, work / f"rest.{name}.{seed}.npz")
    own = [one for one in films["train"] if one.name == name]
    chosen = np.random.default_rng(seed).permutation(len(own))[:EXAMPLES].tolist()
    shown = []
    for cut in (windows(own[i]) for i in chosen):
        shown.append(cut.values[cut.labels[:, CLASSES.index(name)] == 1])
    wider = teach(known, name, shown, rehearsal(rest))
    said = [(known.see(clip), wider.see(clip)) for clip in tested.values]
    same = all(
        np.array_equal(logits, after.logits[branch][:-1])
        for before, after in said
        for branch, logits in before.logits.items()
    )
    begun = time.thread_time()
    for clip in tested.values:
        whole.see(clip)
    took = 1e3 * (time.thread_time() - begun) / len(tested.values)
    all_f1, few_f1 = scores(whole, tested), scores(wider, ordered)
    return {"class": name, "seed": seed, "films": len(own), "clips": len(tested.labels),
            "all": all_f1[name], "few": few_f1[name], "same": same, "ms": took}  # fmt: skip


def report(rows: Sequence[dict[str, Any]]) -> list[Part]:
    """Lay the classes out, over their seeds."""
    cells = []
    for name in TAUGHT:
        own = [row for row in rows if row["class"] == name]
        if not own:
            continue
        gap = np.array([row["few"] - row["all"] for row in own])
        cells.append([
            name, len(own), own[0]["films"],
            Quantity(float(np.mean([row["all"] for row in own]))),
            Quantity(float(np.mean([row["few"] for row in own]))),
            f"{gap.mean():+.3f} ({gap.min():+.3f} to {gap.max():+.3f})",
            "yes" if all(row["same"] for row in own) else "no",
        ])  # fmt: skip
    took = float(np.median([row["ms"] for row in rows]))
    line = f"The bank takes {took:.2f} ms a clip, CPU time of one thread."
    return [line, Table(
        ["class", "seeds", "films", "F1, all films", f"F1, {EXAMPLES} films", "difference, range",
         "old logits to the bit"],
        cells,
    )]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is missing and lay all out."""
    parser = make_parser(__doc__)
    parser.add_argument("films", type=Path, help="what `facetrack actions film` wrote")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a JSON for each class")
    parser.add_argument("--classes", nargs="+", choices=TAUGHT, default=list(TAUGHT))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--json", type=Path, help="the comparison")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    films = {split: read_films(args.films, split) for split in ("train", "test")}
    for folder in (args.work, args.output):
        folder.mkdir(parents=True, exist_ok=True)
    jobs = [(name, seed) for seed in range(args.seeds) for name in args.classes]
    for name, seed in tqdm(jobs, desc="classes and seeds", disable=None):
        target = args.output / f"{name}.{seed}.json"
        if not target.is_file():
            write_json(target, measure(name, seed, films, args.work, args.epochs))
    rows = [json.loads(path.read_text("utf-8")) for path in sorted(args.output.glob("*.json"))]
    show(report(rows), args.json, n=rows[0]["clips"], details={"rows": rows})
    return 0
