"""From a trained encoder to a model file that needs no torch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from facetrack.networks.binary_form import BinaryForm
from facetrack.networks.expression import FloatForm, Floats
from facetrack.networks.patches import PATCHES
from facetrack.networks.runtime.real import Linear
from facetrack.networks.train.encoder import Encoder
from facetrack.networks.train.export import export
from facetrack.networks.train.onnx_file import onnx_bytes


class _Whole(nn.Module):
    """An encoder with one argument a patch, which also returns its features."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, *patches: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.cat(
            [self.encoder.branch(n)(x) for n, x in zip(PATCHES, patches, strict=True)], dim=1
        )
        return self.encoder.head(features), features


def encoder_onnx(encoder: Encoder) -> bytes:
    """Write an encoder as ONNX, one face at a time."""
    examples = {n: torch.zeros(1, 2, *view.crop.size[::-1]) for n, view in PATCHES.items()}
    return onnx_bytes(_Whole(encoder), examples, ["targets", "features"])


def form_of(encoder: Encoder) -> FloatForm | BinaryForm:
    """Turn a trained encoder into what runs without torch."""
    if encoder.architecture.blocks == "real":
        return FloatForm(encoder_onnx(encoder))
    branches = {}
    for name in PATCHES:
        branch = encoder.branch(name)
        branches[name] = export(nn.Sequential(branch.stem, *branch.stages, branch.head))
    slope, _, linear = encoder.head
    (head,) = export(nn.Sequential(linear)).layers
    assert isinstance(slope, nn.PReLU)
    assert isinstance(head, Linear)
    return BinaryForm(branches, slope.weight.item(), head)


class TorchForm:
    """An encoder that torch runs, for what is measured and never shipped."""

    def __init__(self, encoder: Encoder) -> None:
        self._whole = _Whole(encoder).eval()

    @torch.no_grad()
    def run(self, inputs: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """See `expression.Network`."""
        patches = [torch.from_numpy(inputs[n]).permute(2, 0, 1)[None] for n in PATCHES]
        targets, features = self._whole(*patches)
        return targets[0].numpy(), features[0].numpy()
