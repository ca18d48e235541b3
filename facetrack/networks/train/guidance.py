"""How a teacher guides a network beside the truth: the terms of the loss, each with its weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.networks.train.adain import AdaIn
from facetrack.networks.train.real_to_binary import attention, classes
from facetrack.networks.train.staged import Guided

Taps = Mapping[str, list[Tensor]]


@dataclass(frozen=True, slots=True)
class Weights:
    """What each term of the loss weighs; a term of weight 0 is not computed."""

    outputs: float = 0.0  # what the teacher says (Hinton's distillation, for a regression head)
    attention: float = 0.0  # where the teacher looks (attention transfer)
    adain: float = 0.0  # how much the teacher minds the student's moments
    statistics: float = 0.0  # the moments themselves, the baseline of AdaIN
    # which classes the teacher sees (Hinton's distillation), at a `temperature`
    classes: float = 0.0
    truth: float = 1.0  # the truth itself
    temperature: float = 1.0
    norm: str = "l2"  # or "max", see `attention`

    @property
    def taught(self) -> bool:
        """Whether a teacher is needed."""
        return any((self.outputs, self.attention, self.adain, self.statistics, self.classes))


class Guidance(nn.Module):
    """The terms of a teacher; connectors are trained with the student and dropped afterwards.

    The teacher is frozen, in evaluation mode, and stays so; for `judge` see `AdaIn`.
    """

    def __init__(
        self, student: Guided, teacher: Guided, weights: Weights, judge: str = "features"
    ) -> None:
        super().__init__()
        self.weights = weights
        assert isinstance(teacher, nn.Module)
        teacher.eval().requires_grad_(False)
        self._teacher = [teacher]  # no child: it is not trained
        pairs = list(zip(student.tap_widths, teacher.tap_widths, strict=True))
        self.comparisons = nn.ModuleDict({name: AdaIn(pairs, judge) for name in student.parts()})

    def forward(self, inputs: Any, said: Tensor, taps: Taps) -> Tensor:
        """Return the weighted sum of the terms for what a student said of a batch."""
        teacher, weights = self._teacher[0], self.weights
        with torch.no_grad():
            told, theirs = teacher.tapped(inputs)
        total = weights.outputs * functional.smooth_l1_loss(said, told)
        if weights.classes:
            total = total + weights.classes * classes(said, told, weights.temperature)
        judges = teacher.parts()
        for name, own in taps.items():
            compare = self.comparisons[name]
            assert isinstance(compare, AdaIn)
            if weights.attention:
                pairs = zip(own, theirs[name], strict=True)
                maps = [attention(s, t, weights.norm) for s, t in pairs]
                total = total + weights.attention * torch.stack(maps).mean()
            if weights.adain:
                judged = compare(own, theirs[name], judges[name])
                total = total + weights.adain * judged
            if weights.statistics:
                total = total + weights.statistics * compare.plain(own, theirs[name])
        return total
