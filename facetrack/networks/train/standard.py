"""What patches were cut by and targets measured in: a model file says it with the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facetrack.formats.archive import Arrays, read_archive, write_archive
from facetrack.networks.samples import Samples

KIND = "facetrack training standard"


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """The mean shape of the patches, and centre and deviation of the targets."""

    mean_shape: npt.NDArray[np.float64]
    centre: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]

    @classmethod
    def of(cls, samples: Samples, mean_shape: npt.NDArray[np.float64]) -> Standard:
        """Measure training samples."""
        return cls(mean_shape, samples.targets.mean(axis=0), samples.targets.std(axis=0))

    @classmethod
    def read(cls, path: Path) -> Standard:
        """Read what `write` wrote."""
        arrays, _ = read_archive(path, kind=KIND, schema=1)
        return cls(arrays["mean_shape"], arrays["centre"], arrays["deviation"])

    def arrays(self) -> Arrays:
        """Return all of it by name."""
        return {"mean_shape": self.mean_shape, "centre": self.centre, "deviation": self.deviation}

    def write(self, path: Path) -> None:
        """Write it beside, then rename."""
        write_archive(path, self.arrays(), {}, kind=KIND, schema=1)
