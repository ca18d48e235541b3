"""Whether the expression encoder sees bad fits that the tracker's own quality does not.

    python -m benchmarks flags DATA/lfpw_test DATA/helen_test DATA/ytf/test --json flags.json

Every picture is fitted from starts that lie farther off than those of training; a fit is bad if its
mean error is over 8 % of the outer-eye distance. The encoder looks at the patches with the fit's
masks and says shape and openings; how far these lie from the fit's own, in standard deviations, is
its opinion. Both are ranked: the area under the ROC curve of good against bad fits, with intervals
over pictures, and that of both together (the mean of their ranks).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from tqdm import tqdm

from benchmarks.command import make_parser
from benchmarks.showing import show
from facetrack.datasets.pts_folder import load_folder
from facetrack.features.crops import Crop, Cut
from facetrack.landmarks.markup import outer_eye_distance
from facetrack.model import load_model
from facetrack.networks.expression import load_encoder
from facetrack.networks.patches import take
from facetrack.networks.samples import MODES, OPENINGS, shape_targets
from facetrack.reporting.tables import Table
from facetrack.training.starts import StartNoise

Floats = npt.NDArray[np.float64]

BAD: Final = 0.08
FAR: Final = StartNoise(translation=0.25, scale=0.15, rotation=0.2, modes=1.0)
_RESAMPLES: Final = 300


def look(folder: Path, starts: int, seed: int) -> list[tuple[int, float, float, float]]:
    """Fit each picture; returns picture, error, quality and minus the encoder's distance."""
    model, encoder = load_model(), load_encoder()
    said = [encoder.names.index(f"shape_{i + 1}") for i in range(MODES)]
    said += [encoder.names.index(name) for name in OPENINGS]
    scale = encoder.deviation[said]
    rows = []
    for number, picture in enumerate(tqdm(load_folder(folder), desc=folder.name, disable=None)):
        grey, truth = picture.read_grey(), np.asarray(picture.points)
        rng = np.random.default_rng([seed, number])
        for _ in range(starts):
            fit = model.fit(grey, FAR.move(truth, model.shape_model, rng, projected=True))
            error = np.linalg.norm(fit.points - truth, axis=1).mean() / outer_eye_distance(truth)
            cut = partial(_cut, grey, fit.points, encoder.mean_shape)
            encoding = encoder.encode(take(cut, fit.points))
            own = shape_targets(fit.points, model.shape_model)
            apart = np.abs((encoding.targets[said] - own) / scale).mean()
            rows.append((number, float(error), fit.quality, -float(apart)))
    return rows


def _cut(grey: npt.NDArray[np.uint8], points: Floats, mean: Floats, crop: Crop) -> Cut:
    return crop.cut(grey, points, mean)


def area(score: Floats, good: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve."""
    pairs = int(good.sum()) * int((~good).sum())
    if not pairs:
        return float("nan")
    n = int(good.sum())
    return float((rankdata(score)[good].sum() - n * (n + 1) / 2) / pairs)


def compare(rows: list[tuple[int, float, float, float]], seed: int) -> dict[str, Any]:
    """Rank by each, and resample pictures."""
    picture, error, quality, encoder = np.array(rows).T
    good = error < BAD
    scores = {"quality": quality, "encoder": encoder}
    scores["both"] = rankdata(quality) + rankdata(encoder)
    rng = np.random.default_rng(seed)
    places = [np.flatnonzero(picture == p) for p in np.unique(picture)]
    found: dict[str, list[float]] = {name: [] for name in scores}
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([places[i] for i in rng.integers(0, len(places), len(places))])
        for name, score in scores.items():
            found[name].append(area(score[drawn], good[drawn]))
    result: dict[str, Any] = {"fits": len(rows), "bad": int((~good).sum())}
    for name, score in scores.items():
        result[name] = area(score, good)
        apart = np.array(found[name]) - np.array(found["quality"])
        result[f"{name}_gain"] = np.nanquantile(apart, [0.025, 0.975]).tolist()
    return result


def main() -> int:
    """Measure and print."""
    parser = make_parser(__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    details = {}
    for folder in args.folders:
        name = folder.name if folder.name != "test" else f"{folder.parent.name}/test"
        details[name] = compare(look(folder, args.starts, args.seed), args.seed)
    rows = [
        [name, d["fits"], d["bad"], d["quality"], d["encoder"], d["both"],
         f"{d['both_gain'][0]:.3f} to {d['both_gain'][1]:.3f}"]
        for name, d in details.items()
    ]  # fmt: skip
    heads = ["pictures", "fits", "bad", "quality", "encoder", "both", "both - quality, 95 %"]
    show([Table(heads, rows)], args.json, n=len(rows), model="default", details=details)
    return 0
