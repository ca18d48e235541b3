"""ResNet-18 trunk with a temporal part: the lip-reading networks in torch.

Martinez, Ma, Petridis, Pantic: *Lipreading using temporal convolutional networks*, ICASSP 2020.
Features are masked before every temporal convolution, which the authors' code leaves out: so what
the network says of a clip does not depend on how far its batch was padded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from facetrack.errors import InputError
from facetrack.lips.reader import CONTEXT
from facetrack.lips.train.architecture import ACTIVATIONS, Architecture
from facetrack.lips.windows import Window, indices


class LipNetwork(nn.Module):
    """A clip of mouth crops to the words' logits."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.trunk = FrameTrunk(architecture)
        self.points = PointBranch(architecture.points) if architecture.points else None
        if architecture.back == "bgru":
            self.back: nn.Module = Recurrent(architecture)
            width = 2 * architecture.channels
        else:
            self.back = Temporal(architecture)
            width = architecture.channels
        self.classifier = nn.Linear(width, architecture.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Conv2d):
                fan = module.out_channels * torch.Size(module.kernel_size).numel()
                nn.init.normal_(module.weight, 0.0, (2 / fan) ** 0.5)

    def forward(self, pixels: Tensor, mask: Tensor, points: Tensor | None = None) -> Tensor:
        """Name the words of clips, (B, T, H, W): logits (B, classes).

        The mask, (B, T), is 1 where a clip has the frame; points of the mouth, (B, T, 40), are
        needed if the architecture has a branch for them.
        """
        return self.read(self.features(pixels, mask, points), mask)

    def features(self, pixels: Tensor, mask: Tensor, points: Tensor | None = None) -> Tensor:
        """Describe what is seen in each frame, for any window of them: (B, T, features).

        See `forward`; an `InputError` says that points are needed.
        """
        seen = self.trunk.clip(pixels * mask[..., None, None])
        if self.points is not None:
            if points is None:
                raise InputError("this network sees the mouth's points as well; none were given")
            seen = torch.cat([seen, self.points(points * mask[..., None])], dim=2)
        return seen

    def read(self, features: Tensor, mask: Tensor) -> Tensor:
        """Name the words of windows: logits (B, classes) of (B, T, features), mask (B, T)."""
        logits: Tensor = self.classifier(self.summary(features, mask))
        return logits

    def read_whole(self, features: Tensor, mask: Tensor, windows: Sequence[Window]) -> Tensor:
        """Name the words of windows, read where they lie in whole clips: logits (windows, classes).

        Features (B, T, features) and mask (B, T) are of the whole clips.
        """
        frames, looked_at = gather(self.back(features, mask), mask, windows)
        logits: Tensor = self.classifier(consensus(frames, looked_at))
        return logits

    def summary(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return what the classifier is given: the mean over the frames that count, (B, width).

        Of features (B, T, features) and mask (B, T); `width` of the temporal part.
        """
        return consensus(self.back(features, mask), mask)


class FrameTrunk(nn.Module):
    """Five frames to the features of the middle one.

    The paper's 5x7x7 convolution of one output frame is a 7x7 convolution of five channels, which
    is how it is written here.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        act, first = ACTIVATIONS[architecture.activation], architecture.widths[0]
        kernel = architecture.front
        self.front = nn.Sequential(
            nn.Conv2d(CONTEXT, first, kernel, 2, kernel // 2, bias=False),
            nn.BatchNorm2d(first),
            act(first),
            nn.MaxPool2d(3, 2, 1),
        )
        stages: list[nn.Module] = []
        for number, width in enumerate(architecture.widths):
            before = architecture.widths[max(number - 1, 0)]
            stages.append(Block(before, width, 1 if number == 0 else 2, act))
            stages.append(Block(width, width, 1, act))
        self.stages = nn.Sequential(*stages)

    def forward(self, stacks: Tensor) -> Tensor:
        """See the middle frames of stacks (N, 5, H, W): (N, widths[-1])."""
        features: Tensor = self.stages(self.front(stacks)).mean(dim=(2, 3))
        return features

    def clip(self, pixels: Tensor) -> Tensor:
        """See every frame of whole clips (B, T, H, W): (B, T, widths[-1])."""
        b, t = pixels.shape[:2]
        wide = functional.pad(pixels, (0, 0, 0, 0, CONTEXT // 2, CONTEXT // 2))
        stacks = wide.unfold(1, CONTEXT, 1).movedim(-1, 2).flatten(0, 1)
        features: Tensor = self(stacks.contiguous(memory_format=torch.channels_last))
        return features.view(b, t, -1)


class Block(nn.Module):
    """The basic block of a ResNet (He et al. 2016)."""

    def __init__(self, before: int, width: int, stride: int, act: Callable[[int], nn.Module]):
        super().__init__()
        self.first = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.first_norm, self.first_act = nn.BatchNorm2d(width), act(width)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.second_norm, self.act = nn.BatchNorm2d(width), act(width)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or before != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return as many maps as the block is wide."""
        h = self.first_act(self.first_norm(self.first(x)))
        out: Tensor = self.act(self.second_norm(self.second(h)) + self.shortcut(x))
        return out


class PointBranch(nn.Module):
    """The mouth's points and their motion, from (B, T, 40) to (B, T, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Conv1d(40, width, CONTEXT, padding=CONTEXT // 2, bias=False)
        self.norm, self.act = nn.BatchNorm1d(width), nn.ReLU()

    def forward(self, points: Tensor) -> Tensor:
        """Return channels to stand beside the trunk's."""
        out: Tensor = self.act(self.norm(self.layer(points.transpose(1, 2))))
        return out.transpose(1, 2)

    def middle(self, stacks: Tensor) -> Tensor:
        """Return the channels of the middle frame, (N, width), of stacks of five, (N, 5, 40)."""
        found: Tensor = self(stacks)[:, CONTEXT // 2]
        return found


class Branches(nn.Module):
    """Convolutions of several lengths over the same frames, their channels side by side."""

    def __init__(self, before: int, architecture: Architecture, dilation: int) -> None:
        super().__init__()
        act = ACTIVATIONS[architecture.activation]
        width = architecture.channels // len(architecture.kernels)
        self.each = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(before, width, k, padding=(k - 1) // 2 * dilation, dilation=dilation),
                nn.BatchNorm1d(width),
                act(width),
            )
            for k in architecture.kernels
        )
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, channels, T): as long as before, and symmetric in time."""
        out: Tensor = self.dropout(torch.cat([branch(x) for branch in self.each], dim=1))
        return out


class TemporalBlock(nn.Module):
    """Two layers of `Branches` and a shortcut; frames that are no part of a clip stay zero."""

    def __init__(self, before: int, architecture: Architecture, dilation: int) -> None:
        super().__init__()
        width = architecture.channels
        self.first = Branches(before, architecture, dilation)
        self.second = Branches(width, architecture, dilation)
        self.shortcut: nn.Module = nn.Identity()
        if architecture.projections or before != width:
            self.shortcut = nn.Conv1d(before, width, 1)
        self.act = ACTIVATIONS[architecture.activation](width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (B, channels, T) of (B, before, T) and a mask, (B, 1, T)."""
        h = self.second(self.first(x) * mask) * mask
        out: Tensor = self.act(h + self.shortcut(x)) * mask
        return out


class Temporal(nn.Module):
    """The (multi-scale) temporal convolutional network."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TemporalBlock(architecture.channels if i else architecture.features, architecture, 2**i)
            for i in range(architecture.blocks)
        )

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return (B, T, channels) of windows of features, (B, T, features)."""
        h, m = (features * mask[..., None]).transpose(1, 2), mask[:, None]
        for block in self.blocks:
            h = block(h, m)
        return h.transpose(1, 2)


class Recurrent(nn.Module):
    """The earlier back end: two bidirectional GRU layers, each clip as long as it is."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.gru = nn.GRU(
            architecture.features,
            architecture.channels,
            num_layers=2,
            batch_first=True,
            bidirectional=True,
            dropout=architecture.dropout,
        )

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return (B, T, 2 channels); what a clip has not is zero."""
        starts = mask.argmax(dim=1)  # windows may begin before the clip does
        lengths = mask.sum(dim=1).long()
        steps = torch.arange(mask.shape[1], device=mask.device)[None]
        places = (steps + starts[:, None]).clamp(max=mask.shape[1] - 1)
        moved = features.gather(1, places[..., None].expand_as(features))
        packed = nn.utils.rnn.pack_padded_sequence(
            moved, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        out, _ = nn.utils.rnn.pad_packed_sequence(
            self.gru(packed)[0], batch_first=True, total_length=mask.shape[1]
        )
        back = (steps - starts[:, None]).clamp(min=0)
        aligned = out.gather(1, back[..., None].expand_as(out))
        result: Tensor = aligned * mask[..., None]
        return result


def gather(features: Tensor, mask: Tensor, windows: Sequence[Window]) -> tuple[Tensor, Tensor]:
    """Cut windows (N, 29, C) and their mask (N, 29) out of features (B, T, C), mask (B, T)."""
    clips, frames, seen = indices(windows, mask.numpy())
    return features[torch.from_numpy(clips), torch.from_numpy(frames)], torch.from_numpy(seen)


def consensus(frames: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (B, C) over the frames (B, T, C) that count by a mask (B, T)."""
    return (frames * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
