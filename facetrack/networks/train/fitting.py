"""One training: epochs with a checkpoint after each, so that a killed one is taken up again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facetrack.errors import FormatError, InputError
from facetrack.formats.archive import Arrays, checksum, read_archive, write_archive

KIND: Final = "facetrack checkpoint"
_WEIGHT, _OPTIMISER = "weight/", "optimiser/"

Loss = Callable[[npt.NDArray[np.int64], np.random.Generator], Tensor]
Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    epochs, batch : int
    rate : float
        At the start.
    optimiser : {"adamw", "sgd"}
        The latter with a momentum of 0.9.
    fall : {"cosine", "steps"}
        To 0, after a warm-up of a twentieth; or to a tenth after a half and again after three
        quarters.
    decay : float
        Of convolutions' and linear layers' weights, never of slopes, scales and normalisations.
    seed : int
    """

    epochs: int
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.02
    seed: int = 0
    optimiser: str = "adamw"
    fall: str = "cosine"

    def __post_init__(self) -> None:
        if self.optimiser not in _OPTIMISERS or self.fall not in _FALLS:
            known = ", ".join((*_OPTIMISERS, *_FALLS))
            raise InputError(f"{self.optimiser}, {self.fall}: there are {known}")


@dataclass(slots=True)
class Fitting:
    """A training in progress.

    Attributes
    ----------
    network : Module
        All that is trained, helpers such as connectors included.
    schedule : Schedule
    checkpoint : Path or None
        Where it stands is written there after each epoch, and taken up from there.
    after_step : callable
        Called after each step.
    until : int or None
        The epoch after which it ends, if that is not the schedule's last: the rate has not fallen
        to 0 then, for what is trained further.
    epoch : int
        The one in progress, from 0.
    speeds : mapping of str to float
        How many times faster parts are trained, by the beginning of their parameters' names.
    """

    network: nn.Module
    schedule: Schedule
    checkpoint: Path | None = None
    after_step: Callable[[], None] = lambda: None
    until: int | None = None
    epoch: int = 0
    speeds: Mapping[str, float] = field(default_factory=dict)

    def run(self, count: int, loss: Loss, report: Report = lambda values: None) -> None:
        """Train on samples 0 to count - 1.

        Parameters
        ----------
        count : int
        loss : callable (numbers of samples, generator) -> Tensor
            Of one batch.
        report : callable
            Told `epoch`, `epochs`, `loss` after each epoch.

        Raises
        ------
        FormatError
            If the checkpoint is damaged or of another training.
        InputError
            If the loss is no number.
        """
        schedule = self.schedule
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
            for step, batch in enumerate(_batches(count, schedule.batch, rng)):
                for group in optimiser.param_groups:
                    share = _FALLS[schedule.fall](epoch + step / steps, schedule.epochs)
                    group["lr"] = schedule.rate * group["speed"] * share
                value = loss(batch, rng)
                if not math.isfinite(value.item()):
                    raise InputError(
                        f"epoch {epoch + 1}: the loss is {value.item()}; lower the rate"
                    )
                optimiser.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                self.after_step()
                total += value.item()
            self._write(optimiser, epoch + 1)
            last = self.until or schedule.epochs
            report({"epoch": epoch + 1, "epochs": last, "loss": total / steps})
        self.network.eval()

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
        set_weights(self.network, _part(arrays, _WEIGHT))
        state = optimiser.state_dict()
        state["state"] = _nested(_part(arrays, _OPTIMISER))
        optimiser.load_state_dict(state)
        return int(meta["epochs"])

    def _write(self, optimiser: torch.optim.Optimizer, epochs: int) -> None:
        if self.checkpoint is None:
            return
        arrays = {_WEIGHT + name: array for name, array in weights(self.network).items()}
        for number, values in optimiser.state_dict()["state"].items():
            for name, value in values.items():
                arrays[f"{_OPTIMISER}{number}/{name}"] = value.detach().cpu().numpy()
        meta = {"training": self._identity(), "epochs": epochs}
        write_archive(self.checkpoint, arrays, meta, kind=KIND, schema=1)


def weights(network: nn.Module) -> Arrays:
    """Return all parameters and statistics of a network as arrays."""
    return {name: w.detach().cpu().numpy().copy() for name, w in network.state_dict().items()}


def set_weights(network: nn.Module, arrays: Arrays) -> None:
    """Set what `weights` returned.

    Raises
    ------
    InputError
        If they are of another architecture.
    """
    try:
        network.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in arrays.items()})
    except RuntimeError as error:
        raise InputError(f"weights of another architecture: {error}") from error


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


def _cosine(epoch: float, epochs: int) -> float:
    warm = max(0.05 * epochs, 1e-9)
    return min(epoch / warm + 0.02, 1.0) * 0.5 * (1 + math.cos(math.pi * epoch / epochs))


def _steps(epoch: float, epochs: int) -> float:
    return float(0.1 ** sum(epoch >= part * epochs for part in (0.5, 0.75)))


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    order = rng.permutation(count)
    size = min(size, count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


_OPTIMISERS: Final[dict[str, Callable[[list[dict[str, Any]], float], torch.optim.Optimizer]]] = {
    "adamw": lambda groups, rate: torch.optim.AdamW(groups, lr=rate),
    "sgd": lambda groups, rate: torch.optim.SGD(groups, lr=rate, momentum=0.9),
}
_FALLS: Final[dict[str, Callable[[float, int], float]]] = {"cosine": _cosine, "steps": _steps}


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}


def _nested(arrays: Arrays) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for key, array in arrays.items():
        number, name = key.split("/")
        state.setdefault(int(number), {})[name] = torch.from_numpy(array.copy())
    return state
