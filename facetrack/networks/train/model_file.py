"""From a trained encoder to a model file that needs no torch."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from facetrack.networks.expression import EXPRESSION_ENCODER
from facetrack.networks.patches import PATCHES
from facetrack.networks.samples import TARGETS
from facetrack.networks.train.encoder import Encoder
from facetrack.networks.train.standard import Standard

OPSET: Final = 18


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


def onnx_bytes(encoder: Encoder) -> bytes:
    """Write an encoder as ONNX, one face at a time; batch normalisations are folded."""
    examples = tuple(torch.zeros(1, 2, *view.crop.size[::-1]) for view in PATCHES.values())
    program: Any = torch.onnx.export(
        _Whole(encoder).eval(),
        examples,
        dynamo=True,
        opset_version=OPSET,
        input_names=list(PATCHES),
        output_names=["targets", "features"],
        verbose=False,
    )
    stream = io.BytesIO()
    program.save(stream)
    return stream.getvalue()


def export_float(
    encoder: Encoder, path: Path, *, standard: Standard, name: str, card: dict[str, Any]
) -> None:
    """Write a float encoder as a model file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    arrays = {**standard.arrays(), "onnx": np.frombuffer(onnx_bytes(encoder), dtype=np.uint8)}
    description = {"name": name, "card": card, "form": "float", "targets": list(TARGETS)}
    EXPRESSION_ENCODER.write(path, arrays, description)
