"""Residual networks of pictures, real or binary, as stages that can be taught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor, nn

from facetrack.errors import InputError
from facetrack.networks.train.binary import HalfBlock, XnorBlock
from facetrack.networks.train.encoder import real_convolution
from facetrack.networks.train.resnet import BackboneForm, load_image_weights, residual_stages
from facetrack.networks.train.staged import Staged

BLOCKS: Final = ("usual", "plain", "half", "gated", "xnor")
STEMS: Final = {"imagenet": (7, 2), "cifar": (3, 1)}  # kernel, stride; the former is pooled too


@dataclass(frozen=True, slots=True)
class ResidualForm:
    """How a residual network is built."""

    blocks: str  # "usual" (He et al.), "plain" (no skips); binary: two "half", "gated" or "xnor"
    counts: tuple[int, ...] = (2, 2, 2, 2)  # blocks of each stage
    widths: tuple[int, ...] = (64, 128, 256, 512)  # channels of each stage
    strides: tuple[int, ...] = (1, 2, 2, 2)
    first: int = 64  # channels of the stem
    stem: str = "imagenet"  # or "cifar"
    taught: str = "stages"  # or "blocks": whose outputs a teacher compares
    scaled: bool = True  # see `BinaryConv2d`

    def __post_init__(self) -> None:
        if self.blocks not in BLOCKS or self.stem not in STEMS:
            known = f"{', '.join(BLOCKS)}, stems {', '.join(STEMS)}"
            raise InputError(f"blocks are {known}; got {self.blocks!r}, {self.stem!r}")
        if self.taught not in ("stages", "blocks"):
            raise InputError(f"stages or blocks are taught, got {self.taught!r}")
        if not len(self.counts) == len(self.widths) == len(self.strides):
            raise InputError("counts, widths and strides are of the same stages")


class Classifier(Staged):
    """Pictures -> logits: stem, stages, head."""

    def __init__(self, form: ResidualForm, classes: int) -> None:
        super().__init__()
        self.form = form
        usual = form.blocks == "usual"
        self.stem, stages = _usual(form) if usual else _own(form)
        blocks = [block for stage in stages for block in stage]
        self.stages = nn.ModuleList(stages if form.taught == "stages" else blocks)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(form.widths[-1], classes)
        )

    @property
    def tap_widths(self) -> tuple[int, ...]:
        """Return how many channels each stage, or block, puts out."""
        form = self.form
        if form.taught == "stages":
            return form.widths
        counted = zip(form.widths, form.counts, strict=True)
        return tuple(width for width, count in counted for _ in range(count))

    def parts(self) -> Mapping[str, Staged]:
        """Return the network itself, its only part."""
        return {"all": self}

    def tapped(self, x: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
        """Return the logits, and the taps of the only part."""
        taps = self.taps(x)
        return self.head(taps[-1]), {"all": taps}


def in_layers(network: Classifier) -> nn.Sequential:
    """Return a binary network as layers that can be exported."""
    return nn.Sequential(network.stem, *network.stages, network.head)


def load_published(network: Classifier, state: Mapping[str, Tensor]) -> None:
    """Give a network of usual blocks the weights that are published for ImageNet."""
    form, left = network.form, list(network.stages)
    if form.blocks != "usual":
        raise InputError("published weights are of usual residual networks")
    stages = [network.stem]
    for count in form.counts:
        whole = form.taught == "stages"
        stages.append(left.pop(0) if whole else nn.Sequential(*(left.pop(0) for _ in range(count))))
    load_image_weights(nn.ModuleList(stages), state)
    *_, linear = network.head.children()
    assert isinstance(linear, nn.Linear)
    shapes = {name: weight.shape for name, weight in linear.state_dict().items()}
    given = {name: state[f"fc.{name}"] for name in shapes if f"fc.{name}" in state}
    if {name: weight.shape for name, weight in given.items()} != shapes:
        raise InputError(f"the image weights have no last layer of {linear.out_features} classes")
    linear.load_state_dict(given)


def _usual(form: ResidualForm) -> tuple[nn.Module, list[Any]]:
    kernel, stride = STEMS[form.stem]
    backbone = BackboneForm(
        False,
        form.counts,
        form.widths,
        form.strides,
        stem=form.first,
        stem_kernel=(1, kernel),
        stem_stride=(1, stride),
        pooled=form.stem == "imagenet",
        clips=False,
    )
    (stem, *stages), _ = residual_stages(backbone)
    return stem, stages


def _own(form: ResidualForm) -> tuple[nn.Module, list[Any]]:
    stem = real_convolution(3, form.first, *STEMS[form.stem])
    if form.stem == "imagenet":
        stem.append(nn.MaxPool2d(3, 2, 1))
    stages, inputs = [], form.first
    for count, outputs, stride in zip(form.counts, form.widths, form.strides, strict=True):
        blocks = [_block(form, inputs, outputs, stride)]
        blocks += [_block(form, outputs, outputs, 1) for _ in range(count - 1)]
        stages.append(nn.Sequential(*blocks))
        inputs = outputs
    return stem, stages


def _block(form: ResidualForm, inputs: int, outputs: int, stride: int) -> nn.Module:
    if form.blocks == "xnor":
        return XnorBlock(inputs, outputs, stride)
    if form.blocks == "plain":
        first = real_convolution(inputs, outputs, 3, stride)
        return nn.Sequential(first, real_convolution(outputs, outputs, 3, 1))
    gated = form.blocks == "gated"
    return nn.Sequential(
        HalfBlock(inputs, outputs, stride, gated=gated, scaled=form.scaled),
        HalfBlock(outputs, outputs, gated=gated, scaled=form.scaled),
    )
