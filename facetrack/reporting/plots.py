"""Plots, drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from facetrack.formats.atomic import atomic_path

# Okabe and Ito's colours, which the colour-blind tell apart.
PALETTE: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def new_figure(width: float, height: float) -> Figure:
    """Make a figure of its own: pyplot's global state and its display stay out of it."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def titled_axes(title: str) -> tuple[Figure, Axes]:
    """Make a figure of one plot."""
    figure = new_figure(7, 5)
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)


def svg(figure: Figure) -> bytes:
    """Draw a figure for a page."""
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "facetrack"}):  # names inside are random otherwise
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def plot_bars(path: Path, values: Mapping[str, float], *, title: str, unit: str) -> None:
    """Draw one horizontal bar per system, from the top."""
    figure, axes = titled_axes(title)
    names: Sequence[str] = list(values)[::-1]
    bars = axes.barh(names, [values[n] for n in names])
    axes.bar_label(bars, fmt="%.3g", padding=3)
    axes.set_xlabel(unit)
    axes.margins(x=0.15)
    save_figure(figure, path)


def plot_curves(
    path: Path, curves: Mapping[str, Mapping[float, float]], *, title: str, labels: tuple[str, str]
) -> None:
    """Draw one curve per system through a few points, from abscissa to ordinate."""
    figure, axes = titled_axes(title)
    for name, curve in curves.items():
        axes.plot(list(curve), list(curve.values()), marker="o", label=name)
    axes.set_xticks(sorted({x for curve in curves.values() for x in curve}))
    axes.set_ylim(bottom=0)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    save_figure(figure, path)
