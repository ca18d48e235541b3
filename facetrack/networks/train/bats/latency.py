"""How long operations of cells take in the packed runtime: measured once, looked up in a search."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from facetrack.errors import FormatError, InputError
from facetrack.formats.atomic import write_text
from facetrack.formats.textfile import read_text
from facetrack.networks.runtime.arrays import Floats, Prepared
from facetrack.networks.runtime.block import BinaryBlock
from facetrack.networks.runtime.network import Layer
from facetrack.networks.runtime.real import LocalPool
from facetrack.networks.runtime.vectors import FEATURES, LANES
from facetrack.networks.runtime.words import pack_weights
from facetrack.networks.train.bats.cells import reductions
from facetrack.networks.train.bats.genotype import INPUTS, OPERATIONS
from facetrack.networks.train.bats.operations import operation
from facetrack.networks.train.bats.supernet import KINDS, SearchForm
from facetrack.networks.train.binary import BinaryConv2d

SCHEMA: Final = 1
RUNS: Final = 31
_LIMIT: Final = 1 << 22  # bytes of a file


class EdgeSize(NamedTuple):
    """What an edge meets: channels, pixels of its input, and how far it shrinks them."""

    channels: int
    height: int
    width: int
    stride: int


Sizes = dict[str, list[list[EdgeSize]]]  # of each kind of cell: every cell's edges


@dataclass(frozen=True, slots=True)
class LatencyTable:
    """Milliseconds of every operation at every size, and the machine that took them."""

    space: str
    groups: int
    machine: dict[str, str]
    times: dict[EdgeSize, tuple[float, ...]]  # in the order of `OPERATIONS`

    def write(self, path: Path) -> None:
        """Write it as JSON: beside, then renamed."""
        rows = [{**size._asdict(), "ms": ms} for size, ms in self.times.items()]
        content = {
            "schema": SCHEMA,
            "space": self.space,
            "groups": self.groups,
            "machine": self.machine,
            "operations": OPERATIONS,
            "times": rows,
        }
        write_text(path, json.dumps(content, indent=1))

    @classmethod
    def read(cls, path: Path) -> LatencyTable:
        """Read what `write` wrote."""
        try:
            content = json.loads(read_text(path, limit=_LIMIT))
            if content["schema"] != SCHEMA or tuple(content["operations"]) != OPERATIONS:
                raise FormatError(path, "a table of another schema", remedy="measure it anew")
            times = {
                EdgeSize(*(int(row[name]) for name in EdgeSize._fields)): tuple(
                    map(float, row["ms"])
                )
                for row in content["times"]
            }
            return cls(content["space"], int(content["groups"]), content["machine"], times)
        except FormatError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise FormatError(path, f"not a table of times: {error}") from error


def edge_sizes(form: SearchForm, size: tuple[int, int]) -> Sizes:
    """List what the edges of all cells meet, in the order of their shares."""
    channels, (height, width) = form.channels, size
    found: Sizes = {kind: [] for kind in KINDS}
    for number in range(form.cells):
        reduces = number in reductions(form.cells)
        if reduces:
            channels *= 2
        smaller = (-(-height // 2), -(-width // 2)) if reduces else (height, width)
        found[KINDS[reduces]].append(
            [
                EdgeSize(channels, height, width, 2 if reduces else 1)
                if source < INPUTS
                else EdgeSize(channels, *smaller, 1)
                for node in range(form.nodes)
                for source in range(INPUTS + node)
            ]
        )
        height, width = smaller
    return found


def expected(shares: Mapping[str, Tensor], sizes: Sizes, table: LatencyTable) -> Tensor:
    """Return the time of a super-net's edges in their shares, milliseconds, differentiable."""
    total = torch.zeros((), device=shares[KINDS[0]].device)
    for kind, cells in sizes.items():
        for edges in cells:
            if lacking := [edge for edge in edges if edge not in table.times]:
                raise InputError(f"the table of times lacks {lacking[0]}; measure it anew")
            times = shares[kind].new_tensor([table.times[edge] for edge in edges])
            total = total + (shares[kind] * times).sum()
    return total


def measure(form: SearchForm, size: tuple[int, int], *, runs: int = RUNS) -> LatencyTable:
    """Measure all operations at all sizes of a super-net, medians of CPU time of one thread.

    A channel shuffle is not timed: it is an order of writing.
    """
    found = edge_sizes(form, size)
    different = sorted({edge for cells in found.values() for edges in cells for edge in edges})
    times = {e: tuple(_time(name, form, e, runs) for name in OPERATIONS) for e in different}
    machine = {"features": ",".join(sorted(FEATURES)), "words_per_vector": str(LANES)}
    return LatencyTable(form.space, form.groups, machine, times)


def _time(name: str, form: SearchForm, edge: EdgeSize, runs: int) -> float:
    if name == "none":
        return 0.0
    shape = (edge.height, edge.width, edge.channels)
    x: Floats = np.random.default_rng(0).standard_normal(shape, np.float32)
    prepared = list[Prepared]()
    for layer in _layers(name, form, edge):
        prepared.append(layer.prepare(prepared[-1].shape if prepared else x.shape))
    taken = []
    total = np.zeros(prepared[-1].shape if prepared else x.shape, np.float32)
    for _ in range(runs + 1):
        begun = time.thread_time_ns()
        y: Floats = x
        for step in prepared:
            y = step.run(y)
        total += y  # the sum of a node: all that a skip costs
        taken.append(time.thread_time_ns() - begun)
    return float(np.median(taken[1:])) / 1e6


def _layers(name: str, form: SearchForm, edge: EdgeSize) -> list[Layer]:
    """Return what the runtime does for an operation: pools, and binary blocks of its sizes."""
    if name.endswith("pool_3x3"):
        return [LocalPool(name.startswith("max"), edge.stride)]
    made = operation(name, form.space, edge.channels, edge.stride, form.groups)
    convolutions = [m for m in made.modules() if isinstance(m, BinaryConv2d)]
    if name == "skip_connect":  # of a reduction: two halves, timed as one convolution
        convolutions = convolutions[:1]
    return [_block(c, edge.channels) for c in convolutions]


def _block(convolution: BinaryConv2d, channels: int) -> BinaryBlock:
    weight = convolution.weight.detach().numpy()
    outputs = channels if convolution.groups == 1 else len(weight)
    weight = np.resize(weight, (outputs, *weight.shape[1:]))
    ones = np.ones(outputs, np.float32)
    return BinaryBlock(
        np.zeros(channels, np.float32),
        np.zeros(channels, np.bool_),
        pack_weights(weight, convolution.groups),
        ones,
        ones,
        weight.shape[-1],
        convolution.stride,
        dilation=convolution.dilation,
        skip=convolution.stride == 1,
    )
