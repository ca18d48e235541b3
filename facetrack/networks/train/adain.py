"""Distillation by adaptive instance normalisation (AdaIN): the teacher judges the student.

Yang, Martinez, Bulat, Tzimiropoulos, *Knowledge distillation via adaptive instance normalization*,
arXiv 2003.04289. The student's mean and deviation of every channel are put into the teacher's own
map, and the teacher's frozen remainder says how much that matters. The plain comparison of means
and deviations is the baseline.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.networks.train.staged import Staged, after

EPS: Final = 1e-5  # of variances
JUDGES: Final = ("features", "outputs")
_DEAD: Final = 1e-3  # of the median deviation: a channel of the teacher that says nothing


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of every channel over the positions, each shape (N, C)."""
    return x.mean(dim=(2, 3)), (x.var(dim=(2, 3), correction=0) + EPS).sqrt()


def statistics(student: Tensor, teacher: Tensor) -> Tensor:
    """Compare the moments of maps with equal channels: the plain statistics loss."""
    (mu_s, sigma_s), (mu_t, sigma_t) = moments(student), moments(teacher)
    return (mu_s - mu_t).square().mean() + (sigma_s - sigma_t).square().mean()


def adapted(student: Tensor, teacher: Tensor) -> Tensor:
    """Give the teacher's map the student's moments (adaptive instance normalisation).

    Channels that are dead in the teacher keep their deviation: nothing but noise could be learned
    there.
    """
    (mu_s, sigma_s), (mu_t, sigma_t) = moments(student), moments(teacher)
    alive = sigma_t > _DEAD * sigma_t.median()
    ratio = torch.where(alive, sigma_s / sigma_t, torch.ones_like(sigma_t))
    return (teacher - mu_t[..., None, None]) * ratio[..., None, None] + mu_s[..., None, None]


class AdaIn(nn.Module):
    """Compares a student's taps with a teacher's; its connectors are trained with the student.

    `channels` are the student's and the teacher's at each tap; `judge` is what the teacher makes of
    a map: the map of its last stage ("features"), or its head's outputs ("outputs").
    """

    variances: Tensor

    def __init__(self, channels: list[tuple[int, int]], judge: str = "features") -> None:
        super().__init__()
        if judge not in JUDGES:
            raise InputError(f"a judge is one of {', '.join(JUDGES)}, got {judge!r}")
        self.judge = judge
        self.connectors = nn.ModuleList(connector(*pair) for pair in channels)
        # Terms differ by orders: each is divided by the variance of what the teacher says.
        self.register_buffer("variances", torch.zeros(len(channels)))

    def plain(self, student: list[Tensor], teacher: list[Tensor]) -> Tensor:
        """Return the plain statistics loss, the mean over the taps."""
        pairs = zip(self.connectors, student, teacher, strict=True)
        return torch.stack([statistics(c(s), t) for c, s, t in pairs]).mean()

    def forward(self, student: list[Tensor], teacher: list[Tensor], network: Staged) -> Tensor:
        """Return how much the teacher minds the student's moments, the mean over the taps.

        `network` is the teacher, frozen and in evaluation mode; gradients pass through it.
        """
        terms = []
        for tap, (connect, s, t) in enumerate(zip(self.connectors, student, teacher, strict=True)):
            with torch.no_grad():
                said = self._judged(network, tap, t)
                if self.variances[tap] == 0:
                    self.variances[tap] = said.var()
            terms.append(
                functional.mse_loss(self._judged(network, tap, adapted(connect(s), t)), said)
                / self.variances[tap].item()
            )
        return torch.stack(terms).mean()

    def _judged(self, network: Staged, tap: int, x: Tensor) -> Tensor:
        features = after(network, tap, x)
        judged: Tensor = features if self.judge == "features" else network.head(features)
        return judged


def connector(student: int, teacher: int) -> nn.Module:
    """Map a student's channels to a teacher's; the identity where there are as many."""
    if student == teacher:
        return nn.Identity()
    mix = nn.Conv2d(student, teacher, 1, bias=False)
    nn.init.kaiming_normal_(mix.weight, mode="fan_out")
    return nn.Sequential(mix, nn.BatchNorm2d(teacher))
