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
from facetrack.formats.atomic import atomic_path


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
    _save(figure, path)


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
