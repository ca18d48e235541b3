"""Genotypes: what a search finds, which operation leads from which node to which."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from facetrack.errors import FormatError, InputError
from facetrack.formats.atomic import write_text
from facetrack.formats.textfile import read_text

SCHEMA: Final = 1
OPERATIONS: Final = (
    "none",
    "skip_connect",
    "max_pool_3x3",
    "avg_pool_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
FREE: Final = OPERATIONS[:4]  # of parameters
SPACES: Final = ("grouped", "separable")
INPUTS: Final = 2  # nodes 0 and 1 of a cell: the outputs of the two cells before
KEPT: Final = 2  # edges of each inner node
_LIMIT: Final = 1 << 16  # bytes of a file

Edges = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Genotype:
    """Two kinds of cells, each with two edges to every inner node; InputError if they are not."""

    normal: Edges  # operation and the node that it comes from, two for each inner node in order
    normal_concat: tuple[int, ...]  # nodes whose outputs are the cell's
    reduce: Edges
    reduce_concat: tuple[int, ...]
    space: str = "grouped"  # or "separable": what the names of operations mean, see `operations`

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise InputError(f"spaces are {', '.join(SPACES)}, got {self.space!r}")
        for edges, concat in ((self.normal, self.normal_concat), (self.reduce, self.reduce_concat)):
            nodes = len(edges) // KEPT
            if not nodes or len(edges) % KEPT or len(edges) != len(self.normal):
                raise InputError(f"{len(edges)} edges, and not {KEPT} for each inner node")
            for number, (operation, source) in enumerate(edges):
                if operation not in OPERATIONS[1:]:
                    raise InputError(f"no operation {operation!r}")
                if not 0 <= source < INPUTS + number // KEPT:
                    raise InputError(f"edge {number} comes from node {source}: not there yet")
            if not concat or not set(concat) <= set(range(INPUTS, INPUTS + nodes)):
                raise InputError(f"outputs are of inner nodes, got {concat}")

    @property
    def nodes(self) -> int:
        """Return the number of inner nodes of a cell."""
        return len(self.normal) // KEPT

    @property
    def free(self) -> int:
        """Return how many of all operations have no parameters."""
        return sum(operation in FREE for operation, _ in (*self.normal, *self.reduce))


def write_genotype(path: Path, genotype: Genotype) -> None:
    """Write a genotype as JSON: beside, then renamed."""
    write_text(path, json.dumps({"schema": SCHEMA, **asdict(genotype)}, indent=1))


def read_genotype(path: Path) -> Genotype:
    """Read a genotype."""
    try:
        content: dict[str, Any] = json.loads(read_text(path, limit=_LIMIT))
        schema, found = content.pop("schema"), genotype_of(content)
    except FormatError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FormatError(path, f"not a genotype: {error}") from error
    if schema != SCHEMA:
        raise FormatError(path, "a genotype of another schema", remedy="update Facetrack")
    return found


def genotype_of(content: Mapping[str, Any]) -> Genotype:
    """Make a genotype from plain lists by name."""
    made: dict[str, Any] = dict(content)
    for name in ("normal", "reduce"):
        made[name] = tuple((str(op), int(source)) for op, source in content[name])
        made[f"{name}_concat"] = tuple(map(int, content[f"{name}_concat"]))
    return Genotype(**made)


def random_genotype(rng: np.random.Generator, nodes: int = 4, space: str = "grouped") -> Genotype:
    """Draw operations and edges, each as likely."""

    def edges() -> Iterator[tuple[str, int]]:
        for node in range(nodes):
            for source in np.sort(rng.choice(INPUTS + node, KEPT, replace=False)):
                yield OPERATIONS[1 + rng.integers(len(OPERATIONS) - 1)], int(source)

    concat = tuple(range(INPUTS, INPUTS + nodes))
    return Genotype(tuple(edges()), concat, tuple(edges()), concat, space)


def matched_genotypes(
    like: Genotype,
    count: int,
    cost: Callable[[Genotype], int],
    rng: np.random.Generator,
    *,
    within: float = 0.1,
    tries: int = 10_000,
) -> list[Genotype]:
    """Draw genotypes that cost about as much as another one: the control of a search.

    `cost` counts multiply-adds, of which they differ by a share `within` at most.
    """
    wanted, found = cost(like), list[Genotype]()
    for _ in range(tries):
        drawn = random_genotype(rng, like.nodes, like.space)
        if abs(cost(drawn) - wanted) <= within * wanted:
            found.append(drawn)
        if len(found) == count:
            return found
    raise InputError(f"{len(found)} of {count} random genotypes cost {wanted} within {within:.0%}")
