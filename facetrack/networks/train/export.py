"""From networks as torch trains them to networks as they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facetrack.errors import InputError
from facetrack.networks.runtime.arrays import Floats
from facetrack.networks.runtime.block import BinaryBlock, Gate, Shortcut
from facetrack.networks.runtime.network import BinaryNetwork, Layer
from facetrack.networks.runtime.real import Flatten, Linear, LocalPool, Pool, Stem
from facetrack.networks.runtime.words import pack_weights
from facetrack.networks.train.binary import HalfBlock, Stage

_LARGEST = int(np.float32(np.finfo(np.float32).max).view(np.int32))


def export(network: nn.Module) -> BinaryNetwork:
    """Turn a trained network into one that runs, and decides as the network in its evaluation mode.

    It is an `nn.Sequential`, nested or not, of convolution, normalisation and PReLU (the stem),
    `HalfBlock` at `Stage.BINARY`, `MaxPool2d` of 3 x 3, `AdaptiveAvgPool2d(1)`, `Flatten`,
    `Linear`; dropout is left out. An `InputError` refuses other layers, those not binary yet, and
    NaN.
    """
    layers: list[Layer] = []
    modules = _flat(network)
    for module in modules:
        if isinstance(module, nn.Conv2d):
            layers.append(_stem(module, next(modules, None), next(modules, None)))
        elif isinstance(module, HalfBlock):
            layers.append(export_block(module))
        elif isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
            layers.append(Pool())
        elif isinstance(module, nn.MaxPool2d):
            layers.append(_local_pool(module))
        elif isinstance(module, nn.Flatten):
            if not layers or not isinstance(layers[-1], Pool):
                layers.append(Flatten())
        elif isinstance(module, nn.Linear):
            layers.append(_linear(module))
        elif not isinstance(module, nn.Identity | nn.Dropout | nn.Dropout2d):
            raise InputError(f"a layer {type(module).__name__} cannot be exported")
    return BinaryNetwork(layers)


def export_block(block: HalfBlock) -> BinaryBlock:
    """Turn a trained block into one that runs; InputError if it is not at `Stage.BINARY` yet."""
    convolution = block.conv
    if convolution.stage != Stage.BINARY:
        raise InputError(f"a convolution at stage {convolution.stage.value!r} is not binary yet")
    bounds, flips = thresholds(block.norm)
    gate = None
    if block.gate is not None:
        squeeze, excite = block.gate.squeeze.weight, block.gate.excite.weight
        gate = Gate(*map(_array, (*affine(block.norm), squeeze.T, excite.T)))
    return BinaryBlock(
        bounds,
        flips,
        pack_weights(_array(convolution.weight), convolution.groups),
        _array(convolution.factors()),
        _slope(block.activation, convolution.weight.shape[0]),
        convolution.weight.shape[-1],
        convolution.stride,
        gate,
        _shortcut(block.shortcut),
    )


@torch.no_grad()
def thresholds(norm: nn.BatchNorm2d) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Find where a normalisation's output changes its sign: the first float that decides otherwise.

    A normalisation rounds, so the bound that follows from its parameters can be off by some floats;
    bisection asks the layer itself, which is monotonic in spite of rounding. Returns bounds and
    flips, (channels,): sign(norm(x)) is +1 where (x >= bound) != flip, for every finite x; the
    bound is -inf where it is constant. InputError if a parameter or running statistic is NaN or
    infinite.
    """
    gain, offset = affine(norm)
    if not (gain.isfinite().all() and offset.isfinite().all()):
        raise InputError("a normalisation holds NaN or infinity")

    def positive(order: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        x = np.copysign(np.abs(order).astype(np.int32).view(np.float32), order)
        maps = torch.from_numpy(x.astype(np.float32))[None, :, None, None].repeat(1, 1, 4, 4)
        z = nn.functional.batch_norm(
            maps, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )
        return (z[0, :, 0, 0] >= 0).numpy()

    low, high = (np.full(norm.num_features, end, np.int64) for end in (-_LARGEST, _LARGEST))
    below, above = positive(low), positive(high)
    while (high - low).max() > 1:
        middle = (low + high) // 2
        as_above = positive(middle) == above
        low, high = np.where(as_above, low, middle), np.where(as_above, middle, high)
    bounds = np.copysign(np.abs(high).astype(np.int32).view(np.float32), high).astype(np.float32)
    return np.where(below == above, np.float32(-np.inf), bounds), ~above


def _flat(module: nn.Module) -> Iterator[nn.Module]:
    if isinstance(module, nn.Sequential):
        for child in module:
            yield from _flat(child)
    else:
        yield module


def _array(tensor: Tensor) -> npt.NDArray[Any]:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=np.float32)


def affine(norm: nn.BatchNorm2d | nn.BatchNorm3d) -> tuple[Tensor, Tensor]:
    """Return gain and offset of a normalisation, float64."""
    if norm.running_mean is None or norm.running_var is None:
        raise InputError("a normalisation keeps no statistics")
    gain = norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()
    return gain, norm.bias.detach().double() - norm.running_mean.double() * gain


def _slope(activation: nn.PReLU, channels: int) -> Floats:
    return _array(activation.weight.expand(channels))


def _linear(linear: nn.Linear) -> Linear:
    bias: Tensor | None = getattr(linear, "bias", None)
    zeros = np.zeros(linear.out_features, np.float32)
    return Linear(_array(linear.weight.T), zeros if bias is None else _array(bias))


def _local_pool(pool: nn.MaxPool2d) -> LocalPool:
    same = pool.dilation == 1 and not pool.ceil_mode
    stride = pool.stride
    if not same or not isinstance(stride, int) or (pool.kernel_size, pool.padding) != (3, 1):
        raise InputError(f"a pool must be of 3 x 3, padded by 1: {pool}")
    return LocalPool(maximum=True, stride=stride)


def _stem(convolution: nn.Conv2d, norm: nn.Module | None, activation: nn.Module | None) -> Stem:
    if not isinstance(norm, nn.BatchNorm2d) or not isinstance(activation, nn.PReLU):
        raise InputError("a real convolution must be followed by BatchNorm2d and PReLU")
    (side, width), (stride, other), pad = (
        convolution.kernel_size,
        convolution.stride,
        convolution.padding,
    )
    if side != width or stride != other or convolution.groups != 1 or isinstance(pad, str):
        raise InputError(f"a stem must be square, without groups, padded by numbers: {convolution}")
    if pad[0] != pad[1] or convolution.dilation != (1, 1):
        raise InputError(f"a stem must be padded evenly and not dilated: {convolution}")
    gain, offset = affine(norm)
    if convolution.bias is not None:
        offset = offset + gain * convolution.bias.detach().double()
    weight = convolution.weight.detach().double() * gain[:, None, None, None]
    slope = _slope(activation, convolution.out_channels)
    return Stem(_array(weight.permute(2, 3, 1, 0)), _array(offset), slope, stride, pad[0])


def _shortcut(module: nn.Module) -> Shortcut | None:
    if isinstance(module, nn.Identity):
        return None
    convolution, norm = list(_flat(module))[-2:]
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        raise InputError("a shortcut must end with a convolution and BatchNorm2d")
    gain, offset = affine(norm)
    weight = convolution.weight.detach().double()[:, :, 0, 0] * gain[:, None]
    return Shortcut(_array(weight.T), _array(offset))
