"""Pictures of evaluations, drawn without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facetrack.evaluation.errors import LIMIT, auc, cumulative_curve
from facetrack.evaluation.reliability import Reliability
from facetrack.formats.atomic import atomic_path
from facetrack.landmarks.markup import GROUPS

_FEWEST = 50  # points: bins with fewer are not drawn


def plot_cumulative(path: Path, errors: Mapping[str, npt.ArrayLike], *, title: str) -> None:
    """Draw cumulative error curves, one per system.

    Parameters
    ----------
    path : Path
        A file that matplotlib can write, such as `.png` or `.svg`.
    errors : mapping of str to array_like
        Errors as fractions of the outer-eye distance; failures inf or NaN. The first system is
        drawn on top.
    title : str
        Stands above the curves.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure, axes = _figure(title)
    _draw_cumulative(axes, errors)
    _save(figure, path)


def plot_panels(path: Path, panels: Mapping[str, Mapping[str, npt.ArrayLike]]) -> None:
    """Draw cumulative error curves side by side, a panel each.

    Parameters
    ----------
    path : Path
        A file that matplotlib can write.
    panels : mapping of str to mapping
        By the title of the panel; see `plot_cumulative`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = Figure(figsize=(6 * len(panels), 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, errors) in zip(row, panels.items(), strict=True):
        axes.set_title(title)
        _draw_cumulative(axes, errors)
    _save(figure, path)


def _draw_cumulative(axes: Axes, errors: Mapping[str, npt.ArrayLike]) -> None:
    grid = np.linspace(0, LIMIT, 401)
    for k, (name, values) in enumerate(errors.items()):
        axes.plot(
            100 * grid,
            100 * cumulative_curve(values, grid),
            label=f"{name} ({auc(values):.3f})",
            linewidth=2.2 if k == 0 else 1.2,
            zorder=10 - k,
        )
    axes.set_xlim(0, 100 * LIMIT)
    axes.set_ylim(0, 100)
    axes.set_xlabel("error, % of the outer-eye distance")
    axes.set_ylabel("faces with this error or less, %")
    axes.grid(alpha=0.3)
    axes.legend(title="area up to 8 %", fontsize=8)


def plot_bars(path: Path, values: Mapping[str, float], *, title: str, unit: str) -> None:
    """Draw one horizontal bar per system.

    Parameters
    ----------
    path : Path
        A file that matplotlib can write.
    values : mapping of str to float
        One bar each, from the top.
    title, unit : str
        What stands above and below.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure, axes = _figure(title)
    names: Sequence[str] = list(values)[::-1]
    bars = axes.barh(names, [values[n] for n in names])
    axes.bar_label(bars, fmt="%.3g", padding=3)
    axes.set_xlabel(unit)
    axes.margins(x=0.15)
    _save(figure, path)


def plot_curves(
    path: Path,
    curves: Mapping[str, Mapping[float, float]],
    *,
    title: str,
    labels: tuple[str, str],
) -> None:
    """Draw one curve per system through a few points.

    Parameters
    ----------
    path : Path
        A file that matplotlib can write.
    curves : mapping of str to mapping
        From abscissa to ordinate.
    title : str
        Stands above the curves.
    labels : tuple of str
        Of the two axes.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure, axes = _figure(title)
    for name, curve in curves.items():
        axes.plot(list(curve), list(curve.values()), marker="o", label=name)
    axes.set_xticks(sorted({x for curve in curves.values() for x in curve}))
    axes.set_ylim(bottom=0)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    _save(figure, path)


def plot_reliability(path: Path, rows: Mapping[str, Mapping[str, Reliability]]) -> None:
    """Draw reliability diagrams: a row of three for each kind of data.

    Parameters
    ----------
    path : Path
        A file that matplotlib can write.
    rows : mapping of str to mapping of str to Reliability
        From `confidence.Judged.parts`: left all points and how many each bar stands for, in the
        middle the landmark groups, right the bands of yaw.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = Figure(figsize=(12, 3.6 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
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
            place.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence said")
            place.grid(alpha=0.3)
            place.legend(fontsize=8, loc="upper left")
        axes[0].set(title=title, ylabel="share of points within 5 %")
    _save(figure, path)


def _draw_reliability(axes: Axes, name: str, part: Reliability) -> None:
    """Draw the bins that hold enough points for their share to mean something."""
    held = part.counts >= _FEWEST
    label = f"{name}: {100 * part.error:.1f} %"
    axes.plot(part.said[held], part.seen[held], marker="o", markersize=3, label=label)


def _figure(title: str) -> tuple[Figure, Axes]:
    """Make a figure of its own: pyplot's global state and its display stay out of it."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
