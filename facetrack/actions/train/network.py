"""Action networks on residual backbones, and their start from image weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from facetrack.actions.train.bank import ActionNetwork, HeadForm
from facetrack.networks.train.resnet import BackboneForm, load_image_weights, residual_stages

__all__ = ["build", "start_from_images"]


def build(backbone: BackboneForm, head: HeadForm) -> ActionNetwork:
    """Build a whole network.

    Parameters
    ----------
    backbone : BackboneForm
    head : HeadForm

    Returns
    -------
    ActionNetwork
        With new weights.
    """
    return ActionNetwork(*residual_stages(backbone), head)


def start_from_images(network: ActionNetwork, state: Mapping[str, Tensor]) -> None:
    """Start a backbone, and the local branch with it, from the weights of an image network.

    Parameters
    ----------
    network : ActionNetwork
        From `build`.
    state : mapping of str to Tensor
        See `load_image_weights`.

    Raises
    ------
    InputError
        If a weight is missing or of another shape.
    """
    load_image_weights(network.stages, state)
    network.start_local()
