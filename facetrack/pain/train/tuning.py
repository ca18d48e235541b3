"""Fine-tuning: a layer on the encoder's features of five moments, trained on pain and action units.

The last step of Egede, Valstar and Martinez, FG 2017: a network that knows action units is tuned to
pain with the few subjects there are, and its last hidden layer is what the regression looks at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facetrack.pain.layer import Layer
from facetrack.pain.sets import fit_standard

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a layer is trained."""

    hidden: int = 64  # its width: the number of features
    epochs: int = 15
    batch: int = 128
    rate: float = 1e-3  # of AdamW; falls to 0 as a cosine
    decay: float = 0.02
    dropout: float = 0.4  # of inputs and features
    units: float = 0.5  # weight of the mean loss of action units beside that of the score
    threads: int = 1


def tune(
    windows: Floats, labels: Floats, units: Floats, seed: int, tuning: Tuning | None = None
) -> Layer:
    """Train a layer on windows (n, 5, d) of training subjects; units are NaN where unknown."""
    t = tuning or Tuning()
    torch.set_num_threads(t.threads)
    torch.manual_seed(seed)
    flat = windows.reshape(len(windows), -1)
    standard = fit_standard(flat)
    x = torch.tensor(standard.apply(flat), dtype=torch.float32)
    y = torch.tensor(np.column_stack([labels, np.nan_to_num(units)]), dtype=torch.float32)
    known = torch.tensor(np.isfinite(units), dtype=torch.float32)
    first, last = nn.Linear(x.shape[1], t.hidden), nn.Linear(t.hidden, y.shape[1])
    network = nn.Sequential(
        nn.Dropout(t.dropout), first, nn.ReLU(), nn.Dropout(t.dropout), last
    ).train()
    optimiser = torch.optim.AdamW(network.parameters(), t.rate, weight_decay=t.decay)
    steps = t.epochs * -(-len(x) // t.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(t.epochs):
        for rows in torch.split(torch.randperm(len(x)), t.batch):
            optimiser.zero_grad()
            loss = _loss(network(x[rows]), y[rows], known[rows], t.units)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    weights = first.weight.detach().numpy().T.astype(np.float64)
    bias = first.bias.detach().numpy().astype(np.float64)
    return Layer(
        standard.scale[:, None] * weights, bias - (standard.mean * standard.scale) @ weights
    )


def _loss(said: Tensor, targets: Tensor, known: Tensor, weight: float) -> Tensor:
    """Return Huber's loss of the score, and that of the action units that are known."""
    errors = nn.functional.huber_loss(said, targets, reduction="none")
    units = (errors[:, 1:] * known).sum() / known.sum().clamp(min=1)
    return errors[:, 0].mean() + weight * units
