"""Residual networks of images or of clips, as stages, and their inflation from image weights.

He et al., "Deep residual learning for image recognition", CVPR 2016; Carreira and Zisserman, "Quo
vadis, action recognition?", CVPR 2017 (inflation); Wang et al., "Non-local neural networks", CVPR
2018 (which convolutions of a bottleneck are inflated). Parameters are named as in the ImageNet
weights that are published for the networks of images.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import torch
from torch import Tensor, nn

from facetrack.errors import FormatError, InputError
from facetrack.networks.train.binary import BinaryConv2d

_EXPANSION: Final = 4  # of a bottleneck
_DEPTHS: Final = {
    18: (False, (2, 2, 2, 2)),
    34: (False, (3, 4, 6, 3)),
    50: (True, (3, 4, 6, 3)),
    101: (True, (3, 4, 23, 3)),
    152: (True, (3, 8, 36, 3)),
}


@dataclass(frozen=True, slots=True)
class BackboneForm:
    """How a residual network is built."""

    bottleneck: bool  # blocks of three convolutions, not of two
    blocks: tuple[int, ...]  # of each stage
    widths: tuple[int, ...] = (64, 128, 256, 512)  # before a bottleneck's expansion
    strides: tuple[int, ...] = (1, 2, 2, 2)  # in space
    deep: int = 1  # frames that inflated kernels see; 1: of single frames
    channels: int = 3  # of the clips
    stem: int = 64  # channels of the first convolution
    stem_kernel: tuple[int, int] = (1, 7)  # frames, pixels
    stem_stride: tuple[int, int] = (1, 2)  # frames, pixels
    pooled: bool = True  # the stem ends with a maximum pooling of stride 2
    clips: bool = True  # maps are (N, C, T, H, W), not (N, C, H, W)

    def __post_init__(self) -> None:
        if not len(self.blocks) == len(self.widths) == len(self.strides):
            raise InputError("blocks, widths and strides are of the same stages")
        if not self.deep % 2 or not self.stem_kernel[0] % 2:
            raise InputError(f"kernels are an odd number of frames deep, got {self.deep}")
        if not self.clips and (self.deep, self.stem_kernel[0], self.stem_stride[0]) != (1, 1, 1):
            raise InputError("kernels of images are one frame deep")

    @classmethod
    def of_depth(cls, depth: int, deep: int = 1, stem_frames: tuple[int, int] = (1, 1)) -> Self:
        """Return the published form of a depth: 18, 34, 50, 101 or 152.

        `stem_frames`: frames that the first convolution sees, and its stride in time.
        """
        if depth not in _DEPTHS:
            raise InputError(f"residual networks are {', '.join(map(str, _DEPTHS))} deep")
        bottleneck, blocks = _DEPTHS[depth]
        kernel, stride = (stem_frames[0], 7), (stem_frames[1], 2)
        return cls(bottleneck, blocks, deep=deep, stem_kernel=kernel, stem_stride=stride)


class _Block(nn.Module):
    """Two convolutions of 3 x 3, both inflated, and a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, deep: int, clips: bool) -> None:
        super().__init__()
        norm = nn.BatchNorm3d if clips else nn.BatchNorm2d
        self.conv1 = _convolution(inputs, width, (deep, 3), (1, stride), clips)
        self.bn1 = norm(width)
        self.conv2 = _convolution(width, width, (deep, 3), (1, 1), clips)
        self.bn2 = norm(width)
        self.downsample = _shortcut(inputs, width, stride, clips)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        out: Tensor = (self.bn2(self.conv2(y)) + self.downsample(x)).relu()
        return out


class _Bottleneck(nn.Module):
    """Convolutions of 1 x 1, 3 x 3 and 1 x 1, the first one inflated, and a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, deep: int, clips: bool) -> None:
        super().__init__()
        outputs = width * _EXPANSION
        norm = nn.BatchNorm3d if clips else nn.BatchNorm2d
        self.conv1 = _convolution(inputs, width, (deep, 1), (1, 1), clips)
        self.bn1 = norm(width)
        self.conv2 = _convolution(width, width, (1, 3), (1, stride), clips)
        self.bn2 = norm(width)
        self.conv3 = _convolution(width, outputs, (1, 1), (1, 1), clips)
        self.bn3 = norm(outputs)
        self.downsample = _shortcut(inputs, outputs, stride, clips)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        out: Tensor = (self.bn3(self.conv3(y)) + self.downsample(x)).relu()
        return out


def residual_stages(form: BackboneForm) -> tuple[list[nn.Module], list[int]]:
    """Build the stages with new weights, the stem first, and the channels that each gives.

    All but the first are `nn.Sequential` of blocks.
    """
    (frames, pixels), stride = form.stem_kernel, form.stem_stride
    first = OrderedDict[str, nn.Module](
        conv1=_convolution(form.channels, form.stem, (frames, pixels), stride, form.clips),
        bn1=nn.BatchNorm3d(form.stem) if form.clips else nn.BatchNorm2d(form.stem),
        relu=nn.ReLU(),
    )
    if form.pooled:
        in_time = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        first["maxpool"] = in_time if form.clips else nn.MaxPool2d(3, 2, 1)
    stages: list[nn.Module] = [nn.Sequential(first)]
    widths = [form.stem]
    for count, width, step in zip(form.blocks, form.widths, form.strides, strict=True):
        blocks: list[nn.Module] = []
        outputs = width * (_EXPANSION if form.bottleneck else 1)
        for i in range(count):
            block = _Bottleneck if form.bottleneck else _Block
            # of bottlenecks, every second one sees more than one frame
            deep = form.deep if not form.bottleneck or i % 2 == 0 else 1
            inputs, stride_here = (widths[-1], step) if i == 0 else (outputs, 1)
            blocks.append(block(inputs, width, stride_here, deep, form.clips))
        stages.append(nn.Sequential(*blocks))
        widths.append(outputs)
    return stages, widths


def inflated(weight: Tensor, frames: int) -> Tensor:
    """Make a kernel of clips that says of equal frames what one of images says of one."""
    return weight[:, :, None].repeat(1, 1, frames, 1, 1) / frames


def load_image_weights(stages: nn.ModuleList, state: Mapping[str, Tensor]) -> None:
    """Start stages from weights of an image network as published for ImageNet, except for `fc`."""
    own = stages.state_dict()
    taken: dict[str, Tensor] = {}
    for name, value in own.items():
        stage, _, rest = name.partition(".")
        theirs = rest if stage == "0" else f"layer{stage}.{rest}"
        found = state.get(theirs)
        if found is None:
            if name.endswith("num_batches_tracked"):
                continue
            raise InputError(f"the image weights lack {theirs!r}: of another depth?")
        if value.ndim == 5 and found.ndim == 4:
            found = inflated(found, value.shape[2])
        if found.shape != value.shape:
            shapes = f"{tuple(found.shape)}, and not {tuple(value.shape)}"
            raise InputError(f"{theirs!r} is {shapes}: of another depth?")
        taken[name] = found
    stages.load_state_dict(taken, strict=False)


def read_image_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict of torch; no code in it is run."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the file makes it meet
        raise FormatError(path, f"no readable weights ({type(error).__name__})") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise FormatError(path, "not a state dict: it must map names to tensors")
    return state


def freeze_statistics(network: nn.Module) -> None:
    """Let normalisations use their statistics as they are, also while training."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eval()


def _convolution(
    inputs: int, outputs: int, kernel: tuple[int, int], stride: tuple[int, int], clips: bool
) -> nn.Module:
    (frames, pixels), (in_time, in_space) = kernel, stride
    convolution: nn.Conv3d | nn.Conv2d
    if clips:
        convolution = nn.Conv3d(
            inputs,
            outputs,
            (frames, pixels, pixels),
            (in_time, in_space, in_space),
            (frames // 2, pixels // 2, pixels // 2),
            bias=False,
        )
    else:
        convolution = nn.Conv2d(inputs, outputs, pixels, in_space, pixels // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution


def _shortcut(inputs: int, outputs: int, stride: int, clips: bool) -> nn.Sequential:
    """Return what leads around a block: nothing where its output is of the same shape."""
    if inputs == outputs and stride == 1:
        return nn.Sequential()
    return nn.Sequential(
        _convolution(inputs, outputs, (1, 1), (1, stride), clips),
        nn.BatchNorm3d(outputs) if clips else nn.BatchNorm2d(outputs),
    )


@torch.no_grad()
def multiply_adds(network: nn.Module, batch: Tensor) -> int:
    """Count the multiplications of convolutions, real or binary, and linear layers for a batch."""
    total = 0

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module.weight, Tensor)
        total += output.numel() * module.weight[0].numel()

    counted = nn.Conv3d | nn.Conv2d | nn.Linear | BinaryConv2d
    hooks = [
        module.register_forward_hook(count)
        for module in network.modules()
        if isinstance(module, counted)
    ]
    training = network.training
    network.eval()(batch)
    network.train(training)
    for hook in hooks:
        hook.remove()
    return total
