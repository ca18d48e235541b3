"""Action networks on residual backbones, and their start from image weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from facetrack.actions.train.bank import ActionNetwork, HeadForm
from facetrack.networks.train.resnet import BackboneForm, load_image_weights, residual_stages


def build(backbone: BackboneForm, head: HeadForm) -> ActionNetwork:
    """Build a whole network with new weights."""
    return ActionNetwork(*residual_stages(backbone), head)


def start_from_images(network: ActionNetwork, state: Mapping[str, Tensor]) -> None:
    """Start a backbone and the local branch from the weights of an image network."""
    load_image_weights(network.stages, state)
    network.start_local()
