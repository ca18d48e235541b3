"""Batches of samples, each time a little different."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from facetrack.networks.samples import Samples

_SHIFT: Final = 2  # px
_NOISE: Final = 4.0  # grey levels, as in `patches.normalised`
_LIMIT: Final = 3.0


class Batches:
    """Augmented batches of samples; the share `coarse` of them loses some of its resolution."""

    def __init__(self, samples: Samples, coarse: float = 0.0) -> None:
        self._samples, self._coarse = samples, coarse
        self.mean = torch.from_numpy(samples.targets.mean(axis=0))
        self.deviation = torch.from_numpy(samples.targets.std(axis=0))
        self.count = len(samples.targets)

    def plain(self, numbers: npt.NDArray[np.int64]) -> tuple[dict[str, Tensor], Tensor]:
        """Return patches and standardised targets as they are."""
        s = self._samples
        patches = {n: normalised(p[numbers].astype(np.float32)) for n, p in s.patches.items()}
        return patches, self._standardised(s.targets[numbers])

    def augmented(
        self, numbers: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return patches and standardised targets with what photographs and fits may bring."""
        s = self._samples
        mirrored = rng.random() < 0.5
        patches = {
            name: normalised(self._varied(all_of[numbers].astype(np.float32), mirrored, rng))
            for name, all_of in s.patches.items()
        }
        return patches, self._standardised((s.mirrored if mirrored else s.targets)[numbers])

    def _varied(
        self, patches: npt.NDArray[np.float32], mirrored: bool, rng: np.random.Generator
    ) -> npt.NDArray[np.float32]:
        if mirrored:
            patches = patches[..., ::-1]
        shift = tuple(rng.integers(-_SHIFT, _SHIFT + 1, 2).tolist())
        patches = np.roll(patches, shift, axis=(2, 3))
        n = len(patches)
        gamma = rng.uniform(0.6, 1.5, (n, 1, 1)).astype(np.float32)
        grey = (255 * (patches[:, 0] / 255) ** gamma).astype(np.float32)
        noisy = (rng.random((n, 1, 1)) < 0.3) * rng.uniform(2, 10, (n, 1, 1))
        if self._coarse and rng.random() < self._coarse:
            grey = _coarse(grey, rng)
        noise = (rng.standard_normal(grey.shape, dtype=np.float32) * noisy).astype(np.float32)
        return np.stack([grey + noise, patches[:, 1]], axis=1)

    def _standardised(self, targets: npt.NDArray[np.float32]) -> Tensor:
        return (torch.from_numpy(targets) - self.mean) / self.deviation


def normalised(patches: npt.NDArray[np.float32]) -> Tensor:
    """Do to a batch, shape (n, 2, H, W), what `patches.normalised` does to one patch."""
    x = torch.from_numpy(patches)
    grey, mask = x[:, :1], x[:, 1:]
    deviation = grey.std(dim=(2, 3), keepdim=True, correction=0) + _NOISE
    scaled = (grey - grey.mean(dim=(2, 3), keepdim=True)) / deviation
    return torch.cat([scaled.clamp(-_LIMIT, _LIMIT), mask], dim=1)


def _coarse(grey: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Take resolution away, as of faces that are small or out of focus."""
    x = torch.from_numpy(grey)[:, None]
    small = functional.interpolate(
        x, scale_factor=1 / rng.uniform(1.3, 3.0), mode="bilinear", antialias=True
    )
    back = functional.interpolate(small, size=grey.shape[1:], mode="bilinear")
    coarse: npt.NDArray[np.float32] = back[:, 0].numpy()
    return coarse
