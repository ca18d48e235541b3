"""What other programs predicted of a clip, read from their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facetrack.errors import FormatError

Points = npt.NDArray[np.float64]


def stored_tracks(
    folders: Mapping[str, Path],
    name: str,
    n_frames: int,
    load: Callable[[Path], tuple[Sequence[int], Points]],
) -> dict[str, Points]:
    """Read what programs predicted of a clip, (n_frames, 68, 2) each; NaN where nothing."""
    # Their folders hold `NAME.csv`, `NAME.npz` or a folder `NAME` of .pts files.
    tracks = {}
    for program, folder in folders.items():
        candidates: Iterable[Path] = (folder / f"{name}{tail}" for tail in (".csv", ".npz", ""))
        path = next((c for c in candidates if c.exists()), None)
        if path is None:
            raise FormatError(folder, f"nothing for the clip {name}", remedy=f"expected {name}.csv")
        frames, found = load(path)
        points = np.full((n_frames, 68, 2), np.nan)
        for k, p in zip(frames, found, strict=True):
            if 0 <= k < n_frames:
                points[k] = p
        tracks[program] = points
    return tracks
