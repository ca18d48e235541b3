"""Pictures of evaluations, drawn without a display."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from facetrack.evaluation.errors import LIMIT, OUTER_EYES, auc, cumulative_curve
from facetrack.evaluation.reliability import Reliability
from facetrack.landmarks.markup import GROUPS
from facetrack.reporting.plots import new_figure, save_figure, titled_axes

_FEWEST = 50  # points: bins with fewer are not drawn


def plot_cumulative(
    path: Path, errors: Mapping[str, npt.ArrayLike], *, title: str, by: str = OUTER_EYES
) -> None:
    """Draw cumulative error curves, one per system, the first on top; failures inf or NaN."""
    figure, axes = titled_axes(title)
    _draw_cumulative(axes, errors, by)
    save_figure(figure, path)


def plot_panels(path: Path, panels: Mapping[str, Mapping[str, npt.ArrayLike]]) -> None:
    """Draw cumulative error curves side by side, a panel each."""
    figure = new_figure(6 * len(panels), 4.5)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, errors) in zip(row, panels.items(), strict=True):
        axes.set_title(title)
        _draw_cumulative(axes, errors)
    save_figure(figure, path)


def _draw_cumulative(axes: Axes, errors: Mapping[str, npt.ArrayLike], by: str = OUTER_EYES) -> None:
    grid = np.linspace(0, LIMIT, 401)
    for k, (name, values) in enumerate(errors.items()):
        axes.plot(
            100 * grid,
            100 * cumulative_curve(values, grid),
            label=f"{name} ({auc(values):.3f})",
            linewidth=2.2 if k == 0 else 1.2,
            zorder=10 - k,
        )
    axes.set(xlim=(0, 100 * LIMIT), ylim=(0, 100))
    axes.set(xlabel=f"error, % of the distance of the {by}")
    axes.set(ylabel="faces with this error or less, %")
    axes.grid(alpha=0.3)
    axes.legend(title="area up to 8 %", fontsize=8)


def plot_reliability(path: Path, rows: Mapping[str, Mapping[str, Reliability]]) -> None:
    """Draw reliability diagrams: a row of three for each kind of data."""
    # Left all points and how many each bar stands for, in the middle groups, right bands of yaw.
    figure = new_figure(12, 3.6 * len(rows))
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, (title, parts) in zip(grid, rows.items(), strict=True):
        every = parts["all"]
        edges = np.linspace(0, 1, len(every.counts) + 1)
        share = every.counts / every.counts.sum()
        axes[0].bar(edges[:-1], share, np.diff(edges), align="edge", alpha=0.25, label="share")
        columns = (("all",), tuple(GROUPS), tuple(n for n in parts if n.startswith("yaw")))
        for place, names in zip(axes, columns, strict=True):
            place.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
            for name in names:
                _draw_reliability(place, name, parts[name])
            place.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted confidence")
            place.grid(alpha=0.3)
            place.legend(fontsize=8, loc="upper left")
        axes[0].set(title=title, ylabel="share of points within 5 %")
    save_figure(figure, path)


def _draw_reliability(axes: Axes, name: str, part: Reliability) -> None:
    """Draw the bins that hold enough points for their share to mean something."""
    held = part.counts >= _FEWEST
    label = f"{name}: {100 * part.error:.1f} %"
    axes.plot(part.predicted[held], part.observed[held], marker="o", markersize=3, label=label)
