"""`facetrack networks ... --data`: networks that name pictures, by recipes."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from tqdm import tqdm

from facetrack.cli._common import needing_torch
from facetrack.cli._reports import write_report
from facetrack.errors import InputError


def add_data_arguments(parser: argparse.ArgumentParser, *, trains: bool) -> None:
    """Declare what runs on pictures with classes need."""
    group = parser.add_argument_group("pictures with classes")
    group.add_argument(
        "--data",
        type=Path,
        metavar="ROOT",
        help="pictures with classes, as published (CIFAR: the binary version), for the recipes "
        "r2b_*, adain_*, bats_*",
    )
    group.add_argument(
        "--device", default="auto", help="of torch: cpu, cuda (all cards), cuda:1 (default: auto)"
    )
    if not trains:
        return
    group.add_argument(
        "--processes", type=int, metavar="N", help="of the training (default: one a card)"
    )
    group.add_argument(
        "--genotype", type=Path, metavar="FILE.json", help="what `search` found, for bats_*"
    )
    group.add_argument(
        "--latency",
        type=Path,
        metavar="FILE.json",
        help="times of operations for a search, measured here if the file is missing",
    )
    group.add_argument(
        "--init",
        type=Path,
        metavar="FILE.pt",
        help="published weights of the first step's network, a state dict; it is not trained then",
    )


def train_on_data(args: argparse.Namespace, *, search_only: bool = False) -> int:
    """Do all stages of a recipe."""
    with needing_torch():
        from facetrack.networks.train.images.run import start
    start(
        _config(args),
        args.data,
        _work(args),
        init=args.init,
        genotype=args.genotype,
        latency=args.latency,
        search_only=search_only,
        seed=args.seed,
        threads=args.threads,
        device=args.device,
        processes=args.processes,
        say=tqdm.write,
    )
    return 0


def evaluate_on_data(args: argparse.Namespace) -> int:
    """Test what a recipe trained, beside the paper's figures."""
    from facetrack.reporting.tables import Quantity, Table

    shown = partial(tqdm, desc="batches", disable=None, leave=False)
    with needing_torch():
        from facetrack.networks.train.images.testing import evaluate
    found = evaluate(_config(args), args.data, _work(args), device=args.device, shown=shown)
    rows = []
    for row in found["steps"]:
        paper = found["published"] if row["last"] else {}
        figures = [row["top1"], row["top5"], row["gap"], paper.get("top1"), paper.get("top5")]
        shown_as = [None if value is None else Quantity(value, 1) for value in figures]
        rows.append([row["step"], row["epochs"], *shown_as])
    heads = ["step", "epochs", "top-1, %", "top-5, %", "gap to real", "paper top-1", "paper top-5"]
    print(Table(heads, rows).text())
    for name in found["missing"][:5]:
        print(f"missing: {name}")
    best = {name: found["steps"][-1][name] for name in ("top1", "top5")}
    write_report(args, model=args.config, n=found["pictures"], details=found, measures=best)
    return 0


def _config(args: argparse.Namespace) -> str:
    if args.config is None:
        raise InputError("which recipe? give --config: r2b_*, adain_*, bats_*, or a file")
    return str(args.config)


def _work(args: argparse.Namespace) -> Path:
    return args.work or Path(Path(args.config).stem)
