"""One training: epochs with a checkpoint after each, so that a killed one is taken up again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facetrack.errors import FormatError, InputError
from facetrack.formats.archive import Arrays, checksum, read_archive, write_archive
from facetrack.networks.train.devices import HERE, Place, out_of_memory

KIND: Final = "facetrack checkpoint"
WEIGHT, _OPTIMISER = "weight/", "optimiser/"

Loss = Callable[[npt.NDArray[np.int64], np.random.Generator], Tensor]
Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    batch: int = 64
    rate: float = 2e-3  # at the start
    # of convolutions' and linear layers' weights, never of slopes, scales, norms
    decay: float = 0.02
    seed: int = 0
    # or "adam", "sgd" (momentum 0.9): with both the decay is a part of the gradient
    optimiser: str = "adamw"
    fall: str = "cosine"  # to 0, after a warm-up of a twentieth; or "steps"
    drops: tuple[int, ...] = ()  # epochs of the steps; empty for a half and three quarters of all
    factor: float = 0.1  # of each drop
    warm: int = 0  # epochs over which a rate that falls by steps rises first

    def __post_init__(self) -> None:
        if self.optimiser not in _OPTIMISERS or self.fall not in _FALLS:
            known = ", ".join((*_OPTIMISERS, *_FALLS))
            raise InputError(f"{self.optimiser}, {self.fall}: there are {known}")

    @classmethod
    def taken(cls, entry: dict[str, Any], seed: int) -> Self:
        """Take the schedule out of the entries of a recipe's step."""
        named = {name: entry.pop(name) for name in cls.__slots__ if name in entry}
        return cls(**{"seed": seed, **named, "drops": tuple(named.get("drops", ()))})

    def share(self, epoch: float) -> float:
        """Return which share of the rate is in use at a time, in epochs from the start."""
        return _FALLS[self.fall](epoch, self)


@dataclass(slots=True)
class Fitting:
    """A training in progress."""

    network: nn.Module  # all that is trained, helpers such as connectors included
    schedule: Schedule
    checkpoint: Path | None = None  # written after each epoch, and taken up from
    after_step: Callable[[], None] = lambda: None
    # ends earlier than the schedule, the rate not yet at 0: for further training
    until: int | None = None
    epoch: int = 0  # the one in progress, from 0
    # of parts, by the beginning of their parameters' names
    speeds: Mapping[str, float] = field(default_factory=dict)
    # which share of each batch is computed here, and whether it writes the checkpoint
    place: Place = HERE
    note: Callable[[str], None] = lambda line: None  # takes a line for people when memory runs out
    _parts: int = 1  # of each batch, one after the other

    def run(self, count: int, loss: Loss, report: Report = lambda values: None) -> None:
        """Train on samples 0 to count - 1; `report` is told `epoch`, `epochs`, `loss` each time.

        `loss` (numbers of samples, generator) is that of one batch; where memory runs out, of parts
        of it, whose gradients are added. Raises FormatError if the checkpoint is damaged or of
        another training, InputError if the loss is no number or memory runs out with a batch of
        one.
        """
        schedule, place = self.schedule, self.place
        groups = _groups(self.network, schedule.decay, self.speeds)
        optimiser = _OPTIMISERS[schedule.optimiser](groups, schedule.rate)
        done = self._take_up(optimiser)
        steps = count // min(schedule.batch, count)
        for epoch in range(done, self.until or schedule.epochs):
            self.epoch = epoch
            torch.manual_seed(schedule.seed * 100_003 + epoch)
            rng = np.random.default_rng([schedule.seed, epoch])
            self.network.train()
            total = 0.0
            order = _batches(count, schedule.batch, rng)
            own = np.random.default_rng([schedule.seed, epoch, place.rank]) if place.rank else rng
            for step, batch in enumerate(order):
                for group in optimiser.param_groups:
                    share = schedule.share(epoch + step / steps)
                    group["lr"] = schedule.rate * group["speed"] * share
                total += self._step(optimiser, batch[place.rank :: place.processes], loss, own)
            if place.writes:
                self._write(optimiser, epoch + 1)
                last = self.until or schedule.epochs
                report({"epoch": epoch + 1, "epochs": last, "loss": total / steps})
            place.wait()
        self.network.eval()

    def _step(
        self,
        optimiser: torch.optim.Optimizer,
        batch: npt.NDArray[np.int64],
        loss: Loss,
        rng: np.random.Generator,
    ) -> float:
        while True:
            try:
                optimiser.zero_grad()
                total = self._gradients(batch, loss, rng)
                break
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                self._halve(len(batch))
        optimiser.step()
        self.after_step()
        return total

    def _gradients(
        self, batch: npt.NDArray[np.int64], loss: Loss, rng: np.random.Generator
    ) -> float:
        total = 0.0
        for part in np.array_split(batch, self._parts):
            value = loss(part, rng) * (len(part) / len(batch))
            if not math.isfinite(value.item()):
                raise InputError(
                    f"epoch {self.epoch + 1}: the loss is {value.item()}; lower the rate"
                )
            value.backward()  # type: ignore[no-untyped-call]
            total += value.item()
        return total

    def _halve(self, batch: int) -> None:
        """Compute batches in parts of half the size from now on."""
        if self.place.processes > 1:  # the other processes wait for this one's gradients
            raise InputError("out of memory; lower `batch` in the recipe, or take more cards")
        if self._parts >= batch:
            raise InputError("out of memory even with a batch of 1; take a smaller network")
        self._parts *= 2
        size = -(-batch // self._parts)
        self.note(f"out of memory: batches of {batch} are computed in parts of {size} from now on")

    def _identity(self) -> str:
        shapes = {name: list(w.shape) for name, w in self.network.state_dict().items()}
        schedule = {name: getattr(self.schedule, name) for name in Schedule.__slots__}
        return json.dumps([shapes, schedule])

    def _take_up(self, optimiser: torch.optim.Optimizer) -> int:
        path = self.checkpoint
        if path is None or not path.exists():
            return 0
        arrays, meta = read_archive(path, kind=KIND, schema=1)
        if meta["checksum"] != checksum(arrays):
            raise FormatError(path, "the checksum does not match", remedy="delete it: train anew")
        if meta.get("training") != self._identity():
            cause = "a checkpoint of another architecture or schedule"
            raise FormatError(path, cause, remedy="choose another folder, or delete it")
        set_weights(self.network, _part(arrays, WEIGHT))
        state = optimiser.state_dict()
        state["state"] = _nested(_part(arrays, _OPTIMISER))
        optimiser.load_state_dict(state)
        return int(meta["epochs"])

    def _write(self, optimiser: torch.optim.Optimizer, epochs: int) -> None:
        if self.checkpoint is None:
            return
        arrays = {WEIGHT + name: array for name, array in weights(self.network).items()}
        for number, values in optimiser.state_dict()["state"].items():
            for name, value in values.items():
                arrays[f"{_OPTIMISER}{number}/{name}"] = value.detach().cpu().numpy()
        meta = {"training": self._identity(), "epochs": epochs}
        write_archive(self.checkpoint, arrays, meta, kind=KIND, schema=1)


def weights(network: nn.Module) -> Arrays:
    """Return all parameters and statistics of a network as arrays."""
    return {name: w.detach().cpu().numpy().copy() for name, w in network.state_dict().items()}


def set_weights(network: nn.Module, arrays: Arrays) -> None:
    """Set what `weights` returned."""
    try:
        network.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in arrays.items()})
    except RuntimeError as error:
        raise InputError(f"weights of another architecture: {error}") from error


def load_weights(network: nn.Module, checkpoint: Path, part: str = "") -> dict[str, Any]:
    """Give a network the weights of a checkpoint, or of a part of it; return its description."""
    arrays, meta = read_archive(checkpoint, kind=KIND, schema=1)
    set_weights(network, _part(arrays, WEIGHT + part))
    return meta


def _groups(network: nn.Module, decay: float, speeds: Mapping[str, float]) -> list[dict[str, Any]]:
    """Sort parameters by their decay and their speed."""
    plain = {
        id(module.weight): isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear)
        for module in network.modules()
        if isinstance(getattr(module, "weight", None), nn.Parameter)
    }
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {(True, 1.0): [], (False, 1.0): []}
    for name, parameter in network.named_parameters():
        decayed = plain.get(id(parameter), False) or parameter.ndim == 4  # latent binary ones
        speed = next((f for start, f in speeds.items() if name.startswith(start)), 1.0)
        groups.setdefault((decayed, speed), []).append(parameter)
    return [
        {"params": chosen, "weight_decay": decay if decayed else 0.0, "speed": speed}
        for (decayed, speed), chosen in groups.items()
        if chosen
    ]


def _cosine(epoch: float, schedule: Schedule) -> float:
    epochs = schedule.epochs
    warm = max(0.05 * epochs, 1e-9)
    return min(epoch / warm + 0.02, 1.0) * 0.5 * (1 + math.cos(math.pi * epoch / epochs))


def _steps(epoch: float, schedule: Schedule) -> float:
    drops = schedule.drops or (0.5 * schedule.epochs, 0.75 * schedule.epochs)
    rise = min((epoch + 0.02) / schedule.warm, 1.0) if schedule.warm else 1.0
    return float(rise * schedule.factor ** sum(epoch >= drop for drop in drops))


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    order = rng.permutation(count)
    size = min(size, count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


_OPTIMISERS: Final[dict[str, Callable[[list[dict[str, Any]], float], torch.optim.Optimizer]]] = {
    "adamw": lambda groups, rate: torch.optim.AdamW(groups, lr=rate),
    "adam": lambda groups, rate: torch.optim.Adam(groups, lr=rate),
    "sgd": lambda groups, rate: torch.optim.SGD(groups, lr=rate, momentum=0.9),
}
_FALLS: Final[dict[str, Callable[[float, Schedule], float]]] = {"cosine": _cosine, "steps": _steps}


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}


def _nested(arrays: Arrays) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for key, array in arrays.items():
        number, name = key.split("/")
        state.setdefault(int(number), {})[name] = torch.from_numpy(array.copy())
    return state
