"""Modules of torch as ONNX, with nothing in it about where they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

OPSET: Final = 18


def onnx_bytes(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    *,
    any_of: int | None = None,
) -> bytes:
    """Write a module as ONNX; batch normalisations are folded.

    `inputs` are examples by name, in the module's order; the axis `any_of` of all of them may be of
    any length, and not only of the examples'.
    """
    shapes = None
    if any_of is not None:
        shapes = tuple({any_of: torch.export.Dim("n", max=1 << 20)} for _ in inputs)
    program: Any = torch.onnx.export(
        module.eval(),
        tuple(inputs.values()),
        dynamo=True,
        opset_version=OPSET,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=shapes,
        verbose=False,
    )
    model = program.model_proto
    for noted in (model.graph, *model.graph.node, *model.graph.value_info, *model.functions):
        del noted.metadata_props[:]  # the exporter notes where the code lay on this machine
        noted.doc_string = ""
    for ends in (model.graph.input, model.graph.output, model.graph.initializer):
        for end in ends:
            del end.metadata_props[:]
    del model.metadata_props[:]
    content: bytes = model.SerializeToString()
    return content
