"""What a lip-reading network is trained for: the words of windows, and the sounds of sentences."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.lips.reader import CONTEXT
from facetrack.lips.train.network import LipNetwork, gather
from facetrack.lips.train.sentences import Batch

_BETA: Final = 0.4  # of mix-up, as in the authors' code


@dataclass(frozen=True, slots=True)
class Terms:
    """How much each part of the loss counts.

    `sounds` weighs the helper task: which sounds a sentence has (CTC, Graves et al. 2006), from the
    frames' features; for GRID only, whose words' sounds are known here. With `whole` the temporal
    part runs over whole sentences and a word is the mean over its own frames, in place of windows
    that are read one by one: less than half of the time, to train the trunk.
    """

    smoothing: float = 0.1  # of the labels
    mixing: float = 0.0  # share of the steps in which windows are mixed
    sounds: float = 0.0
    whole: bool = False
    average: float = 0.998  # decay of the running average of the weights, which is what is kept


class Objective(nn.Module):
    """A network in training, with what only training needs."""

    def __init__(self, network: LipNetwork, terms: Terms) -> None:
        super().__init__()
        self.network, self.terms = network, terms
        self.sounds: nn.Conv1d | None = None
        if terms.sounds:
            self._spelled = _pronunciations()
            self._known = sorted({s for word in self._spelled.values() for s in word})
            self.sounds = nn.Conv1d(
                network.architecture.features, len(self._known) + 1, CONTEXT, padding=CONTEXT // 2
            )

    def loss(self, batch: Batch, rng: np.random.Generator) -> Tensor:
        """Compute the loss of a batch; `rng` draws whether and how windows are mixed."""
        features = self.network.features(batch.pixels, batch.mask, batch.points)
        if self.terms.whole:
            value = self._words(
                self.network.read_whole(features, batch.mask, batch.windows), batch.labels
            )
            return value + self.terms.sounds * self._sounds(features, batch)
        windows, mask = gather(features, batch.mask, batch.windows)
        if rng.random() < self.terms.mixing:
            share = float(rng.beta(_BETA, _BETA))
            other = torch.from_numpy(rng.permutation(len(windows)))
            logits = self.network.read(mixed(windows, mask, other, share), mask)
            value = share * self._words(logits, batch.labels)
            value = value + (1 - share) * self._words(logits, batch.labels[other])
        else:
            value = self._words(self.network.read(windows, mask), batch.labels)
        return value + self.terms.sounds * self._sounds(features, batch)

    def _words(self, logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(logits, labels, label_smoothing=self.terms.smoothing)

    def _sounds(self, features: Tensor, batch: Batch) -> Tensor:
        if self.sounds is None:
            return torch.zeros(())
        seen = functional.dropout(features, 0.2, self.training) * batch.mask[..., None]
        scores = self.sounds(seen.transpose(1, 2)).permute(2, 0, 1).log_softmax(dim=2)
        targets = [
            [self._known.index(sound) for word in words for sound in self._spelled[word]]
            for words in batch.said
        ]
        return functional.ctc_loss(
            scores,
            torch.tensor([sound for target in targets for sound in target]),
            batch.mask.sum(dim=1).long(),
            torch.tensor([len(target) for target in targets]),
            blank=len(self._known),
            zero_infinity=True,
        )


class Average(nn.Module):
    """The running average of a network's weights over the steps, statistics included."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self._decay = decay
        self.network: Any = deepcopy(network).requires_grad_(False)
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Take one step's weights in, of a network of the same form."""
        self.steps += 1
        count = int(self.steps)
        decay = min(self._decay, count / (count + 10))
        for mine, theirs in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


def mixed(windows: Tensor, mask: Tensor, other: Tensor, share: float) -> Tensor:
    """Mix windows (N, T, C) with others: mix-up (Zhang et al. 2018) of features.

    `other` numbers the partner of each, `share` is that of the window itself. The mixed window is
    as long as the first partner; where the second one has no frame, it fades.
    """
    theirs = windows[other] * mask[other][..., None]
    return share * windows + (1 - share) * theirs


def _pronunciations() -> dict[str, list[str]]:
    text = resources.files("facetrack.lips.train").joinpath("phonemes.toml").read_text("utf-8")
    return {word: str(sounds).split() for word, sounds in tomllib.loads(text).items()}
