"""Spatial-temporal discriminative filter banks, as the last layers of any backbone.

Martinez, Modolo, Xiong and Tighe, "Action recognition with spatial-temporal discriminative filter
banks", ICCV 2019; the bank is that of Wang, Morariu and Davis, "Learning a discriminative filter
bank within a CNN for fine-grained recognition", CVPR 2018. Maps are (N, D, T, H, W) throughout: a
network of single frames is one whose kernels are one frame deep.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.errors import InputError

READS: Final = ("mean", "max", "bank")
_SPREAD: Final = 0.01  # standard deviation of new filters


@dataclass(frozen=True, slots=True)
class HeadForm:
    """How the last layers are built, and what counts of them.

    The losses of the bank's linear layer (`direct`) and of its cross-channel pooling (`cross`)
    weigh beside 1 of the global branch; a branch without weight does not predict either. The local
    branch runs copies of so many (`local`) of the last stages on maps of the stage before, enlarged
    in height and width; with 0 the bank reads the backbone's own last maps.
    """

    classes: int
    read: str = "bank"  # bank beside the global branch; mean or max: one pooling, a linear layer
    filters: int = 4  # of each class
    direct: float = 1.0
    cross: float = 1.0
    local: int = 1
    upsampled: int = 2  # factor
    dropout: float = 0.5  # before the classifiers
    drop_filters: float = 0.0  # share that is left out of the linear layer while training
    top: int = 1  # positions whose mean is a filter's peak while training; 1: the maximum
    several: bool = False  # a clip may show several classes, or none: each has a probability

    def __post_init__(self) -> None:
        if self.read not in READS:
            raise InputError(f"a head reads by {', '.join(READS)}, got {self.read!r}")
        if min(self.classes, self.filters, self.upsampled, self.top) < 1 or self.local < 0:
            raise InputError(f"a head needs classes, filters and factors of 1 or more: {self}")


class Scores(NamedTuple):
    """What a network says of clips, before any softmax."""

    # each (N, C): `average`, and with a bank `direct` and `cross`, if they have a weight
    branches: dict[str, Tensor]
    # of the bank, (N, C, filters, T, H, W); -inf in frames that are padding
    responses: Tensor | None
    several: bool = False  # see `HeadForm`

    def probabilities(self) -> Tensor:
        """Average the branches' probabilities, (N, C)."""
        found = [z.sigmoid() if self.several else z.softmax(dim=1) for z in self.branches.values()]
        return torch.stack(found).mean(dim=0)


def masked_mean(maps: Tensor, mask: Tensor | None) -> Tensor:
    """Average maps (N, D, T, H, W) over all places and the real frames by a mask (N, T): (N, D)."""
    by_frame = maps.mean(dim=(3, 4))
    if mask is None:
        return by_frame.mean(dim=2)
    weights = mask[:, None].to(maps.dtype)
    return torch.where(mask[:, None], by_frame, 0.0).sum(dim=2) / weights.sum(dim=2)


def masked_peaks(maps: Tensor, mask: Tensor | None, top: int = 1) -> Tensor:
    """Take the mean of the `top` largest values of each map in real frames: (N, D)."""
    if mask is not None:
        maps = maps.masked_fill(~mask[:, None, :, None, None], -torch.inf)
    flat = maps.flatten(start_dim=2)
    if top == 1:
        return flat.amax(dim=2)
    largest = flat.topk(min(top, flat.shape[2]), dim=2).values
    real = largest.isfinite()
    return torch.where(real, largest, 0.0).sum(dim=2) / real.sum(dim=2)


class FilterBank(nn.Module):
    """Filters of 1 x 1 x 1 on maps of a width; each looks for one cue anywhere in a clip."""

    def __init__(self, width: int, form: HeadForm) -> None:
        super().__init__()
        self.form = form
        self.filters = nn.Conv3d(width, form.classes * form.filters, 1)
        self.readout = nn.Linear(form.classes * form.filters, form.classes)
        nn.init.normal_(self.filters.weight, std=_SPREAD)
        assert self.filters.bias is not None
        nn.init.zeros_(self.filters.bias)

    def forward(self, maps: Tensor, mask: Tensor | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Look for the filters' cues in maps (N, width, T, H, W); the mask (N, T) says real frames.

        Returns responses (N, C, filters, T, H, W), -inf in frames that are padding, and the scores
        of the bank's branches, see `Scores`.
        """
        form = self.form
        responses = self.filters(maps)
        peaks = masked_peaks(responses, mask, form.top if self.training else 1)
        found = {}
        if form.direct:
            kept = functional.dropout(peaks, form.drop_filters, self.training)
            found["direct"] = self.readout(kept)
        if form.cross:  # filters of one class are neighbours
            found["cross"] = peaks.reshape(-1, form.classes, form.filters).mean(dim=2)
        if mask is not None:
            responses = responses.masked_fill(~mask[:, None, :, None, None], -torch.inf)
        by_class = responses.reshape(
            len(responses), form.classes, form.filters, *responses.shape[2:]
        )
        return by_class, found


class ActionNetwork(nn.Module):
    """Clips -> classes: a backbone given as stages, and the three branches of the paper.

    Each stage takes and gives maps (N, D, T, H, W), with so many channels (`widths`). An
    `InputError` says that the local branch runs as many stages as there are.
    """

    def __init__(self, stages: Sequence[nn.Module], widths: Sequence[int], form: HeadForm) -> None:
        super().__init__()
        if form.local >= len(stages):
            raise InputError(f"a local branch of {form.local} stages needs more than those")
        self.form = form
        self.stages = nn.ModuleList(stages)
        self.classifier = nn.Linear(widths[-1], form.classes)
        self.dropout = nn.Dropout(form.dropout)
        self.local = nn.ModuleList(copy.deepcopy(stages[len(stages) - form.local :]))
        self.bank = FilterBank(widths[-1], form) if form.read == "bank" else None

    def start_local(self) -> None:
        """Let the local branch begin with the weights of the stages that it copies."""
        if self.form.local:
            state = self.stages[-self.form.local :].state_dict()
            self.local.load_state_dict(state)

    def maps(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Run the backbone and the local branch on clips (N, channels, T, H, W).

        Returns the backbone's last maps (N, D, T', H', W') and those that the bank reads, (N, D,
        T', H'', W''): the same without a local branch.
        """
        tap = len(self.stages) - self.form.local
        x = clips
        for stage in self.stages[:tap]:
            x = stage(x)
        last, fine = x, x
        for stage in self.stages[tap:]:
            last = stage(last)
        if not self.form.local:
            return last, last
        if self.form.upsampled > 1:
            factor = (1.0, float(self.form.upsampled), float(self.form.upsampled))
            fine = functional.interpolate(fine, scale_factor=factor, mode="trilinear")
        for stage in self.local:
            fine = stage(fine)
        return last, fine

    def forward(self, clips: Tensor, mask: Tensor | None = None) -> Scores:
        """Score clips (N, channels, T, H, W); the mask, (N, T), is True in frames that are real.

        An `InputError` says that a clip has no real frame.
        """
        if mask is not None and not bool(mask.any(dim=1).all()):
            raise InputError("a clip has no real frame")
        if mask is not None:  # what padding holds must not reach its neighbours
            clips = clips.masked_fill(~mask[:, None, :, None, None], 0.0)
        last, fine = self.maps(clips)
        coarse = _in_time(mask, last.shape[2])
        if self.bank is None:
            pool = masked_mean if self.form.read == "mean" else masked_peaks
            read = pool(fine, _in_time(mask, fine.shape[2]))
            branches = {"average": self.classifier(self.dropout(read))}
            return Scores(branches, None, self.form.several)
        average = self.classifier(self.dropout(masked_mean(last, coarse)))
        responses, found = self.bank(fine, _in_time(mask, fine.shape[2]))
        return Scores({"average": average, **found}, responses, self.form.several)

    def loss(self, clips: Tensor, labels: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the weighted sum of the branches' cross entropies; see `forward`.

        Labels are (N,), int64; where clips may show several classes (N, C), 0 and 1, NaN where it
        is not known.
        """
        weights = {"average": 1.0, "direct": self.form.direct, "cross": self.form.cross}
        entropy = _binary_entropy if self.form.several else functional.cross_entropy
        branches = self(clips, mask).branches
        return torch.stack([weights[n] * entropy(z, labels) for n, z in branches.items()]).sum()


def _binary_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Average over the labels that are known."""
    known = ~labels.isnan()
    return functional.binary_cross_entropy_with_logits(scores[known], labels[known])


def _in_time(mask: Tensor | None, frames: int) -> Tensor | None:
    """Bring a mask to the frames of maps: a map's frame is real where one that it saw is."""
    if mask is None or mask.shape[1] == frames:
        return mask
    return functional.adaptive_max_pool1d(mask[:, None].float(), frames)[:, 0] > 0
