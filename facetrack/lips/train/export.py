"""From a trained lip reader to a model file that needs no torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facetrack.errors import InputError
from facetrack.lips.reader import CONTEXT, write_reader
from facetrack.lips.train.network import LipNetwork
from facetrack.lips.train.run import finished
from facetrack.lips.views import View
from facetrack.networks.train.onnx_file import onnx_bytes


class _Trunk(nn.Module):
    """Stacks of five frames and of their points to features."""

    def __init__(self, network: LipNetwork) -> None:
        super().__init__()
        self.trunk, self.points = network.trunk, network.points

    def forward(self, pixels: Tensor, points: Tensor) -> Tensor:
        seen: Tensor = self.trunk(pixels)
        if self.points is None:
            return seen + 0 * points.mean()  # an input that is not used would be dropped
        return torch.cat([seen, self.points.middle(points)], dim=1)


class _Back(nn.Module):
    """Features of a clip to logits of its frames."""

    def __init__(self, network: LipNetwork) -> None:
        super().__init__()
        self.back, self.classifier = network.back, network.classifier

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.back(features, torch.ones_like(features[..., 0])))
        return logits


def networks_of(network: LipNetwork, view: View) -> dict[str, bytes]:
    """Write both parts of a network as ONNX, the trunk for single frames; see `LipReader`.

    Its temporal part must be of convolutions.
    """
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    width, height = view.size
    channels = network.architecture.features
    return {
        "trunk": onnx_bytes(
            _Trunk(network),
            {
                "pixels": torch.zeros(2, CONTEXT, height, width),
                "points": torch.zeros(2, CONTEXT, 40),
            },
            ["features"],
            any_of=0,
        ),
        "back": onnx_bytes(
            _Back(network), {"features": torch.zeros(1, 40, channels)}, ["logits"], any_of=1
        ),
    }


def write_run(work: Path, output: Path, *, mean: npt.NDArray[np.float64], terms: str) -> None:
    """Write the model file of a finished run.

    Faces were aligned to `mean`, (68, 2); `terms` are for the card. An `InputError` refuses what is
    no folder of a run, and a recurrent temporal part.
    """
    network, recipe, about = finished(work)
    if network.architecture.back == "bgru":
        raise InputError("recurrent networks are for comparison; only convolutions are exported")
    card = {"about": recipe.about, "terms": terms, **about}
    name, view, words = output.stem, recipe.view, card.pop("words")
    networks = networks_of(network, view)
    write_reader(output, networks, name=name, words=words, view=view, mean_shape=mean, card=card)
