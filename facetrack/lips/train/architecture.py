"""The form of a lip reader's network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torch import nn

from facetrack.errors import InputError

BACKS: Final = ("ms_tcn", "tcn", "bgru")
ACTIVATIONS: Final[dict[str, Callable[[int], nn.Module]]] = {
    "relu": lambda n: nn.ReLU(inplace=True),
    "prelu": nn.PReLU,
    "swish": lambda n: nn.SiLU(inplace=True),
}


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a lip-reading network is made of; the defaults are the paper's full size."""

    classes: int = 500
    # channels of the trunk's four stages, two blocks each
    widths: tuple[int, ...] = (64, 128, 256, 512)
    back: str = "ms_tcn"  # one of `BACKS`
    channels: int = 768  # of each layer of the TCN, or of a GRU's direction
    kernels: tuple[int, ...] = (3, 5, 7)  # one branch each; a single one makes the single-scale TCN
    blocks: int = 4  # of the TCN, dilated by 1, 2, 4, ...
    # in every block's shortcut, as in the authors' code, or where widths differ
    projections: bool = True
    activation: str = "relu"  # one of `ACTIVATIONS`
    dropout: float = 0.2  # in the temporal part
    points: int = 0  # channels of the 20 mouth points, put beside the trunk's; 0 leaves them out
    front: int = 7  # rows and columns of the first layer's kernel

    def __post_init__(self) -> None:
        if self.back not in BACKS or self.activation not in ACTIVATIONS:
            raise InputError(
                f"back is one of {', '.join(BACKS)} and activation one of "
                f"{', '.join(ACTIVATIONS)}, got {self.back!r} and {self.activation!r}"
            )
        if self.back != "bgru" and self.channels % len(self.kernels):
            raise InputError(f"{self.channels} channels do not divide into {self.kernels}")
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise InputError(f"kernels are odd numbers of frames, got {self.kernels}")

    @property
    def features(self) -> int:
        """Channels that the temporal part is given for each frame."""
        return self.widths[-1] + self.points
