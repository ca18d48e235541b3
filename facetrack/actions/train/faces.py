"""Training of the recogniser of facial actions, and new classes from a few examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facetrack.actions.classes import CLASSES, mirrored_class
from facetrack.actions.films import Acted
from facetrack.actions.looks import LOOK, mirrored
from facetrack.actions.recogniser import WINDOW, Recogniser
from facetrack.actions.train.bank import ActionNetwork, HeadForm
from facetrack.networks.train.export import affine
from facetrack.networks.train.fitting import Fitting, Report, Schedule

FILTERS: Final = 4
_WIDTH: Final = 64
_KERNEL: Final = 5
_FEW_STEPS: Final = 300  # of a new class
_GAINS: Final = (0.8, 3.0)  # the encoder says less of drawn faces than of real ones
MOST, LITTLE = 0.7, 0.15  # of an action, in a clip
_NOISE: Final = 0.1  # of the deviation: looks of trackers shake

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Clips to learn from."""

    values: Floats  # (n, WINDOW, values), relative looks
    labels: Floats  # (n, classes), 1: shows the class, 0: does not, NaN: not known

    def flipped(self) -> Clips:
        """Mirror clips of `CLASSES`, left and right exchanged."""
        order = [CLASSES.index(mirrored_class(name)) for name in CLASSES]
        return Clips(mirrored(self.values), self.labels[:, order])


def together(parts: Sequence[Clips]) -> Clips:
    """Put clips together, in the order of the parts."""
    values, labels = ([getattr(p, name) for p in parts] for name in ("values", "labels"))
    return Clips(np.concatenate(values), np.concatenate(labels))


def windows(acted: Acted, every: int = 2) -> Clips:
    """Cut the clips out of a film, measured from the face at rest and from its usual look.

    Their ends lie `every` frames apart, their labels are of `CLASSES`. A clip shows the action if
    it holds most of it, or is filled by it; where it holds little of it, nothing is said of that
    class. A yawn opens the mouth, too.
    """
    frames = np.arange(len(acted.values))
    during = (frames >= acted.start) & (frames <= acted.stop) & (acted.start >= 0)
    found, said = [], []
    usual = np.nanmedian(acted.values, axis=0)
    rest = np.nanmedian(acted.values[~during], axis=0) if (~during).sum() >= 8 else usual
    for stop in range(WINDOW, len(frames) + 1, every):
        part = slice(stop - WINDOW, stop)
        labels = np.zeros(len(CLASSES))
        if acted.name:
            share = during[part].sum() / min(during.sum(), WINDOW)
            shown = 1.0 if share >= MOST else 0.0 if share <= LITTLE else np.nan
            labels[CLASSES.index(acted.name)] = shown
            if acted.name == "yawn" and shown != 0:
                labels[CLASSES.index("mouth_open")] = np.nan
        if np.isfinite(acted.values[part]).all():
            found += [acted.values[part] - rest, acted.values[part] - usual]
            said += [labels, labels]
    shape = (-1, WINDOW, acted.values.shape[1])
    return Clips(np.array(found).reshape(shape), np.array(said).reshape(-1, len(CLASSES)))


def train(
    clips: Clips,
    schedule: Schedule,
    *,
    checkpoint: Path | None = None,
    report: Report = lambda values: None,
) -> tuple[ActionNetwork, Floats]:
    """Train a network of looks; the second result, (values,), has the deviations of the looks."""
    torch.manual_seed(schedule.seed)
    form = HeadForm(
        clips.labels.shape[1], filters=FILTERS, local=0, drop_filters=0.1, several=True, top=3
    )
    network = _network(form)
    scale = clips.values.std(axis=(0, 1)) + 1e-3
    values, labels = clips.values / scale, clips.labels

    def loss(batch: npt.NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        low, high = map(log, _GAINS)
        gains = np.exp(rng.uniform(low, high, (len(batch), 1, 1)))
        noisy = gains * values[batch] + _NOISE * rng.standard_normal(values[batch].shape)
        return network.loss(_tensor(noisy), torch.from_numpy(labels[batch]).float())

    Fitting(network, schedule, checkpoint, speeds={"bank": 3.0}).run(len(values), loss, report)
    return network, scale


def recogniser_of(
    network: ActionNetwork,
    scale: Floats,
    *,
    name: str,
    classes: Sequence[str],
    thresholds: Mapping[str, float],
    levels: Mapping[str, float],
    card: Mapping[str, Any],
) -> Recogniser:
    """Turn a trained network into one that runs in numpy; normalisations are folded.

    `scale`, `thresholds` and `levels`: see `Recogniser`.
    """
    layers = []
    for stage in network.stages:
        assert isinstance(stage, nn.Sequential)
        convolution, norm = stage[0], stage[1]
        assert isinstance(convolution, nn.Conv3d)
        assert isinstance(norm, nn.BatchNorm3d)
        gain, bias = affine(norm)
        weight = convolution.weight.double()[..., 0, 0] * gain[:, None, None]
        layers.append((_array(weight), _array(bias)))
    bank = network.bank
    assert bank is not None
    arrays = {
        "average_weight": _array(network.classifier.weight),
        "average_bias": _array(network.classifier.bias),
        "filters_weight": _array(bank.filters.weight.flatten(1)),
        "filters_bias": _array(bank.filters.bias),
        "readout_weight": _array(bank.readout.weight),
        "readout_bias": _array(bank.readout.bias),
    }
    return Recogniser(
        name, tuple(classes), LOOK, scale.astype(np.float32), tuple(layers), arrays,
        dict(thresholds), dict(levels), dict(card),
    )  # fmt: skip


def add_class(known: Recogniser, name: str, examples: Floats, others: Floats) -> Recogniser:
    """Teach a recogniser one more class from a few examples; all that it knows stays as it is.

    Relative looks, (n, WINDOW, values): examples show the class, others do not, some of each class
    that is known. Scores of the old classes are those of `known`, bit by bit; the new threshold is
    0.5.
    """
    torch.manual_seed(0)
    values = np.concatenate([examples, others]) / known.scale
    labels = torch.from_numpy(np.repeat([1.0, 0.0], [len(examples), len(others)])).float()
    maps = _maps(known, values)
    peaks = (maps @ known.arrays["filters_weight"].T + known.arrays["filters_bias"]).max(axis=1)
    x, old = torch.from_numpy(maps), torch.from_numpy(peaks)
    filters, average = nn.Linear(x.shape[2], FILTERS), nn.Linear(x.shape[2], 1)
    readout = nn.Linear(old.shape[1] + FILTERS, 1)
    # the filters begin where the new class's maps are most unlike the others'
    start = x[: len(examples)].mean(dim=(0, 1)) - x[len(examples) :].mean(dim=(0, 1))
    with torch.no_grad():
        filters.weight += start / (start.norm() + 1e-6)
    modules = nn.ModuleList([filters, average, readout])
    optimiser = torch.optim.AdamW(modules.parameters(), lr=1e-2, weight_decay=0.05)
    weight = torch.tensor(len(others) / max(len(examples), 1)).sqrt()
    for _ in range(_FEW_STEPS):
        new = filters(x).amax(dim=1)
        own = readout(torch.cat([old, new], 1))[:, 0]
        logits = [average(x.mean(dim=1))[:, 0], own, new.mean(1)]
        terms = [
            nn.functional.binary_cross_entropy_with_logits(z, labels, pos_weight=weight)
            for z in logits
        ]
        optimiser.zero_grad()
        torch.stack(terms).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    a = known.arrays
    wider = np.pad(a["readout_weight"], ((0, 0), (0, FILTERS)))  # old classes know no new filters
    arrays = {
        "average_weight": np.vstack([a["average_weight"], _array(average.weight)]),
        "average_bias": np.append(a["average_bias"], _array(average.bias)),
        "filters_weight": np.vstack([a["filters_weight"], _array(filters.weight)]),
        "filters_bias": np.append(a["filters_bias"], _array(filters.bias)),
        "readout_weight": np.vstack([wider, _array(readout.weight)]),
        "readout_bias": np.append(a["readout_bias"], _array(readout.bias)),
    }
    grown = [*known.card.get("grown", []), len(known.classes)]
    return replace(
        known,
        classes=(*known.classes, name),
        arrays=arrays,
        thresholds={**known.thresholds, name: 0.5},
        levels={**known.levels, name: _level(new, labels)},
        card={**known.card, "grown": grown},
    )


def _level(peaks: Tensor, labels: Tensor) -> float:
    """Return what lies between a class's strongest filter with and without it."""
    strongest = peaks.detach().amax(dim=1)
    with_it, without = strongest[labels > 0.5], strongest[labels < 0.5]
    return float(0.5 * (with_it.median() + without.median()))


def _network(form: HeadForm) -> ActionNetwork:
    widths = (len(LOOK), _WIDTH, _WIDTH)
    stages = []
    for inputs, outputs in pairwise(widths):
        kernel, padding = (_KERNEL, 1, 1), (_KERNEL // 2, 0, 0)
        convolution = nn.Conv3d(inputs, outputs, kernel, padding=padding, bias=False)
        stages.append(nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.ReLU()))
    return ActionNetwork(stages, widths[1:], form)


def _maps(known: Recogniser, values: Floats) -> npt.NDArray[np.float32]:
    """Return the maps of clips that the bank reads, shape (n, WINDOW, width)."""
    x = torch.from_numpy(values.astype(np.float32)).transpose(1, 2)
    for weight, bias in known.layers:
        kernel = torch.from_numpy(weight)
        padding = kernel.shape[2] // 2
        x = nn.functional.conv1d(x, kernel, torch.from_numpy(bias), padding=padding).relu()
    return np.asarray(x.transpose(1, 2).contiguous().numpy())


def _tensor(values: Floats) -> Tensor:
    """Return clips as maps of one place, (n, values, WINDOW, 1, 1)."""
    assert values.shape[1] == WINDOW
    return torch.from_numpy(values.astype(np.float32)).transpose(1, 2)[..., None, None]


def _array(tensor: Tensor | None) -> npt.NDArray[np.float32]:
    assert tensor is not None
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32)
