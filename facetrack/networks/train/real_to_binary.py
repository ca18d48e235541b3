"""Real-to-binary training: what guides each step of the chain from real to binary networks.

Martinez, Yang, Bulat, Tzimiropoulos, ICLR 2020, arXiv 2003.11535. Attention maps are those of
Zagoruyko and Komodakis, ICLR 2017; classes are distilled as by Hinton et al., arXiv 1503.02531.
The blocks are in `binary`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.networks.train.binary import Stage, hand_over, set_stage


def attention(student: Tensor, teacher: Tensor, norm: str = "l2") -> Tensor:
    """Compare maps of attention, the mean squared activation over channels, each of one size.

    Maps are (N, C, H, W), C may differ; `norm` gives them unit length ("l2") or a largest value of
    1 ("max"): weights of the loss differ by orders. Returns the mean over positions and samples.
    """
    return functional.mse_loss(_attention_map(student, norm), _attention_map(teacher, norm))


def _attention_map(x: Tensor, norm: str) -> Tensor:
    q = x.square().mean(dim=1).flatten(1)
    size = q.norm(dim=1, keepdim=True) if norm == "l2" else q.amax(dim=1, keepdim=True)
    return q / size.clamp_min(1e-12)


def classes(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Compare class probabilities, T^2 KL(teacher | student), the mean over a batch."""
    return temperature**2 * functional.kl_div(
        functional.log_softmax(student / temperature, dim=1),
        functional.log_softmax(teacher / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )


@torch.no_grad()
def take_over(network: nn.Module, previous: nn.Module, stage: Stage) -> None:
    """Start a step from the weights of the step before; scales follow where weights turn binary."""
    network.load_state_dict(previous.state_dict())
    if stage == Stage.BINARY:
        hand_over(network)
    else:
        set_stage(network, stage)
