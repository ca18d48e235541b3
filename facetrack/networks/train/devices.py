"""Where a training runs: the processor, one graphics card, or several with one process each."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from facetrack.errors import InputError


@dataclass(frozen=True, slots=True)
class Place:
    """One process of a training."""

    device: str = "cpu"  # of torch
    rank: int = 0  # which process it is; the first one writes
    processes: int = 1
    compiled: bool = False  # into C++ first: takes a compiler and a minute, then half the time

    @property
    def writes(self) -> bool:
        """Whether this process writes files and lines."""
        return self.rank == 0

    def wrapped(self, network: nn.Module) -> nn.Module:
        """Let the processes average their gradients whenever the network's output is used."""
        if self.compiled:
            torch.compiler.reset()  # what earlier trainings compiled counts against a limit
            network.compile(dynamic=False)
        if self.processes == 1:
            return network
        # Connectors without a term in the loss get no gradient.
        return DistributedDataParallel(network, find_unused_parameters=True)

    def wait(self) -> None:
        """Wait for the other processes."""
        if self.processes > 1:
            distributed.barrier()


HERE: Final = Place()  # this process, on the processor


def open_places(
    function: Callable[..., None], device: str, processes: int | None, *arguments: Any
) -> None:
    """Call a function with a `Place` and arguments, in one process for each graphics card.

    The function must be a module's, so that other processes find it. `device` is "cpu", "cuda" for
    all cards, "cuda:1" for one, or "auto" for what there is; InputError if there is no such one.
    """
    device = available(device)
    kind, _, number = device.partition(":")
    cards = torch.cuda.device_count() if kind == "cuda" else 0
    if kind not in ("cpu", "cuda") or (kind == "cuda" and int(number or 0) >= cards):
        raise InputError(f"no device {device!r}; there are cpu and {cards} of cuda")
    processes = processes or (cards if device == "cuda" else 1)
    if processes < 1 or (kind == "cuda" and processes > (1 if number else cards)):
        raise InputError(f"{processes} processes on {device!r}, which has {cards} cards")
    if processes == 1:
        function(Place(device), *arguments)
        return
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    job = (function, kind, processes, port, arguments)
    spawn(_one, job, nprocs=processes)  # type: ignore[no-untyped-call]


def available(device: str) -> str:
    """Return a device of torch; for "auto", a card if there is one."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _one(
    rank: int,
    function: Callable[..., None],
    kind: str,
    processes: int,
    port: int,
    arguments: tuple[Any, ...],
) -> None:
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = "127.0.0.1", str(port)
    device = f"cuda:{rank}" if kind == "cuda" else "cpu"
    if kind == "cuda":
        torch.cuda.set_device(rank)
    distributed.init_process_group(
        "nccl" if kind == "cuda" else "gloo", rank=rank, world_size=processes
    )
    try:
        function(Place(device, rank, processes), *arguments)
    finally:
        distributed.destroy_process_group()


def out_of_memory(error: RuntimeError) -> bool:
    """Return whether torch found no memory, on a card or on the processor."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
