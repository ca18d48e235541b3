"""A float encoder that ships, as torch sees it: a teacher for those who have no run."""

from __future__ import annotations

from typing import Final

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from facetrack.errors import InputError
from facetrack.networks.expression import FloatForm, load_encoder
from facetrack.networks.train.encoder import Architecture, Encoder

_PREFIX: Final = "encoder."  # see `model_file`


def load_shipped(name: str) -> Encoder:
    """Rebuild a float encoder from its model file, for use as a frozen guide.

    Its normalisations were folded into the convolutions; here they are left without effect, but
    for the bias, so training it further is another thing than training the run that it came from.
    """
    form = load_encoder(name).network
    if not isinstance(form, FloatForm):
        raise InputError(f"the encoder {name!r} is binary; a teacher is a float one")
    graph = onnx.load_model_from_string(form.pack()[0]["onnx"].tobytes()).graph
    arrays = {one.name: torch.tensor(numpy_helper.to_array(one)) for one in graph.initializer}
    makes = {node.output[0]: node for node in graph.node}
    slopes = {  # by the weights whose output they bend
        makes[node.input[0]].input[1]: arrays[node.input[1]].reshape(-1)
        for node in graph.node
        if node.op_type == "PRelu"
    }
    encoder = _empty(arrays)
    state = encoder.state_dict()
    for module, convolution in encoder.named_modules():
        if not isinstance(convolution, nn.Conv2d):
            continue
        weight = f"{_PREFIX}{module}.weight"
        layer = module.removesuffix(".0")
        norm = encoder.get_submodule(f"{layer}.1")
        assert isinstance(norm, nn.BatchNorm2d)
        state |= {
            f"{module}.weight": arrays[weight],
            f"{layer}.1.bias": arrays[f"{weight}_bias"],
            f"{layer}.1.running_var": torch.full_like(state[f"{layer}.1.bias"], 1 - norm.eps),
            f"{layer}.2.weight": slopes[weight],
        }
    linear = [key for key in state if _PREFIX + key in arrays and "head" in key]
    state |= {key: arrays[_PREFIX + key] for key in linear}
    (state["head.0.weight"],) = (
        arrays[node.input[1]].reshape(-1)
        for node in graph.node
        if node.op_type == "PRelu" and makes[node.input[0]].op_type == "Concat"
    )
    encoder.load_state_dict(state)
    return encoder.eval()


def _empty(arrays: dict[str, torch.Tensor]) -> Encoder:
    """Make the encoder whose weights have these shapes."""
    branch = f"{_PREFIX}branches.eyes"
    stages = (f"{branch}.stages.{k}.first.0.weight" for k in range(3))
    stem, one, two, three = (len(arrays[n]) for n in (f"{branch}.stem.0.weight", *stages))
    features, targets = (len(arrays[f"{n}.bias"]) for n in (f"{branch}.head.1", "encoder.head.2"))
    return Encoder(Architecture("real", (stem, one, two, three), features), targets)
