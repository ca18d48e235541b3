"""Options that say where work is done, shared by `track` and `evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facetrack.cli._reports import shown

if TYPE_CHECKING:
    from facetrack.parallel import Map


def add_cluster_arguments(parser: argparse.ArgumentParser, items: str) -> None:
    """Declare where work is done; without these options in this process."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, metavar="N", help=f"work on N {items} at a time on this machine"
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="work on a running dask cluster that sees the same files, e.g. tcp://host:8786",
    )


def cluster_map(args: argparse.Namespace) -> AbstractContextManager[Map]:
    """Open the door for parallel work."""
    from facetrack.parallel import open_map

    return open_map(workers=args.workers, scheduler=args.scheduler)


def results_of(
    args: argparse.Namespace, title: str, function: Callable[..., Any], items: Sequence[Any]
) -> list[Any]:
    """Call a function with each item where work is to be done, with a progress bar."""
    with cluster_map(args) as map_:
        return list(shown(title, len(items), map_)(function, items))


def make_absolute(args: argparse.Namespace) -> None:
    """Make all paths absolute where the work is done by processes with folders of their own."""
    if args.workers is None and args.scheduler is None:
        return
    for name, value in vars(args).items():
        if isinstance(value, Path):
            setattr(args, name, value.absolute())
        elif isinstance(value, list) and all(isinstance(item, Path) for item in value):
            setattr(args, name, [item.absolute() for item in value])
